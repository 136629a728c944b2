//! A running `chartroom serve`: started on a free port, asked over HTTP, ended as the story wants.
//! Rule: it is ready when it says so on standard output, and it never outlives its story.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::client::Client;
use crate::object_store::ObjectStore;
use crate::process::{kill, signal};
use crate::wait::wait_for;
use crate::{binary, command_line, environment, log};

const PATIENCE: Duration = Duration::from_secs(60);

/// How a server is to be started.
#[derive(Debug)]
pub struct Launch {
    data: PathBuf,
    environment: Vec<(String, String)>,
    admin_token: PathBuf,
    wrapper: Vec<String>,
    arguments: Vec<String>,
    listeners: usize,
}

impl Launch {
    pub(crate) fn new(data: &Path, environment: Vec<(String, String)>, admin_token: PathBuf) -> Self {
        Self {
            data: data.to_path_buf(),
            environment,
            admin_token,
            wrapper: Vec::new(),
            arguments: command_line::serve(data),
            listeners: 1,
        }
    }

    /// Leaves the addresses to a configuration file, and waits for that many of them.
    #[must_use]
    pub fn configured(mut self, config: &Path, listeners: usize) -> Self {
        self.arguments = command_line::serve_as_configured(&self.data, config);
        self.listeners = listeners;
        self
    }

    /// Starts the program in ChartMuseum's place on a folder of archives, with tenants of so many path segments.
    #[must_use]
    pub fn in_place_of_chartmuseum(mut self, storage: &Path, depth: usize) -> Self {
        self.arguments = command_line::serve_as_chartmuseum(storage, depth);
        self
    }

    /// Starts the program in ChartMuseum's place on a bucket, with tenants of so many path segments.
    #[must_use]
    pub fn in_place_of_chartmuseum_on(
        mut self,
        store: &ObjectStore,
        bucket: &str,
        prefix: &str,
        depth: usize,
    ) -> Self {
        let endpoint = store.endpoint();
        self.arguments = command_line::serve_bucket_as_chartmuseum(bucket, prefix, &endpoint, depth);
        self.environment.extend(store.environment());
        self.environment.push(("CHARTROOM_DATA".to_owned(), self.data.display().to_string()));
        self
    }

    /// Gives the server another variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives the bucket seconds to answer, not the minute that slow lines and large objects may need.
    #[must_use]
    pub fn impatient_with_its_bucket(self) -> Self {
        self.variable("CHARTROOM_S3_ATTEMPT_TIMEOUT", "3s").variable("CHARTROOM_S3_TIMEOUT", "10s")
    }

    /// Lets anyone write.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.arguments.push(command_line::OPEN.to_owned());
        self
    }

    /// Starts the program through another one, as `strace -f`.
    #[must_use]
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Starts the server and waits until it listens.
    ///
    /// # Errors
    /// When it ends or says nothing; the text holds the end of its log.
    pub fn start(self) -> Result<Server> {
        let log = log::new_file("chartroom")?;
        let mut line: Vec<String> = self.wrapper;
        line.push(binary::chartroom()?.display().to_string());
        line.extend(self.arguments);
        let (program, arguments) = line.split_first().context("no program to start")?;
        let mut child = environment::clean_command(program)
            .args(arguments)
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(OpenOptions::new().append(true).open(&log)?)
            .spawn()
            .with_context(|| format!("cannot start `{program}`"))?;
        let lines = follow(child.stdout.take().context("standard output was not piped")?, &log)?;
        let mut server = Server { child, urls: Vec::new(), admin_token: self.admin_token, log };
        for _ in 0..self.listeners {
            match lines.recv_timeout(PATIENCE) {
                Ok(url) => server.urls.push(url),
                Err(_) => bail!("the server does not listen; its log:\n{}", log::tail(&server.log)),
            }
        }
        Ok(server)
    }
}

/// A server that listens; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    urls: Vec<String>,
    admin_token: PathBuf,
    log: PathBuf,
}

impl Server {
    /// Returns the base URL, `http://ADDRESS:PORT`.
    pub fn url(&self) -> &str {
        self.urls.first().map_or("", String::as_str)
    }

    /// Returns the base URLs of all listeners, in the order they were announced.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Returns `ADDRESS:PORT`.
    pub fn address(&self) -> &str {
        self.url().split_once("://").map_or("", |(_, address)| address)
    }

    /// Returns a client with the admin token.
    ///
    /// # Errors
    /// When the server wrote no admin token.
    pub fn admin(&self) -> Result<Client> {
        self.client(self.admin_token()?.as_str())
    }

    /// Returns the admin token.
    ///
    /// # Errors
    /// When the server wrote none, and none was given to it.
    pub fn admin_token(&self) -> Result<String> {
        let path = &self.admin_token;
        let token = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok(token.trim().to_owned())
    }

    /// Returns a client with a token.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn client(&self, token: &str) -> Result<Client> {
        Client::new(self.url(), Some(token))
    }

    /// Returns a client without a credential.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn anonymous(&self) -> Result<Client> {
        Client::new(self.url(), None)
    }

    /// Returns the process number of what was started: the server, or its wrapper.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends the server as `kill -9` does.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<()> {
        kill(&mut self.child)?;
        Ok(())
    }

    /// Sends a signal by its name (`TERM`, `HUP`).
    ///
    /// # Errors
    /// When the server is gone.
    pub fn signal(&self, name: &str) -> Result<()> {
        signal(self.process(), name)
    }

    /// Waits until the server has ended by itself.
    ///
    /// # Errors
    /// When it has not within a minute.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        wait_for("the server's end", PATIENCE, || Ok(self.child.try_wait()?))
    }

    /// Asks the server to end and waits for it.
    ///
    /// # Errors
    /// When it does not end, or not with status 0.
    pub fn stop(mut self) -> Result<()> {
        self.signal("TERM")?;
        let status = self.wait()?;
        if !status.success() {
            bail!("the server ended with {status}; its log:\n{}", log::tail(&self.log));
        }
        Ok(())
    }

    /// Returns the server's resident memory in bytes: now, and at its highest.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn resident_bytes(&self) -> Result<(u64, u64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process()))?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
            Ok(kibibytes.with_context(|| format!("no `{name}` in the process status"))? * 1024)
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }

    /// Returns everything the server logged.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already dead is what is wanted.
        let _ = kill(&mut self.child);
    }
}

/// Copies what the server prints into its log and passes the announced URLs on.
fn follow(stdout: ChildStdout, log: &Path) -> Result<Receiver<String>> {
    let (sender, receiver) = channel();
    let log = OpenOptions::new().append(true).open(log)?;
    thread::spawn(move || copy_lines(stdout, log, &sender));
    Ok(receiver)
}

fn copy_lines(stdout: ChildStdout, mut log: File, announced: &Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        // The log is for people; losing a line of it must not end the story.
        let _ = writeln!(log, "{line}");
        if let Some(url) = line.strip_prefix("listening on ") {
            let _ = announced.send(url.trim().to_owned());
        }
    }
}
