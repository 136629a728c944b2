//! A real Postgres in a folder of the story's own, with the collation of a company's database.
//! Rule: it never runs as root, and order by bytes is never its default.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;

use crate::account::Account;
use crate::binary::target_folder;
use crate::environment::clean_command;
use crate::port::free_address;
use crate::process::run;
use crate::service::Service;
use crate::tool::find_tool;

const USER: &str = "chartroom";
const PASSWORD: &str = "story-password";

/// Without waiting for disks: what survives the end of a process is the same, and stories take a tenth of the time.
const FAST: [&str; 2] = ["fsync=off", "full_page_writes=off"];

/// A cluster, in Postgres's sense of the word: a server process with its databases.
#[derive(Debug)]
pub struct Postgres {
    service: Service,
    folder: TempDir,
    address: SocketAddr,
    psql: PathBuf,
    databases: AtomicUsize,
}

impl Postgres {
    /// Starts a cluster that does not wait for disks; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it does not come up, or Postgres is missing and `CI=true`.
    pub fn start() -> Result<Option<Self>> {
        Self::start_with(&FAST)
    }

    /// Starts a cluster that syncs its log at every commit; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it does not come up, or Postgres is missing and `CI=true`.
    pub fn durable() -> Result<Option<Self>> {
        Self::start_with(&[])
    }

    fn start_with(settings: &[&str]) -> Result<Option<Self>> {
        let tools = (find_tool("postgres")?, find_tool("initdb")?, find_tool("psql")?);
        let (Some(program), Some(initdb), Some(psql)) = tools else { return Ok(None) };
        let account = Account::without_rights()?;
        let folder = folder_of(account)?;
        copy(&template(&program, &initdb, account)?, &folder.path().join("data"))?;
        let address = free_address()?;
        let mut command = clean_command(program);
        account.run_as(&mut command);
        command.current_dir(folder.path()).args(["-D", "data", "-p", &address.port().to_string()]);
        let common = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=400"];
        for setting in common.iter().chain(settings) {
            command.args(["-c", setting]);
        }
        let service = Service::new("postgres", command)?;
        let postgres = Self { service, folder, address, psql, databases: AtomicUsize::new(0) };
        postgres.start_again()?;
        Ok(Some(postgres))
    }

    /// Returns where it listens, now or after the next start.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of a database, with user and password.
    pub fn url(&self, database: &str) -> String {
        url_at(self.address, database)
    }

    /// Makes an empty database and returns its name.
    ///
    /// # Errors
    /// When the cluster does not run.
    pub fn create_database(&self) -> Result<String> {
        let name = format!("story_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        // template0: a connection to template1, as one that checks its health, would refuse the copy.
        self.query("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"))?;
        Ok(name)
    }

    /// Runs SQL with psql on a database and returns the rows, fields parted by `|`.
    ///
    /// # Errors
    /// When the cluster does not run, or refuses; the text holds what psql said.
    pub fn query(&self, database: &str, sql: &str) -> Result<String> {
        let arguments = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"];
        let mut command = clean_command(&self.psql);
        command.args(arguments).args(["--command", sql, &self.url(database)]);
        run(&mut command)?.success()
    }

    /// Ends it in order: open connections are ended, nothing has to be recovered at the next start.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&self) -> Result<()> {
        self.service.end("INT")
    }

    /// Ends it at once, as a crash does: the next start recovers from the log.
    ///
    /// # Errors
    /// When it does not end.
    pub fn kill(&self) -> Result<()> {
        // SIGKILL would end the first process only, and the others hold the memory that the next start wants.
        self.service.end("QUIT")
    }

    /// Starts it after [`Self::stop`] or [`Self::kill`] where it was, with what it had.
    ///
    /// # Errors
    /// When it runs or does not come up.
    pub fn start_again(&self) -> Result<()> {
        let file = self.folder.path().join("data/postmaster.pid");
        self.service.start(|process| is_ready(&file, process))
    }

    /// Stops it and starts it where it was, with what it had.
    ///
    /// # Errors
    /// When it does not end or does not come up.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.start_again()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // By itself, the service would end the first process only, and the others still write into the folder.
        let _ = self.kill();
    }
}

/// Returns the URL of a database of a cluster that is reached at another address, as through a proxy.
pub fn url_at(address: SocketAddr, database: &str) -> String {
    format!("postgres://{USER}:{PASSWORD}@{address}/{database}")
}

