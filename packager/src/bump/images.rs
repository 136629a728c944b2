//! What a recipe says about looking for its chart's images, as discovery takes it.

use chart::ChartVersion;
use chart::archive::ArchiveFile;
use serde_json::Map;

use crate::diff::values_of_files;
use crate::profile::{ExtraImage, ImageSettings, Profile};
use crate::recipe::{self, ValueEdit};
use crate::render::DEFAULT_KUBERNETES_VERSION;
use crate::toggle::set_over;

/// Returns the settings for the chart of these files; of the Kubernetes versions only the newest is looked at.
pub(crate) fn image_settings(
    settings: &recipe::ImageSettings,
    files: &[ArchiveFile],
    kubernetes: &[ChartVersion],
) -> ImageSettings {
    let values = values_of_files(files);
    let mut probe_values = Map::new();
    for ValueEdit { path, value } in &settings.probe_values {
        set_over(&mut probe_values, &values, path, value.clone());
    }
    let extra = settings.extra_images.iter().filter_map(|extra| {
        // What is no image reference is refused where the recipe is discovered.
        Some(ExtraImage { image: extra.image.parse().ok()?, reason: extra.reason.clone() })
    });
    let newest = kubernetes.last().map_or(DEFAULT_KUBERNETES_VERSION, ChartVersion::as_str);
    ImageSettings {
        profile: match settings.profile {
            recipe::Profile::Exact => Profile::Exact,
            recipe::Profile::Declared => Profile::Declared,
            recipe::Profile::All => Profile::All,
        },
        toggles: settings.toggles.clone(),
        values: Map::new(),
        probe_values,
        extra_images: extra.collect(),
        substitutions: Vec::new(),
        kubernetes_versions: vec![newest.to_owned()],
    }
}
