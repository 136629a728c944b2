//! Where the values of each chart of a chart stand: those of subcharts below their names, as often as they are used.

use chart::ChartMetadata;
use chart::archive::ArchiveFile;

use super::chart_values::{effective_names, metadata_at, subchart_folders};

/// One place of values: the path of a chart's own values in those of the outermost chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope(String);

/// The places of the values of every chart inside of a chart.
#[derive(Debug, Clone)]
pub(crate) struct Scopes {
    /// Folders, each with a slash at its end, and their places; inner folders first.
    folders: Vec<(String, Vec<Scope>)>,
}

impl Scopes {
    /// Returns the scopes of the chart whose files are given, paths relative to it.
    pub(crate) fn of_chart(files: &[ArchiveFile], metadata: &ChartMetadata) -> Self {
        let mut scopes = Self { folders: Vec::new() };
        scopes.collect(files, String::new(), &[Scope(String::new())], metadata);
        scopes
    }

    fn collect(&mut self, files: &[ArchiveFile], folder: String, places: &[Scope], metadata: &ChartMetadata) {
        for name in subchart_folders(files, &folder) {
            let below = format!("{folder}charts/{name}/");
            let Some(subchart) = metadata_at(files, &below) else { continue };
            let names = effective_names(metadata, &subchart);
            let inner = places.iter().flat_map(|place| {
                names.iter().map(move |name| {
                    Scope(if place.0.is_empty() { (*name).to_owned() } else { format!("{}.{name}", place.0) })
                })
            });
            let inner: Vec<Scope> = inner.collect();
            self.collect(files, below, &inner, &subchart);
        }
        self.folders.push((folder, places.to_vec()));
    }

    /// Returns the folder of each chart, with a slash at its end, and its places.
    pub(crate) fn folders(&self) -> &[(String, Vec<Scope>)] {
        &self.folders
    }

    /// Returns the places of the values that a template reads; none for what is no template.
    pub(crate) fn of(&self, path: &str) -> &[Scope] {
        let found = self.folders.iter().find(|(folder, _)| {
            path.strip_prefix(folder.as_str()).is_some_and(|below| below.starts_with("templates/"))
        });
        found.map(|(_, places)| places.as_slice()).unwrap_or_default()
    }
}

impl Scope {
    /// Returns the path below this place of a path in the outermost chart's values; nothing when it leads elsewhere.
    pub(crate) fn strip<'path>(&self, path: &'path str) -> Option<&'path str> {
        if self.0.is_empty() { Some(path) } else { path.strip_prefix(self.0.as_str())?.strip_prefix('.') }
    }

    /// Returns the path in the outermost chart's values of what a template calls `.Values.path`.
    pub(crate) fn join(&self, path: &str) -> String {
        let is_global = path == "global" || path.starts_with("global.");
        if is_global || self.0.is_empty() { path.to_owned() } else { format!("{}.{path}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chart_values::tests::chart_of_aliases;
    use super::*;

    #[test]
    fn a_subchart_has_a_place_for_each_alias_and_globals_have_one() {
        let (files, metadata) = chart_of_aliases();
        let scopes = Scopes::of_chart(&files, &metadata);
        let joined = |template: &str, path: &str| -> Vec<String> {
            scopes.of(template).iter().map(|scope| scope.join(path)).collect()
        };
        assert_eq!(joined("templates/x.yaml", "q"), ["q"]);
        assert_eq!(joined("charts/b/templates/x.yaml", "q.r"), ["first.q.r", "second.q.r"]);
        assert_eq!(joined("charts/b/charts/c/templates/x.yaml", "q"), ["first.c.q", "second.c.q"]);
        assert_eq!(joined("charts/b/templates/x.yaml", "global.q"), ["global.q", "global.q"]);
        assert!(joined("charts/b/values.yaml", "q").is_empty());
    }
}
