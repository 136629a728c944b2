//! Versions as tags. No tag may hold `+`, no version holds `_`: Helm writes one for the other.

use oci::Tag;

use crate::version::ChartVersion;

/// Returns the tag that stands for `version`; `None` for one of over 128 characters, which no tag can have.
pub fn tag_of(version: &ChartVersion) -> Option<Tag> {
    version.as_str().replace('+', "_").parse().ok()
}

/// Returns the version that `tag` stands for, if it can be one's.
pub fn version_of(tag: &Tag) -> Option<ChartVersion> {
    tag.as_str().replace('_', "+").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_versions_stand_for_each_other() {
        for (version, tag) in [
            ("1.2.3", "1.2.3"),
            ("v4.0.0", "v4.0.0"),
            ("1.2.3+up4.5", "1.2.3_up4.5"),
            ("1.2.3-rc.1+a-b", "1.2.3-rc.1_a-b"),
        ] {
            let version: ChartVersion = version.parse().unwrap();
            assert_eq!(tag_of(&version).unwrap().as_str(), tag);
            assert_eq!(version_of(&tag.parse().unwrap()), Some(version));
        }
        assert_eq!(version_of(&"latest".parse().unwrap()), None);
        let long: ChartVersion = format!("1.0.0-{}", "a".repeat(123)).parse().unwrap();
        assert_eq!(tag_of(&long), None);
    }
}
