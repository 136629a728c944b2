//! The registry that others run: Debian's `docker-registry`, with or without logins.
//! Rule: it keeps everything in a folder of its own, which goes with it.

use std::fs;
use std::net::SocketAddr;

use anyhow::Result;
use tempfile::TempDir;

use crate::environment::clean_command;
use crate::port::free_address;
use crate::process::run;
use crate::service::Service;
use crate::tool::find_tool;

/// The user whom a registry with logins knows.
pub const USER: &str = "story";
/// That user's password.
pub const PASSWORD: &str = "story-password";

/// A running registry; it ends when dropped.
#[derive(Debug)]
pub struct DockerRegistry {
    // Dropped before the folder it works in.
    _service: Service,
    _folder: TempDir,
    address: SocketAddr,
}

impl DockerRegistry {
    /// Starts a registry that lets everybody do everything; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it does not come up, or is missing and `CI=true`.
    pub fn open() -> Result<Option<Self>> {
        Self::start(false)
    }

    /// Starts a registry that lets [`USER`] do everything and nobody else anything; nothing after saying that the story
    /// is skipped.
    ///
    /// # Errors
    /// When it does not come up, or a tool is missing and `CI=true`.
    pub fn with_logins() -> Result<Option<Self>> {
        Self::start(true)
    }

    fn start(has_logins: bool) -> Result<Option<Self>> {
        let (Some(program), Some(htpasswd)) = (find_tool("docker-registry")?, find_tool("htpasswd")?) else {
            return Ok(None);
        };
        let folder = TempDir::with_prefix("chartroom-registry-")?;
        let address = free_address()?;
        let data = folder.path().join("data");
        let mut configuration = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\n\
             http:\n  addr: {address}\n",
            data.display()
        );
        if has_logins {
            let logins = run(clean_command(htpasswd).args(["-nbB", USER, PASSWORD]))?.success()?;
            let path = folder.path().join("htpasswd");
            fs::write(&path, logins)?;
            configuration += &format!("auth:\n  htpasswd:\n    realm: story\n    path: {}\n", path.display());
        }
        let path = folder.path().join("config.yml");
        fs::write(&path, configuration)?;
        let mut command = clean_command(program);
        command.arg("serve").arg(path);
        let service = Service::new("docker-registry", command)?;
        service.start(|_| std::net::TcpStream::connect(address).is_ok())?;
        Ok(Some(Self { _service: service, _folder: folder, address }))
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
