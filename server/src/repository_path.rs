//! The path of a repository: one or more segments, or none for the default repository at `/`.
//!
//! Segments obey the OCI name grammar (distribution spec, "Pulling manifests"), so that the repository has an OCI view,
//! and avoid the words that begin another surface of the server.

use std::fmt;

/// Words that may not be a segment, since URLs give them another meaning (DESIGN: surfaces).
const RESERVED: [&str; 14] = [
    "api",
    "candidates",
    "catalog",
    "changes",
    "charts",
    "editions",
    "health",
    "info",
    "live",
    "metrics",
    "ready",
    "removed",
    "ui",
    "v2",
];
const LONGEST: usize = 200;

/// A valid repository path; the empty path is the default repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RepositoryPath(Box<str>);

/// Why a text is not a repository path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRepositoryPath {
    /// A segment breaks the grammar.
    #[error(
        "`{segment}` cannot be part of a repository path: use lower-case letters and digits, joined by `.`, `_` or `-`"
    )]
    Segment {
        /// The segment at fault.
        segment: String,
    },
    /// A segment is a word of the server's own URLs.
    #[error(
        "`{segment}` cannot be part of a repository path: the word is taken by the server's own addresses"
    )]
    Reserved {
        /// The segment at fault.
        segment: String,
    },
    /// The whole path is too long for a URL that also carries a chart.
    #[error("the repository path has {length} characters: use at most {LONGEST}")]
    TooLong {
        /// How long it is.
        length: usize,
    },
}

impl RepositoryPath {
    /// Returns the path of the default repository.
    pub(crate) fn root() -> Self {
        Self("".into())
    }

    /// Parses segments that stand between slashes, already percent-decoded.
    ///
    /// # Errors
    /// [`InvalidRepositoryPath`] naming the first segment at fault.
    pub(crate) fn from_segments<S: AsRef<str>>(segments: &[S]) -> Result<Self, InvalidRepositoryPath> {
        for segment in segments.iter().map(AsRef::as_ref) {
            if RESERVED.contains(&segment) {
                return Err(InvalidRepositoryPath::Reserved { segment: segment.to_owned() });
            }
            if !is_name_component(segment) {
                return Err(InvalidRepositoryPath::Segment { segment: segment.to_owned() });
            }
        }
        Self::joined(segments)
    }

    /// Parses ChartMuseum's tenant segments, which may be any word that is safe as a folder name.
    ///
    /// # Errors
    /// [`InvalidRepositoryPath`] for `.`, `..`, empty, hidden, or a separator inside: they would leave the folder.
    pub(crate) fn from_tenant_segments<S: AsRef<str>>(segments: &[S]) -> Result<Self, InvalidRepositoryPath> {
        for segment in segments.iter().map(AsRef::as_ref) {
            let hidden_or_empty = segment.is_empty() || segment.starts_with('.');
            if hidden_or_empty || segment.contains(['/', '\\', ':']) || segment.chars().any(char::is_control)
            {
                return Err(InvalidRepositoryPath::Segment { segment: segment.to_owned() });
            }
        }
        Self::joined(segments)
    }

    /// Takes a path the catalog holds, which was checked before it was written.
    pub(crate) fn from_catalog(path: String) -> Self {
        Self(path.into_boxed_str())
    }

    fn joined<S: AsRef<str>>(segments: &[S]) -> Result<Self, InvalidRepositoryPath> {
        let path = segments.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("/");
        if path.len() > LONGEST {
            return Err(InvalidRepositoryPath::TooLong { length: path.len() });
        }
        Ok(Self(path.into_boxed_str()))
    }

    /// Returns the path without slashes at either end; empty for the default repository.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether this is the default repository.
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether `self` is `scope` or lies below it; every path lies below the root.
    pub(crate) fn is_within(&self, scope: &Self) -> bool {
        scope.is_root()
            || self.0.strip_prefix(&*scope.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl std::str::FromStr for RepositoryPath {
    type Err = InvalidRepositoryPath;

    /// Parses `team/prod`; slashes at either end are ignored, so `/` is the default repository.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim_matches('/');
        if trimmed.is_empty() {
            return Ok(Self::root());
        }
        Self::from_segments(&trimmed.split('/').collect::<Vec<_>>())
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() { formatter.write_str("/") } else { formatter.write_str(&self.0) }
    }
}

/// Checks `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_name_component(segment: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = segment.as_bytes();
    if !bytes.first().copied().is_some_and(is_word) || !bytes.last().copied().is_some_and(is_word) {
        return false;
    }
    bytes.split(|byte| is_word(*byte)).all(|separator| match separator {
        [] | b"." | b"_" | b"__" => true,
        dashes => dashes.iter().all(|byte| *byte == b'-'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_oci_name_grammar() {
        for good in ["", "/", "playcekube", "team/prod", "a.b/c_d/e__f/g--h", "0", "team/prod/"] {
            assert!(good.parse::<RepositoryPath>().is_ok(), "{good}");
        }
        for bad in [
            "..",
            ".",
            "a/../b",
            "a//b",
            "Team",
            "a b",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a._b",
            "%2e%2e",
            "a\\b",
            "é",
            "api",
            "team/charts",
            "v2",
            "metrics",
            "team/changes",
            "removed/team",
        ] {
            assert!(bad.parse::<RepositoryPath>().is_err(), "{bad}");
        }
        assert!("a/".repeat(150).parse::<RepositoryPath>().is_err());
    }

    #[test]
    fn tenants_may_be_any_safe_folder_name() {
        for good in ["Org1", "api", "health", "a b"] {
            assert!(RepositoryPath::from_tenant_segments(&[good]).is_ok(), "{good}");
        }
        for bad in ["..", ".", "", ".hidden", "a/b", "a\\b", "a\0b", "c:d"] {
            assert!(RepositoryPath::from_tenant_segments(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scope_covers_itself_and_what_lies_below() {
        let path = |text: &str| text.parse::<RepositoryPath>().unwrap();
        assert!(path("team/prod").is_within(&path("team")));
        assert!(path("team").is_within(&path("team")));
        assert!(path("team").is_within(&RepositoryPath::root()));
        assert!(!path("teams").is_within(&path("team")));
        assert!(!path("team").is_within(&path("team/prod")));
    }
}
