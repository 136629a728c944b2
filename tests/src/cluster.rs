//! A Kubernetes API server with etcd and no nodes: it stores and validates what helm installs, and runs nothing.
//! Rule: etcd listens on sockets in the story's folder, the API server on a drawn port; both end with the story.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rcgen::KeyPair;
use serde_json::Value;
use tempfile::TempDir;

use crate::environment::clean_command;
use crate::process::{kill, run};
use crate::tool::find_tool;
use crate::wait::wait_for;

const PATIENCE: Duration = Duration::from_secs(120);
const TOKEN: &str = "story-token";

/// The logs of the programs, in the order they are started.
const LOGS: [&str; 2] = ["etcd.log", "api-server.log"];

/// The running pair.
#[derive(Debug)]
pub struct Cluster {
    children: Vec<Child>,
    address: String,
    curl: PathBuf,
    folder: TempDir,
}

impl Cluster {
    /// Starts a cluster; nothing after saying that the story is skipped for want of a tool.
    ///
    /// # Errors
    /// When it does not come up, or a tool is missing and `CI=true`.
    pub fn start() -> Result<Option<Self>> {
        let tools = (find_tool("etcd")?, find_tool("kube-apiserver")?, find_tool("curl")?);
        let (Some(etcd), Some(api_server), Some(curl)) = tools else { return Ok(None) };
        let folder = TempDir::with_prefix("chartroom-cluster-").context("cannot make a temporary folder")?;
        // It takes no port 0; a port that was free a moment ago is the next best.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let mut cluster = Self { children: Vec::new(), address, curl, folder };
        cluster.start_etcd(&etcd)?;
        cluster.start_api_server(&api_server)?;
        wait_for("the API server", PATIENCE, || {
            cluster.assert_alive()?;
            Ok(cluster.ask("/readyz").ok().filter(|said| said == "ok"))
        })?;
        cluster.write_kubeconfig()?;
        Ok(Some(cluster))
    }

    /// Returns the file by which clients reach the cluster as its administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig.yaml")
    }

    /// Returns an object or a list of the API by its path.
    ///
    /// # Errors
    /// When there is no such object.
    pub fn object(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.ask(path)?)?)
    }

    /// A program that ended by itself says why at the end of its log.
    fn assert_alive(&mut self) -> Result<()> {
        for (child, log) in self.children.iter_mut().zip(LOGS) {
            if let Some(status) = child.try_wait()? {
                let text = fs::read_to_string(self.folder.path().join(log)).unwrap_or_default();
                bail!("ended with {status}; `{log}` ends: {}", text.lines().last().unwrap_or_default());
            }
        }
        Ok(())
    }

    fn ask(&self, path: &str) -> Result<String> {
        let mut command = clean_command(&self.curl);
        command.args(["--noproxy", "*", "--silent", "--show-error", "--fail", "--insecure", "--header"]);
        run(command
            .arg(format!("Authorization: Bearer {TOKEN}"))
            .arg(format!("https://{}{path}", self.address)))?
        .success()
    }

    // etcd wants "host:port" behind `unix://`: this is the file `etcd:1` in its working directory.
    fn start_etcd(&mut self, program: &Path) -> Result<()> {
        let mut command = clean_command(program);
        for (flag, value) in [
            ("--data-dir", "etcd"),
            ("--name", "story"),
            ("--listen-client-urls", "unix://etcd:1"),
            ("--advertise-client-urls", "unix://etcd:1"),
            ("--listen-peer-urls", "unix://etcd:2"),
            ("--initial-advertise-peer-urls", "unix://etcd:2"),
            ("--initial-cluster", "story=unix://etcd:2"),
        ] {
            command.args([flag, value]);
        }
        self.spawn(command)
    }

    fn start_api_server(&mut self, program: &Path) -> Result<()> {
        let accounts = KeyPair::generate()?;
        fs::write(self.folder.path().join("accounts.pem"), accounts.serialize_pem())?;
        fs::write(self.folder.path().join("accounts.pub"), accounts.public_key_pem())?;
        fs::write(self.folder.path().join("tokens.csv"), format!("{TOKEN},admin,admin,system:masters\n"))?;
        let (_, port) = self.address.split_once(':').context("an address without a port")?;
        let mut command = clean_command(program);
        command.arg(format!("--secure-port={port}")).args([
            "--etcd-servers=unix://etcd:1",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--cert-dir=certificates",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-key-file=accounts.pub",
            "--service-account-signing-key-file=accounts.pem",
            "--token-auth-file=tokens.csv",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            "--disable-admission-plugins=ServiceAccount",
        ]);
        self.spawn(command)
    }

    fn spawn(&mut self, mut command: Command) -> Result<()> {
        let log = LOGS.get(self.children.len()).context("no log for a third program")?;
        let log = File::create(self.folder.path().join(log))?;
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.children.push(command.spawn().with_context(|| format!("cannot start {command:?}"))?);
        Ok(())
    }

    fn write_kubeconfig(&self) -> Result<()> {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: story\n\
             clusters:\n- name: story\n  cluster: {{server: 'https://{}', insecure-skip-tls-verify: true}}\n\
             users:\n- name: admin\n  user: {{token: {TOKEN}}}\n\
             contexts:\n- name: story\n  context: {{cluster: story, user: admin}}\n",
            self.address
        );
        fs::write(self.kubeconfig(), text).context("cannot write the kubeconfig")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Already dead is what is wanted.
            let _ = kill(child);
        }
    }
}
