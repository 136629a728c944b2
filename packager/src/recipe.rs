//! Recipes: how one chart is made for delivery. A recipe names its upstream and the edits made on it, in their order.
//!
//! Nothing is guessed: an unknown key, a wrong type or a bad path is refused with its line and column.

mod glob;
mod images;
mod metadata;
mod revision;
mod upstream;
mod waiver;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chart::ChartName;
use serde_json::Value;

pub(crate) use self::glob::Glob;
pub(crate) use self::revision::{InvalidRevision, Revision};
pub(crate) use self::upstream::{Commit, OciName, Upstream};
pub(crate) use self::waiver::Waiver;
use crate::edit::{InvalidPath, MetadataEdits, Position, ValuePath};
use crate::located::{Located, LocatedProblem, Problem, read_document};
use crate::profile::ImageSettings;

/// The name of a recipe's file in its folder.
pub(crate) const FILE_NAME: &str = "recipe.yaml";

const KEYS: [&str; 15] = [
    "chart",
    "upstream",
    "version",
    "revision",
    "metadata",
    "values",
    "patches",
    "overlay",
    "exclude",
    "dependencies",
    "icon",
    "images",
    "waivers",
    "provenance",
    "description",
];

/// One recipe.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recipe {
    /// The chart to start from.
    pub(crate) upstream: Upstream,
    /// The version to deliver under.
    pub(crate) revision: Revision,
    /// The edits of its `Chart.yaml`.
    pub(crate) metadata: MetadataEdits,
    /// The edits of its `values.yaml`, in the recipe's order.
    pub(crate) values: Vec<ValueEdit>,
    /// Unified diffs, beside the recipe, in the order they are applied.
    pub(crate) patches: Vec<PathBuf>,
    /// A folder beside the recipe whose files are laid over the chart's.
    pub(crate) overlay: Option<PathBuf>,
    /// The files that do not go along.
    pub(crate) exclude: Vec<Glob>,
    /// Where dependencies come from when not from where the chart says, by name.
    pub(crate) dependencies: BTreeMap<ChartName, Upstream>,
    /// The icon that the chart carries.
    pub(crate) icon: Option<IconSource>,
    /// How its images are found.
    pub(crate) images: ImageSettings,
    /// What the gate lets pass.
    pub(crate) waivers: Vec<Waiver>,
    /// The file with the OpenPGP keys of which one must have signed the upstream archive.
    pub(crate) signers: Option<PathBuf>,
}

/// One value to set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueEdit {
    /// Where.
    pub(crate) path: ValuePath,
    /// What.
    pub(crate) value: Value,
    /// Where a recipe writes it; nothing for what comes from elsewhere.
    pub(crate) at: Option<Position>,
}

/// Where a chart's icon comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IconSource {
    /// From where the upstream's `Chart.yaml` says.
    Upstream,
    /// From a URL.
    Url(url::Url),
    /// From a file beside the recipe.
    File(PathBuf),
}

impl Recipe {
    /// Reads a recipe from its YAML text.
    ///
    /// # Errors
    /// [`LocatedProblem`] with the line and column of the first problem.
    pub(crate) fn parse(text: &str) -> Result<Self, LocatedProblem> {
        read_document(text, read_recipe)
    }

    /// Returns the files beside the recipe that it names one by one: patches, keys and icon.
    pub(crate) fn named_files(&self) -> impl Iterator<Item = &Path> {
        let icon = match &self.icon {
            Some(IconSource::File(path)) => Some(path),
            Some(IconSource::Upstream | IconSource::Url(_)) | None => None,
        };
        self.patches.iter().chain(&self.signers).chain(icon).map(PathBuf::as_path)
    }
}

