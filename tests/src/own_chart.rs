//! The server's own Helm chart, rendered by helm and read as the objects a cluster would get.
//! Rule: objects are looked at after helm and a YAML reader, never as text.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use chart::yaml::{self, Budget};
use serde_json::Value;

use crate::environment::repository_root;
use crate::helm::Helm;
use crate::process::Outcome;

/// Returns the chart's folder.
pub fn folder() -> PathBuf {
    repository_root().join("docker/chart")
}

/// Returns the example of the production mode, a file of values.
pub fn production_values() -> String {
    folder().join("values-production.yaml").display().to_string()
}

/// Asks helm to render the chart as the release `room` with further arguments.
///
/// # Errors
/// When helm cannot be started.
pub fn template(helm: &Helm, kubernetes: &str, arguments: &[&str]) -> Result<Outcome> {
    let chart = folder().display().to_string();
    helm.run(&[&["template", "room", chart.as_str(), "--kube-version", kubernetes], arguments].concat())
}

/// The objects of one rendering.
#[derive(Debug)]
pub struct Objects(Vec<Value>);

impl Objects {
    /// Reads what `helm template` printed.
    ///
    /// # Errors
    /// When a document is no object of Kubernetes: a mapping with a kind and a name.
    pub fn read(rendered: &str) -> Result<Self> {
        let mut objects = Vec::new();
        for document in format!("\n{rendered}").split("\n---") {
            let value = yaml::parse(document.as_bytes(), &Budget::for_values())
                .with_context(|| format!("not YAML:\n{document}"))?
                .to_json();
            if !value.is_null() {
                ensure!(
                    value["kind"].is_string() && value["metadata"]["name"].is_string(),
                    "no object: {value}"
                );
                objects.push(value);
            }
        }
        Ok(Self(objects))
    }

    /// Returns the kinds, sorted, each as often as it occurs.
    pub fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = self.0.iter().filter_map(|object| object["kind"].as_str()).collect();
        kinds.sort_unstable();
        kinds
    }

    /// Returns the object of a kind.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(&self, kind: &str) -> Result<&Value> {
        self.0.iter().find(|object| object["kind"] == kind).with_context(|| format!("no {kind}"))
    }

    /// Returns the pod of the StatefulSet or Deployment.
    ///
    /// # Errors
    /// When there is neither.
    pub fn pod(&self) -> Result<&Value> {
        let workload = self.of("StatefulSet").or_else(|_| self.of("Deployment"))?;
        Ok(&workload["spec"]["template"]["spec"])
    }

    /// Returns the containers of that pod, those that run before the others first.
    ///
    /// # Errors
    /// When there is no such pod.
    pub fn containers(&self) -> Result<Vec<&Value>> {
        let pod = self.pod()?;
        let of = |field: &str| pod[field].as_array().into_iter().flatten();
        Ok(of("initContainers").chain(of("containers")).collect())
    }

    /// Returns the names and values of the variables that the server gets; one that comes from a Secret has no value.
    ///
    /// # Errors
    /// When there is no such pod.
    pub fn variables(&self) -> Result<Vec<(String, Option<String>)>> {
        let containers = self.containers()?;
        let server = containers.last().context("a pod without containers")?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let variables = server["env"].as_array().into_iter().flatten();
        Ok(variables
            .filter_map(|variable| Some((text(&variable["name"])?, text(&variable["value"]))))
            .collect())
    }
}
