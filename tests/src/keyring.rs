//! An OpenPGP key of the story's own, in the keyring form that helm reads.
//! Rule: the user's keys are never touched.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::environment::clean_command;
use crate::process::run;
use crate::tool::find_tool;

/// The name of the key, as `helm package --key` wants it.
pub const SIGNER: &str = "Story Signer <signer@example.test>";

/// A fresh RSA key without a passphrase.
#[derive(Debug)]
pub struct Keyring {
    program: PathBuf,
    home: TempDir,
}

impl Keyring {
    /// Makes a key; nothing after saying that the story is skipped for want of gpg.
    ///
    /// # Errors
    /// When gpg fails, or is missing and `CI=true`.
    pub fn create() -> Result<Option<Self>> {
        let Some(program) = find_tool("gpg")? else { return Ok(None) };
        let home = TempDir::with_prefix("chartroom-gpg-").context("cannot make a home for gpg")?;
        let keyring = Self { program, home };
        keyring.gpg(&["--quick-generate-key", SIGNER, "rsa2048", "sign", "never"])?;
        // helm reads the old binary keyrings only, which gpg 2 no longer keeps itself.
        keyring.gpg(&["--export-secret-keys", "--output", &text(&keyring.secret())])?;
        keyring.gpg(&["--export", "--output", &text(&keyring.public())])?;
        Ok(Some(keyring))
    }

    /// Returns the file with the private key.
    pub fn secret(&self) -> PathBuf {
        self.home.path().join("secring.gpg")
    }

    /// Returns the file with the public key.
    pub fn public(&self) -> PathBuf {
        self.home.path().join("pubring.gpg")
    }

    fn gpg(&self, arguments: &[&str]) -> Result<()> {
        let mut command = clean_command(&self.program);
        command.env("GNUPGHOME", self.home.path()).args([
            "--batch",
            "--quiet",
            "--pinentry-mode",
            "loopback",
        ]);
        run(command.args(["--passphrase", ""]).args(arguments))?.success()?;
        Ok(())
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
