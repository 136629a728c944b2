//! Dependencies of a chart: which of them are missing, and putting them into `charts/`.
//!
//! What a chart carries already is believed; only what is missing, or replaced by the recipe, comes from elsewhere.

use chart::archive::{ArchiveError, ArchiveFile, ChartArchive, Limits};
use chart::{
    ChartMetadata, ChartName, ChartVersion, Dependency, DependencyLock, InvalidLock, InvalidMetadata,
    InvalidName, VersionConstraint,
};

use crate::edit::ValuePath;

/// How many charts lie inside each other at most, as in an archive.
pub(crate) const DEEPEST: usize = 10;

/// A dependency that a chart asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Its name.
    pub(crate) name: ChartName,
    /// The versions that will do, as written; empty for any.
    pub(crate) constraint: String,
    /// The repository as written.
    pub(crate) repository: String,
    /// The version that the chart's own lock chose.
    pub(crate) chosen: Option<String>,
}

/// Why subcharts cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidSubchart {
    /// The chart's own metadata is not valid.
    #[error(transparent)]
    Metadata(#[from] InvalidMetadata),
    /// `Chart.lock` is not valid.
    #[error("`{file}` is not valid: {problem}")]
    Lock {
        /// `Chart.lock` or `requirements.lock`.
        file: &'static str,
        /// What is wrong.
        #[source]
        problem: InvalidLock,
    },
    /// A packed subchart is not valid.
    #[error("`{path}` is no chart that Helm would load: {problem}")]
    Packed {
        /// The archive below the chart.
        path: String,
        /// What is wrong.
        #[source]
        problem: Box<ArchiveError>,
    },
    /// The name of a dependency is none.
    #[error("a dependency of the chart has no usable name: {0}")]
    Name(#[from] InvalidName),
}

/// Returns what `Chart.yaml`, and `requirements.yaml` beside it, say.
///
/// # Errors
/// [`InvalidMetadata`], also when there is no `Chart.yaml`.
pub(crate) fn read_metadata(files: &[ArchiveFile]) -> Result<ChartMetadata, InvalidMetadata> {
    ChartMetadata::parse(
        bytes_of(files, "Chart.yaml").unwrap_or_default(),
        bytes_of(files, "requirements.yaml"),
    )
}

/// Returns the dependencies that the chart asks for and does not carry, each name once; those `replaced` count as missing.
///
/// # Errors
/// [`InvalidSubchart`].
pub(crate) fn missing(
    files: &[ArchiveFile],
    is_replaced: impl Fn(&ChartName) -> bool,
) -> Result<Vec<Wanted>, InvalidSubchart> {
    let metadata = read_metadata(files)?;
    let carried = carried(files)?;
    let lock = read_lock(files)?;
    let mut wanted: Vec<Wanted> = Vec::new();
    for (position, dependency) in metadata.dependencies.iter().enumerate() {
        let name: ChartName = dependency.name.parse()?;
        // A second entry of one name is the same chart under another alias.
        let is_known = wanted.iter().any(|other| other.name == name);
        if is_known || (carried.contains(&name) && !is_replaced(&name)) {
            continue;
        }
        let Dependency { version, repository, .. } = dependency.clone();
        wanted.push(Wanted {
            name,
            constraint: version,
            repository,
            chosen: chosen(&lock, position, dependency),
        });
    }
    Ok(wanted)
}

/// Returns the version that the lock has for a dependency: at its place, else under its name.
fn chosen(lock: &DependencyLock, position: usize, dependency: &Dependency) -> Option<String> {
    let is_it = |locked: &&Dependency| locked.name == dependency.name;
    let at_place = lock.dependencies.get(position).filter(is_it);
    at_place.or_else(|| lock.dependencies.iter().find(is_it)).map(|locked| locked.version.clone())
}

/// Returns the names of the charts in `charts/`.
fn carried(files: &[ArchiveFile]) -> Result<Vec<ChartName>, InvalidSubchart> {
    let mut names = Vec::new();
    for file in files {
        let Some(below) = file.path.strip_prefix("charts/") else { continue };
        match below.split_once('/') {
            Some((folder, "Chart.yaml")) if !folder.starts_with(['_', '.']) => {
                names.push(ChartMetadata::parse(&file.bytes, None)?.name);
            }
            None if below.ends_with(".tgz") => names.push(packed_name(file)?),
            Some(_) | None => {}
        }
    }
    Ok(names)
}

fn packed_name(file: &ArchiveFile) -> Result<ChartName, InvalidSubchart> {
    let metadata = ChartArchive::inspect(file.bytes.as_slice(), &Limits::default());
    let metadata = metadata
        .map_err(|problem| InvalidSubchart::Packed { path: file.path.clone(), problem: problem.into() })?;
    Ok(metadata.name)
}

fn read_lock(files: &[ArchiveFile]) -> Result<DependencyLock, InvalidSubchart> {
    for file in ["Chart.lock", "requirements.lock"] {
        if let Some(bytes) = bytes_of(files, file) {
            return DependencyLock::parse(bytes).map_err(|problem| InvalidSubchart::Lock { file, problem });
        }
    }
    Ok(DependencyLock::default())
}

/// Puts the files of a chart into `folder` (`charts/NAME`) in place of what stands there under that name.
///
/// # Errors
/// [`InvalidSubchart::Packed`] for an archive in `charts/` that is none.
pub(crate) fn place(
    files: &mut Vec<ArchiveFile>,
    folder: &str,
    added: Vec<ArchiveFile>,
) -> Result<(), InvalidSubchart> {
    let (around, name) = folder.rsplit_once('/').unwrap_or(("", folder));
    let mut packed = Vec::new();
    for file in files.iter() {
        let below = file.path.strip_prefix(around).and_then(|below| below.strip_prefix('/'));
        if below.is_some_and(|below| below.ends_with(".tgz") && !below.contains('/'))
            && packed_name(file)?.as_str() == name
        {
            packed.push(file.path.clone());
        }
    }
    let inside = format!("{folder}/");
    files.retain(|file| !file.path.starts_with(&inside) && !packed.contains(&file.path));
    files
        .extend(added.into_iter().map(|file| ArchiveFile { path: format!("{inside}{}", file.path), ..file }));
    Ok(())
}

/// Returns where the chart asks for a version that the one in `folder` is not, so that Helm would not find it.
///
/// Only for dependencies of the chart itself: those further down come as their authors made them.
pub(crate) fn disagreeing_requirement(
    files: &[ArchiveFile],
    folder: &str,
    version: &ChartVersion,
) -> Option<(&'static str, ValuePath)> {
    let name = folder.strip_prefix("charts/").filter(|name| !name.contains('/'))?;
    let metadata = read_metadata(files).ok()?;
    let position = metadata.dependencies.iter().position(|dependency| {
        let constraint = dependency.version.parse::<VersionConstraint>();
        dependency.name == name
            && !dependency.version.is_empty()
            && constraint.is_ok_and(|constraint| !constraint.matches(version))
    })?;
    let has_requirements = bytes_of(files, "requirements.yaml").is_some();
    let file = if has_requirements { "requirements.yaml" } else { "Chart.yaml" };
    Some((file, format!("dependencies[{position}].version").parse().ok()?))
}

fn bytes_of<'files>(files: &'files [ArchiveFile], path: &str) -> Option<&'files [u8]> {
    files.iter().rev().find(|file| file.path == path).map(|file| file.bytes.as_slice())
}

