//! The second half of a build: what is added to the upstream's files, and the packing.

use std::path::Path;

use chart::ChartVersion;
use chart::archive::{ArchiveFile, PackOptions, pack_files};
use serde_json::Value;

use super::edits::edit_file;
use super::{BuildRefusal, Draft, Icon, Packed};
use crate::edit::{EditError, InvalidPath, ValuePath};
use crate::lock::LockedEdit;
use crate::vendor;

/// What is added to a draft.
#[derive(Debug, Clone, Default)]
pub(crate) struct Additions {
    /// The charts that are put into `charts/`, outer ones first.
    pub(crate) dependencies: Vec<Vendored>,
    /// The icon.
    pub(crate) icon: Option<Icon>,
    /// The edits that make image references point at the site.
    pub(crate) relocation: Vec<LockedEdit>,
}

/// A dependency and the place it is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vendored {
    /// `charts/NAME`, or deeper for a dependency of a dependency.
    pub(crate) folder: String,
    /// Its version.
    pub(crate) version: ChartVersion,
    /// Its files.
    pub(crate) files: Vec<ArchiveFile>,
}

impl Draft {
    /// Adds what is to be added and packs the chart; every entry gets the time `modified_seconds`.
    ///
    /// # Errors
    /// [`BuildRefusal`].
    pub(crate) fn finish(self, additions: Additions, modified_seconds: u64) -> Result<Packed, BuildRefusal> {
        let Self { mut files, mut edits, drift, mut added, chart, .. } = self;
        let Additions { dependencies, icon, relocation } = additions;
        for Vendored { folder, version, files: vendored } in dependencies {
            let refuse =
                |problem| BuildRefusal::Subchart { chart: chart.clone(), problem: Box::new(problem) };
            vendor::place(&mut files, &folder, vendored).map_err(refuse)?;
            if let Some((file, path)) = vendor::disagreeing_requirement(&files, &folder, &version) {
                let version = Value::String(version.to_string());
                edits.extend(edit_file(&chart, &mut files, file, |document| document.set(&path, &version))?);
            }
        }
        if let Some(icon) = icon {
            added.insert(icon.file_name());
            edits.extend(carry_icon(&chart, &mut files, icon)?);
        }
        if !relocation.is_empty() {
            if !files.iter().any(|file| file.path == "values.yaml") {
                files.push(ArchiveFile { path: "values.yaml".to_owned(), bytes: Vec::new() });
            }
            let edits_of = relocation.iter().map(|LockedEdit { path, value }| Ok((path.parse()?, value)));
            let all: Vec<(ValuePath, &Value)> = edits_of
                .collect::<Result<_, InvalidPath>>()
                .map_err(|problem| BuildRefusal::Relocation { chart: chart.clone(), problem })?;
            let set = |document: &mut crate::edit::Document| -> Result<(), EditError> {
                all.iter().try_for_each(|(path, value)| document.set(path, value))
            };
            edits.extend(edit_file(&chart, &mut files, "values.yaml", set)?);
        }
        let packed = pack_files(files, &PackOptions { modified_seconds })
            .map_err(|problem| BuildRefusal::Pack { chart, problem: problem.into() })?;
        Ok(Packed { chart: packed, edits, drift, added })
    }
}

/// Puts the icon into the chart and makes `icon` name it, in the one form that Helm's linter takes for a file.
fn carry_icon(
    chart: &Path,
    files: &mut Vec<ArchiveFile>,
    icon: Icon,
) -> Result<Option<super::FileEdit>, BuildRefusal> {
    let name = icon.file_name();
    let value = Value::String(format!("file://{name}"));
    files.retain(|file| file.path != name);
    files.push(ArchiveFile { path: name, bytes: icon.bytes });
    let path = ValuePath::of_keys(&["icon"]);
    edit_file(chart, files, "Chart.yaml", |document| document.set(&path, &value))
}
