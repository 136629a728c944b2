//! What can be wrong with a configuration, each thing named by where it was written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nowhere: it is the setting's default.
    Default,
    /// In the configuration file; line and column count from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line of the value.
        line: usize,
        /// The column of the value, in characters.
        column: usize,
    },
    /// In an environment variable.
    Variable(String),
    /// In a flag.
    Flag(&'static str),
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file that `--config` names can't be read.
    #[error("cannot read the configuration file `{}`: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file is not TOML.
    #[error("{}, line {line}, column {column}: {reason}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// The line at fault, from 1.
        line: usize,
        /// The column at fault, from 1.
        column: usize,
        /// What the parser expected.
        reason: String,
    },
    /// One or more settings are wrong; all of them are listed, one a line.
    #[error("{}", one_a_line(.0))]
    Invalid(Vec<Problem>),
}

/// One thing wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// The file has a key that no setting has.
    #[error("{}, line {line}, column {column}: `{key}` is not a setting{}", path.display(), suggestion(nearest.as_deref()))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line of the key, from 1.
        line: usize,
        /// The column of the key, from 1.
        column: usize,
        /// The key with its sections.
        key: String,
        /// The setting that was probably meant.
        nearest: Option<String>,
    },
    /// The environment has a `CHARTROOM_` variable that no setting has.
    #[error("the variable `{variable}` is not a setting{}", suggestion(nearest.as_deref()))]
    UnknownVariable {
        /// The variable.
        variable: String,
        /// The variable that was probably meant.
        nearest: Option<String>,
    },
    /// A value is not one of its setting's type.
    #[error("{}: {reason}", named(key, origin))]
    Value {
        /// The setting.
        key: &'static str,
        /// Where the value was written.
        origin: Origin,
        /// What is wrong and what to write.
        reason: String,
    },
    /// The file that should hold a secret can't be read.
    #[error("{}: cannot read `{}`: {reason}", named(key, origin), path.display())]
    UnreadableSecret {
        /// The setting, with `_file`.
        key: String,
        /// Where the path was written.
        origin: Origin,
        /// The path.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A secret is given twice in one place, as itself and as a file.
    #[error("{} and {} both give the same setting: remove one", named(key, origin), named(&format!("{key}_file"), file_origin))]
    GivenTwice {
        /// The setting.
        key: &'static str,
        /// Where the secret itself was written.
        origin: Origin,
        /// Where the path was written.
        file_origin: Origin,
    },
    /// Two settings do not go together, or one needs another.
    #[error(transparent)]
    Combination(#[from] Combination),
}

/// Settings that are each valid but not together, or not yet served by this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Combination {
    /// Only half of certificate and key is there.
    #[error("`{given}` is set without `{missing}`: TLS needs both")]
    HalfCertificate {
        /// The setting that is there.
        given: &'static str,
        /// The setting that is not.
        missing: &'static str,
    },
    /// An https listener without a certificate.
    #[error(
        "`listen` has `{address}` but there is no certificate: set `tls.certificate` and `tls.key`, or write `http://`"
    )]
    ListenNeedsCertificate {
        /// The address with its scheme.
        address: String,
    },
    /// No address to listen on.
    #[error("`listen` is empty: write at least one address, such as `127.0.0.1:8080`")]
    NothingToListenOn,
    /// An encryption key without the encryption that takes one.
    #[error("`s3.kms_key_id` is set without `s3.server_side_encryption = \"aws:kms\"`: set both or neither")]
    KeyWithoutKms,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line, .. } => write!(formatter, "{}, line {line}", path.display()),
            Self::Variable(variable) => formatter.write_str(variable),
            Self::Flag(flag) => formatter.write_str(flag),
        }
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self::Invalid(vec![problem])
    }
}

impl From<Combination> for ConfigError {
    fn from(combination: Combination) -> Self {
        Problem::from(combination).into()
    }
}

/// Returns the line and column, from 1, of a byte of a text; the column counts characters.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// Returns the origin of a byte of the file `path`, whose text is `text`.
pub(super) fn origin_in_file(path: &Path, text: &str, offset: usize) -> Origin {
    let (line, column) = line_and_column(text, offset);
    Origin::File { path: path.to_owned(), line, column }
}

fn named(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Default => format!("`{key}`"),
        Origin::File { path, line, column } => {
            format!("{}, line {line}, column {column}: `{key}`", path.display())
        }
        Origin::Variable(variable) => format!("the variable `{variable}`"),
        Origin::Flag(flag) => format!("`{flag}`"),
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || ": remove it, or see all settings with `chartroom check-config --defaults`".to_owned(),
        |nearest| format!(": did you mean `{nearest}`?"),
    )
}

fn one_a_line(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        for (offset, expected) in [(0, (1, 1)), (3, (2, 1)), (5, (2, 2)), (99, (2, 3))] {
            assert_eq!(line_and_column("ab\nñc", offset), expected, "{offset}");
        }
    }
}
