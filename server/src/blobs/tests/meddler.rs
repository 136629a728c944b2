//! An HTTP proxy before an S3 server that notes every request and meddles with some.
//!
//! Each connection carries one request: the client is told to close, so that the next one is seen too.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is done to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It passes.
    None,
    /// It is not passed on: 503 `SlowDown`.
    SlowDown,
    /// It is not passed on: 500 `InternalError`.
    InternalError,
    /// It is not passed on: 403 `AccessDenied`, which nobody tries again.
    Refused,
    /// It is answered by nobody, ever.
    Silence,
    /// Its answer ends after so many bytes of the body.
    Cut(usize),
    /// Its answer stands still after so many bytes of the body.
    Stall(usize),
    /// It reaches the server twice, and the second answer is given.
    Twice,
    /// Its answer is that of a proxy that knows no such page.
    ForeignNotFound,
    /// Its answer does not say which range it is, as from a proxy that drops ranges.
    RangeDropped,
    /// It is not passed on: 200 with this body.
    Answer(&'static str),
}

/// The proxy; it ends when dropped.
pub(crate) struct Meddler {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    upstream: SocketAddr,
    /// Requests as `METHOD target` with their headers, lower case.
    seen: Mutex<Vec<String>>,
    /// What happens to the next requests; then the last.
    plan: Mutex<(VecDeque<Fault>, Fault)>,
}

impl Meddler {
    /// Starts a proxy that lets everything pass.
    pub(crate) async fn before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Mutex::new((VecDeque::new(), Fault::None));
        let shared = Arc::new(Shared { upstream, seen: Mutex::default(), plan });
        let accepted = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&accepted);
                // A client that hangs up is none of the proxy's business.
                tokio::spawn(async move { shared.carry(client).await });
            }
        });
        Self { address, shared, accepting }
    }

    /// Meddles with the next requests in this way, then lets all pass.
    pub(crate) fn next(&self, faults: &[Fault]) {
        *self.shared.plan.lock().unwrap() = (faults.iter().copied().collect(), Fault::None);
    }

    /// Meddles with all requests in this way from now on.
    pub(crate) fn always(&self, fault: Fault) {
        *self.shared.plan.lock().unwrap() = (VecDeque::new(), fault);
    }

    /// Returns and forgets the requests seen so far, in their order.
    pub(crate) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A message whose head ends where its body begins.
struct Message {
    bytes: Vec<u8>,
    head: usize,
}

impl Message {
    fn head(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..self.head]).to_ascii_lowercase()
    }

    fn content_length(&self) -> usize {
        self.head()
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map_or(0, |length| length.trim().parse().unwrap())
    }
}

impl Shared {
    async fn carry(&self, mut client: TcpStream) -> io::Result<()> {
        let request = receive(&mut client).await?;
        let fault = {
            let mut plan = self.plan.lock().unwrap();
            let after = plan.1;
            plan.0.pop_front().unwrap_or(after)
        };
        self.seen.lock().unwrap().push(request.head());
        let answer = match fault {
            Fault::SlowDown => error("503 Slow Down", "SlowDown"),
            Fault::InternalError => error("500 Internal Server Error", "InternalError"),
            Fault::Refused => error("403 Forbidden", "AccessDenied"),
            Fault::ForeignNotFound => {
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\nconnection: close\r\n\r\ngone".to_vec()
            }
            Fault::Silence => std::future::pending().await,
            Fault::Answer(body) => answer("200 OK", body),
            Fault::Twice => {
                self.ask(&request).await?;
                self.ask(&request).await?.bytes
            }
            Fault::RangeDropped => without_range(&self.ask(&request).await?),
            Fault::None => self.ask(&request).await?.bytes,
            Fault::Stall(after) => {
                let answer = self.ask(&request).await?;
                client.write_all(&answer.bytes[..answer.head + after]).await?;
                std::future::pending().await
            }
            Fault::Cut(after) => {
                let mut answer = self.ask(&request).await?;
                answer.bytes.truncate(answer.head + after);
                answer.bytes
            }
        };
        client.write_all(&answer).await?;
        client.shutdown().await
    }

    async fn ask(&self, request: &Message) -> io::Result<Message> {
        let mut upstream = TcpStream::connect(self.upstream).await?;
        upstream.write_all(&request.bytes[..request.head - 2]).await?;
        // Signatures do not cover this header.
        upstream.write_all(b"connection: close\r\n\r\n").await?;
        upstream.write_all(&request.bytes[request.head..]).await?;
        receive(&mut upstream).await
    }
}

fn without_range(answer: &Message) -> Vec<u8> {
    let head = answer.head();
    let rest = head.lines().skip(1).filter(|line| !line.starts_with("content-range:"));
    let lines: Vec<&str> = std::iter::once("HTTP/1.1 200 OK").chain(rest).collect();
    [lines.join("\r\n").as_bytes(), &answer.bytes[answer.head - 2..]].concat()
}

/// Receives a message up to the end of its body.
async fn receive(stream: &mut TcpStream) -> io::Result<Message> {
    let mut message = Message { bytes: Vec::new(), head: 0 };
    loop {
        if message.head == 0
            && let Some(end) = message.bytes.windows(4).position(|window| window == b"\r\n\r\n")
        {
            message.head = end + 4;
        }
        let is_chunked = message.head().contains("transfer-encoding: chunked");
        if message.head > 0 && !is_chunked && message.bytes.len() >= message.head + message.content_length() {
            return Ok(message);
        }
        if stream.read_buf(&mut message.bytes).await? == 0 {
            // The end of a body that announced no length, or of a client that hung up.
            return if message.head > 0 { Ok(message) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
    }
}

fn error(status: &str, code: &str) -> Vec<u8> {
    answer(status, &format!("<Error><Code>{code}</Code><Message>later</Message></Error>"))
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
