//! Starts Chartroom with its defaults, and has it show its lean index.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Server;
use crate::process::Process;
use crate::site::Site;

impl Server {
    /// Starts Chartroom on a site and waits until it listens.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn chartroom(site: &Site) -> Result<Self> {
        let mut command = site.command()?;
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let process = Process::start(&mut command, site.data().with_extension("log"))?;
        let url = process.announced("listening on ")?;
        let address = url.strip_prefix("http://").unwrap_or(&url).to_owned();
        let authorization = format!("Basic {}", STANDARD.encode(format!("bench:{}", site.admin_token()?)));
        Ok(Self::new(address, process, Some(authorization), site.place()))
    }
}

/// Makes the default repository of a site show its lean index.
///
/// # Errors
/// When the command refuses.
pub(crate) fn show_lean_index(site: &Site) -> Result<()> {
    site.run(&["repository", "set", "/", "--index-detail", "lean"]).context("the lean index was refused")
}
