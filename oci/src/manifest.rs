//! Manifests: read from the bytes that were pushed, which are kept and served as they came.
//!
//! Fields that are unknown here are allowed and stay in the bytes (image specification, "Image Manifest", "Image Index").

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::descriptor::Descriptor;
use crate::media_type;

/// What a manifest says, as far as a registry needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its type, without parameters.
    pub media_type: String,
    /// What it names.
    pub content: Content,
    /// What it is attached to.
    pub subject: Option<Descriptor>,
    /// What it says of itself.
    pub annotations: BTreeMap<String, String>,
    artifact_type: Option<String>,
}

/// What a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// One image or artifact.
    Image {
        /// Its configuration.
        config: Box<Descriptor>,
        /// Its layers, in order.
        layers: Vec<Descriptor>,
    },
    /// Other manifests, which may be absent: an index may name platforms that nobody copied.
    Index {
        /// These manifests, in order.
        manifests: Vec<Descriptor>,
    },
}

/// Why some bytes are not a manifest.
#[derive(Debug, thiserror::Error)]
pub enum InvalidManifest {
    /// They are not JSON of a manifest's shape.
    #[error("the manifest cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    /// They are JSON of another kind.
    #[error("the manifest must be a JSON object")]
    NotAnObject,
    /// Their type is none that is known here.
    #[error(
        "`{0}` is not the type of a manifest: push an OCI image manifest or index, or Docker's schema 2 forms of them"
    )]
    UnknownType(String),
    /// Neither header nor body says what they are.
    #[error("the manifest has no type: send it as `Content-Type`")]
    NoType,
    /// Header and body say different things, on which clients would disagree.
    #[error("the manifest was sent as `{sent}`, but says itself that it is `{own}`: send the type it names")]
    TypesDiffer {
        /// What the header says.
        sent: String,
        /// What the body says.
        own: String,
    },
    /// Another version of the format.
    #[error("the manifest has schema version {0}: push version 2")]
    SchemaVersion(u64),
    /// It has both what an image has and what an index has, so that clients could read it as either.
    #[error(
        "the manifest has both `{0}` and `{1}`: an image has a config and layers, an index has manifests"
    )]
    Ambiguous(&'static str, &'static str),
    /// A part that must be there is missing.
    #[error("the manifest has no `{0}`")]
    Missing(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    subject: Option<Descriptor>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl Manifest {
    /// Reads a manifest that was sent as `sent_type`, a `Content-Type` header's value where there was one.
    ///
    /// # Errors
    /// [`InvalidManifest`] saying what is wrong with it.
    pub fn parse(bytes: &[u8], sent_type: Option<&str>) -> Result<Self, InvalidManifest> {
        // The parser would take a list for an object with its fields in order; no client does.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(InvalidManifest::NotAnObject);
        }
        let fields: Fields = serde_json::from_slice(bytes)?;
        let own = fields.media_type.as_deref().filter(|own| !own.is_empty());
        let sent = sent_type.map(media_type::essence).filter(|sent| !sent.is_empty());
        let media_type = match (sent, own) {
            (Some(sent), Some(own)) if sent != own => {
                return Err(InvalidManifest::TypesDiffer { sent: sent.to_owned(), own: own.to_owned() });
            }
            (Some(media_type), _) | (None, Some(media_type)) => media_type.to_owned(),
            (None, None) => return Err(InvalidManifest::NoType),
        };
        match fields.schema_version {
            Some(2) => {}
            Some(other) => return Err(InvalidManifest::SchemaVersion(other)),
            None => return Err(InvalidManifest::Missing("schemaVersion")),
        }
        let content = Content::of(&media_type, fields.config, fields.layers, fields.manifests)?;
        Ok(Self {
            media_type,
            content,
            subject: fields.subject,
            annotations: fields.annotations.unwrap_or_default(),
            artifact_type: fields.artifact_type.filter(|kind| !kind.is_empty()),
        })
    }

    /// Returns what kind of artifact this is, as the list of referrers says it: its own word, else the type of its
    /// configuration (distribution specification, "Listing Referrers").
    pub fn artifact_type(&self) -> Option<&str> {
        let of_config = match &self.content {
            Content::Image { config, .. } => Some(config.media_type.as_str()),
            Content::Index { .. } => None,
        };
        self.artifact_type.as_deref().or(of_config)
    }

    /// Returns the blobs that must be stored for it to be pulled.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let (config, layers) = match &self.content {
            Content::Image { config, layers } => (Some(&**config), layers.as_slice()),
            Content::Index { .. } => (None, [].as_slice()),
        };
        let layers = layers.iter().filter(|layer| !media_type::is_nondistributable(&layer.media_type));
        config.into_iter().chain(layers)
    }

    /// Returns the manifests it names, present or not.
    pub fn manifests(&self) -> &[Descriptor] {
        match &self.content {
            Content::Image { .. } => &[],
            Content::Index { manifests } => manifests,
        }
    }

    /// Tells whether this is an image that can run, or an index of such, and not something attached to one.
    pub fn is_image(&self) -> bool {
        if self.subject.is_some() || self.artifact_type.is_some() {
            return false;
        }
        match &self.content {
            Content::Image { config, .. } => {
                matches!(config.media_type.as_str(), media_type::IMAGE_CONFIG | media_type::DOCKER_CONFIG)
            }
            Content::Index { .. } => true,
        }
    }
}

