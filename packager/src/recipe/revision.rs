//! The version a chart is delivered under, in a scheme that Helm sorts.
//!
//! Helm does not order build metadata, so a revision of ours must show in the numbers: patch × 100 + revision.

use chart::{ChartVersion, InvalidVersion};

use crate::located::{Located, LocatedProblem};

/// The largest revision of one upstream version.
const MOST: u64 = 99;

/// What stands before the upstream version in build metadata, as in `1.0.3+up4.1.4`.
const UPSTREAM_MARK: &str = "up";

/// How the delivered version follows from upstream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Revision {
    /// It is upstream's.
    Upstream,
    /// It is one of ours.
    Own(ChartVersion),
    /// Upstream's patch number × 100 + this number of ours.
    Number(u64),
}

/// Why an upstream version cannot be revised that way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidRevision {
    /// The patch number is too large to be multiplied.
    #[error("version `{0}` has a patch number too large for `revision`: write `version` in its place")]
    TooLarge(ChartVersion),
    /// What comes out is no version.
    #[error(transparent)]
    Version(#[from] InvalidVersion),
    /// The version names another upstream version.
    #[error(
        "`version: {own}` names the upstream version `{named}`, but upstream's is `{upstream}`: correct the part after `+{UPSTREAM_MARK}`"
    )]
    OtherUpstream {
        /// The version in the recipe.
        own: Box<ChartVersion>,
        /// The upstream version it names.
        named: String,
        /// The upstream version.
        upstream: Box<ChartVersion>,
    },
}

impl Revision {
    /// Returns the version to deliver `upstream` under.
    ///
    /// # Errors
    /// [`InvalidRevision`] when there is none.
    pub(crate) fn version(&self, upstream: &ChartVersion) -> Result<ChartVersion, InvalidRevision> {
        match self {
            Self::Upstream => Ok(upstream.clone()),
            Self::Own(own) => match own.build().strip_prefix(UPSTREAM_MARK) {
                // A chart of somebody may have build metadata that begins with the same letters.
                Some(named) if named.starts_with(|first: char| first.is_ascii_digit() || first == 'v') => {
                    if named.replace('-', ".") != upstream.as_str().replace(['-', '+'], ".") {
                        let (own, named) = (Box::new(own.clone()), named.to_owned());
                        let upstream = Box::new(upstream.clone());
                        return Err(InvalidRevision::OtherUpstream { own, named, upstream });
                    }
                    Ok(own.clone())
                }
                Some(_) | None => Ok(own.clone()),
            },
            Self::Number(revision) => {
                let scaled =
                    upstream.patch().checked_mul(MOST + 1).and_then(|patch| patch.checked_add(*revision));
                let patch = scaled.ok_or_else(|| InvalidRevision::TooLarge(upstream.clone()))?;
                let v = if upstream.as_str().starts_with('v') { "v" } else { "" };
                let mut text = format!("{v}{}.{}.{patch}", upstream.major(), upstream.minor());
                for (mark, part) in [('-', upstream.prerelease()), ('+', upstream.build())] {
                    if !part.is_empty() {
                        text.push(mark);
                        text.push_str(part);
                    }
                }
                Ok(text.parse()?)
            }
        }
    }
}

/// Reads the value of `revision`.
///
/// # Errors
/// [`LocatedProblem`] with the line and column.
pub(super) fn read(value: Located<'_>) -> Result<Revision, LocatedProblem> {
    value.number("revision", MOST).map(Revision::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ChartVersion {
        text.parse().unwrap()
    }

    #[test]
    fn revisions_sort_between_upstreams_versions_of_the_scheme() {
        let table = [
            ("4.1.4", 0, "4.1.400"),
            ("4.1.4", 1, "4.1.401"),
            ("v4.0.0", 3, "v4.0.3"),
            ("1.2", 1, "1.2.1"),
            ("10.4.1+2288", 2, "10.4.102+2288"),
            ("1.2.3-rc.1", 7, "1.2.307-rc.1"),
        ];
        for (upstream, revision, expected) in table {
            assert_eq!(Revision::Number(revision).version(&version(upstream)).unwrap().as_str(), expected);
        }
        let of = |upstream: &str, revision| Revision::Number(revision).version(&version(upstream)).unwrap();
        assert!(of("4.1.4", 99) < of("4.1.5", 0) && of("4.1.4", 1) < of("4.1.4", 2));
        let large = Revision::Number(0).version(&version("1.0.18446744073709551615"));
        assert!(matches!(large, Err(InvalidRevision::TooLarge(_))));
    }

    #[test]
    fn an_own_version_names_the_upstream_it_was_made_of() {
        let own = |text: &str| Revision::Own(version(text));
        for (text, upstream) in [
            ("1.0.3+up4.1.4", "4.1.4"),
            ("2.0.0+upv1.2", "v1.2"),
            ("2.0.0", "4.1.4"),
            ("1.0.0+upper", "4.1.4"),
        ] {
            assert_eq!(own(text).version(&version(upstream)).unwrap(), version(text));
        }
        let other = own("1.0.3+up4.1.4").version(&version("4.1.5")).unwrap_err().to_string();
        assert!(other.contains("names the upstream version `4.1.4`, but upstream's is `4.1.5`"), "{other}");
    }
}
