//! Which version to go to: the one that was asked for, else the newest that is stable.

use std::cmp::Ordering;
use std::str::FromStr;

use chart::ChartVersion;

use crate::recipe::Commit;

/// What to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A published version.
    Version(ChartVersion),
    /// A commit of a git repository.
    Commit(Commit),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(commit) = text.parse() {
            return Ok(Self::Commit(commit));
        }
        let version = text.parse().map(Self::Version);
        version.map_err(|problem: chart::InvalidVersion| format!("{problem}, nor 40 hex digits of a commit"))
    }
}

/// Returns the newest of `published` that is newer than `current`. Pre-releases count only for who has one already.
pub(super) fn newest<'published>(
    published: impl IntoIterator<Item = &'published ChartVersion>,
    current: &ChartVersion,
) -> Option<ChartVersion> {
    let is_wanted = |version: &&ChartVersion| {
        version.precedence(current) == Ordering::Greater
            && (version.prerelease().is_empty() || !current.prerelease().is_empty())
    };
    published.into_iter().filter(is_wanted).max_by(|one, other| one.precedence(other)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stable_version_is_chosen() {
        let table = [
            ("1.0.0", vec!["0.9.0", "1.0.0", "1.10.0", "1.9.0"], Some("1.10.0")),
            ("1.0.0", vec!["1.1.0-rc.1", "1.0.0"], None),
            ("1.1.0-rc.1", vec!["1.1.0-rc.2", "1.0.0"], Some("1.1.0-rc.2")),
            ("v1.2", vec!["v1.3", "v1.2"], Some("v1.3")),
            ("10.4.0+2288", vec!["10.4.0+2300"], None),
        ];
        for (current, published, expected) in table {
            let published: Vec<ChartVersion> = published.iter().map(|text| text.parse().unwrap()).collect();
            let found = newest(&published, &current.parse().unwrap());
            assert_eq!(found.as_ref().map(ChartVersion::as_str), expected, "{current}");
        }
    }

    #[test]
    fn a_target_is_a_version_or_a_whole_commit() {
        assert!(matches!("4.9.0".parse(), Ok(Target::Version(_))));
        assert!(matches!("0123456789abcdef0123456789abcdef01234567".parse(), Ok(Target::Commit(_))));
        assert!("main".parse::<Target>().unwrap_err().contains("nor 40 hex digits"));
    }
}
