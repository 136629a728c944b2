//! A chart's manifest as a client pushed it.

use oci::{Content, Descriptor, Manifest};

use super::{ARCHIVE_TYPE, CONFIG_TYPE, LEGACY_ARCHIVE_TYPE, PROVENANCE_TYPE};

/// The parts of a chart's manifest. Layers in any order, as Helm writes them; layers of other types are nobody's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartArtifact {
    /// Its metadata as JSON.
    pub config: Descriptor,
    /// Its archive.
    pub archive: Descriptor,
    /// Its provenance file.
    pub provenance: Option<Descriptor>,
}

/// Why a manifest that says it is a chart's is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChartArtifact {
    /// There is no archive in it, or more than one.
    #[error("the manifest of a chart must have one layer of the type `{ARCHIVE_TYPE}`, this one has {0}")]
    Archives(usize),
    /// There is more than one provenance file in it.
    #[error("the manifest of a chart may have one layer of the type `{PROVENANCE_TYPE}`, this one has {0}")]
    Provenances(usize),
}

impl ChartArtifact {
    /// Reads a chart out of a manifest; `None` for one that does not say it is a chart's.
    ///
    /// # Errors
    /// [`InvalidChartArtifact`] for one that says so and is none.
    pub fn of(manifest: &Manifest) -> Result<Option<Self>, InvalidChartArtifact> {
        let Content::Image { config, layers } = &manifest.content else { return Ok(None) };
        if config.media_type != CONFIG_TYPE {
            return Ok(None);
        }
        let of_type = |types: &[&str]| -> Vec<&Descriptor> {
            layers.iter().filter(|layer| types.contains(&layer.media_type.as_str())).collect()
        };
        let archives = of_type(&[ARCHIVE_TYPE, LEGACY_ARCHIVE_TYPE]);
        let provenances = of_type(&[PROVENANCE_TYPE]);
        let [archive] = archives.as_slice() else {
            return Err(InvalidChartArtifact::Archives(archives.len()));
        };
        if provenances.len() > 1 {
            return Err(InvalidChartArtifact::Provenances(provenances.len()));
        }
        Ok(Some(Self {
            config: Descriptor::clone(config),
            archive: Descriptor::clone(archive),
            provenance: provenances.first().copied().cloned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use oci::{Digest, media_type};
    use serde_json::json;

    use super::*;

    fn read(config: &str, layers: &[&str]) -> Result<Option<ChartArtifact>, InvalidChartArtifact> {
        let descriptor =
            |kind: &str| json!({"mediaType": kind, "digest": Digest::sha256(kind.as_bytes()), "size": 1});
        let layers: Vec<_> = layers.iter().map(|layer| descriptor(layer)).collect();
        let text = json!({"schemaVersion": 2, "config": descriptor(config), "layers": layers}).to_string();
        ChartArtifact::of(&Manifest::parse(text.as_bytes(), Some(media_type::IMAGE_MANIFEST)).unwrap())
    }

    #[test]
    fn charts_are_known_by_their_configuration() {
        assert_eq!(read(media_type::IMAGE_CONFIG, &[ARCHIVE_TYPE]), Ok(None));
        let signed = read(CONFIG_TYPE, &[PROVENANCE_TYPE, "text/plain", ARCHIVE_TYPE]).unwrap().unwrap();
        assert_eq!(signed.archive.media_type, ARCHIVE_TYPE);
        assert_eq!(signed.provenance.unwrap().media_type, PROVENANCE_TYPE);
        let legacy = read(CONFIG_TYPE, &[LEGACY_ARCHIVE_TYPE]).unwrap().unwrap();
        assert_eq!((legacy.archive.media_type.as_str(), legacy.provenance), (LEGACY_ARCHIVE_TYPE, None));
    }

    #[test]
    fn a_chart_has_one_archive_and_at_most_one_provenance_file() {
        assert_eq!(read(CONFIG_TYPE, &[]), Err(InvalidChartArtifact::Archives(0)));
        assert_eq!(read(CONFIG_TYPE, &[ARCHIVE_TYPE, ARCHIVE_TYPE]), Err(InvalidChartArtifact::Archives(2)));
        let twice = [ARCHIVE_TYPE, PROVENANCE_TYPE, PROVENANCE_TYPE];
        assert_eq!(read(CONFIG_TYPE, &twice), Err(InvalidChartArtifact::Provenances(2)));
    }
}
