//! The registry files of docker and helm: `auths` by host. Credential helpers, which are programs, are not run.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::UserPassword;
use crate::config::Token;

#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    auths: BTreeMap<String, Auth>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
}

/// Reads users and passwords by host.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn parse_registries(bytes: &[u8]) -> Result<BTreeMap<String, UserPassword>, String> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut hosts = BTreeMap::new();
    for (host, Auth { auth, username, password }) in file.auths {
        let decoded = STANDARD.decode(auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
        let (user, password) = pair.unwrap_or((&username, &password));
        if let Some(password) = Token::new(password.trim_end_matches('\0')) {
            hosts.insert(normalized(&host), UserPassword { user: user.to_owned(), password });
        }
    }
    Ok(hosts)
}

/// Returns the host of a key, which may be a URL; Docker Hub has several names.
pub(super) fn normalized(key: &str) -> String {
    let host = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let host = host.split('/').next().unwrap_or_default();
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        host => host.to_owned(),
    }
}
