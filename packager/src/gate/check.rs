//! The checks of the gate, by the names that reports and waivers call them.

use std::fmt;

use serde::{Serialize, Serializer};

/// One check of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Check {
    /// The chart renders with its values and its declared toggles, at each Kubernetes version.
    Render,
    /// The chart renders with each of its other toggles where upstream's does.
    Toggle,
    /// The values are what the values schema says.
    Schema,
    /// What templates make is YAML.
    InvalidYaml,
    /// What templates make is a resource: it has `apiVersion`, `kind` and a name.
    IncompleteResource,
    /// No resource is made twice.
    DuplicateResource,
    /// Every resource's `apiVersion` is served by each Kubernetes version.
    RemovedApi,
    /// Helm's linter finds nothing.
    Lint,
    /// Every file is upstream's or the recipe's.
    StaleFile,
    /// Every image is fetched from the site's registry.
    ForeignImage,
    /// No configuration names a public address that is fetched from.
    PublicUrl,
    /// No command fetches from the internet.
    Download,
    /// No list of plugins is fetched at the start.
    PluginList,
    /// The values hold no secret.
    Secret,
    /// Every waiver silences something.
    UnusedWaiver,
}

impl Check {
    /// Every check that can be waived, by its name.
    pub(crate) const WAIVABLE: [(&'static str, Self); 14] = [
        ("render", Self::Render),
        ("toggle", Self::Toggle),
        ("schema", Self::Schema),
        ("invalid-yaml", Self::InvalidYaml),
        ("incomplete-resource", Self::IncompleteResource),
        ("duplicate-resource", Self::DuplicateResource),
        ("removed-api", Self::RemovedApi),
        ("lint", Self::Lint),
        ("stale-file", Self::StaleFile),
        ("foreign-image", Self::ForeignImage),
        ("public-url", Self::PublicUrl),
        ("download", Self::Download),
        ("plugin-list", Self::PluginList),
        ("secret", Self::Secret),
    ];

    /// Returns the name that reports and waivers use.
    pub(crate) fn name(self) -> &'static str {
        let found = Self::WAIVABLE.iter().find(|(_, check)| *check == self);
        found.map_or("unused-waiver", |(name, _)| name)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl std::str::FromStr for Check {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::WAIVABLE.iter().find(|(name, _)| *name == text).map(|(_, check)| *check);
        let names: Vec<_> = Self::WAIVABLE.iter().map(|(name, _)| *name).collect();
        found.ok_or_else(|| format!("`{text}` is no check; the checks are `{}`", names.join("`, `")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for (name, check) in Check::WAIVABLE {
            assert_eq!((name.parse(), check.name()), (Ok(check), name));
        }
        assert!("unused-waiver".parse::<Check>().is_err(), "a waiver of unused waivers would wait for ever");
    }
}