#[cfg(test)]
mod tests {
    use chart::testing::ChartBuilder;

    use super::*;

    fn files_of(chart: &ChartBuilder) -> Vec<ArchiveFile> {
        ChartArchive::read(chart.build().as_slice(), &Limits::default()).unwrap().into_files()
    }

    fn names(files: &[ArchiveFile]) -> Vec<String> {
        missing(files, |_| false).unwrap().iter().map(|wanted| wanted.name.to_string()).collect()
    }

    #[test]
    fn carried_charts_are_not_missing_however_they_are_carried() {
        let packed = ChartBuilder::new("packed", "1.0.0").build();
        let chart = ChartBuilder::new("a", "1.0.0")
            .dependency("folder", "1.x", "https://x")
            .dependency("packed", "1.x", "https://x")
            .dependency("absent", "1.x", "https://x")
            .subchart(&ChartBuilder::new("folder", "1.2.0"))
            .packed_subchart("packed-1.0.0.tgz", &packed);
        let files = files_of(&chart);
        assert_eq!(names(&files), ["absent"]);
        let replaced = missing(&files, |name| name.as_str() == "packed").unwrap();
        assert_eq!(replaced.len(), 2);
    }

    #[test]
    fn the_charts_own_lock_chooses() {
        let lock = "dependencies:\n- {name: b, version: 1.2.0, repository: 'https://x'}\n- {name: a, version: 2.0.0}\n";
        let chart = ChartBuilder::new("x", "1.0.0")
            .dependency("a", "2.x", "https://x")
            .dependency("c", "", "https://x")
            .file("Chart.lock", lock);
        let wanted = missing(&files_of(&chart), |_| false).unwrap();
        let chosen: Vec<_> = wanted.iter().map(|one| one.chosen.as_deref()).collect();
        assert_eq!(chosen, [Some("2.0.0"), None]);
    }

    #[test]
    fn a_placed_chart_replaces_what_had_its_name() {
        let packed = ChartBuilder::new("b", "1.0.0").build();
        let mut files = files_of(
            &ChartBuilder::new("a", "1.0.0")
                .dependency("b", "^1", "https://x")
                .packed_subchart("b-1.0.0.tgz", &packed),
        );
        let added = files_of(&ChartBuilder::new("b", "2.0.0"));
        place(&mut files, "charts/b", added).unwrap();
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["Chart.yaml", "charts/b/Chart.yaml"]);
        let (file, path) = disagreeing_requirement(&files, "charts/b", &"2.0.0".parse().unwrap()).unwrap();
        assert_eq!((file, path.to_string().as_str()), ("Chart.yaml", "dependencies[0].version"));
        assert!(disagreeing_requirement(&files, "charts/b", &"1.9.0".parse().unwrap()).is_none());
    }
}
