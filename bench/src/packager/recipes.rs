//! What the recipes of community charts say for the gate to let them pass: waivers with reasons, probe values.

use std::fs;

use anyhow::{Context, Result};
use chart::yaml::{Budget, parse};
use serde_json::{Value, json};

use crate::environment;

/// What no value moves in what the recipes use, declared as fetched by the nodes' mirrors: chart, image, why.
const LEFT_TO_MIRRORS: [(&str, &str, &str); 2] = [
    (
        "argo-events-2.0.3",
        "docker.io/argoproj/argo-events",
        "an environment variable leaves out the registry that the site's own value gives",
    ),
    ("tekton-pipeline-v0.32.1", "mcr.microsoft.com/powershell", "it stands in the template, for Windows"),
];

/// The recipes, by the archives' names.
pub(super) struct Recipes(Value);

impl Recipes {
    /// Reads those that the packager's own tests use.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn read() -> Result<Self> {
        let path = environment::repository_root().join("packager/tests/real-charts.yaml");
        let text = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let recipes = parse(&text, &Budget::default());
        Ok(Self(recipes.with_context(|| format!("`{}` is malformed", path.display()))?.to_json()))
    }

    /// Returns what a chart's recipe says besides where the chart comes from.
    pub(super) fn of(&self, chart: &str) -> Value {
        let mut recipe = self.0.get(chart).cloned().unwrap_or_else(|| json!({}));
        let left = LEFT_TO_MIRRORS.iter().filter(|(of, _, _)| *of == chart);
        let left = left
            .map(|(_, image, reason)| json!({"check": "foreign-image", "subject": image, "reason": reason}));
        let mut waivers = recipe.get("waivers").and_then(Value::as_array).cloned().unwrap_or_default();
        waivers.extend(left);
        recipe["waivers"] = Value::from(waivers);
        recipe
    }
}
