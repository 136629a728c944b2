//! Charts for tests, good ones and broken ones.
//!
//! A builder panics where a test has made a mistake; it is not for programs.

mod raw_entry;

use serde_json::{Map, Value, json};

use crate::archive::ArchiveWriter;
use crate::index::write_fields;
use oci::Digest;
pub use raw_entry::RawEntry;

/// Builds the archive of one chart.
#[derive(Debug, Clone)]
pub struct ChartBuilder {
    fields: Map<String, Value>,
    chart_yaml: Option<Vec<u8>>,
    has_chart_yaml: bool,
    folder: String,
    files: Vec<(String, Vec<u8>)>,
    raw_entries: Vec<RawEntry>,
    modified_seconds: u64,
}

impl ChartBuilder {
    /// Begins a valid chart of `apiVersion` `v2` that has nothing but a `Chart.yaml`.
    pub fn new(name: &str, version: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("apiVersion".to_owned(), json!("v2"));
        fields.insert("name".to_owned(), json!(name));
        fields.insert("version".to_owned(), json!(version));
        Self {
            fields,
            chart_yaml: None,
            has_chart_yaml: true,
            folder: name.to_owned(),
            files: Vec::new(),
            raw_entries: Vec::new(),
            modified_seconds: 1_700_000_000,
        }
    }

    /// Sets any field of `Chart.yaml`.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the description.
    pub fn description(self, text: &str) -> Self {
        self.field("description", text)
    }

    /// Sets the version of the application inside.
    pub fn app_version(self, version: &str) -> Self {
        self.field("appVersion", version)
    }

    /// Sets the Kubernetes versions wanted.
    pub fn kube_version(self, constraint: &str) -> Self {
        self.field("kubeVersion", constraint)
    }

    /// Adds an annotation.
    pub fn annotation(mut self, name: &str, value: &str) -> Self {
        self.fields.entry("annotations").or_insert_with(|| json!({}))[name] = json!(value);
        self
    }

    /// Adds a dependency; [`Self::subchart`] adds the chart itself.
    pub fn dependency(mut self, name: &str, version: &str, repository: &str) -> Self {
        let dependency = json!({"name": name, "version": version, "repository": repository});
        let dependencies = self.fields.entry("dependencies").or_insert_with(|| json!([]));
        if let Some(dependencies) = dependencies.as_array_mut() {
            dependencies.push(dependency);
        }
        self
    }

    /// Adds a file; `path` is relative to the chart.
    pub fn file(mut self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        self.files.push((path.to_owned(), contents.as_ref().to_vec()));
        self
    }

    /// Adds a chart below `charts/`, as a folder.
    pub fn subchart(mut self, subchart: &Self) -> Self {
        let folder = format!("charts/{}", subchart.folder);
        let files = subchart.all_files().into_iter();
        self.files.extend(files.map(|(path, contents)| (format!("{folder}/{path}"), contents)));
        self
    }

    /// Adds bytes below `charts/` under the file name of a packed subchart.
    pub fn packed_subchart(self, file_name: &str, archive: &[u8]) -> Self {
        self.file(&format!("charts/{file_name}"), archive)
    }

    /// Replaces the whole `Chart.yaml`.
    pub fn chart_yaml(mut self, contents: impl AsRef<[u8]>) -> Self {
        self.chart_yaml = Some(contents.as_ref().to_vec());
        self
    }

    /// Leaves `Chart.yaml` out.
    pub fn without_chart_yaml(mut self) -> Self {
        self.has_chart_yaml = false;
        self
    }

    /// Sets the base folder that all files are in; it is the chart's name otherwise.
    pub fn folder(mut self, folder: &str) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// Sets the time of all entries, to get other bytes with the same contents.
    pub fn modified_seconds(mut self, seconds: u64) -> Self {
        self.modified_seconds = seconds;
        self
    }

    /// Adds a tar entry after the files, as it is.
    pub fn raw_entry(mut self, entry: RawEntry) -> Self {
        self.raw_entries.push(entry);
        self
    }

    /// Returns the archive.
    #[expect(clippy::expect_used, reason = "writing to memory does not fail")]
    pub fn build(&self) -> Vec<u8> {
        let mut writer = ArchiveWriter::new(self.modified_seconds);
        for (path, contents) in self.all_files() {
            writer.add_file(&format!("{}/{path}", self.folder), &contents).expect("memory");
        }
        for entry in &self.raw_entries {
            writer.add_raw(&entry.to_bytes()).expect("memory");
        }
        writer.finish().expect("memory")
    }

    fn all_files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        if self.has_chart_yaml {
            let contents = self.chart_yaml.clone().unwrap_or_else(|| {
                let mut generated = Vec::new();
                write_fields(&self.fields, 0, &mut generated);
                generated
            });
            files.push(("Chart.yaml".to_owned(), contents));
        }
        files.extend(self.files.iter().cloned());
        files
    }
}

/// Returns a provenance file for `archive` under `file_name`, in the form that Helm signs. Its signature is none.
pub fn provenance_text(name: &str, version: &str, file_name: &str, archive: &[u8]) -> String {
    let digest = Digest::sha256(archive);
    format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n\
         apiVersion: v2\nmaintainers:\n- - name: somebody else\nname: {name}\nversion: {version}\n\n...\n\
         files:\n  {file_name}: {digest}\n\
         -----BEGIN PGP SIGNATURE-----\n\nbm8gc2lnbmF0dXJl\n=AAAA\n-----END PGP SIGNATURE-----\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{ChartArchive, Limits};

    #[test]
    fn a_built_chart_says_what_it_was_told() {
        let chart = ChartBuilder::new("a", "1.0.0")
            .description("yes: it's")
            .app_version("1.10")
            .kube_version(">=1.20")
            .annotation("b/c", "true")
            .dependency("d", "1.x", "https://x")
            .subchart(&ChartBuilder::new("d", "1.2.0"));
        let metadata = ChartArchive::inspect(chart.build().as_slice(), &Limits::default()).unwrap();
        assert_eq!((metadata.description.as_str(), metadata.app_version.as_str()), ("yes: it's", "1.10"));
        assert_eq!(
            (metadata.kube_version.as_str(), metadata.annotations["b/c"].as_str()),
            (">=1.20", "true")
        );
        assert_eq!(metadata.dependencies[0].repository, "https://x");
    }

    #[test]
    fn builds_differ_by_their_time_only_when_told() {
        let chart = ChartBuilder::new("a", "1.0.0");
        assert_eq!(chart.build(), chart.build());
        assert_ne!(chart.build(), chart.clone().modified_seconds(1).build());
    }
}
