//! What is decided about a chart's images: which of its toggles are used, and what no rendering shows.
//!
//! Plain values; the recipe's reader makes them, the commands take them from flags.

use serde_json::{Map, Value};

use crate::images::{ImageName, Knowledge};
use crate::recipe::ValueEdit;
use crate::render::{DEFAULT_KUBERNETES_VERSION, merge_over};
use crate::toggle::{Toggle, set_over};

/// Which toggles a chart is looked at with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// The values as they are.
    Exact,
    /// The values, and each toggle that is listed.
    #[default]
    Declared,
    /// The values, every switch of the chart that is off, and every other choice among texts.
    All,
}

/// What is decided about the images of one chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ImageSettings {
    /// Which toggles are looked at.
    pub(crate) profile: Profile,
    /// The toggles that are listed.
    pub(crate) toggles: Vec<Toggle>,
    /// The values that will be used.
    pub(crate) values: Map<String, Value>,
    /// Values that only make a chart render that demands them; never delivered, used below `values`.
    pub(crate) probe_values: Vec<ValueEdit>,
    /// Further views of the profile `all`: what turning on one switch does not reach.
    pub(crate) views: Vec<KnownView>,
    /// Images that no rendering shows.
    pub(crate) extra_images: Vec<ExtraImage>,
    /// Where images are fetched from in place of the name in the chart.
    pub(crate) substitutions: Vec<Substitution>,
    /// The Kubernetes versions the chart is for, the newest last; never empty.
    pub(crate) kubernetes_versions: Vec<String>,
}

/// A way to use a chart that is known from elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KnownView {
    /// Values over those of the chart.
    pub(crate) values: Map<String, Value>,
    /// Where this is written.
    pub(crate) source: String,
}

/// An image that no rendering shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExtraImage {
    /// The image.
    pub(crate) image: ImageName,
    /// Why it is needed.
    pub(crate) reason: String,
}

/// One source of images that takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Substitution {
    /// Host and path, or their beginning up to a slash, or a whole reference; as completed by clients.
    pub(crate) from: String,
    /// What stands there instead.
    pub(crate) to: String,
}

impl Default for ImageSettings {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            toggles: Vec::new(),
            values: Map::new(),
            probe_values: Vec::new(),
            views: Vec::new(),
            extra_images: Vec::new(),
            substitutions: Vec::new(),
            kubernetes_versions: vec![DEFAULT_KUBERNETES_VERSION.to_owned()],
        }
    }
}

impl ImageSettings {
    /// Returns the newest Kubernetes version the chart is for.
    pub(crate) fn newest_kubernetes(&self) -> &str {
        self.kubernetes_versions.last().map_or(DEFAULT_KUBERNETES_VERSION, String::as_str)
    }

    /// Returns the values to render with, over those of the chart, which are given.
    pub(crate) fn base_values(&self, chart: &Map<String, Value>) -> Map<String, Value> {
        let mut values = Map::new();
        for ValueEdit { path, value, .. } in &self.probe_values {
            set_over(&mut values, chart, path, value.clone());
        }
        merge_over(&mut values, &self.values);
        values
    }

    /// Returns what a recipe says about the images of its chart, below what is asked for besides.
    pub(crate) fn with_recipe(mut self, recipe: &Self) -> Self {
        self.toggles = [recipe.toggles.as_slice(), &self.toggles].concat();
        self.probe_values = [recipe.probe_values.as_slice(), &self.probe_values].concat();
        self.extra_images.extend(recipe.extra_images.iter().cloned());
        self.substitutions.extend(recipe.substitutions.iter().cloned());
        self
    }

    /// Returns the settings with what is known about the chart below what is decided.
    pub(crate) fn over(&self, known: &Knowledge) -> Self {
        let mut settings = self.clone();
        // Of two values for one path the later one is taken.
        settings.probe_values = [known.probe_values.as_slice(), &self.probe_values].concat();
        settings.views.extend(known.views.iter().cloned());
        settings.extra_images.extend(known.extra_images.iter().cloned());
        settings.substitutions.extend(known.substitutions.iter().cloned());
        settings
    }
}

impl Substitution {
    /// Returns the image under its other name when it is one of `from`.
    pub(crate) fn apply(&self, image: &ImageName) -> Option<ImageName> {
        let ImageName { tag, digest, .. } = image.clone();
        let (from, to) = (self.from.trim_end_matches('/'), self.to.trim_end_matches('/'));
        let named = ImageName { digest: None, ..image.clone() };
        if !named.is_bare() && named.to_string() == from {
            let whole: ImageName = to.parse().ok()?;
            return Some(ImageName { tag: whole.tag.or(tag), digest: whole.digest.or(digest), ..whole });
        }
        let repository = image.repository();
        let rest = repository.strip_prefix(from)?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let renamed: ImageName = format!("{to}{rest}").parse().ok()?;
        Some(ImageName { tag, digest, ..renamed })
    }
}

/// Returns the image under the name it is fetched by: that of the first substitution that fits, else its own.
pub(crate) fn source_of(image: &ImageName, substitutions: &[Substitution]) -> ImageName {
    substitutions.iter().find_map(|one| one.apply(image)).unwrap_or_else(|| image.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_substitution_takes_whole_path_segments() {
        let rule = |from: &str, to: &str| Substitution { from: from.to_owned(), to: to.to_owned() };
        let table = [
            (rule("k8s.gcr.io", "registry.k8s.io"), "k8s.gcr.io/pause:3", Some("registry.k8s.io/pause:3")),
            (
                rule("docker.io/bitnami", "docker.io/bitnamilegacy"),
                "bitnami/redis:7",
                Some("docker.io/bitnamilegacy/redis:7"),
            ),
            (rule("docker.io/bitnami", "docker.io/bitnamilegacy"), "bitnamicharts/redis:7", None),
            (
                rule("docker.io/library/redis:7", "quay.io/x/redis:7-fixed"),
                "redis:7",
                Some("quay.io/x/redis:7-fixed"),
            ),
            (rule("docker.io/library/redis:7", "quay.io/x/redis"), "redis:7", Some("quay.io/x/redis:7")),
            (rule("docker.io/library/redis:7", "quay.io/x/redis"), "redis:8", None),
        ];
        for (rule, image, expected) in table {
            let image = rule.apply(&image.parse().unwrap()).map(|image| image.to_string());
            assert_eq!(image.as_deref(), expected);
        }
    }
}
