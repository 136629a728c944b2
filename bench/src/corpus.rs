//! Charts made to size: any number of versions whose index entries are as long as those of community charts.
//! Rule: a position always gives the same bytes.

mod folders;

use chart::testing::ChartBuilder;

pub(crate) use folders::Corpora;

/// How many versions each chart has.
pub(crate) const VERSIONS_PER_CHART: usize = 50;

const SUBJECTS: [&str; 20] = [
    "ledger",
    "gateway",
    "metrics",
    "broker",
    "archive",
    "scheduler",
    "registry",
    "identity",
    "search",
    "mailer",
    "proxy",
    "vault",
    "stream",
    "catalog",
    "billing",
    "tracing",
    "cache",
    "queue",
    "backup",
    "dashboard",
];
const KINDS: [&str; 10] = [
    "operator",
    "server",
    "agent",
    "controller",
    "exporter",
    "console",
    "worker",
    "bridge",
    "collector",
    "api",
];

/// A version of a chart and its archive.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The chart's name.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: String,
    /// The archive.
    pub(crate) archive: Vec<u8>,
}

impl Sample {
    /// Returns the file name of the archive.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }
}

/// Returns the version at a position of the corpus: chart after chart, oldest version first.
pub(crate) fn nth(position: usize) -> Sample {
    let (chart, age) = (position / VERSIONS_PER_CHART, position % VERSIONS_PER_CHART);
    sample(chart, format!("{}.{}.{}", 1 + age / 20, age % 20 / 4, age % 4))
}

/// Returns new versions for a corpus of a size: each the newest of its chart, one chart after the other in turn.
pub(crate) fn newer(corpus: usize, first: usize, count: usize) -> Vec<Sample> {
    let charts = (corpus / VERSIONS_PER_CHART).max(1);
    let version = |position: usize| sample(position % charts, format!("9.{}.0", position / charts));
    (first..first + count).map(version).collect()
}

/// Returns the archive of a chart whose contents cannot be compressed, of about the given size.
pub(crate) fn heavy(number: usize, bytes: usize) -> Sample {
    let (name, version) = (format!("heavy-{number}"), "1.0.0".to_owned());
    let mut contents = Vec::with_capacity(bytes);
    let mut round = 0;
    while contents.len() < bytes {
        let block = oci::Digest::sha256(format!("{number} {round}").as_bytes());
        let digits = block.hex().as_bytes().chunks_exact(2);
        contents
            .extend(digits.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()));
        round += 1;
    }
    let chart = ChartBuilder::new(&name, &version).description("large").file("contents.bin", contents);
    Sample { name, version, archive: chart.build() }
}

fn sample(chart: usize, version: String) -> Sample {
    let word = |words: &[&'static str], position: usize| {
        words.get(position % words.len()).copied().unwrap_or_default()
    };
    let (subject, kind) = (word(&SUBJECTS, chart), word(&KINDS, chart / SUBJECTS.len()));
    let name = format!("{subject}-{kind}-{chart:04}");
    let chart_yaml = format!(
        "apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"{version}\"\ntype: application\n\
         description: The {kind} of {subject}, with sensible defaults for small and large clusters\n\
         kubeVersion: '>=1.22.0-0'\nhome: https://{subject}.example.com\n\
         icon: https://{subject}.example.com/logo.svg\n\
         keywords: [{subject}, {kind}, infrastructure]\n\
         sources: ['https://git.example.com/{subject}/{name}']\n\
         maintainers:\n- {{name: First Maintainer, email: first@example.com}}\n\
         - {{name: Second Maintainer, email: second@example.com}}\n\
         annotations:\n  catalog.cattle.io/display-name: The {subject}\n  licenses: Apache-2.0\n\
         dependencies:\n- {{name: common, version: 2.x.x, repository: 'https://charts.example.com/common'}}\n"
    );
    let values = format!(
        "image:\n  repository: registry.example.com/{subject}/{kind}\n  tag: \"{version}\"\nreplicas: 1\n"
    );
    let archive = ChartBuilder::new(&name, &version)
        .chart_yaml(chart_yaml)
        .file("values.yaml", values)
        .file(
            "templates/configmap.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n",
        )
        .build();
    Sample { name, version, archive }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chart::ChartVersion;
    use chart::archive::{ChartArchive, Limits};
    use chart::index::IndexEntry;

    use super::*;

    #[test]
    fn an_index_entry_has_about_900_bytes() {
        for position in [0, 49, 12_345, 99_999] {
            let archive = nth(position).archive;
            let metadata = ChartArchive::inspect(archive.as_slice(), &Limits::default()).unwrap();
            let created = "2026-01-01T10:00:00.123456Z".parse().unwrap();
            let entry =
                IndexEntry::new(metadata, Some(created), Some(oci::Digest::sha256(&archive))).to_json();
            assert!(
                (850..=950).contains(&entry.len()),
                "{}: {}",
                entry.len(),
                String::from_utf8_lossy(&entry)
            );
        }
    }

    #[test]
    fn positions_are_different_versions_that_grow() {
        let names: BTreeSet<String> = (0..5_000).map(|position| nth(position).file_name()).collect();
        assert_eq!(names.len(), 5_000);
        let versions: Vec<ChartVersion> =
            (0..VERSIONS_PER_CHART).map(|position| nth(position).version.parse().unwrap()).collect();
        assert!(versions.is_sorted());
        let newer = newer(100, 0, 4);
        assert_eq!(newer.iter().map(Sample::file_name).collect::<BTreeSet<_>>().len(), 4);
        assert!(newer[2].version.parse::<ChartVersion>().unwrap() > *versions.last().unwrap());
    }

    #[test]
    fn a_heavy_archive_has_the_size_asked_for() {
        for bytes in [20 << 10, 1 << 20] {
            let size = heavy(1, bytes).archive.len();
            assert!((bytes..bytes + bytes / 10).contains(&size), "{size}");
        }
    }
}
