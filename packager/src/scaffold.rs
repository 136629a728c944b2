//! Scaffolds: the files of a new chart, made from templates that are compiled in.
//!
//! What comes out passes `helm lint --strict` and renders as it is.

mod image_reference;
mod recipe;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chart::{ChartName, ChartVersion};
use clap::ValueEnum;

pub(crate) use self::image_reference::{ImageReference, InvalidImage};
pub(crate) use self::recipe::RecipeScaffold;
use crate::target::path_in;
use crate::upstream::UpstreamError;

/// The longest name of a chart that leaves room for a release's name in a label of 63 characters.
const LONGEST_NAME: usize = 53;

/// What a chart runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Some pods, with a Service before them
    Deployment,
    /// One pod on every node
    Daemonset,
}

/// A chart to make.
#[derive(Debug, Clone)]
pub(crate) struct Scaffold {
    name: ChartName,
    kind: Kind,
    version: ChartVersion,
    app_version: String,
    image: ImageReference,
}

/// Why no chart is made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScaffoldRefusal {
    /// Kubernetes would not take objects of that name.
    #[error(
        "`{0}` cannot name Kubernetes objects: use up to {LONGEST_NAME} lower-case letters, digits and `-`, a letter first"
    )]
    Name(ChartName),
    /// The app version cannot stand in a label.
    #[error(
        "`{0}` cannot be an app version: use up to 63 letters, digits, `.`, `_`, `+` and `-`, a letter or digit first"
    )]
    AppVersion(String),
    /// The folder is there.
    #[error("`{0}` exists and is not overwritten: choose another name, or move it away")]
    Exists(PathBuf),
    /// The published chart cannot be had.
    #[error(transparent)]
    Upstream(#[from] Box<UpstreamError>),
    /// The address is of no kind that charts are published at.
    #[error("`{0}` is no repository: write it as in `helm repo add`, or as `oci://HOST/PATH`")]
    From(String),
    /// A file cannot be written.
    #[error("cannot write `{path}`: {reason}")]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
}

impl ScaffoldRefusal {
    /// Returns whether the upstream did not answer.
    pub(crate) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Upstream(error) => error.is_of_the_network(),
            Self::Name(_)
            | Self::AppVersion(_)
            | Self::Exists(_)
            | Self::From(_)
            | Self::Unwritable { .. } => false,
        }
    }
}

impl Kind {
    /// Returns the word that Kubernetes has for it.
    pub(crate) fn as_kubernetes(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::Daemonset => "DaemonSet",
        }
    }
}

impl Scaffold {
    /// Decides what to make; `app_version` is the image's tag without its `v` unless given.
    ///
    /// # Errors
    /// [`ScaffoldRefusal`] for names and versions that would not render to valid objects.
    pub(crate) fn new(
        name: ChartName,
        kind: Kind,
        version: ChartVersion,
        app_version: Option<String>,
        image: Option<ImageReference>,
    ) -> Result<Self, ScaffoldRefusal> {
        if !names_objects(name.as_str()) {
            return Err(ScaffoldRefusal::Name(name));
        }
        let image =
            image.unwrap_or_else(|| ImageReference { repository: name.to_string(), tag: None, digest: None });
        let from_tag = || image.tag.as_deref().map(without_v).unwrap_or("1.0.0").to_owned();
        let app_version = app_version.unwrap_or_else(from_tag);
        if !fits_a_label(&app_version) {
            return Err(ScaffoldRefusal::AppVersion(app_version));
        }
        Ok(Self { name, kind, version, app_version, image })
    }

    /// Writes the chart to the folder `<parent>/<name>` and returns that folder.
    ///
    /// The folder is made first and must be new, so that nothing is ever overwritten.
    ///
    /// # Errors
    /// [`ScaffoldRefusal::Exists`] or [`ScaffoldRefusal::Unwritable`].
    pub(crate) fn write(&self, parent: &Path) -> Result<PathBuf, ScaffoldRefusal> {
        let folder = make_folder(parent, &self.name)?;
        let templates = folder.join("templates");
        fs::create_dir(&templates).map_err(|reason| unwritable(&templates, reason))?;
        for (path, contents) in self.files() {
            let path = folder.join(path);
            fs::write(&path, contents).map_err(|reason| unwritable(&path, reason))?;
        }
        Ok(folder)
    }