fn read_recipe(root: Located<'_>) -> Result<Recipe, LocatedProblem> {
    let mut upstream = None;
    let mut revision = None;
    let mut recipe = Recipe {
        // Replaced below; a recipe without an upstream is refused.
        upstream: Upstream::Path { path: PathBuf::new(), digest: None },
        revision: Revision::Upstream,
        metadata: MetadataEdits::default(),
        values: Vec::new(),
        patches: Vec::new(),
        overlay: None,
        exclude: Vec::new(),
        dependencies: BTreeMap::new(),
        icon: None,
        images: ImageSettings::default(),
        waivers: Vec::new(),
        signers: None,
    };
    for field in root.known_entries("recipe", &KEYS)? {
        let value = field.value;
        match field.key {
            "chart" | "upstream" if upstream.is_some() => {
                return Err(value.refuse(Problem::NotExactlyOne("chart`, `upstream".to_owned())));
            }
            "version" | "revision" if revision.is_some() => {
                return Err(value.refuse(Problem::NotExactlyOne("version`, `revision".to_owned())));
            }
            "chart" => upstream = Some(upstream::read_short(value)?),
            "upstream" => upstream = Some(upstream::read(value, "upstream")?),
            "version" => revision = Some(Revision::Own(value.parsed("version")?)),
            "revision" => revision = Some(revision::read(value)?),
            "metadata" => recipe.metadata = metadata::read(value)?,
            "values" => recipe.values = read_values(value, "values")?,
            "patches" => recipe.patches = read_files(value)?,
            "overlay" => recipe.overlay = Some(read_path(value, "overlay")?),
            "exclude" => recipe.exclude = read_globs(value)?,
            "dependencies" => recipe.dependencies = read_dependencies(value)?,
            "icon" => recipe.icon = Some(read_icon(value)?),
            "images" => recipe.images = images::read(value)?,
            "waivers" => recipe.waivers = waiver::read(value)?,
            "provenance" => recipe.signers = Some(read_provenance(value)?),
            // `description` says why the chart was chosen, to people.
            _ => _ = value.text("description")?,
        }
    }
    let remedy = "name the chart's folder or archive as in `chart: .`, or its origin as in `upstream: {repository: …}`";
    recipe.upstream = upstream.ok_or_else(|| root.refuse(Problem::Missing { key: "chart", remedy }))?;
    recipe.revision = revision.unwrap_or(Revision::Upstream);
    Ok(recipe)
}

/// Reads values by path, in their order.
fn read_values(value: Located<'_>, name: &str) -> Result<Vec<ValueEdit>, LocatedProblem> {
    let edits = value.entries(name)?.into_iter().map(|field| {
        let path = field
            .key
            .parse()
            .map_err(|problem: InvalidPath| LocatedProblem { at: field.at, problem: problem.into() })?;
        Ok(ValueEdit { path, value: field.value.json().clone(), at: Some(field.at) })
    });
    edits.collect()
}

fn read_files(value: Located<'_>) -> Result<Vec<PathBuf>, LocatedProblem> {
    value.items("patches")?.into_iter().map(|item| read_path(item, "patches")).collect()
}

/// Reads a path relative to the recipe. An absolute one would hold on one machine only.
fn read_path(value: Located<'_>, name: &str) -> Result<PathBuf, LocatedProblem> {
    let text = value.text(name)?;
    if text.is_empty() || text.starts_with('/') || text.contains('\\') {
        return Err(value.breaks(name, "write a path relative to the recipe, with slashes"));
    }
    Ok(text.into())
}

fn read_globs(value: Located<'_>) -> Result<Vec<Glob>, LocatedProblem> {
    let globs = value.items("exclude")?.into_iter().map(|item| {
        let text = item.text("exclude")?;
        Glob::parse(text).map_err(|rule| item.breaks("exclude", rule))
    });
    globs.collect()
}

fn read_dependencies(value: Located<'_>) -> Result<BTreeMap<ChartName, Upstream>, LocatedProblem> {
    let sources = value.entries("dependencies")?.into_iter().map(|field| {
        let name = field.key.parse().map_err(|problem: chart::InvalidName| LocatedProblem {
            at: field.at,
            problem: problem.into(),
        })?;
        Ok((name, upstream::read(field.value, field.key)?))
    });
    sources.collect()
}

fn read_icon(value: Located<'_>) -> Result<IconSource, LocatedProblem> {
    if value.json().is_string() {
        return value.choice("icon", &[("upstream", ())]).map(|()| IconSource::Upstream);
    }
    let mut icon = None;
    for field in value.known_entries("icon", &["url", "path"])? {
        if icon.is_some() {
            return Err(value.refuse(Problem::NotExactlyOne("url`, `path".to_owned())));
        }
        icon = Some(match field.key {
            "url" => IconSource::Url(upstream::read_url(field.value, "url")?),
            _ => IconSource::File(read_path(field.value, "path")?),
        });
    }
    icon.ok_or_else(|| value.refuse(Problem::NotExactlyOne("url`, `path".to_owned())))
}

fn read_provenance(value: Located<'_>) -> Result<PathBuf, LocatedProblem> {
    let fields = value.known_entries("provenance", &["key"])?;
    let Some(field) = fields.first() else {
        let remedy = "name the file with the publisher's public keys";
        return Err(value.refuse(Problem::Missing { key: "key", remedy }));
    };
    read_path(field.value, "key")
}

#[cfg(test)]
mod tests;
