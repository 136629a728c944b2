//! Helm's `repositories.yaml`: user, password and certificates by repository.

use std::collections::BTreeMap;

use chart::yaml::{self, Budget};
use serde::Deserialize;
use url::Url;

use super::{HostSettings, UserPassword, origin_of};
use crate::config::Token;

#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    repositories: Vec<Repository>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Repository {
    url: String,
    username: String,
    password: String,
    ca_file: String,
    cert_file: String,
    key_file: String,
}

/// Reads what is kept, by scheme, host and port.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn parse_repositories(bytes: &[u8]) -> Result<BTreeMap<String, HostSettings>, String> {
    let value = yaml::parse(bytes, &Budget::default()).map_err(|error| error.to_string())?;
    let file = Option::<File>::deserialize(&value).map_err(|error| error.to_string())?.unwrap_or_default();
    let mut hosts: BTreeMap<String, HostSettings> = BTreeMap::new();
    for one in file.repositories {
        let Ok(url) = Url::parse(&one.url) else { continue };
        let host = hosts.entry(origin_of(&url)).or_default();
        if let (Some(password), false) = (Token::new(&one.password), one.username.is_empty()) {
            host.basic = Some(UserPassword { user: one.username, password });
        }
        let path = |text: String| (!text.is_empty()).then(|| text.into());
        host.authorities = path(one.ca_file).or(host.authorities.take());
        host.certificate = path(one.cert_file).or(host.certificate.take());
        host.key = path(one.key_file).or(host.key.take());
    }
    Ok(hosts)
}
