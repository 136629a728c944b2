//! HTTP/1.1 by hand: paths that no client library would send as they are, and bodies that break off.
//! Rule: what is asked goes out byte for byte; one request a connection.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::answer::Answer;

const PATIENCE: Duration = Duration::from_secs(60);

/// One request, sent as it is written down.
#[derive(Debug, Clone, Default)]
pub struct WireRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The request target: path and query, not changed in any way.
    pub target: String,
    /// Headers as name and value; `host`, `connection` and `content-length` are added when absent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl WireRequest {
    /// Returns a request without headers and body.
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), ..Self::default() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Returns the request's first bytes, up to its body.
    pub fn head(&self, address: &str) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let mut headers = self.headers.clone();
        let has = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let length = self.body.len().to_string();
        for (name, value) in [("host", address), ("connection", "close"), ("content-length", &length)] {
            let chunked = name == "content-length" && has(&headers, "transfer-encoding");
            if !has(&headers, name) && !chunked {
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }

    /// Sends the request to `host:port` and reads the answer.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn send(&self, address: &str) -> Result<Answer> {
        let mut stream = connect(address)?;
        stream.write_all(self.head(address).as_bytes())?;
        // A server may refuse and close before it has read the whole body: its answer still counts.
        let _ = stream.write_all(&self.body);
        read_answer(&format!("{} {}", self.method, self.target), &mut stream)
    }

    /// Sends the head and the first bytes of the body, then hangs up. Returns what came back, if anything.
    ///
    /// # Errors
    /// When the connection cannot be made.
    pub fn send_cut(&self, address: &str, body_bytes: usize) -> Result<Vec<u8>> {
        let mut stream = connect(address)?;
        stream.write_all(self.head(address).as_bytes())?;
        stream.write_all(self.body.get(..body_bytes).unwrap_or(&self.body))?;
        stream.shutdown(Shutdown::Write)?;
        let mut rest = Vec::new();
        // A reset is a fitting end of a broken request.
        let _ = stream.read_to_end(&mut rest);
        Ok(rest)
    }
}

/// Connects to `host:port` with the harness's time limits.
///
/// # Errors
/// When nobody listens there.
pub fn connect(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Reads an answer until the server closes the connection.
///
/// # Errors
/// When what came is no complete HTTP/1.1 answer.
pub fn read_answer(request: &str, stream: &mut impl Read) -> Result<Answer> {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend(piece.iter().take(count)),
            // After an early refusal the unread body makes the kernel reset the connection.
            Err(_) if is_complete(&bytes) => break,
            Err(error) => return Err(error).with_context(|| format!("{request}: no complete answer")),
        }
    }
    parse_answer(request, &bytes)
}

fn is_complete(bytes: &[u8]) -> bool {
    let Some((head, body)) = split_head(bytes) else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

fn split_head(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = bytes.split_at(end);
    Some((String::from_utf8_lossy(head).into_owned(), body.get(4..).unwrap_or_default()))
}

fn parse_answer(request: &str, bytes: &[u8]) -> Result<Answer> {
    let Some((head, body)) = split_head(bytes) else {
        bail!("{request}: the connection ended after {} bytes, before an answer", bytes.len());
    };
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.with_context(|| format!("{request}: no status line: `{first}`"))?;
    let mut headers = BTreeMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        headers.entry(name.to_ascii_lowercase()).or_insert(value.trim().to_owned());
    }
    let chunked = headers.get("transfer-encoding").is_some_and(|value| value.contains("chunked"));
    let body = if chunked { join_chunks(request, body)? } else { body.to_vec() };
    Ok(Answer { request: request.to_owned(), status, headers, body })
}

fn join_chunks(request: &str, mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n");
        let (size, after) = rest.split_at(end.with_context(|| format!("{request}: a chunk has no size"))?);
        let size = usize::from_str_radix(std::str::from_utf8(size)?.trim(), 16)?;
        if size == 0 {
            return Ok(body);
        }
        let chunk = after.get(2..2 + size).with_context(|| format!("{request}: a chunk is cut"))?;
        body.extend_from_slice(chunk);
        rest = after.get(4 + size..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_gets_what_is_absent_and_keeps_what_is_given() {
        let head = WireRequest::new("GET", "/a/%2e%2e/b").header("Host", "other").head("127.0.0.1:1");
        assert_eq!(
            head,
            "GET /a/%2e%2e/b HTTP/1.1\r\nHost: other\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        );
    }

    #[test]
    fn chunks_are_joined() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let answer = parse_answer("GET /", bytes).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"abcde".as_slice()));
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        for bytes in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        ] {
            assert!(parse_answer("GET /", bytes).is_err());
        }
    }
}
