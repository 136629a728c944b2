//! Why the drop-in does not start. Texts that ChartMuseum has are ChartMuseum's, since scripts look for them.

use std::io;
use std::path::PathBuf;

use crate::config::{Combination, ConfigError};

/// Why the drop-in does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DropInError {
    /// Options that the chosen backend needs, each with its dashes.
    #[error("Missing required flags(s): {}", .0.join(", "))]
    MissingFlags(Vec<String>),
    /// ChartMuseum has no such backend.
    #[error("Unsupported storage backend: {0}")]
    UnknownBackend(String),
    /// ChartMuseum has no such cache.
    #[error("Unsupported cache store: {0}")]
    UnknownCache(String),
    /// Bearer tokens without the token service's URL.
    #[error("Missing Auth Realm")]
    MissingAuthRealm,
    /// Bearer tokens without this service's name.
    #[error("Missing Auth Service")]
    MissingAuthService,
    /// Bearer tokens without the token service's key.
    #[error("Missing Auth Server Public Cert Path")]
    MissingAuthCertPath,
    /// The file that `--config` names is not there.
    #[error("config file not found: {}", .0.display())]
    FileNotFound(PathBuf),
    /// The file's name says that it is no YAML.
    #[error("config file must have .yaml/.yml extension (or no extension)")]
    FileExtension,
    /// The file can't be read.
    #[error("cannot read the configuration file `{}`: {cause}", path.display())]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file is not YAML, or not a map.
    #[error("the configuration file `{}` is not a YAML map: {reason}", path.display())]
    FileNotYaml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        reason: String,
    },
    /// A flag that ChartMuseum does not have.
    #[error("flag provided but not defined: -{name}{}", nearest.as_ref().map(|nearest| format!(": did you mean `--{nearest}`?")).unwrap_or_default())]
    UndefinedFlag {
        /// The flag without dashes.
        name: String,
        /// The flag that was probably meant.
        nearest: Option<String>,
    },
    /// Something that begins with a dash and names no flag.
    #[error("bad flag syntax: {0}")]
    BadFlag(String),
    /// A flag at the end of the line that needs a value.
    #[error("flag needs an argument: -{0}")]
    NeedsArgument(&'static str),
    /// A value that is not of its option's kind.
    #[error("invalid value \"{text}\" for {named}: {expected}")]
    InvalidValue {
        /// The option, as it was given.
        named: String,
        /// The text.
        text: String,
        /// What to write.
        expected: String,
    },
    /// ChartMuseum can do this and this server can't.
    #[error("{named} is not served here: {instead}")]
    NotServed {
        /// The option, as it was given.
        named: String,
        /// What to do instead.
        instead: String,
    },
    /// Only half of the one user.
    #[error("`--{given}` is set without `--{missing}`: basic authentication needs both")]
    HalfLogin {
        /// The flag that is there.
        given: &'static str,
        /// The flag that is not.
        missing: &'static str,
    },
    /// Only half of certificate and key.
    #[error(transparent)]
    HalfCertificate(#[from] Combination),
    /// The settings that ChartMuseum has no option for are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
