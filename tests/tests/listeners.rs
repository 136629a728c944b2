//! Several listeners, one of them with TLS, whose certificate is renewed while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use stories::process::run;
use stories::site::Site;
use stories::tool::find_tool;
use stories::wait::wait_for;

/// Writes a fresh certificate for 127.0.0.1 where the configuration names it.
pub(crate) fn write_certificate(folder: &Path) -> Result<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
    // Key first: the server looks for a changed certificate and must find its key beside it.
    fs::write(folder.join("key.pem"), signing_key.serialize_pem())?;
    fs::write(folder.join("certificate.pem"), cert.pem())?;
    Ok(())
}

pub(crate) fn configuration(folder: &Path, listen: &[&str]) -> Result<PathBuf> {
    let file = folder.join("chartroom.toml");
    let listen: Vec<String> = listen.iter().map(|address| format!("\"{address}\"")).collect();
    let path = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "listen = [{}]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        listen.join(", "),
        path("certificate.pem"),
        path("key.pem")
    );
    fs::write(&file, text)?;
    Ok(file)
}

#[test]
fn several_listeners_serve_the_same_and_a_new_certificate_is_taken_up() -> Result<()> {
    let Some(curl) = find_tool("curl")? else { return Ok(()) };
    let site = Site::new()?;
    write_certificate(site.folder())?;
    let config = configuration(site.folder(), &["http://127.0.0.1:0", "https://127.0.0.1:0"])?;
    let server = site.launch().configured(&config, 2).start()?;
    let (http, https): (Vec<&String>, Vec<&String>) =
        server.urls().iter().partition(|url| url.starts_with("http://"));
    let (http, https) = (http.first().context("no http")?, https.first().context("no https")?);
    let authority = site.folder().join("certificate.pem");
    let get = |url: &str, authority: &Path| {
        let mut command = Command::new(&curl);
        command.args(["--noproxy", "*", "--silent", "--show-error", "--fail", "--cacert"]).arg(authority);
        run(command.arg(format!("{url}/health")))
    };
    for url in [http, https] {
        ensure!(get(url, &authority)?.success()?.contains("healthy"), "{url}");
    }
    let former = site.folder().join("former.pem");
    fs::copy(&authority, &former)?;
    write_certificate(site.folder())?;
    wait_for("the new certificate", Duration::from_secs(20), || {
        Ok(get(https, &authority)?.status.success().then_some(()))
    })?;
    get(https, &former)?.failure()?;
    Ok(())
}
