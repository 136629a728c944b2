//! Real S3 servers: MinIO, and the small `s3s-fs`, which keeps objects as plain files.
//! Rule: every request to them is signed, ours too.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use anyhow::{Context, Result, anyhow, ensure};
use oci::Digest;
use tempfile::TempDir;

use crate::environment::clean_command;
use crate::port::free_address;
use crate::process::run;
use crate::service::Service;
use crate::tool::find_tool;

const ACCESS_KEY: &str = "story-access";
const SECRET_KEY: &str = "story-secret-key";
const REGION: &str = "us-east-1";

/// An S3 server that runs, or can be started again where it was.
#[derive(Debug)]
pub struct ObjectStore {
    // Dropped before the folder it works in.
    service: Service,
    folder: TempDir,
    address: SocketAddr,
    curl: PathBuf,
    buckets: AtomicUsize,
}

impl ObjectStore {
    /// Starts MinIO; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it does not come up, or a tool is missing and `CI=true`.
    pub fn minio() -> Result<Option<Self>> {
        Self::start("minio", |command, address| {
            command
                .envs([("MINIO_ROOT_USER", ACCESS_KEY), ("MINIO_ROOT_PASSWORD", SECRET_KEY)])
                .envs([("MINIO_BROWSER", "off"), ("MINIO_UPDATE", "off"), ("HOME", ".")])
                .args(["server", "--quiet", "--address", &address.to_string(), "data"]);
        })
    }

