//! A closed network's mirror of the internet: one web server that has the catalogue's upstreams below their hosts' names.
//! Rule: what is asked of `https://HOST/PATH` is served at `/HOST/PATH`; nothing reaches another machine.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use chart::archive::{ChartArchive, Limits};
use oci::Digest;
use reqwest::Url;
use serde_json::{Value, json};

use crate::web_server::{Prepared, WebServer};

/// The picture that every address of an icon gives.
const ICON: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/>\n";

/// The mirror, with the repositories and icons put on it.
#[derive(Debug)]
pub struct ClosedNetwork {
    server: WebServer,
    indexes: BTreeMap<String, Value>,
    hosts: BTreeSet<String>,
}

impl ClosedNetwork {
    /// Starts a mirror of nothing.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        Ok(Self { server: WebServer::start()?, indexes: BTreeMap::new(), hosts: BTreeSet::new() })
    }

    /// Puts an archive into the repository at `repository`, and the icon that its metadata names on that icon's host.
    ///
    /// # Errors
    /// When it is no chart, or an address is none.
    pub fn publish(&mut self, repository: &str, archive: &[u8]) -> Result<()> {
        let metadata = ChartArchive::inspect(archive, &Limits::default())?;
        if metadata.icon.starts_with("https://") {
            let path = self.place_of(&metadata.icon)?;
            self.server.put(&path, [Prepared::File(ICON.to_vec())]);
        }
        let folder = self.place_of(repository)?;
        let file = format!("files/{}-{}.tgz", metadata.name, metadata.version);
        self.server
            .put(&format!("{folder}/{}", file.replace('+', "%2B")), [Prepared::File(archive.to_vec())]);
        let index =
            self.indexes.entry(folder.clone()).or_insert_with(|| json!({"apiVersion": "v1", "entries": {}}));
        index["entries"][metadata.name.as_str()] = json!([{
            "apiVersion": "v2", "name": metadata.name.to_string(), "version": metadata.version.to_string(),
            "urls": [file.replace('+', "%2B")], "digest": Digest::sha256(archive).hex(),
        }]);
        self.server.put(&format!("{folder}/index.yaml"), [Prepared::File(index.to_string().into_bytes())]);
        Ok(())
    }

    /// Returns a mirror for each host there is, as `chartpack` takes them: `FROM=TO`.
    pub fn mirrors(&self) -> Vec<String> {
        let hosts = self.hosts.iter();
        hosts.map(|host| format!("https://{host}={}", self.server.url(&format!("/{host}")))).collect()
    }

    fn place_of(&mut self, url: &str) -> Result<String> {
        let url: Url = url.parse().with_context(|| format!("`{url}` is no address"))?;
        let host = url.host_str().context("no host")?;
        self.hosts.insert(host.to_owned());
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(format!("/{host}{}{query}", url.path().trim_end_matches('/')))
    }
}