/// Returns the cluster that all stories share which run now and do not stop it; nothing after saying that the
/// story is skipped. It ends with the last of them.
///
/// # Errors
/// When it does not come up, or Postgres is missing and `CI=true`.
pub fn shared() -> Result<Option<Arc<Postgres>>> {
    static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().map_err(|_| anyhow!("the start of the shared Postgres panicked"))?;
    if let Some(running) = shared.upgrade() {
        return Ok(Some(running));
    }
    let Some(started) = Postgres::start()?.map(Arc::new) else { return Ok(None) };
    *shared = Arc::downgrade(&started);
    Ok(Some(started))
}

/// The eighth line of Postgres's own file tells its state; a file of an earlier start names another process.
fn is_ready(file: &Path, process: u32) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.first() == Some(&process.to_string().as_str()) && lines.get(7) == Some(&"ready")
}

/// Returns an initialised cluster that was never started, made once for all runs: initdb takes seconds.
fn template(postgres: &Path, initdb: &Path, account: Account) -> Result<PathBuf> {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().map_err(|_| anyhow!("making the template of Postgres panicked"))?;
    let said = run(clean_command(postgres).arg("--version"))?.success()?;
    let version = said.split_whitespace().nth(2).context("a Postgres without a version")?;
    let kept = target_folder()?.join("tmp");
    let template = kept.join(format!("postgres-{version}-en-US-of-{}", account.user()));
    if template.is_dir() {
        return Ok(template);
    }
    fs::create_dir_all(&kept)?;
    let making = folder_of(account)?;
    let password = making.path().join("password");
    fs::write(&password, PASSWORD)?;
    account.own(&password)?;
    run(&mut initialisation(initdb, account, making.path()))?.success()?;
    let copied = TempDir::with_prefix_in("postgres-", &kept)?;
    copy(&making.path().join("data"), &copied.path().join("data"))?;
    // Another process may have been faster, with the same outcome.
    if let Err(error) = fs::rename(copied.path().join("data"), &template)
        && !template.is_dir()
    {
        return Err(error).with_context(|| format!("cannot keep `{}`", template.display()));
    }
    Ok(template)
}

fn initialisation(initdb: &Path, account: Account, folder: &Path) -> Command {
    let mut command = clean_command(initdb);
    account.run_as(&mut command);
    command.current_dir(folder).args(["-D", "data", "--username", USER, "--pwfile", "password"]);
    command.args(["--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]);
    // By a dictionary, as most databases sort: SQL that rests on the order of bytes has to say so.
    command.args(["--locale-provider=icu", "--icu-locale=en-US"]);
    command
}

fn folder_of(account: Account) -> Result<TempDir> {
    let folder = TempDir::with_prefix("chartroom-postgres-").context("cannot make a temporary folder")?;
    account.own(folder.path())?;
    Ok(folder)
}

/// Copies a cluster with its owner and its modes, about which Postgres is strict.
fn copy(from: &Path, to: &Path) -> Result<()> {
    run(clean_command("cp").arg("-a").arg(from).arg(to))?.success()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_survives_every_end() {
        let Some(postgres) = Postgres::start().unwrap() else { return };
        let database = postgres.create_database().unwrap();
        let ask = |sql: &str| postgres.query(&database, sql);
        ask("CREATE TABLE kept (number INTEGER); INSERT INTO kept VALUES (1)").unwrap();
        postgres.restart().unwrap();
        ask("INSERT INTO kept VALUES (2)").unwrap();
        postgres.kill().unwrap();
        assert!(ask("SELECT 1").is_err(), "answered while it was away");
        postgres.start_again().unwrap();
        assert_eq!(ask("SELECT number FROM kept ORDER BY number").unwrap(), "1\n2\n");
    }

    #[test]
    fn databases_are_empty_sorted_by_a_dictionary_and_need_a_password() {
        let Some(postgres) = shared().unwrap() else { return };
        let database = postgres.create_database().unwrap();
        assert_ne!(database, postgres.create_database().unwrap());
        let order =
            "SELECT string_agg(word, '' ORDER BY word) FROM (VALUES ('a'), ('B'), ('c')) AS words (word)";
        assert_eq!(postgres.query(&database, order).unwrap(), "aBc\n");
        let guess = postgres.url(&database).replace(PASSWORD, "guess");
        let refusal = run(clean_command(&postgres.psql).arg(guess)).unwrap().failure().unwrap();
        assert!(refusal.contains("password"), "{refusal}");
    }

    #[test]
    fn nothing_is_left_when_it_is_dropped() {
        let Some(postgres) = Postgres::durable().unwrap() else { return };
        assert_eq!(postgres.query("postgres", "SHOW fsync").unwrap(), "on\n");
        let (folder, address) = (postgres.folder.path().to_path_buf(), postgres.address());
        drop(postgres);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
