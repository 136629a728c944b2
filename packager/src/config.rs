//! Settings that come from around the program. The only place that reads the environment.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::sign::Passphrase;
use crate::upstream::{CredentialFiles, InvalidMirror, Mirror};

/// When every entry of an archive says it was changed unless `SOURCE_DATE_EPOCH` says otherwise:
/// 1980-01-01, the earliest time that every archive format can hold.
const DEFAULT_EPOCH: u64 = 315_532_800;

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Config {
    /// The token that `push` sends (`CHARTPACK_TOKEN`); none when unset or empty.
    pub(crate) token: Option<Token>,
    /// The passphrase of the signing key (`CHARTPACK_SIGNING_PASSPHRASE`); none when unset or empty.
    pub(crate) signing_passphrase: Option<Passphrase>,
    /// The modification time of packed files in seconds since 1970 (`SOURCE_DATE_EPOCH`).
    pub(crate) modified_seconds: u64,
    /// The `helm` program (`CHARTPACK_HELM`); the one in the search path when unset.
    pub(crate) helm: Option<PathBuf>,
    /// The folder of caches (`CHARTPACK_CACHE`, else `chartpack` in the user's cache folder).
    pub(crate) cache: Option<PathBuf>,
    /// Whether progress bars can be seen: standard error is a terminal.
    pub(crate) shows_progress: bool,
    /// The vault (`CHARTPACK_VAULT`), else a folder below the user's data; none when there is no home either.
    pub(crate) vault: Option<PathBuf>,
    /// Where helm, docker and curl keep credentials.
    pub(crate) credentials: CredentialFiles,
    /// Where to fetch from instead of the upstreams (`CHARTPACK_MIRRORS`, `FROM=TO` with blanks between).
    pub(crate) mirrors: Vec<Mirror>,
}

/// A secret that is sent and never printed.
#[derive(Clone)]
pub(crate) struct Token(String);

/// Why the environment is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidConfig {
    /// `SOURCE_DATE_EPOCH` is no number.
    #[error("`SOURCE_DATE_EPOCH` is `{0}`: it must be a number of seconds since 1970, or unset")]
    SourceDateEpoch(String),
    /// One of the mirrors is none.
    #[error("`CHARTPACK_MIRRORS`: {0}")]
    Mirror(#[from] InvalidMirror),
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`InvalidConfig`] for a variable that is set and cannot be understood.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub(crate) fn from_environment() -> Result<Self, InvalidConfig> {
        let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Ok(Self {
            token: std::env::var("CHARTPACK_TOKEN").ok().and_then(|text| Token::new(&text)),
            signing_passphrase: std::env::var("CHARTPACK_SIGNING_PASSPHRASE")
                .ok()
                .filter(|text| !text.is_empty())
                .map(|text| Passphrase::new(&text)),
            modified_seconds: parse_epoch(epoch.as_deref())?,
            helm: path("CHARTPACK_HELM"),
            cache: cache_of(&path),
            shows_progress: std::io::stderr().is_terminal(),
            vault: vault_of(&path),
            credentials: credentials_of(&path),
            mirrors: parse_mirrors(&std::env::var("CHARTPACK_MIRRORS").unwrap_or_default())?,
        })
    }
}

impl Token {
    /// Takes a token without the blanks around it; none when nothing is left.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Returns the secret, to be sent.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

fn vault_of(path: &impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let data = || path("XDG_DATA_HOME").or_else(|| path("HOME").map(|home| home.join(".local/share")));
    path("CHARTPACK_VAULT").or_else(|| data().map(|data| data.join("chartpack/vault")))
}

/// Finds the files where helm (its `helm env`), docker and curl look for them.
fn credentials_of(path: &impl Fn(&str) -> Option<PathBuf>) -> CredentialFiles {
    let home = path("HOME");
    let configuration = path("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let helm = path("HELM_CONFIG_HOME").or_else(|| configuration.map(|folder| folder.join("helm")));
    let below_helm = |name: &str| helm.as_ref().map(|helm| helm.join(name));
    let docker = path("DOCKER_CONFIG").or_else(|| home.as_ref().map(|home| home.join(".docker")));
    let registries = [
        path("HELM_REGISTRY_CONFIG").or_else(|| below_helm("registry/config.json")),
        docker.map(|docker| docker.join("config.json")),
    ];
    CredentialFiles {
        repositories: path("HELM_REPOSITORY_CONFIG").or_else(|| below_helm("repositories.yaml")),
        registries: registries.into_iter().flatten().collect(),
        netrc: path("NETRC").or_else(|| home.map(|home| home.join(".netrc"))),
    }
}

/// Follows the XDG base directory specification.
fn cache_of(path: &impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let of_user = || path("XDG_CACHE_HOME").or_else(|| path("HOME").map(|home| home.join(".cache")));
    path("CHARTPACK_CACHE").or_else(|| of_user().map(|folder| folder.join("chartpack")))
}

fn parse_epoch(text: Option<&str>) -> Result<u64, InvalidConfig> {
    match text {
        None | Some("") => Ok(DEFAULT_EPOCH),
        Some(text) => text.parse().map_err(|_| InvalidConfig::SourceDateEpoch(text.to_owned())),
    }
}

fn parse_mirrors(text: &str) -> Result<Vec<Mirror>, InvalidMirror> {
    text.split_whitespace().map(str::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_is_a_number_or_the_default() {
        assert_eq!(parse_epoch(None).unwrap(), DEFAULT_EPOCH);
        assert_eq!(parse_epoch(Some("")).unwrap(), DEFAULT_EPOCH);
        assert_eq!(parse_epoch(Some("0")).unwrap(), 0);
        for bad in ["-1", "yesterday", "1e9"] {
            assert!(parse_epoch(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn mirrors_stand_with_blanks_between() {
        let texts: Vec<_> = parse_mirrors("https://a.test=http://m/a\n  https://b.test=http://m/b ")
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(texts, ["https://a.test/=http://m/a", "https://b.test/=http://m/b"]);
        assert_eq!(parse_mirrors("").unwrap(), []);
        assert!(parse_mirrors("https://a.test").is_err());
    }

    #[test]
    fn files_are_found_where_helm_docker_and_curl_look_for_them() {
        let environment = |set: &'static [(&str, &str)]| {
            move |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value))
        };
        let home = environment(&[("HOME", "/h")]);
        let found = credentials_of(&home);
        assert_eq!(found.repositories, Some("/h/.config/helm/repositories.yaml".into()));
        let registries = ["/h/.config/helm/registry/config.json", "/h/.docker/config.json"];
        assert_eq!(found.registries, registries.map(PathBuf::from));
        assert_eq!(
            (found.netrc, vault_of(&home)),
            (Some("/h/.netrc".into()), Some("/h/.local/share/chartpack/vault".into()))
        );
        let set = environment(&[
            ("HELM_CONFIG_HOME", "/c"),
            ("DOCKER_CONFIG", "/d"),
            ("NETRC", "/n"),
            ("CHARTPACK_VAULT", "/v"),
        ]);
        let found = credentials_of(&set);
        assert_eq!(found.repositories, Some("/c/repositories.yaml".into()));
        assert_eq!((found.netrc, vault_of(&set)), (Some("/n".into()), Some("/v".into())));
        assert_eq!(vault_of(&environment(&[])), None);
    }

    #[test]
    fn tokens_are_trimmed_and_never_printed() {
        let token = Token::new("secret\n").unwrap();
        assert_eq!(token.reveal(), "secret");
        assert!(!format!("{token:?}").contains("secret"));
        assert!(Token::new(" \n").is_none());
    }
}
