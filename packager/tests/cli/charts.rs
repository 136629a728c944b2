//! Charts made on the spot, and the helm that renders them.

use std::path::PathBuf;

use serde_json::Value;

use crate::helm::helm;
use crate::support::{Answer, Workplace};

/// A folder of charts, and the helm that renders them.
pub(crate) struct Charts {
    pub(crate) place: Workplace,
    helm: PathBuf,
}

impl Charts {
    /// Writes one chart with these templates; nothing when there is no helm.
    pub(crate) fn new(name: &str, values: &str, templates: &[(&str, &str)]) -> Option<Self> {
        let charts = Self { place: Workplace::new(), helm: helm()? };
        let metadata = format!("apiVersion: v2\nname: {name}\nversion: 1.2.3\nappVersion: \"4.5\"\n");
        charts.place.write(&format!("{name}/Chart.yaml"), metadata);
        charts.place.write(&format!("{name}/values.yaml"), values);
        for (file, text) in templates {
            charts.place.write(&format!("{name}/templates/{file}"), text);
        }
        Some(charts)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        let cache = self.place.path("cache");
        let variables =
            [("CHARTPACK_HELM", self.helm.to_str().unwrap()), ("CHARTPACK_CACHE", cache.to_str().unwrap())];
        self.place.run_with(arguments, &variables)
    }

    /// Returns what `images --output json` says about one chart.
    pub(crate) fn discover(&self, arguments: &[&str]) -> Value {
        let answer = self.run(&[&["images", "--output", "json"], arguments].concat());
        assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{arguments:?}");
        let lists: Value = serde_json::from_str(&answer.out).unwrap();
        lists[0].clone()
    }

    /// Returns the names of the images that `images` lists.
    pub(crate) fn images(&self, arguments: &[&str]) -> Vec<String> {
        let list = self.discover(arguments);
        list["images"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["image"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A template of a pod whose container has these lines besides its name.
pub(crate) fn pod(name: &str, lines: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n  - name: a\n    {}\n",
        lines.replace('\n', "\n    ")
    )
}