impl Content {
    fn of(
        media_type: &str,
        config: Option<Descriptor>,
        layers: Option<Vec<Descriptor>>,
        manifests: Option<Vec<Descriptor>>,
    ) -> Result<Self, InvalidManifest> {
        match media_type {
            media_type::IMAGE_MANIFEST | media_type::DOCKER_MANIFEST => {
                if manifests.is_some() {
                    return Err(InvalidManifest::Ambiguous("config", "manifests"));
                }
                let config = config.ok_or(InvalidManifest::Missing("config"))?;
                Ok(Self::Image {
                    config: config.into(),
                    layers: layers.ok_or(InvalidManifest::Missing("layers"))?,
                })
            }
            media_type::IMAGE_INDEX | media_type::DOCKER_MANIFEST_LIST => {
                if config.is_some() || layers.is_some() {
                    return Err(InvalidManifest::Ambiguous("manifests", "config"));
                }
                Ok(Self::Index { manifests: manifests.ok_or(InvalidManifest::Missing("manifests"))? })
            }
            other => Err(InvalidManifest::UnknownType(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::digest::Digest;

    fn descriptor(media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": Digest::sha256(media_type.as_bytes()).to_string(), "size": 3})
    }

    fn image() -> Value {
        json!({"schemaVersion": 2, "config": descriptor(media_type::IMAGE_CONFIG), "layers": [
            descriptor("application/vnd.oci.image.layer.v1.tar+gzip"),
            descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar"),
        ], "odd": {"kept": true}})
    }

    fn parse(value: &Value, sent: Option<&str>) -> Result<Manifest, InvalidManifest> {
        Manifest::parse(value.to_string().as_bytes(), sent)
    }

    #[test]
    fn an_image_needs_its_config_and_the_layers_that_are_distributed() {
        let manifest = parse(&image(), Some(media_type::IMAGE_MANIFEST)).unwrap();
        let types: Vec<_> = manifest.blobs().map(|blob| blob.media_type.as_str()).collect();
        assert_eq!(types, [media_type::IMAGE_CONFIG, "application/vnd.oci.image.layer.v1.tar+gzip"]);
        assert!(manifest.is_image() && manifest.manifests().is_empty());
        assert_eq!(manifest.artifact_type(), Some(media_type::IMAGE_CONFIG));
    }

    #[test]
    fn an_index_names_manifests() {
        let index = json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX,
            "manifests": [descriptor(media_type::IMAGE_MANIFEST)]});
        let manifest = parse(&index, None).unwrap();
        assert_eq!((manifest.manifests().len(), manifest.blobs().count()), (1, 0));
        assert_eq!(manifest.artifact_type(), None);
        assert!(manifest.is_image());
    }

    #[test]
    fn what_has_a_subject_or_an_artifact_type_is_no_image() {
        let mut attached = image();
        attached["subject"] = descriptor(media_type::IMAGE_MANIFEST);
        assert!(!parse(&attached, Some(media_type::IMAGE_MANIFEST)).unwrap().is_image());
        let mut artifact = image();
        artifact["artifactType"] = json!("application/example");
        let artifact = parse(&artifact, Some(media_type::IMAGE_MANIFEST)).unwrap();
        assert_eq!((artifact.is_image(), artifact.artifact_type()), (false, Some("application/example")));
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let with = |name: &str, value: Value| {
            let mut changed = image();
            changed[name] = value;
            changed
        };
        let without = |name: &str| {
            let mut changed = image();
            changed.as_object_mut().unwrap().remove(name);
            changed
        };
        for (value, sent, expected) in [
            (image(), None, "the manifest has no type"),
            (image(), Some("text/plain"), "`text/plain` is not the type of a manifest"),
            (image(), Some(media_type::IMAGE_INDEX), "the manifest has both `manifests` and `config`"),
            (
                with("mediaType", json!(media_type::DOCKER_MANIFEST)),
                Some(media_type::IMAGE_MANIFEST),
                "the manifest was sent as",
            ),
            (
                with("schemaVersion", json!(1)),
                Some(media_type::IMAGE_MANIFEST),
                "the manifest has schema version 1",
            ),
            (with("manifests", json!([])), Some(media_type::IMAGE_MANIFEST), "the manifest has both"),
            (without("config"), Some(media_type::IMAGE_MANIFEST), "the manifest has no `config`"),
            (without("layers"), Some(media_type::IMAGE_MANIFEST), "the manifest has no `layers`"),
            (json!([]), Some(media_type::IMAGE_MANIFEST), "the manifest must be a JSON object"),
            (
                with("config", json!({"size": -1})),
                Some(media_type::IMAGE_MANIFEST),
                "the manifest cannot be read",
            ),
        ] {
            let refusal = parse(&value, sent).unwrap_err().to_string();
            assert!(refusal.starts_with(expected), "{refusal}");
        }
    }
}
