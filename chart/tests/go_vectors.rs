//! What Helm's own libraries said about many inputs, kept as vectors: `sigs.k8s.io/yaml` 1.6.0 for documents,
//! Helm 4.2.4's `LoadFiles` for metadata, `Masterminds/semver` 3.5.0 for constraints.
//!
//! A line that fails means that this crate reads something differently than Helm does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its shared parts")]

use chart::yaml::{self, Budget};
use chart::{ChartMetadata, ChartVersion, VersionConstraint};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Versions that each line of `constraints.jsonl` was checked against.
const PROBED_VERSIONS: &str = "0.0.0 0.0.1 0.0.3-rc 0.1.0 0.2.3 0.3.0 1.0.0-alpha 1.0.0 1.2.0 1.2.3-beta.1 \
                               1.2.3 1.2.4+b 1.3.0 1.20.0 2.0.0-rc.1 v2.0.0 2.3 2.3.9 3.1.4 11.1.0";

fn read_lines<T: DeserializeOwned>(text: &str) -> Vec<T> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn yaml_documents_are_read_as_sigs_yaml_reads_them() {
    #[derive(Deserialize)]
    struct Line {
        yaml: String,
        json: Option<serde_json::Value>,
        #[serde(default)]
        refused: bool,
    }
    let lines: Vec<Line> = read_lines(include_str!("vectors/yaml-documents.jsonl"));
    assert!(lines.len() > 300);
    for line in lines {
        let read = yaml::parse(line.yaml.as_bytes(), &Budget::default());
        match read {
            Ok(value) => {
                assert!(!line.refused, "{:?} must be refused, not {value:?}", line.yaml);
                assert_eq!(value.to_json(), line.json.unwrap_or_default(), "{:?}", line.yaml);
            }
            Err(error) => assert!(line.refused, "{:?}: {error}", line.yaml),
        }
    }
}

#[test]
fn metadata_is_decoded_validated_and_printed_as_helm_does() {
    #[derive(Deserialize)]
    struct Line {
        chart: String,
        requirements: Option<String>,
        json: Option<String>,
        #[serde(default)]
        refused: bool,
    }
    let lines: Vec<Line> = read_lines(include_str!("vectors/metadata.jsonl"));
    assert!(lines.len() > 100);
    for line in lines {
        let requirements = line.requirements.as_deref().map(str::as_bytes);
        match ChartMetadata::parse(line.chart.as_bytes(), requirements) {
            Ok(metadata) => {
                assert!(!line.refused, "{:?} {:?} must be refused", line.chart, line.requirements);
                let json = serde_json::to_string(&metadata).unwrap();
                assert_eq!(Some(&json), line.json.as_ref(), "{:?}", line.chart);
                let read_back: ChartMetadata = serde_json::from_str(&json).unwrap();
                assert_eq!(read_back, metadata);
            }
            Err(error) => assert!(line.refused, "{:?} {:?}: {error}", line.chart, line.requirements),
        }
    }
}

#[test]
fn constraints_match_what_masterminds_matches() {
    #[derive(Deserialize)]
    struct Line {
        constraint: String,
        matches: String,
    }
    let versions: Vec<ChartVersion> =
        PROBED_VERSIONS.split_whitespace().map(|version| version.parse().unwrap()).collect();
    let lines: Vec<Line> = read_lines(include_str!("vectors/constraints.jsonl"));
    assert!(lines.len() > 100);
    for line in lines {
        let constraint: VersionConstraint = line.constraint.parse().unwrap();
        let matching = versions.iter().filter(|version| constraint.matches(version));
        let matching: Vec<&str> = matching.map(ChartVersion::as_str).collect();
        assert_eq!(matching.join(" "), line.matches, "{:?}", line.constraint);
    }
}
