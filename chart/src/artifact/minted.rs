//! The manifest of a chart to which nobody pushed one.

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, media_type};
use serde::Serialize;

use super::{ARCHIVE_TYPE, CONFIG_TYPE, PROVENANCE_TYPE};
use crate::index::to_json;
use crate::metadata::{ChartMetadata, Maintainer};

/// A chart's configuration and manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minted {
    /// The chart's metadata as JSON.
    pub config: Vec<u8>,
    /// The SHA-256 of the configuration.
    pub config_digest: Digest,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The SHA-256 of the manifest.
    pub manifest_digest: Digest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'m> {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<&'m str, String>,
}

impl Minted {
    /// Mints the manifest of the chart with this metadata, whose archive and provenance file have these digests and sizes in
    /// bytes. The layers are the archive and after it the provenance; the annotations are those Helm writes, the time left
    /// out, since a pure function has none.
    pub fn new(
        metadata: &ChartMetadata,
        archive: (&Digest, u64),
        provenance: Option<(&Digest, u64)>,
    ) -> Self {
        // As in the index, so that minting from either gives the same bytes.
        let metadata = crate::index::without_long_keys(metadata);
        // Neither fails: all keys are texts.
        let config = to_json(&*metadata).unwrap_or_default();
        let config_digest = Digest::sha256(&config);
        let layer = |kind: &str, (digest, size): (&Digest, u64)| Descriptor::new(kind, digest.clone(), size);
        let layers = std::iter::once(layer(ARCHIVE_TYPE, archive))
            .chain(provenance.map(|provenance| layer(PROVENANCE_TYPE, provenance)));
        let manifest = to_json(&Manifest {
            schema_version: 2,
            media_type: media_type::IMAGE_MANIFEST,
            config: Descriptor::new(CONFIG_TYPE, config_digest.clone(), config.len() as u64),
            layers: layers.collect(),
            annotations: annotations(&metadata),
        })
        .unwrap_or_default();
        let manifest_digest = Digest::sha256(&manifest);
        Self { config, config_digest, manifest, manifest_digest }
    }
}

/// Returns the annotations that Helm writes (helm `pkg/registry/chart.go`, `generateOCIAnnotations`): the chart's own, of
/// which none may speak for its name and version, and what its metadata says in the words of the image specification.
fn annotations(metadata: &ChartMetadata) -> BTreeMap<&str, String> {
    let own = metadata.annotations.iter().map(|(key, value)| (key.as_str(), value.clone()));
    let fields = [
        ("org.opencontainers.image.description", metadata.description.clone()),
        ("org.opencontainers.image.url", metadata.home.clone()),
        ("org.opencontainers.image.source", metadata.sources.first().cloned().unwrap_or_default()),
        ("org.opencontainers.image.authors", authors(&metadata.maintainers)),
    ];
    let mut annotations: BTreeMap<&str, String> =
        fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    annotations.extend(own);
    annotations.insert("org.opencontainers.image.title", metadata.name.to_string());
    annotations.insert("org.opencontainers.image.version", metadata.version.to_string());
    annotations
}

fn authors(maintainers: &[Maintainer]) -> String {
    let each =
        maintainers.iter().map(|Maintainer { name, email, .. }| match (name.as_str(), email.as_str()) {
            (name, "") => name.to_owned(),
            ("", email) => email.to_owned(),
            (name, email) => format!("{name} ({email})"),
        });
    each.filter(|author| !author.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::ChartArtifact;
    use super::*;
    use crate::index::IndexEntry;

    fn metadata() -> ChartMetadata {
        let text = "apiVersion: v2\nname: demo\nversion: 1.2.3+up4\nappVersion: '7'\ndescription: 데모 <&>\n\
                    home: https://example.com\nsources: [https://example.com/source, https://example.com/other]\n\
                    maintainers: [{name: Kim, email: kim@example.com}, {name: Lee}]\n\
                    annotations: {a/b: c, org.opencontainers.image.title: other}\n\
                    dependencies: [{name: one, version: 1.x}, {name: two, version: 2.x, repository: 'file://two'}]\n";
        ChartMetadata::parse(text.as_bytes(), None).unwrap()
    }

    #[test]
    fn a_minted_manifest_never_changes() {
        let (archive, provenance) = (Digest::sha256(b"archive"), Digest::sha256(b"provenance"));
        let minted = Minted::new(&metadata(), (&archive, 7), Some((&provenance, 10)));
        // Clients pin these: a change here takes their charts away from them.
        assert_eq!(
            minted.config_digest.hex(),
            "f41639eeeb5d71c23e0edfef2e114fa8be8f7a52189ae4febaa0ce2d1b3882c8"
        );
        assert_eq!(
            minted.manifest_digest.hex(),
            "45541b1ef4639729f6609c13040045e2255e34069b48c6ec0f1aeea0f6431289"
        );
    }

    #[test]
    fn it_reads_back_as_the_chart_it_is() {
        let (archive, provenance) = (Digest::sha256(b"archive"), Digest::sha256(b"provenance"));
        for provenance in [None, Some((&provenance, 10))] {
            let minted = Minted::new(&metadata(), (&archive, 7), provenance);
            let manifest = oci::Manifest::parse(&minted.manifest, None).unwrap();
            let artifact = ChartArtifact::of(&manifest).unwrap().unwrap();
            assert_eq!((&artifact.archive.digest, artifact.archive.size), (&archive, 7));
            assert_eq!(
                artifact.provenance.map(|layer| layer.digest),
                provenance.map(|(digest, _)| digest.clone())
            );
            assert_eq!(artifact.config.digest, Digest::sha256(&minted.config));
            assert_eq!(manifest.annotations["org.opencontainers.image.title"], "demo");
            assert_eq!(
                manifest.annotations["org.opencontainers.image.authors"],
                "Kim (kim@example.com), Lee"
            );
        }
    }

    #[test]
    fn minting_from_an_index_entry_gives_the_same() {
        let mut metadata = metadata();
        metadata.annotations.insert("k".repeat(2_000), "too long for an index".to_owned());
        let digest = Digest::sha256(b"archive");
        let entry = IndexEntry::new(metadata.clone(), None, Some(digest.clone())).to_json();
        let read = IndexEntry::from_json(&serde_json::from_slice(&entry).unwrap()).unwrap();
        assert_eq!(
            Minted::new(&read.metadata, (&digest, 7), None),
            Minted::new(&metadata, (&digest, 7), None)
        );
    }
}
