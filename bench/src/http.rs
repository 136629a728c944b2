//! A client for HTTP/1.1 that costs little beside the server on the same cores: one thread, one shared buffer,
//! bodies counted and dropped unless they are wanted.

mod framing;

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;

pub(crate) use framing::Framing;

/// Large enough that reading a body of megabytes takes few calls, small enough to stay in the cache.
const BUFFER: usize = 256 * 1024;
const LONGEST_HEAD: usize = 64 * 1024;

/// docker-registry does not find an OCI manifest for who does not name its type.
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, */*";

/// The buffer that all connections of the one thread read into.
#[derive(Debug, Clone)]
pub(crate) struct SharedBuffer(Rc<RefCell<Vec<u8>>>);

impl SharedBuffer {
    /// Makes the buffer.
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(vec![0; BUFFER])))
    }
}

/// A connection that is kept open from request to request.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: SharedBuffer,
}

/// An answer whose body went to the caller's sink.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// When the first byte of the answer was there.
    pub(crate) first_byte: Instant,
    /// The path that the answer leads to.
    pub(crate) location: Option<String>,
}

impl Connection {
    /// Connects to `ADDRESS:PORT`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) async fn open(address: &str, buffer: SharedBuffer) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to `{address}`"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer })
    }

    /// Sends a whole request and hands the body of the answer to `sink` as it comes.
    ///
    /// # Errors
    /// When the connection breaks or the answer is not HTTP/1.1.
    pub(crate) async fn exchange(&mut self, request: &[u8], mut sink: impl FnMut(&[u8])) -> Result<Answer> {
        self.send(request).await?;
        let mut head = Vec::new();
        let mut first_byte = None;
        let (status, mut framing, rest) = loop {
            let count = self.receive().await?;
            first_byte.get_or_insert_with(Instant::now);
            let buffer = self.buffer.0.borrow();
            head.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if let Some(parsed) = parse_head(&head)? {
                break parsed;
            }
            if head.len() > LONGEST_HEAD {
                bail!("the head of the answer is longer than {LONGEST_HEAD} bytes");
            }
        };
        framing.take(head.get(rest..).unwrap_or_default(), &mut sink)?;
        while !framing.is_complete() {
            let count = self.receive().await?;
            let buffer = self.buffer.0.borrow();
            framing.take(buffer.get(..count).unwrap_or_default(), &mut sink)?;
        }
        let location = location_of(head.get(..rest).unwrap_or_default());
        Ok(Answer { status, first_byte: first_byte.unwrap_or_else(Instant::now), location })
    }

    async fn send(&self, mut request: &[u8]) -> Result<()> {
        while !request.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(request) {
                Ok(count) => request = request.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("the server does not read the request"),
            }
        }
        Ok(())
    }

    async fn receive(&self) -> Result<usize> {
        loop {
            self.stream.readable().await?;
            match self.stream.try_read(&mut self.buffer.0.borrow_mut()) {
                Ok(0) => bail!("the server closed the connection before the answer was complete"),
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("the answer broke off"),
            }
        }
    }
}

/// Returns a request without a body.
pub(crate) fn get(address: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: {ACCEPTED}\r\n\r\n").into_bytes()
}

/// A request that sends bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending<'a> {
    /// `POST` or `PUT`.
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) path: &'a str,
    /// What the bytes are.
    pub(crate) media_type: &'a str,
    /// The value of `Authorization`.
    pub(crate) authorization: Option<&'a str>,
}

impl Sending<'_> {
    /// Returns the whole request with its bytes.
    pub(crate) fn with(self, address: &str, body: &[u8]) -> Vec<u8> {
        let Self { method, path, media_type, authorization } = self;
        let authorization =
            authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{authorization}Content-Type: {media_type}\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    }
}

/// Returns the path and query of `Location`, whether it names the host or not.
fn location_of(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let mut headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("location"))?;
    let value = value.trim();
    let path = match value.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|begin| rest.get(begin..))?,
        None => value,
    };
    Some(path.to_owned())
}

/// Returns status, framing and where the body begins, once the head is whole.
fn parse_head(received: &[u8]) -> Result<Option<(u16, Framing, usize)>> {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(received.get(..end).unwrap_or_default());
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|line| line.get(..3)?.parse().ok());
    let status = status.with_context(|| format!("the answer is not HTTP/1.1: {head}"))?;
    let framing = framing_of(&head)?;
    let framing = framing.with_context(|| format!("the answer does not say where it ends: {head}"))?;
    Ok(Some((status, framing, end + 4)))
}

/// Returns where the body after a head ends; nothing where the head does not say.
///
/// # Errors
/// When the length is no number.
pub(crate) fn framing_of(head: &str) -> Result<Option<Framing>> {
    let head = head.to_ascii_lowercase();
    let header = |name: &str| {
        let headers = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        headers.filter(|(key, _)| *key == name).map(|(_, value)| value.trim()).next()
    };
    match (header("transfer-encoding"), header("content-length")) {
        (Some("chunked"), _) => Ok(Some(Framing::chunked())),
        (None, Some(length)) => {
            Ok(Some(Framing::of_length(length.parse().context("the length of a body is no number")?)))
        }
        (Some(_) | None, _) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let whole = b"HTTP/1.1 201 Created\r\ncontent-length: 3\r\n\r\nabc";
        assert!(parse_head(&whole[..whole.len() - 5]).unwrap().is_none());
        let (status, framing, rest) = parse_head(whole).unwrap().unwrap();
        assert_eq!((status, rest), (201, whole.len() - 3));
        assert!(!framing.is_complete());
    }

    #[test]
    fn a_location_is_a_path_with_or_without_its_host() {
        for head in
            ["HTTP/1.1 202\r\nLocation: /v2/A?b=C\r\n\r\n", "x\r\nlocation:http://h:1/v2/A?b=C\r\n\r\n"]
        {
            assert_eq!(location_of(head.as_bytes()).as_deref(), Some("/v2/A?b=C"));
        }
        assert!(location_of(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_none());
    }

    #[test]
    fn answers_without_an_end_are_refused() {
        for head in
            ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", "nonsense\r\n\r\n"]
        {
            assert!(parse_head(head.as_bytes()).is_err(), "{head}");
        }
    }
}
