//! A web server of prepared answers, for what real servers of charts do only on their bad days.
//! Rule: it answers each path as it was told, and remembers who asked for what.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};

/// What is answered to one request.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// 200 with these bytes.
    File(Vec<u8>),
    /// This status with an empty body.
    Status(u16),
    /// 302 to this address.
    Redirect(String),
    /// 200 with the length of these bytes and half of them, then the end of the connection.
    Half(Vec<u8>),
    /// Nothing: the connection stays open until the client closes it.
    Silence,
}

/// One request, as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The path with its query.
    pub path: String,
    /// The value of `Authorization`, empty when there was none.
    pub authorization: String,
}

#[derive(Debug, Default)]
struct Shelf {
    answers: HashMap<String, Vec<Prepared>>,
    received: Vec<Received>,
}

/// A running web server; it goes on until its process ends.
#[derive(Debug, Clone)]
pub struct WebServer {
    address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
}

impl WebServer {
    /// Starts a server that answers 404 to everything.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
        let server = Self { address: listener.local_addr()?, shelf: Arc::default() };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let serving = serving.clone();
                // A client that hangs up has what it wanted.
                thread::spawn(move || serving.answer(stream).ok());
            }
        });
        Ok(server)
    }

    /// Returns the URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers a path with these in turn, and with the last of them from then on.
    pub fn put(&self, path: &str, answers: impl Into<Vec<Prepared>>) {
        self.shelf().answers.insert(path.to_owned(), answers.into());
    }

    /// Returns what was asked for since the last call, in the order it came.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut self.shelf().received)
    }

    /// Tells whether a path was asked for since the last [`Self::take_received`].
    pub fn was_asked_for(&self, path: &str) -> bool {
        self.shelf().received.iter().any(|request| request.path == path)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, mut stream: TcpStream) -> Result<()> {
        let received = read_request(&stream)?;
        let prepared = self.next_answer(&received.path);
        self.shelf().received.push(received);
        let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nconnection: close\r\n{more}\r\n");
        match prepared {
            Prepared::File(bytes) => {
                stream.write_all(head("200 OK", &length_of(&bytes)).as_bytes())?;
                stream.write_all(&bytes)?;
            }
            Prepared::Half(bytes) => {
                stream.write_all(head("200 OK", &length_of(&bytes)).as_bytes())?;
                stream.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default())?;
            }
            Prepared::Status(status) => {
                let empty = format!("{}retry-after: 0\r\n", length_of(&[]));
                stream.write_all(head(&format!("{status} Told"), &empty).as_bytes())?;
            }
            Prepared::Redirect(to) => {
                let more = format!("{}location: {to}\r\n", length_of(&[]));
                stream.write_all(head("302 Found", &more).as_bytes())?;
            }
            Prepared::Silence => {
                // Returns when the client is gone.
                BufReader::new(&stream).read_line(&mut String::new())?;
            }
        }
        Ok(())
    }

    fn next_answer(&self, path: &str) -> Prepared {
        let mut shelf = self.shelf();
        match shelf.answers.get_mut(path) {
            None => Prepared::Status(404),
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers.first().cloned().unwrap_or(Prepared::Status(404)),
        }
    }
}

fn length_of(bytes: &[u8]) -> String {
    format!("content-length: {}\r\n", bytes.len())
}

fn read_request(stream: &TcpStream) -> Result<Received> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().context("no request")??;
    let path = first.split(' ').nth(1).context("no path")?.to_owned();
    let mut authorization = String::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            value.trim().clone_into(&mut authorization);
        }
    }
    Ok(Received { path, authorization })
}