    /// Starts s3s-fs; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it does not come up, or a tool is missing and `CI=true`.
    pub fn s3s_fs() -> Result<Option<Self>> {
        Self::start("s3s-fs", |command, address| {
            command
                .args(["--host", &address.ip().to_string(), "--port", &address.port().to_string()])
                .args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY, "data"]);
        })
    }

    fn start(name: &'static str, furnish: impl Fn(&mut Command, SocketAddr)) -> Result<Option<Self>> {
        let (Some(program), Some(curl)) = (find_tool(name)?, find_tool("curl")?) else { return Ok(None) };
        let folder = TempDir::with_prefix("chartroom-s3-").context("cannot make a temporary folder")?;
        fs::create_dir(folder.path().join("data"))?;
        let address = free_address()?;
        let mut command = clean_command(program);
        furnish(command.current_dir(folder.path()), address);
        let service = Service::new(name, command)?;
        let store = Self { service, folder, address, curl, buckets: AtomicUsize::new(0) };
        store.start_again()?;
        Ok(Some(store))
    }

    /// Returns where it listens, now or after the next start.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the folder that holds everything it keeps.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Returns the variables by which a server reaches it.
    pub fn environment(&self) -> Vec<(String, String)> {
        environment_at(self.address)
    }

    /// Makes an empty bucket and returns its name.
    ///
    /// # Errors
    /// When the server does not run or refuses.
    pub fn create_bucket(&self) -> Result<String> {
        let name = format!("story-{}", self.buckets.fetch_add(1, Ordering::Relaxed));
        self.signed("PUT", &name)?;
        Ok(name)
    }

    /// Returns the keys of the objects in a bucket, sorted; at most 1,000.
    ///
    /// # Errors
    /// When the server does not run or refuses.
    pub fn keys(&self, bucket: &str) -> Result<Vec<String>> {
        let listing = self.signed("GET", &format!("{bucket}?list-type=2"))?;
        ensure!(!listing.contains("<IsTruncated>true"), "`{bucket}` holds more than one listing tells");
        let parts = listing.split("<Key>").skip(1);
        Ok(parts.filter_map(|part| part.split_once("</Key>")).map(|(key, _)| key.to_owned()).collect())
    }

    /// Puts bytes into a bucket as another program would.
    ///
    /// # Errors
    /// When the server does not run or refuses.
    pub fn put(&self, bucket: &str, key: &str, content: &[u8]) -> Result<()> {
        let mut file = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
        std::io::Write::write_all(&mut file, content)?;
        let mut request = self.signed_request("PUT", &format!("{bucket}/{key}"), SECRET_KEY, content);
        run(request.arg("--upload-file").arg(file.path()))?.success()?;
        Ok(())
    }

    fn signed(&self, method: &str, path: &str) -> Result<String> {
        run(&mut self.request(method, path, SECRET_KEY))?.success()
    }

    fn request(&self, method: &str, path: &str, secret_key: &str) -> Command {
        self.signed_request(method, path, secret_key, b"")
    }

    fn signed_request(&self, method: &str, path: &str, secret_key: &str, body: &[u8]) -> Command {
        let mut command = clean_command(&self.curl);
        command.args(["--noproxy", "*", "--silent", "--show-error", "--fail-with-body", "--request", method]);
        command.args(["--aws-sigv4", &format!("aws:amz:{REGION}:s3")]);
        // curl signs this header when it is given, and s3s-fs wants it even for no body.
        command.args(["--header", &format!("x-amz-content-sha256: {}", Digest::sha256(body).hex())]);
        command.args(["--user", &format!("{ACCESS_KEY}:{secret_key}")]);
        command.arg(format!("{}/{path}", self.endpoint()));
        command
    }

    /// Ends it at once: neither server keeps anything back that it has acknowledged.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&self) -> Result<()> {
        self.service.end("KILL")
    }

    /// Starts it after [`Self::stop`] where it was, with what it had.
    ///
    /// # Errors
    /// When it runs or does not come up.
    pub fn start_again(&self) -> Result<()> {
        // MinIO calls itself healthy before it knows its accounts and buckets.
        self.service.start(|_| self.signed("GET", "").is_ok())
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

/// Returns the variables by which a server reaches a store at another address than its own, as through a proxy.
pub fn environment_at(address: SocketAddr) -> Vec<(String, String)> {
    let endpoint = format!("http://{address}");
    [
        ("CHARTROOM_S3_ENDPOINT", endpoint.as_str()),
        ("CHARTROOM_S3_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Returns the MinIO that all stories share which run now and do not stop it; nothing after saying that the
/// story is skipped. It ends with the last of them.
///
/// # Errors
/// When it does not come up, or a tool is missing and `CI=true`.
pub fn shared_minio() -> Result<Option<Arc<ObjectStore>>> {
    static SHARED: Mutex<Weak<ObjectStore>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().map_err(|_| anyhow!("the start of the shared MinIO panicked"))?;
    if let Some(running) = shared.upgrade() {
        return Ok(Some(running));
    }
    let Some(started) = ObjectStore::minio()?.map(Arc::new) else { return Ok(None) };
    *shared = Arc::downgrade(&started);
    Ok(Some(started))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps_buckets_over_restarts(store: &ObjectStore) {
        let bucket = store.create_bucket().unwrap();
        assert_eq!(store.keys(&bucket).unwrap(), Vec::<String>::new());
        assert!(store.keys("absent").is_err(), "a bucket nobody made");
        store.stop().unwrap();
        assert!(store.keys(&bucket).is_err(), "answered while it was away");
        store.start_again().unwrap();
        assert_eq!(store.keys(&bucket).unwrap(), Vec::<String>::new());
    }

    fn refuses_a_wrong_signature(store: &ObjectStore) {
        let refused = run(&mut store.request("PUT", "story-guess", "guess")).unwrap().failure().unwrap();
        assert!(refused.contains("SignatureDoesNotMatch"), "{refused}");
    }

    #[test]
    fn minio_keeps_buckets_over_restarts_and_checks_signatures() {
        let Some(store) = ObjectStore::minio().unwrap() else { return };
        keeps_buckets_over_restarts(&store);
        refuses_a_wrong_signature(&store);
    }

    #[test]
    fn s3s_fs_keeps_buckets_over_restarts_and_checks_signatures() {
        let Some(store) = ObjectStore::s3s_fs().unwrap() else { return };
        keeps_buckets_over_restarts(&store);
        refuses_a_wrong_signature(&store);
    }

    #[test]
    fn stories_share_a_minio_while_one_of_them_holds_it() {
        let Some(first) = shared_minio().unwrap() else { return };
        let Some(second) = shared_minio().unwrap() else { return };
        assert_eq!(first.address(), second.address());
        assert_ne!(first.create_bucket().unwrap(), second.create_bucket().unwrap());
        assert!(first.folder().exists());
    }
}
