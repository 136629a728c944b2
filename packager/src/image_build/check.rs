//! The first difference of two builds: which layer, which path, what of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;

use oci::layout::Layout;
use oci::{Content, Descriptor, Manifest};
use serde_json::Value;

use super::layer::{self, LayerEntry, Substance, read_entries};
use super::refusal::ImageBuildRefusal;
use super::workshop::Built;

/// What two builds differ in first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Difference {
    /// The platform.
    pub(crate) platform: String,
    /// The layer's number from below, beginning with 0; none for the configuration.
    pub(crate) layer: Option<usize>,
    /// The path in the layer, or the pointer in the configuration.
    pub(crate) path: String,
    /// What differs of it: `content`, `mode`, `owner`, `kind`, `target`, `attributes`, `presence`, `value`.
    pub(crate) field: String,
    /// What the first build has.
    pub(crate) first: String,
    /// What the second build has.
    pub(crate) second: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { platform, layer, path, field, first, second } = self;
        match layer {
            Some(number) => write!(formatter, "{platform}, layer {number}: ")?,
            None => write!(formatter, "{platform}, configuration: ")?,
        }
        write!(formatter, "{field} of `{path}`: {first}, then {second}")
    }
}

/// A layer that was unpacked.
struct Unpacked {
    plain: Vec<u8>,
    entries: BTreeMap<Vec<u8>, LayerEntry>,
}

/// Returns the first difference of two builds; nothing when they are the same.
///
/// # Errors
/// [`ImageBuildRefusal`] when one of them cannot be read.
pub(crate) fn first_difference(one: &Built, other: &Built) -> Result<Option<Difference>, ImageBuildRefusal> {
    if one.index.digest == other.index.digest {
        return Ok(None);
    }
    for (first, second) in one.manifests.iter().zip(&other.manifests) {
        let platform = first.platform.as_ref().map(ToString::to_string).unwrap_or_default();
        let (config, layers) = parts_of(&one.layout, first)?;
        let (other_config, other_layers) = parts_of(&other.layout, second)?;
        for (number, (layer, other_layer)) in layers.iter().zip(&other_layers).enumerate() {
            if layer.digest != other_layer.digest {
                let (layer, other_layer) =
                    (unpacked(&one.layout, layer)?, unpacked(&other.layout, other_layer)?);
                return Ok(Some(Difference {
                    platform,
                    layer: Some(number),
                    ..difference_of(&layer, &other_layer)
                }));
            }
        }
        if let Some(found) = difference_of_values("", &config, &other_config) {
            return Ok(Some(Difference { platform, ..found }));
        }
    }
    Ok(Some(told("", "value", one.index.digest.to_string(), other.index.digest.to_string())))
}

fn told(path: impl Into<String>, field: &str, first: String, second: String) -> Difference {
    Difference {
        platform: String::new(),
        layer: None,
        path: path.into(),
        field: field.to_owned(),
        first,
        second,
    }
}

fn parts_of(layout: &Layout, manifest: &Descriptor) -> Result<(Value, Vec<Descriptor>), ImageBuildRefusal> {
    let bytes = layout.read_manifest(manifest)?;
    let manifest = Manifest::parse(&bytes, Some(&manifest.media_type))
        .map_err(|reason| ImageBuildRefusal::Layer(format!("the manifest: {reason}")))?;
    match manifest.content {
        Content::Image { config, layers } => {
            let config = layout.open_blob(&config)?.into_bytes()?;
            Ok((
                serde_json::from_slice(&config).map_err(ImageBuildRefusal::json("the configuration"))?,
                layers,
            ))
        }
        Content::Index { .. } => Ok((Value::Null, Vec::new())),
    }
}

fn unpacked(layout: &Layout, descriptor: &Descriptor) -> Result<Unpacked, ImageBuildRefusal> {
    let blob =
        layout.root().join("blobs").join(descriptor.digest.algorithm().name()).join(descriptor.digest.hex());
    let mut plain = Vec::new();
    if let Some(mut stream) =
        layer::open(&blob, &descriptor.media_type).map_err(ImageBuildRefusal::file(&blob))?
    {
        stream.read_to_end(&mut plain).map_err(ImageBuildRefusal::file(&blob))?;
    }
    let entries = read_entries(&mut plain.as_slice()).map_err(ImageBuildRefusal::Layer)?;
    Ok(Unpacked { plain, entries: entries.into_iter().map(|entry| (entry.path.clone(), entry)).collect() })
}

fn difference_of(one: &Unpacked, other: &Unpacked) -> Difference {
    let paths: BTreeSet<&Vec<u8>> = one.entries.keys().chain(other.entries.keys()).collect();
    for path in paths {
        let shown = || format!("/{}", String::from_utf8_lossy(path));
        let presence = |is_there: bool| if is_there { "there".to_owned() } else { "not there".to_owned() };
        match (one.entries.get(path), other.entries.get(path)) {
            (Some(first), Some(second)) => {
                if let Some((field, first, second)) = difference_of_entries((one, first), (other, second)) {
                    return told(shown(), field, first, second);
                }
            }
            (first, second) => {
                return told(shown(), "presence", presence(first.is_some()), presence(second.is_some()));
            }
        }
    }
    told("/", "order", "one order".to_owned(), "another".to_owned())
}

