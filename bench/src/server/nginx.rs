//! Starts nginx on a folder of files, as fast as its own manual makes it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Server, free_address, is_listening};
use crate::environment;
use crate::place::Place;
use crate::process::Process;

impl Server {
    /// Starts nginx on the files of a place.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn nginx(place: &Place) -> Result<Self> {
        let folder = place.folder();
        let address = free_address()?;
        let configuration = folder.join("nginx.conf");
        fs::write(&configuration, configured(&address, &place.files(), folder)?)?;
        let mut command = Command::new(environment::tool("nginx")?);
        command.arg("-e").arg("stderr").arg("-p").arg(folder).arg("-c").arg(&configuration);
        let mut process = Process::start(&mut command, folder.join("nginx.log"))?;
        process.wait_until("nginx to listen", || is_listening(&address))?;
        Ok(Self::new(address, process, None, place))
    }
}

fn configured(address: &str, files: &Path, folder: &Path) -> Result<String> {
    // Workers of root would become somebody who may not read the folder.
    let is_root = fs::metadata("/proc/self").context("there is no /proc")?.uid() == 0;
    let user = if is_root { "user root;" } else { "" };
    let (files, folder) = (files.display(), folder.display());
    Ok(format!(
        "daemon off; worker_processes 2; {user} pid {folder}/nginx.pid; error_log stderr;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n\
         access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type application/yaml;\n\
         client_body_temp_path {folder}/nginx-body; proxy_temp_path {folder}/nginx-proxy;\n\
         fastcgi_temp_path {folder}/nginx-fastcgi; uwsgi_temp_path {folder}/nginx-uwsgi;\n\
         scgi_temp_path {folder}/nginx-scgi;\n\
         server {{ listen {address}; root {files}; }}\n\
         }}\n"
    ))
}
