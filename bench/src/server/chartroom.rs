//! Starts Chartroom with its defaults, but no line in the log for each request: nginx writes none here either.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Server;
use crate::environment;
use crate::place::Place;
use crate::process::Process;

impl Server {
    /// Starts Chartroom on the data folder of a place and waits until it listens.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn chartroom(place: &Place) -> Result<Self> {
        let data = place.data();
        let mut command = command()?;
        command.arg("serve").arg("--data").arg(&data).args(["--listen", "127.0.0.1:0"]);
        let process = Process::start(&mut command, place.folder().join("chartroom.log"))?;
        let url = process.announced("listening on ")?;
        let address = url.strip_prefix("http://").unwrap_or(&url).to_owned();
        let token = data.join("admin-token");
        let token =
            fs::read_to_string(&token).with_context(|| format!("cannot read `{}`", token.display()))?;
        let authorization = format!("Basic {}", STANDARD.encode(format!("bench:{}", token.trim())));
        Ok(Self::new(address, process, Some(authorization), place))
    }
}

/// Makes the default repository of a place show its lean index.
///
/// # Errors
/// When the command refuses.
pub(crate) fn show_lean_index(place: &Place) -> Result<()> {
    let mut command = command()?;
    command.args(["repository", "set", "/", "--index-detail", "lean"]).arg("--data").arg(place.data());
    let output = command.output()?;
    if !output.status.success() {
        bail!("the lean index was refused: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Returns the start of a command line; variables meant for this program must not reach the server.
fn command() -> Result<Command> {
    let mut command = Command::new(environment::chartroom()?);
    command.env_clear().envs(environment::search_path().map(|path| ("PATH", path)));
    command.env("CHARTROOM_LOG_LEVEL", "warn");
    Ok(command)
}
