//! What a recipe decides about a chart's images: which of its switches are used, and what no rendering shows.
//!
//! Plain values; the recipe's reader makes them, the commands take them from flags.

use serde_json::{Map, Value};

use crate::edit::ValuePath;
use crate::images::{ImageName, Knowledge};
use crate::render::{DEFAULT_KUBERNETES_VERSION, merge_over};

/// Which toggles a chart is looked at with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// The values as they are.
    Exact,
    /// The values, and each toggle that is listed.
    Declared,
    /// The values, and every switch of the chart that is off.
    All,
}

/// What is decided about the images of one chart.
#[derive(Debug, Clone)]
pub(crate) struct ImageSettings {
    /// Which toggles are looked at.
    pub(crate) profile: Profile,
    /// The toggles that are listed.
    pub(crate) toggles: Vec<ValuePath>,
    /// The values that will be used.
    pub(crate) values: Map<String, Value>,
    /// Values that only make a chart render that demands them; used below `values`.
    pub(crate) probe_values: Map<String, Value>,
    /// Values for further views of the profile `all`: what turning on one switch does not reach.
    pub(crate) views: Vec<Map<String, Value>>,
    /// Images that no rendering shows.
    pub(crate) extra_images: Vec<ExtraImage>,
    /// Where images are fetched from in place of the name in the chart.
    pub(crate) substitutions: Vec<Substitution>,
    /// What the gate lets pass.
    pub(crate) waivers: Vec<Waiver>,
    /// The Kubernetes versions the chart is for, the newest last; never empty.
    pub(crate) kubernetes_versions: Vec<String>,
}

impl ImageSettings {
    /// Returns the newest Kubernetes version the chart is for.
    pub(crate) fn newest_kubernetes(&self) -> &str {
        self.kubernetes_versions.last().map_or(DEFAULT_KUBERNETES_VERSION, String::as_str)
    }
}

impl ImageSettings {
    /// Returns the settings with what is known about the chart below what is decided.
    pub(crate) fn over(&self, known: &Knowledge) -> Self {
        let mut settings = self.clone();
        settings.probe_values = known.probe_values.clone();
        merge_over(&mut settings.probe_values, &self.probe_values);
        settings.views.extend(known.views.iter().cloned());
        settings.extra_images.extend(known.extra_images.iter().cloned());
        settings.substitutions.extend(known.substitutions.iter().cloned());
        settings
    }
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
    /// Host and path, or their beginning up to a slash, as completed by clients.
    pub(crate) from: String,
    /// What stands there instead.
    pub(crate) to: String,
}

/// Something that the gate would refuse and lets pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiver {
    /// The finding: its subject as the gate prints it, such as a template, a toggle or a URL.
    pub(crate) subject: String,
    /// Why it may pass.
    pub(crate) reason: String,
}

impl Substitution {
    /// Returns the image under its other name when it is one of `from`.
    pub(crate) fn apply(&self, image: &ImageName) -> Option<ImageName> {
        let repository = image.repository();
        let rest = repository.strip_prefix(self.from.trim_end_matches('/'))?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let renamed = format!("{}{rest}", self.to.trim_end_matches('/'));
        let renamed: ImageName = renamed.parse().ok()?;
        Some(ImageName { tag: image.tag.clone(), digest: image.digest.clone(), ..renamed })
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
        ];
        for (rule, image, expected) in table {
            let image = rule.apply(&image.parse().unwrap()).map(|image| image.to_string());
            assert_eq!(image.as_deref(), expected);
        }
    }
}
