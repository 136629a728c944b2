//! The `helm` program as a process: values on its standard input, nothing of the user's own settings.
//!
//! A chart that does not render is an answer; a helm that does not run, or not in time, is an error.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::served_kinds::served_kinds;
use super::{RenderRequest, StageError, StagedChart};

/// Why helm gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelmError {
    /// The program cannot be started.
    #[error("cannot run `{program}`: {reason}; install helm, or name it with --helm or CHARTPACK_HELM")]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// The program is no helm.
    #[error("`{program} version` failed: {text}")]
    NoHelm {
        /// The program.
        program: PathBuf,
        /// What it said.
        text: String,
    },
    /// A rendering took too long.
    #[error(
        "rendering `{chart}` took more than {seconds} s: look for a loop in its templates, or raise --time-limit"
    )]
    TooSlow {
        /// The chart.
        chart: String,
        /// The limit.
        seconds: u64,
    },
    /// The chart cannot be laid out for it.
    #[error(transparent)]
    NotUnpacked(#[from] StageError),
    /// The process could not be talked to.
    #[error("cannot talk to helm: {0}")]
    Broken(#[source] io::Error),
    /// There is nothing to wait for processes with.
    #[error("cannot start the runtime: {0}")]
    NoRuntime(#[source] io::Error),
}

/// What makes helm quicker, which changes nothing of what it says about a chart.
const QUICKER: [(&str, &str); 2] = [
    // It lives for less than a second: with Go's default it spends a sixth of that collecting 100 MB of garbage.
    ("GOGC", "400"),
    // At each start helm packs kubectl's translation into this language, a sixth of a start in English; of French there
    // are fewest texts, none of them in what helm renders or refuses.
    ("LC_ALL", "fr_FR.UTF-8"),
];

/// A helm that was found to run.
#[derive(Debug)]
pub(super) struct Helm {
    program: PathBuf,
    version: String,
    time_limit: Duration,
}

impl Helm {
    /// Takes the named program, or `helm` in the search path, and asks it for its version.
    pub(super) async fn find(program: Option<&Path>, time_limit: Duration) -> Result<Self, HelmError> {
        let program = program.unwrap_or(Path::new("helm")).to_owned();
        let asked = Command::new(&program).arg("version").stdin(Stdio::null()).output().await;
        let answer = asked.map_err(|reason| HelmError::NotStarted { program: program.clone(), reason })?;
        if !answer.status.success() {
            let text = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
            return Err(HelmError::NoHelm { program, text });
        }
        let version = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        Ok(Self { program, version, time_limit })
    }

    /// Returns all that helm says about its version.
    pub(super) fn version(&self) -> &String {
        &self.version
    }

    /// Runs `helm template`; the inner error is what helm said about the chart.
    pub(super) async fn template(
        &self,
        chart: &StagedChart,
        request: &RenderRequest,
    ) -> Result<Result<String, String>, HelmError> {
        let name = chart.metadata().name.as_str();
        let mut command = Command::new(&self.program);
        command.args(["template", name, "--namespace", "default", "--values", "-"]);
        command.args(["--kube-version", request.kubernetes_version.as_str()]);
        command.args(["--api-versions", &served_kinds(&request.kubernetes_version)]).arg(chart.folder()?);
        let answer = self.answer(command, chart, request).await?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Ok(if answer.status.success() { Ok(text(&answer.stdout)) } else { Err(text(&answer.stderr)) })
    }

    /// Runs `helm lint --strict` and returns what it prints; a helm before 3.14 lints for a Kubernetes of its own.
    pub(super) async fn lint(
        &self,
        chart: &StagedChart,
        request: &RenderRequest,
    ) -> Result<String, HelmError> {
        let folder = chart.folder()?;
        let lint = |version: &[&str]| {
            let mut command = Command::new(&self.program);
            command.args(["lint", "--strict", "--namespace", "default", "--values", "-"]).args(version);
            command.arg(&folder);
            self.answer(command, chart, request)
        };
        let mut answer = lint(&["--kube-version", request.kubernetes_version.as_str()]).await?;
        if String::from_utf8_lossy(&answer.stderr).contains("unknown flag: --kube-version") {
            answer = lint(&[]).await?;
        }
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Ok(text(&answer.stdout) + &text(&answer.stderr))
    }

    /// Runs helm on a chart with the values of `request` on its standard input and none of the user's settings.
    async fn answer(
        &self,
        mut command: Command,
        chart: &StagedChart,
        request: &RenderRequest,
    ) -> Result<std::process::Output, HelmError> {
        let nowhere = chart.folder()?.join("no-such-folder");
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "KUBECONFIG"] {
            command.env(variable, &nowhere);
        }
        command.env_remove("HELM_DEBUG").env_remove("HELM_NAMESPACE");
        command.envs(QUICKER);
        let values = Value::Object(request.values.clone()).to_string();
        let answer = tokio::time::timeout(self.time_limit, self.run(&mut command, &values)).await;
        answer.map_err(|_| HelmError::TooSlow {
            chart: chart.metadata().name.to_string(),
            seconds: self.time_limit.as_secs(),
        })?
    }

    /// Runs helm to its end with `input` on its standard input.
    async fn run(&self, command: &mut Command, input: &str) -> Result<std::process::Output, HelmError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let started = command.spawn();
        let mut child =
            started.map_err(|reason| HelmError::NotStarted { program: self.program.clone(), reason })?;
        if let Some(mut stdin) = child.stdin.take() {
            match stdin.write_all(input.as_bytes()).await {
                Ok(()) => {}
                // Helm ended before it read the values; its exit code says why.
                Err(reason) if reason.kind() == io::ErrorKind::BrokenPipe => {}
                Err(reason) => return Err(HelmError::Broken(reason)),
            }
        }
        child.wait_with_output().await.map_err(HelmError::Broken)
    }
}
