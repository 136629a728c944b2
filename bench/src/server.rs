//! A running server of any kind, asked over HTTP.

mod chartmuseum;
mod chartroom;
mod docker_registry;
mod nginx;

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::http::{Connection, Sending, SharedBuffer, get};
use crate::place::Place;
use crate::process::Process;

pub(crate) use chartroom::show_lean_index;

/// Where all three serve the index.
pub(crate) const INDEX: &str = "/index.yaml";

/// A repository of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Repository<'a> {
    /// The one at `/`.
    Default,
    /// The one at a path.
    At(&'a str),
}

impl Repository<'_> {
    fn publish_path(self) -> String {
        match self {
            Self::Default => "/api/charts".to_owned(),
            Self::At(path) => format!("/api/{path}/charts"),
        }
    }
}

/// A server that listens; ended when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: String,
    process: Process,
    authorization: Option<String>,
    buffer: SharedBuffer,
    // The last field: the folder goes after the process that works on it.
    _place: Place,
}

/// A file as a server sent it.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The body.
    pub(crate) body: Vec<u8>,
    /// When it was whole.
    pub(crate) ended: Instant,
}

impl Server {
    fn new(address: String, process: Process, authorization: Option<String>, place: &Place) -> Self {
        Self { address, process, authorization, buffer: SharedBuffer::new(), _place: place.clone() }
    }

    /// Returns `ADDRESS:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the server's process.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// When the server is gone.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        Connection::open(&self.address, self.buffer.clone()).await
    }

    /// Fetches a file over a connection of its own.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) async fn fetch(&self, path: &str) -> Result<Fetched> {
        self.fetch_over(&mut self.connect().await?, path).await
    }

    /// Fetches a file over a connection.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) async fn fetch_over(&self, connection: &mut Connection, path: &str) -> Result<Fetched> {
        let mut body = Vec::new();
        let request = get(&self.address, path);
        let answer = connection.exchange(&request, |bytes| body.extend_from_slice(bytes)).await?;
        if answer.status != 200 {
            bail!("`{path}` was answered with status {}: {}", answer.status, String::from_utf8_lossy(&body));
        }
        Ok(Fetched { body, ended: Instant::now() })
    }

    /// Publishes an archive to a repository over a connection.
    ///
    /// # Errors
    /// When the server does not take it.
    pub(crate) async fn publish_over(
        &self,
        connection: &mut Connection,
        repository: Repository<'_>,
        archive: &[u8],
    ) -> Result<()> {
        match self.offer_over(connection, repository, archive).await? {
            (201, _) => Ok(()),
            (status, said) => bail!("an archive was refused with status {status}: {said}"),
        }
    }

    /// Sends bytes over a connection and returns where the answer leads.
    ///
    /// # Errors
    /// When the status is another than the one that was expected.
    pub(crate) async fn send_over(
        &self,
        connection: &mut Connection,
        (method, path): (&str, &str),
        media_type: &str,
        body: &[u8],
        expected: u16,
    ) -> Result<Option<String>> {
        let sending = Sending { method, path, media_type, authorization: self.authorization.as_deref() };
        let mut said = Vec::new();
        let request = sending.with(&self.address, body);
        let answer = connection.exchange(&request, |bytes| said.extend_from_slice(bytes)).await?;
        if answer.status != expected {
            let (status, said) = (answer.status, String::from_utf8_lossy(&said));
            bail!("`{method} {path}` was answered with status {status}: {said}");
        }
        Ok(answer.location)
    }

    /// Offers an archive to a repository over a connection and returns the status and what was said.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn offer_over(
        &self,
        connection: &mut Connection,
        repository: Repository<'_>,
        archive: &[u8],
    ) -> Result<(u16, String)> {
        let mut said = Vec::new();
        let sending = Sending {
            method: "POST",
            path: &repository.publish_path(),
            media_type: "application/gzip",
            authorization: self.authorization.as_deref(),
        };
        let request = sending.with(&self.address, archive);
        let answer = connection.exchange(&request, |bytes| said.extend_from_slice(bytes)).await?;
        Ok((answer.status, String::from_utf8_lossy(&said).into_owned()))
    }
}

/// Returns an address that was free a moment ago, for servers that cannot choose one themselves.
fn free_address() -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
    Ok(listener.local_addr()?.to_string())
}

/// Returns whether somebody listens there.
fn is_listening(address: &str) -> bool {
    std::net::TcpStream::connect(address).is_ok()
}