    /// Returns the chart's files: path below the chart, and contents.
    fn files(&self) -> Vec<(&'static str, String)> {
        let common = [
            ("Chart.yaml", include_str!("../templates/chart/Chart.yaml")),
            (".helmignore", include_str!("../templates/chart/helmignore")),
            ("README.md", include_str!("../templates/chart/README.md")),
            ("recipe.yaml", include_str!("../templates/chart/recipe.yaml")),
            ("templates/_helpers.tpl", include_str!("../templates/chart/helpers.tpl")),
            ("templates/serviceaccount.yaml", include_str!("../templates/chart/serviceaccount.yaml")),
        ];
        let own: &[(&str, &str)] = match self.kind {
            Kind::Deployment => &[
                ("values.yaml", include_str!("../templates/deployment/values.yaml")),
                ("values.schema.json", include_str!("../templates/deployment/values.schema.json")),
                ("templates/deployment.yaml", include_str!("../templates/deployment/workload.yaml")),
                ("templates/service.yaml", include_str!("../templates/deployment/service.yaml")),
                ("templates/NOTES.txt", include_str!("../templates/deployment/NOTES.txt")),
            ],
            Kind::Daemonset => &[
                ("values.yaml", include_str!("../templates/daemonset/values.yaml")),
                ("values.schema.json", include_str!("../templates/daemonset/values.schema.json")),
                ("templates/daemonset.yaml", include_str!("../templates/daemonset/workload.yaml")),
                ("templates/NOTES.txt", include_str!("../templates/daemonset/NOTES.txt")),
            ],
        };
        common.iter().chain(own).map(|(path, template)| (*path, self.fill(template))).collect()
    }

    /// Replaces the marks in angle brackets; every value was checked to need no quoting.
    fn fill(&self, template: &str) -> String {
        let tag = self.image.tag.as_deref().unwrap_or_default();
        let digest = self.image.digest.as_ref().map(ToString::to_string).unwrap_or_default();
        let shown_tag = if tag.is_empty() { &self.app_version } else { tag };
        let marks = [
            ("<CHART_NAME>", self.name.as_str()),
            ("<CHART_VERSION>", self.version.as_str()),
            ("<APP_VERSION>", &self.app_version),
            ("<KIND>", self.kind.as_kubernetes()),
            ("<IMAGE_REPOSITORY>", &self.image.repository),
            ("<IMAGE_TAG>", tag),
            ("<IMAGE_DIGEST>", &digest),
            ("<IMAGE>", &format!("{}:{shown_tag}", self.image.repository)),
        ];
        marks.iter().fold(template.to_owned(), |text, (mark, value)| text.replace(mark, value))
    }
}

fn unwritable(path: &Path, reason: io::Error) -> ScaffoldRefusal {
    ScaffoldRefusal::Unwritable { path: path.to_owned(), reason }
}

/// Makes the folder `<parent>/<name>`, which must be new, so that nothing is ever overwritten.
fn make_folder(parent: &Path, name: &ChartName) -> Result<PathBuf, ScaffoldRefusal> {
    fs::create_dir_all(parent).map_err(|reason| unwritable(parent, reason))?;
    let folder = path_in(parent, name.as_str());
    fs::create_dir(&folder).map_err(|reason| {
        if reason.kind() == io::ErrorKind::AlreadyExists {
            return ScaffoldRefusal::Exists(folder.clone());
        }
        unwritable(&folder, reason)
    })?;
    Ok(folder)
}

fn names_objects(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.ends_with('-')
}

fn fits_a_label(version: &str) -> bool {
    version.len() <= 63
        && version.starts_with(|first: char| first.is_ascii_alphanumeric())
        && version.ends_with(|last: char| last.is_ascii_alphanumeric())
        && version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-'))
}

fn without_v(tag: &str) -> &str {
    tag.strip_prefix('v').filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit())).unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaffold(
        name: &str,
        app_version: Option<&str>,
        image: Option<&str>,
    ) -> Result<Scaffold, ScaffoldRefusal> {
        let image = image.map(|image| image.parse().unwrap());
        let version = "0.1.0".parse().unwrap();
        Scaffold::new(name.parse().unwrap(), Kind::Daemonset, version, app_version.map(str::to_owned), image)
    }

    #[test]
    fn every_mark_is_filled() {
        for kind in [Kind::Deployment, Kind::Daemonset] {
            let scaffold = Scaffold { kind, ..scaffold("hello", None, Some("a:5000/b:v1.2")).unwrap() };
            for (path, text) in scaffold.files() {
                assert!(
                    !text.contains("<IMAGE") && !text.contains("<CHART") && !text.contains("<KIND"),
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn the_app_version_comes_from_the_tag_unless_given() {
        let table = [
            (None, Some("a:v2.2.4"), "2.2.4"),
            (None, Some("a:vault"), "vault"),
            (None, None, "1.0.0"),
            (Some("3"), Some("a:v2.2.4"), "3"),
        ];
        for (given, image, expected) in table {
            assert_eq!(scaffold("a", given, image).unwrap().app_version, expected);
        }
    }

    #[test]
    fn names_and_versions_that_kubernetes_refuses_are_refused() {
        for name in ["Hello", "hel.lo", "hel_lo", "1a", "a-", &"a".repeat(54)] {
            assert!(matches!(scaffold(name, None, None), Err(ScaffoldRefusal::Name(_))), "{name}");
        }
        for version in ["", "a\"b", "-1", "1.", &"1".repeat(64)] {
            assert!(
                matches!(scaffold("a", Some(version), None), Err(ScaffoldRefusal::AppVersion(_))),
                "{version}"
            );
        }
    }
}
