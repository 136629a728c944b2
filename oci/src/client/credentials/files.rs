//! The files in which docker, podman and helm keep their logins; all have docker's format.
//! Rule: the first file that knows the registry wins, in it the entry for the longest part of the name.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::program::CredentialProgram;
use super::{CredentialFailure, Credentials, Secret};
use crate::client::address::RegistryAddress;
use crate::name::OciName;

/// The name under which docker's programs know Docker Hub.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";

/// Files of credentials, the first of them asked first. One that is not there knows nobody; whom none knows is anonymous,
/// unless [`Self::otherwise`] says more.
#[derive(Debug, Clone, Default)]
pub struct CredentialFiles {
    paths: Vec<PathBuf>,
    otherwise: Credentials,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Entry>,
    creds_store: String,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl CredentialFiles {
    /// Returns files to be asked in this order.
    pub fn new(paths: impl Into<Vec<PathBuf>>) -> Self {
        Self { paths: paths.into(), otherwise: Credentials::Anonymous }
    }

    /// Returns the same files, and credentials for a registry that none of them knows.
    #[must_use]
    pub fn otherwise(self, credentials: Credentials) -> Self {
        Self { otherwise: credentials, ..self }
    }

    /// Returns where helm, podman and docker look, in this order; `variable` tells the environment.
    pub fn where_clients_look(variable: impl Fn(&str) -> Option<PathBuf>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.as_os_str().is_empty());
        let home = variable("HOME");
        let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let config = variable("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
        let below = |folder: Option<PathBuf>, path: &str| folder.map(|folder| folder.join(path));
        let paths = [
            variable("HELM_REGISTRY_CONFIG").or_else(|| below(config.clone(), "helm/registry/config.json")),
            variable("REGISTRY_AUTH_FILE"),
            below(variable("XDG_RUNTIME_DIR"), "containers/auth.json"),
            below(config, "containers/auth.json"),
            below(variable("DOCKER_CONFIG").or_else(|| in_home(".docker")), "config.json"),
        ];
        Self::new(paths.into_iter().flatten().collect::<Vec<_>>())
    }

    /// Returns the credentials for a registry, and for a name there where some are for that name only.
    ///
    /// # Errors
    /// [`CredentialFailure`] when a file or a program that it names fails: a login that is there and cannot be read is
    /// not the same as none.
    pub(in crate::client) async fn find(
        &self,
        registry: &RegistryAddress,
        name: Option<&OciName>,
    ) -> Result<Credentials, CredentialFailure> {
        for path in &self.paths {
            if let Some(found) = read(path).await?.find(path, registry, name).await? {
                return Ok(found);
            }
        }
        Ok(self.otherwise.clone())
    }
}

async fn read(path: &Path) -> Result<Config, CredentialFailure> {
    match tokio::fs::read(path).await {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|reason| CredentialFailure::Json { path: path.to_path_buf(), reason }),
        Err(reason) if matches!(reason.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Config::default())
        }
        Err(reason) => Err(CredentialFailure::File { path: path.to_path_buf(), reason }),
    }
}

impl Config {
    async fn find(
        &self,
        path: &Path,
        registry: &RegistryAddress,
        name: Option<&OciName>,
    ) -> Result<Option<Credentials>, CredentialFailure> {
        if let Some(program) = self.program(registry)
            && let Some(found) = program.ask(server_name(registry)).await?
        {
            return Ok(Some(found));
        }
        let names = name.iter().flat_map(|name| name.prefixes()).map(|name| format!("/{name}"));
        for rest in names.chain([String::new()]) {
            for host in registry.known_as() {
                let wanted = format!("{host}{rest}");
                let entry = self.auths.iter().find(|(key, _)| plain_key(key) == wanted);
                let found = entry.map(|(key, entry)| entry.credentials(path, key)).transpose()?.flatten();
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    fn program(&self, registry: &RegistryAddress) -> Option<CredentialProgram> {
        let known_as = registry.known_as();
        let own = self.cred_helpers.iter().find(|(key, _)| known_as.contains(&plain_key(key)));
        let name = own.map_or(&self.creds_store, |(_, name)| name);
        (!name.is_empty()).then(|| CredentialProgram::new(name))
    }
}

fn server_name(registry: &RegistryAddress) -> &str {
    if registry.known_as().len() > 1 { DOCKER_HUB_SERVER } else { registry.host().as_str() }
}

/// Returns a key as host and path: docker once wrote whole URLs, `https://index.docker.io/v1/`.
fn plain_key(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key)
}

impl Entry {
    /// Returns nothing for an entry that only says that a program knows more.
    fn credentials(&self, path: &Path, key: &str) -> Result<Option<Credentials>, CredentialFailure> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Credentials::RegistryToken(Secret::new(&self.registrytoken))));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Some(Credentials::IdentityToken(Secret::new(&self.identitytoken))));
        }
        if !self.auth.is_empty() {
            let broken = || CredentialFailure::Entry { path: path.to_path_buf(), key: key.to_owned() };
            let decoded =
                STANDARD.decode(self.auth.trim()).ok().and_then(|text| String::from_utf8(text).ok());
            let decoded = decoded.ok_or_else(broken)?;
            let (user, password) = decoded.split_once(':').ok_or_else(broken)?;
            // Docker itself pads with NUL.
            return Ok(Some(basic(user, password.trim_end_matches('\0'))));
        }
        Ok((!self.username.is_empty()).then(|| basic(&self.username, &self.password)))
    }
}

fn basic(user: &str, password: &str) -> Credentials {
    Credentials::Basic { user: user.to_owned(), password: Secret::new(password) }
}

#[cfg(test)]
mod tests;
