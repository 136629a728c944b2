//! Charts made on the spot, and the helm that renders them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::helm::{helm, is_ci};
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

    /// Runs `chartpack` with a terminal, and returns all that stands there then, or nothing when this machine has no
    /// program that makes one.
    pub(crate) fn run_on_a_terminal(&self, arguments: &[&str]) -> Option<String> {
        let program = Path::new("/usr/bin/script");
        if !program.is_file() {
            assert!(!is_ci(), "`script` is missing, and with CI=true that is a failure: install bsdutils");
            return None;
        }
        let line = [&[env!("CARGO_BIN_EXE_chartpack")], arguments].concat().join(" ");
        let mut command = Command::new(program);
        command.args(["-qec", &line, "/dev/null"]).current_dir(self.place.path("")).env("TERM", "xterm");
        command.env("CHARTPACK_HELM", &self.helm).env("CHARTPACK_CACHE", self.place.path("cache"));
        let said = command.output().unwrap();
        assert!(said.status.success(), "{said:?}");
        Some(String::from_utf8(said.stdout).unwrap())
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
