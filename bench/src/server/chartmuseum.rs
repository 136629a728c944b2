//! Starts ChartMuseum on a folder of archives, with its faster index format.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Server, free_address, is_listening};
use crate::environment;
use crate::place::Place;
use crate::process::Process;

impl Server {
    /// Starts the given ChartMuseum on the files of a place; it listens once its index is made.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn chartmuseum(program: &Path, place: &Place) -> Result<Self> {
        let address = free_address()?;
        let (host, port) = address.rsplit_once(':').context("an address has a port")?;
        let mut command = Command::new(program);
        command.env_clear().envs(environment::search_path().map(|path| ("PATH", path)));
        command.args(["--listen-host", host, "--port", port, "--storage", "local", "--json-index"]);
        command.arg("--storage-local-rootdir").arg(place.files());
        let mut process = Process::start(&mut command, place.folder().join("chartmuseum.log"))?;
        process.wait_until("ChartMuseum to listen", || is_listening(&address))?;
        Ok(Self::new(address, process, None, place))
    }
}
