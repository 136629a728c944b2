//! Where a path belongs in a chart: to the chart itself, to a subchart, or to nobody.
//!
//! The order of the questions is that of Helm's `LoadFiles`, which decides by names alone.

/// The place of a path in one chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'p> {
    /// A file of the chart itself.
    Own(Part),
    /// A file below the folder of a subchart.
    Subchart {
        /// The folder's name in `charts/`, which need not be the subchart's name.
        folder: &'p str,
        /// The path below that folder.
        below: &'p str,
    },
    /// A packed subchart.
    Nested {
        /// Its file name in `charts/`.
        file_name: &'p str,
    },
    /// A file in a folder that is named like a packed subchart.
    InsideNested {
        /// The folder's name in `charts/`.
        file_name: &'p str,
    },
    /// A plain file in `charts/`, which Helm takes for a subchart without `Chart.yaml`.
    Loose {
        /// Its file name.
        file_name: &'p str,
    },
    /// A file below a `charts/` folder whose name begins with `_` or `.`: Helm leaves it out.
    Disregarded,
}

/// What a file is to the chart it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// `Chart.yaml`.
    Metadata,
    /// `Chart.lock`.
    Lock,
    /// `values.yaml`.
    Values,
    /// `values.schema.json`.
    Schema,
    /// Anything below `templates/`.
    Template,
    /// `requirements.yaml`, where charts of version 1 name their dependencies.
    Requirements,
    /// `requirements.lock`.
    RequirementsLock,
    /// Everything else, provenance files in `charts/` included.
    Other,
}

impl<'p> Place<'p> {
    /// Returns the place of `path`, which is relative to the chart.
    pub(super) fn of(path: &'p str) -> Self {
        let own = match path {
            "Chart.yaml" => Part::Metadata,
            "Chart.lock" => Part::Lock,
            "values.yaml" => Part::Values,
            "values.schema.json" => Part::Schema,
            "requirements.yaml" => Part::Requirements,
            "requirements.lock" => Part::RequirementsLock,
            _ if path.starts_with("templates/") => Part::Template,
            _ => match path.strip_prefix("charts/") {
                Some(in_charts) if extension(path) != "prov" => return Self::in_charts(in_charts),
                Some(_) | None => Part::Other,
            },
        };
        Self::Own(own)
    }

    fn in_charts(path: &'p str) -> Self {
        let (first, below) = match path.split_once('/') {
            Some((folder, below)) => (folder, Some(below)),
            None => (path, None),
        };
        if first.starts_with(['_', '.']) {
            return Self::Disregarded;
        }
        match below {
            None if extension(first) == "tgz" => Self::Nested { file_name: first },
            Some(_) if extension(first) == "tgz" => Self::InsideNested { file_name: first },
            None => Self::Loose { file_name: first },
            Some(below) => Self::Subchart { folder: first, below },
        }
    }
}

/// Returns what follows the last dot of the last name in `path`, as Go's `filepath.Ext` without the dot.
fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_the_place_that_helm_gives_them() {
        for (path, place) in [
            ("Chart.yaml", Place::Own(Part::Metadata)),
            ("chart.yaml", Place::Own(Part::Other)),
            ("Chart.lock", Place::Own(Part::Lock)),
            ("values.yaml", Place::Own(Part::Values)),
            ("values.schema.json", Place::Own(Part::Schema)),
            ("requirements.yaml", Place::Own(Part::Requirements)),
            ("requirements.lock", Place::Own(Part::RequirementsLock)),
            ("templates/Chart.yaml", Place::Own(Part::Template)),
            ("templates", Place::Own(Part::Other)),
            ("charts", Place::Own(Part::Other)),
            ("crds/a.yaml", Place::Own(Part::Other)),
            ("charts/a/Chart.yaml", Place::Subchart { folder: "a", below: "Chart.yaml" }),
            ("charts/a/charts/b/x", Place::Subchart { folder: "a", below: "charts/b/x" }),
            ("charts/a-1.0.0.tgz", Place::Nested { file_name: "a-1.0.0.tgz" }),
            ("charts/a.tgz/x", Place::InsideNested { file_name: "a.tgz" }),
            ("charts/.tgz", Place::Disregarded),
            ("charts/README.md", Place::Loose { file_name: "README.md" }),
            ("charts/a-1.0.0.tgz.prov", Place::Own(Part::Other)),
            ("charts/a/deep/x.prov", Place::Own(Part::Other)),
            ("charts/_old/Chart.yaml", Place::Disregarded),
            ("charts/.DS_Store", Place::Disregarded),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }
}
