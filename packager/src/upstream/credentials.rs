//! Credentials for upstream servers, from the files that helm and curl keep, and for registries docker's and helm's.
//! Sent by host, never printed.

mod helm;
mod netrc;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use oci::client::{CredentialSource, RegistryAddress, Secret};
use url::Url;

use crate::config::Token;

/// Where credentials are. Files that are not there hold none.
#[derive(Debug, Clone, Default)]
pub(crate) struct CredentialFiles {
    /// Helm's `repositories.yaml`.
    pub(crate) repositories: Option<PathBuf>,
    /// The registry files of helm and docker, the first that knows a host wins.
    pub(crate) registries: Vec<PathBuf>,
    /// The netrc file.
    pub(crate) netrc: Option<PathBuf>,
}

/// A user and a password.
#[derive(Debug, Clone)]
pub(super) struct UserPassword {
    /// The user.
    pub(super) user: String,
    /// The password.
    pub(super) password: Token,
}

/// What helm keeps for the server of a repository.
#[derive(Debug, Clone, Default)]
pub(super) struct HostSettings {
    /// User and password.
    pub(super) basic: Option<UserPassword>,
    /// PEM file with authorities to trust.
    pub(super) authorities: Option<PathBuf>,
    /// PEM file with the client's certificate.
    pub(super) certificate: Option<PathBuf>,
    /// PEM file with its key.
    pub(super) key: Option<PathBuf>,
}

/// All credentials.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    by_origin: BTreeMap<String, HostSettings>,
    /// The registry client reads these when it needs them.
    registries: Vec<PathBuf>,
    machines: netrc::Machines,
}

/// Why a file with credentials cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the credentials in `{path}` cannot be read: {reason}")]
pub(crate) struct InvalidCredentials {
    path: PathBuf,
    reason: String,
}

impl Credentials {
    /// Reads the files that are there.
    ///
    /// # Errors
    /// [`InvalidCredentials`] for a file that is there and cannot be understood.
    pub(super) fn read(files: &CredentialFiles) -> Result<Self, InvalidCredentials> {
        let mut credentials = Self::default();
        if let Some(path) = &files.repositories {
            credentials.by_origin = with(path, helm::parse_repositories)?.unwrap_or_default();
        }
        credentials.registries.clone_from(&files.registries);
        if let Some(path) = &files.netrc {
            credentials.machines = with(path, |bytes| Ok(netrc::parse(bytes)))?.unwrap_or_default();
        }
        Ok(credentials)
    }

    /// Returns what to send to the server of `url`.
    pub(super) fn of_url(&self, url: &Url) -> Option<&UserPassword> {
        let kept = self.by_origin.get(&origin_of(url)).and_then(|host| host.basic.as_ref());
        kept.or_else(|| self.machines.of_host(url.host_str()?))
    }

    /// Returns where a registry's client finds what to send: in docker's and helm's files, else in netrc.
    pub(super) fn of_registry(&self, registry: &RegistryAddress) -> CredentialSource {
        let host = registry.host().as_str();
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        let files = oci::client::CredentialFiles::new(self.registries.clone());
        let otherwise = match self.machines.of_host(bare) {
            Some(UserPassword { user, password }) => oci::client::Credentials::Basic {
                user: user.clone(),
                password: Secret::new(password.reveal()),
            },
            None => oci::client::Credentials::Anonymous,
        };
        CredentialSource::Files(files.otherwise(otherwise))
    }

    /// Returns the servers for which helm keeps certificates.
    pub(super) fn hosts_with_certificates(&self) -> impl Iterator<Item = (&String, &HostSettings)> {
        self.by_origin.iter().filter(|(_, host)| host.authorities.is_some() || host.certificate.is_some())
    }
}

/// Returns scheme, host and port of a URL, by which credentials are kept.
pub(super) fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn with<T>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<Option<T>, InvalidCredentials> {
    let refuse = |reason: String| InvalidCredentials { path: path.to_owned(), reason };
    match std::fs::read(path) {
        Ok(bytes) => parse(&bytes).map(Some).map_err(refuse),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refuse(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_gets_its_own_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let files = CredentialFiles {
            repositories: Some(write(
                "repositories.yaml",
                "repositories:\n- {name: a, url: 'https://charts.test/a', username: helm, password: one}\n",
            )),
            registries: Vec::new(),
            netrc: Some(write("netrc", "machine other.test login net password four\n")),
        };
        let credentials = Credentials::read(&files).unwrap();
        let of_url = |url: &str| {
            let found = credentials.of_url(&url.parse().unwrap());
            found.map(|one| format!("{} {}", one.user, one.password.reveal()))
        };
        assert_eq!(of_url("https://charts.test/b/x.tgz").as_deref(), Some("helm one"));
        assert_eq!(of_url("https://other.test/x").as_deref(), Some("net four"));
        for url in ["http://charts.test/a", "https://charts.test:8443/a", "https://evil.test/charts.test"] {
            assert_eq!(of_url(url), None, "{url}");
        }
    }
}
