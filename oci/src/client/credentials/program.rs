//! Programs that keep credentials, `docker-credential-NAME` (docker's "Credential helper protocol").
//! Rule: a name is never a path, so that a file of credentials cannot name any program of the machine.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{CredentialFailure, Credentials, Secret};

/// People may have to unlock a keychain.
const PATIENCE: Duration = Duration::from_secs(120);

/// The user that says that the secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// What programs print when they know nobody; docker compares this text too.
const NOT_FOUND: &str = "credentials not found";

/// One such program.
#[derive(Debug)]
pub(super) struct CredentialProgram {
    name: String,
    path: Option<OsString>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl CredentialProgram {
    /// Returns the program that docker's configuration calls so.
    pub(super) fn new(name: &str) -> Self {
        let is_name =
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        let name = format!("docker-credential-{name}");
        Self { path: is_name.then(|| name.clone().into()), name }
    }

    /// Returns the program in this file.
    #[cfg(test)]
    pub(super) fn at(path: &Path) -> Self {
        Self { name: path.display().to_string(), path: Some(path.into()) }
    }

    /// Returns what it keeps for a registry.
    pub(super) async fn ask(&self, registry: &str) -> Result<Option<Credentials>, CredentialFailure> {
        let failure = |reason: String| CredentialFailure::Program {
            program: self.name.clone(),
            registry: registry.to_owned(),
            reason,
        };
        let path =
            self.path.as_ref().ok_or_else(|| failure("this cannot be the name of a program".to_owned()))?;
        let answer = tokio::time::timeout(PATIENCE, run(path, registry));
        let output = answer
            .await
            .map_err(|_| failure(format!("no answer for {} s", PATIENCE.as_secs())))?
            .map_err(|reason| failure(reason.to_string()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            if said.contains(NOT_FOUND) {
                return Ok(None);
            }
            let complaint = format!("{said} {}", String::from_utf8_lossy(&output.stderr));
            return Err(failure(complaint.trim().to_owned()));
        }
        // The answer itself is not shown: it may hold the secret.
        let answer: Answer = serde_json::from_str(&said)
            .map_err(|_| failure("its answer is not JSON with a user and a secret".to_owned()))?;
        Ok(answer.credentials())
    }
}

async fn run(path: &OsString, registry: &str) -> std::io::Result<std::process::Output> {
    let mut command = Command::new(Path::new(path));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read its input says why by its status.
        let _ = input.write_all(format!("{registry}\n").as_bytes()).await;
    }
    child.wait_with_output().await
}

impl Answer {
    fn credentials(self) -> Option<Credentials> {
        let secret = Secret::new(self.secret);
        if secret.reveal().is_empty() {
            None
        } else if self.username == TOKEN_USER {
            Some(Credentials::IdentityToken(secret))
        } else {
            Some(Credentials::Basic { user: self.username, password: secret })
        }
    }
}
