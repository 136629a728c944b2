//! A registry that answers each request as it was told, and remembers the requests.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{CredentialSource, Credentials, Registry, RegistryAddress, Secret, Settings};

/// One answer. Without a `content-length` of its own it gets that of its body.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Prepared {
    pub(super) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// One request, its headers' names in small letters.
#[derive(Debug, Clone)]
pub(super) struct Received {
    /// Method and path with the query.
    pub(super) line: String,
    headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

#[derive(Debug, Default)]
struct Shelf {
    answers: HashMap<String, Vec<Prepared>>,
    received: Vec<Received>,
}

/// The registry; it answers 200 to `GET /v2/` and 404 to what nothing was prepared for.
#[derive(Debug, Clone)]
pub(super) struct PreparedRegistry {
    address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
}

impl PreparedRegistry {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = Self { address: listener.local_addr().unwrap(), shelf: Arc::default() };
        registry.put("GET /v2/", [Prepared::status(200)]);
        let serving = registry.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                // A client that hangs up has what it wanted.
                tokio::spawn(async move { serving.answer(stream).await.ok() });
            }
        });
        registry
    }

    /// Answers a request line with these in turn, and with the last of them from then on.
    pub(super) fn put(&self, line: &str, answers: impl Into<Vec<Prepared>>) {
        self.shelf.lock().unwrap().answers.insert(line.to_owned(), answers.into());
    }

    /// Returns the URL of a path, which begins with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns what was asked for after the greeting, in the order it came.
    pub(super) fn received(&self) -> Vec<Received> {
        let all = self.shelf.lock().unwrap().received.clone();
        all.into_iter().filter(|received| received.line != "GET /v2/").collect()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.received().into_iter().map(|received| received.line).collect()
    }

    pub(super) fn connect(&self) -> Registry {
        self.connect_as(Credentials::Anonymous)
    }

    pub(super) fn connect_with_password(&self) -> Registry {
        self.connect_as(Credentials::Basic { user: "user".to_owned(), password: Secret::new("password") })
    }

    pub(super) fn connect_as(&self, credentials: Credentials) -> Registry {
        let address: RegistryAddress = self.address.to_string().parse().unwrap();
        let credentials = CredentialSource::Given(credentials);
        Registry::connect(address, &Settings { credentials, retries: 1, ..Settings::default() }).unwrap()
    }

    async fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let received = read_request(&mut stream).await?;
        let prepared = self.next_answer(received);
        let mut head = format!("HTTP/1.1 {} Told\r\nconnection: close\r\n", prepared.status);
        if !prepared.headers.iter().any(|(name, _)| name == "content-length") {
            head += &format!("content-length: {}\r\n", prepared.body.len());
        }
        for (name, value) in &prepared.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).await?;
        stream.write_all(&prepared.body).await?;
        stream.shutdown().await
    }

    fn next_answer(&self, received: Received) -> Prepared {
        let mut shelf = self.shelf.lock().unwrap();
        let line = received.line.clone();
        shelf.received.push(received);
        match shelf.answers.get_mut(&line) {
            None => Prepared::status(404),
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Received> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).await?;
    let line = first.rsplit_once(' ').map(|(line, _)| line).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).await?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    Ok(Received { line, headers, body })
}
