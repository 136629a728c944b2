//! Who asks: given, or found where docker, podman and helm keep their logins.
//! Rule: a secret is shown to nobody, not even by a debugger's print.

use std::fmt;
use std::path::PathBuf;

use super::address::RegistryAddress;
use crate::name::OciName;

mod files;
mod program;

pub use files::CredentialFiles;

/// A text that must not be seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns a text as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    Anonymous,
    /// A user with a password, or with a token in its place.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token, for which the registry's token service gives short-lived ones.
    IdentityToken(Secret),
    /// A token that is sent to the registry as it is.
    RegistryToken(Secret),
}

/// Where credentials come from.
#[derive(Debug, Clone)]
pub enum CredentialSource {
    /// They are these.
    Given(Credentials),
    /// They are in files, or with the programs that these name; none there means anonymous.
    Files(CredentialFiles),
}

impl Default for CredentialSource {
    fn default() -> Self {
        Self::Given(Credentials::Anonymous)
    }
}

impl CredentialSource {
    /// Returns the credentials for a registry, and for a name there where some are for that name only.
    pub(super) async fn find(
        &self,
        registry: &RegistryAddress,
        name: Option<&OciName>,
    ) -> Result<Credentials, CredentialFailure> {
        match self {
            Self::Given(credentials) => Ok(credentials.clone()),
            Self::Files(files) => files.find(registry, name).await,
        }
    }
}

/// Why credentials cannot be had. Having none is no failure.
#[derive(Debug, thiserror::Error)]
pub enum CredentialFailure {
    /// A file cannot be read.
    #[error("cannot read the credentials in `{}`: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: std::io::Error,
    },
    /// A file is not what docker writes.
    #[error("cannot read the credentials in `{}`: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        reason: serde_json::Error,
    },
    /// The `auth` of one registry is not `user:password` in base64.
    #[error("the entry `{key}` in `{}` is not `user:password` in base64: log in again", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry.
        key: String,
    },
    /// A program cannot be run, or fails.
    #[error("`{program}`, which keeps the credentials for `{registry}`, fails: {reason}")]
    Program {
        /// The program.
        program: String,
        /// The registry.
        registry: String,
        /// What went wrong.
        reason: String,
    },
}
