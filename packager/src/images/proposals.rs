//! What values and annotations say about images before anything is rendered.
//!
//! A proposal is no proof: it is reported only where no rendering shows the image.

use chart::ChartMetadata;
use chart::yaml::{self, Budget};
use serde::Serialize;
use serde_json::{Map, Value};

use super::ImageName;
use crate::edit::ValuePath;

/// An image that a chart names somewhere besides its templates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Proposal {
    /// The image.
    pub(crate) image: ImageName,
    /// The value's path, or the annotation.
    pub(crate) named_by: String,
}

/// Annotations that list images: Artifact Hub's, and those of Broadcom's and Hauler's tools.
const ANNOTATIONS: [&str; 3] = ["artifacthub.io/images", "images", "helm.sh/images"];

/// Returns the images that `values` and the annotations of `metadata` name.
pub(crate) fn proposals(metadata: &ChartMetadata, values: &Map<String, Value>) -> Vec<Proposal> {
    let mut found = Vec::new();
    in_values(values, &mut Vec::new(), &mut found);
    for annotation in ANNOTATIONS {
        let Some(text) = metadata.annotations.get(annotation) else { continue };
        let Ok(list) = yaml::parse(text.as_bytes(), &Budget::default()) else { continue };
        for entry in list.to_json().as_array().into_iter().flatten() {
            let image = entry.get("image").unwrap_or(entry).as_str().and_then(|text| text.parse().ok());
            found.extend(image.map(|image| Proposal { image, named_by: format!("annotation {annotation}") }));
        }
    }
    found
}

fn in_values<'values>(
    map: &'values Map<String, Value>,
    above: &mut Vec<&'values str>,
    found: &mut Vec<Proposal>,
) {
    found.extend(
        of_parts(map).map(|image| Proposal { image, named_by: ValuePath::of_keys(above).to_string() }),
    );
    for (key, value) in map {
        above.push(key);
        match value {
            Value::Object(below) => in_values(below, above, found),
            Value::String(text) if key.to_lowercase().ends_with("image") => {
                let image: Option<ImageName> = text.parse().ok();
                let image = image.filter(|image| !image.is_bare());
                let named_by = ValuePath::of_keys(above).to_string();
                found.extend(image.map(|image| Proposal { image, named_by }));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
        }
        above.pop();
    }
}

/// Reads the dialects `registry`, `repository`/`image`/`name`, `tag`/`version`/`imageTag`, `digest`.
fn of_parts(map: &Map<String, Value>) -> Option<ImageName> {
    let part =
        |keys: &[&str]| keys.iter().find_map(|key| map.get(*key)?.as_str()).filter(|text| !text.is_empty());
    let repository = part(&["repository", "image", "name"])?;
    let tag = part(&["tag", "imageTag", "version"])?;
    let registry = part(&["registry"]).map(|host| format!("{host}/")).unwrap_or_default();
    let digest = part(&["digest"]).map(|digest| format!("@{digest}")).unwrap_or_default();
    format!("{registry}{repository}:{tag}{digest}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_dialects_of_values_are_read() {
        let values = json!({
            "a": {"registry": "quay.io", "repository": "x/y", "tag": "1"},
            "b": {"image": "p/q", "imageTag": "2"},
            "c": {"sidecarImage": "z:3", "tag": "no"},
            "d": {"name": "cr.l5d.io/l/proxy", "version": "s-2"},
            "e": {"repository": "only/repository"},
        });
        let metadata = "apiVersion: v2\nname: n\nversion: 1.0.0\nannotations:\n  artifacthub.io/images: |\n    - name: m\n      image: m/n:4\n";
        let metadata = ChartMetadata::parse(metadata.as_bytes(), None).unwrap();
        let found: Vec<_> = proposals(&metadata, values.as_object().unwrap())
            .into_iter()
            .map(|one| format!("{} {}", one.named_by, one.image))
            .collect();
        let expected = [
            "a quay.io/x/y:1",
            "b docker.io/p/q:2",
            "c.sidecarImage docker.io/library/z:3",
            "d cr.l5d.io/l/proxy:s-2",
            "annotation artifacthub.io/images docker.io/m/n:4",
        ];
        assert_eq!(found, expected);
    }
}
