//! helm's own commands on Chartroom and on a static index of the same bytes.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::bench::{Bench, MEDIUM, whole_index};
use crate::corpus::{Sample, nth};
use crate::environment;
use crate::figures::{seconds, versions as shown};
use crate::place::Place;
use crate::report::{Bar, Line, Section};
use crate::server::Server;
use crate::statistics::{median, median_ratio};

/// "The same", with room for what two runs of one program differ by.
const BAR: f64 = 1.05;

/// Runs each command on each server in turns.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let ours = bench.chartroom(MEDIUM)?;
    let index = whole_index(&ours, MEDIUM).await?;
    let sample = nth(MEDIUM / 2);
    let place = Place::new()?;
    place.put("index.yaml", &index)?;
    place.put(&format!("charts/{}", sample.file_name()), &sample.archive)?;
    let nginx = Server::nginx(&place)?;
    let chartmuseum = bench.chartmuseum(MEDIUM)?;
    let homes =
        [Some(Home::new(&ours)?), Some(Home::new(&nginx)?), chartmuseum.as_ref().map(Home::new).transpose()?];
    let mut lines = Vec::new();
    for (name, command) in commands(&sample) {
        bench.progress.say(&format!("helm {name}"));
        let mut times: [Vec<f64>; 3] = <_>::default();
        for _ in 0..bench.effort.rounds + 1 {
            for (home, times) in homes.iter().zip(&mut times) {
                times.extend(home.as_ref().map(|home| home.time(&command)).transpose()?);
            }
        }
        let [ours, nginx, theirs] = &times;
        lines.push(
            Line::new(format!("`helm {name}`, {}", shown(MEDIUM)), seconds(median(ours)))
                .beside(seconds(median(nginx)))
                .chartmuseum(chartmuseum.is_some().then(|| seconds(median(theirs))))
                .judged(median_ratio(ours, nginx), Bar::AtMost(BAR)),
        );
    }
    Ok(Section {
        title: "helm repo update, search, pull",
        method: format!(
            "Wall time of each command, in turns, {} times. \"The same\" is taken as at most 5 % more.",
            bench.effort.rounds + 1
        ),
        published: "JSON takes 0.2–0.3 × the time and 0.3 × the memory of YAML",
        peer: "static JSON on nginx",
        lines,
    })
}

fn commands(sample: &Sample) -> Vec<(&'static str, Vec<String>)> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect();
    let Sample { name, version, .. } = sample;
    vec![
        ("repo update", words("repo update")),
        ("search repo", words(&format!("search repo room/{name} --versions"))),
        ("pull", words(&format!("pull room/{name} --version {version} --destination charts"))),
    ]
}

/// A helm with settings of its own, which knows one server.
struct Home(TempDir);

impl Home {
    fn new(server: &Server) -> Result<Self> {
        let home = Self(tempfile::tempdir().context("cannot make a home for helm")?);
        std::fs::create_dir_all(home.0.path().join("charts"))?;
        home.time(&["repo", "add", "room", &server.url()].map(str::to_owned))?;
        Ok(home)
    }

    /// Runs a command and returns how many seconds it took.
    fn time(&self, arguments: &[String]) -> Result<f64> {
        let home = self.0.path();
        let mut command = Command::new(environment::tool("helm3")?);
        command.args(arguments).current_dir(home).stdin(Stdio::null());
        command.env_clear().env("HOME", home).envs(environment::search_path().map(|path| ("PATH", path)));
        for (variable, folder) in
            [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")]
        {
            command.env(variable, home.join(folder));
        }
        let begun = Instant::now();
        let output = command.output().context("cannot start helm")?;
        let seconds = begun.elapsed().as_secs_f64();
        if !output.status.success() {
            bail!("`helm {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(seconds)
    }
}
