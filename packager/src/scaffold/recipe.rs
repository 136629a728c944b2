//! The recipe of a published chart: its origin with the digest of today, and the edits that every delivery makes.

use std::path::{Path, PathBuf};

use chart::{ChartMetadata, ChartName, ChartVersion};
use oci::Digest;
use serde_json::{Map, Value, json};
use url::Url;

use super::{ScaffoldRefusal, make_folder, unwritable};
use crate::edit::write_document;
use crate::lock::Origin;
use crate::recipe::{self, OciName, Upstream};
use crate::target::write_whole;
use crate::upstream::{Fetched, Fetcher, UpstreamError, fetch};
use crate::vault::read_chart;
use crate::vendor::read_metadata;

/// A recipe to write.
#[derive(Debug)]
pub(crate) struct RecipeScaffold {
    name: ChartName,
    text: String,
}

impl RecipeScaffold {
    /// Fetches one version of a chart from the repository `from` and makes its recipe.
    ///
    /// # Errors
    /// [`ScaffoldRefusal::Upstream`] when the chart cannot be had.
    pub(crate) async fn fetch(
        fetcher: &Fetcher,
        from: &Url,
        name: &ChartName,
        version: &ChartVersion,
    ) -> Result<Self, ScaffoldRefusal> {
        let upstream = upstream_of(from, name, version)?;
        let fetched = fetch(&upstream, Path::new(""), fetcher, false).await.map_err(Box::new)?;
        let metadata = metadata_of(&fetched).map_err(Box::new)?;
        let head = format!(
            "# {name} {version} as its publisher serves it. What is changed for the delivery stands below.\n"
        );
        let text = head + &write_document(&recipe_of(&fetched, &metadata));
        Ok(Self { name: name.clone(), text })
    }

    /// Writes the recipe to the new folder `<parent>/<name>` and returns that folder.
    ///
    /// # Errors
    /// [`ScaffoldRefusal::Exists`] or [`ScaffoldRefusal::Unwritable`].
    pub(crate) fn write(&self, parent: &Path) -> Result<PathBuf, ScaffoldRefusal> {
        let folder = make_folder(parent, &self.name)?;
        let path = folder.join(recipe::FILE_NAME);
        write_whole(&path, self.text.as_bytes()).map_err(|reason| unwritable(&path, reason))?;
        Ok(folder)
    }
}

fn upstream_of(from: &Url, name: &ChartName, version: &ChartVersion) -> Result<Upstream, ScaffoldRefusal> {
    let refuse = || ScaffoldRefusal::From(from.to_string());
    match from.scheme() {
        "http" | "https" if from.username().is_empty() && from.password().is_none() => {
            Ok(Upstream::Repository {
                repository: from.clone(),
                chart: name.clone(),
                version: version.clone(),
                digest: None,
            })
        }
        "oci" => {
            let place = from.as_str().trim_end_matches('/');
            let full = if place.ends_with(&format!("/{name}")) {
                place.to_owned()
            } else {
                format!("{place}/{name}")
            };
            let oci: OciName = full.parse().map_err(|_| refuse())?;
            Ok(Upstream::Oci { name: oci, version: version.clone(), digest: None })
        }
        _ => Err(refuse()),
    }
}

fn metadata_of(fetched: &Fetched) -> Result<ChartMetadata, UpstreamError> {
    let origin = || fetched.origin.to_string();
    let files = read_chart(&fetched.bytes)
        .map_err(|problem| UpstreamError::Kept { origin: origin(), problem: Box::new(problem) })?;
    read_metadata(&files)
        .map_err(|problem| UpstreamError::Metadata { origin: origin(), problem: Box::new(problem) })
}

fn recipe_of(fetched: &Fetched, metadata: &ChartMetadata) -> Value {
    let digest = Digest::sha256(&fetched.bytes);
    let upstream = match &fetched.origin {
        Origin::Repository(origin) => json!({
            "repository": origin.repository, "chart": origin.chart, "version": origin.version, "digest": digest,
        }),
        Origin::Oci(origin) => {
            json!({"oci": origin.oci, "version": origin.version, "digest": origin.manifest})
        }
        Origin::Git(origin) => json!({"git": origin.git, "commit": origin.commit, "path": origin.path}),
        Origin::Path(origin) => json!({"path": origin.path}),
    };
    let mut recipe = Map::new();
    recipe.insert("upstream".to_owned(), upstream);
    let release = metadata.name.as_str();
    let annotations = json!({
        "catalog.cattle.io/certified": "playcekube",
        "catalog.cattle.io/namespace": "playcekube",
        "catalog.cattle.io/release-name": release,
    });
    recipe.insert("metadata".to_owned(), json!({ "annotations": annotations }));
    if metadata.icon.starts_with("http") {
        recipe.insert("icon".to_owned(), json!("upstream"));
    }
    Value::Object(recipe)
}
