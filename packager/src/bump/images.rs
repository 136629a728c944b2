//! What a recipe says about looking for its chart's images, as far as a comparison takes it.

use chart::ChartVersion;

use crate::profile::ImageSettings;
use crate::render::DEFAULT_KUBERNETES_VERSION;

/// Returns the settings for comparing two charts: of the Kubernetes versions only the newest is looked at, and images are
/// named as the charts name them.
pub(crate) fn image_settings(settings: &ImageSettings, kubernetes: &[ChartVersion]) -> ImageSettings {
    let newest = kubernetes.last().map_or(DEFAULT_KUBERNETES_VERSION, ChartVersion::as_str);
    ImageSettings {
        substitutions: Vec::new(),
        kubernetes_versions: vec![newest.to_owned()],
        ..settings.clone()
    }
}