fn difference_of_entries(
    (one, first): (&Unpacked, &LayerEntry),
    (other, second): (&Unpacked, &LayerEntry),
) -> Option<(&'static str, String, String)> {
    let (kind, target) = described(first);
    let (other_kind, other_target) = described(second);
    let owner = |entry: &LayerEntry| format!("{}:{}", entry.user, entry.group);
    let fields = [
        ("kind", kind.to_owned(), other_kind.to_owned()),
        ("target", target, other_target),
        ("mode", format!("{:04o}", first.mode), format!("{:04o}", second.mode)),
        ("owner", owner(first), owner(second)),
        ("attributes", format!("{:?}", first.attributes), format!("{:?}", second.attributes)),
    ];
    if let Some(found) = fields.into_iter().find(|(_, first, second)| first != second) {
        return Some(found);
    }
    let (content, other_content) = (one.content(first), other.content(second));
    (content != other_content).then(|| {
        let place = content.iter().zip(other_content).take_while(|(first, second)| first == second).count();
        ("content", excerpt(content, place), excerpt(other_content, place))
    })
}

fn described(entry: &LayerEntry) -> (&'static str, String) {
    let text = |target: &[u8]| String::from_utf8_lossy(target).into_owned();
    match &entry.substance {
        Substance::Folder => ("folder", String::new()),
        Substance::File { .. } => ("file", String::new()),
        Substance::Symlink(target) => ("symbolic link", text(target)),
        Substance::HardLink(target) => ("hard link", text(target)),
        Substance::Pipe => ("pipe", String::new()),
        Substance::Device => ("device", String::new()),
    }
}

impl Unpacked {
    fn content(&self, entry: &LayerEntry) -> &[u8] {
        match entry.substance {
            Substance::File { offset, size } => {
                let begin = usize::try_from(offset).unwrap_or(usize::MAX);
                let end = begin.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
                self.plain.get(begin..end).unwrap_or_default()
            }
            Substance::Folder
            | Substance::Symlink(_)
            | Substance::HardLink(_)
            | Substance::Pipe
            | Substance::Device => &[],
        }
    }
}

/// Shows what stands from the first byte that differs.
fn excerpt(content: &[u8], place: usize) -> String {
    let end = content.len().min(place.saturating_add(16));
    let bytes = content.get(place..end).unwrap_or_default();
    format!("{} bytes, from byte {place} \"{}\"", content.len(), bytes.escape_ascii())
}

fn difference_of_values(path: &str, one: &Value, other: &Value) -> Option<Difference> {
    match (one, other) {
        (Value::Object(first), Value::Object(second)) => {
            let keys: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
            keys.into_iter().find_map(|key| {
                let at =
                    |fields: &serde_json::Map<String, Value>| fields.get(key).cloned().unwrap_or(Value::Null);
                difference_of_values(&format!("{path}/{key}"), &at(first), &at(second))
            })
        }
        (first, second) => {
            (first != second).then(|| told(path, "value", first.to_string(), second.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(entries: &[(&str, u32, &str)]) -> Unpacked {
        let mut plain = Vec::new();
        let mut read = BTreeMap::new();
        for (path, mode, content) in entries {
            let substance = Substance::File { offset: plain.len() as u64, size: content.len() as u64 };
            plain.extend(content.as_bytes());
            let path = path.as_bytes().to_vec();
            let attributes = BTreeMap::new();
            read.insert(
                path.clone(),
                LayerEntry { path, substance, mode: *mode, user: 0, group: 0, attributes },
            );
        }
        Unpacked { plain, entries: read }
    }

    #[test]
    fn the_first_difference_names_path_and_field() {
        let one = layer(&[("a", 0o644, "same"), ("b", 0o644, "xyz"), ("c", 0o644, "")]);
        for (other, path, field, second) in [
            (layer(&[("a", 0o755, "same"), ("b", 0o644, "abc"), ("c", 0o644, "")]), "/a", "mode", "0755"),
            (
                layer(&[("a", 0o644, "same"), ("b", 0o644, "xyw"), ("c", 0o644, "")]),
                "/b",
                "content",
                "3 bytes, from byte 2 \"w\"",
            ),
            (layer(&[("a", 0o644, "same"), ("c", 0o644, "")]), "/b", "presence", "not there"),
        ] {
            let found = difference_of(&one, &other);
            assert_eq!(
                (found.path.as_str(), found.field.as_str(), found.second.as_str()),
                (path, field, second)
            );
        }
    }

    #[test]
    fn configurations_are_compared_by_their_values() {
        let one = serde_json::json!({"config": {"Env": ["A=1"]}, "os": "linux"});
        let other = serde_json::json!({"os": "linux", "config": {"Env": ["A=2"]}});
        assert_eq!(difference_of_values("", &one, &one), None);
        assert_eq!(difference_of_values("", &one, &other).unwrap().path, "/config/Env");
    }
}
