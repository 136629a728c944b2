//! Starts Debian's docker-registry, the reference implementation, on a folder.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::{Server, free_address, is_listening};
use crate::environment;
use crate::place::Place;
use crate::process::Process;

impl Server {
    /// Starts docker-registry with an empty folder of a place, its descriptors cached in memory and nothing logged.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn docker_registry(place: &Place) -> Result<Self> {
        let folder = place.folder();
        let address = free_address()?;
        let configuration = folder.join("docker-registry.yaml");
        let root = folder.join("registry");
        fs::write(
            &configuration,
            format!(
                "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  cache:\n    \
                 blobdescriptor: inmemory\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
                root.display()
            ),
        )?;
        let mut command = Command::new(environment::tool("docker-registry")?);
        command.env_clear().envs(environment::search_path().map(|path| ("PATH", path)));
        command.arg("serve").arg(&configuration);
        let mut process = Process::start(&mut command, folder.join("docker-registry.log"))?;
        process.wait_until("docker-registry to listen", || is_listening(&address))?;
        Ok(Self::new(address, process, None, place))
    }
}
