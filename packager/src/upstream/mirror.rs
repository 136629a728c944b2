//! Mirrors: addresses inside a closed network that serve what upstreams publish elsewhere.
//!
//! Only the request goes to a mirror: recipes, refusals and the lock keep the upstream's own address, so that a
//! catalogue locked through a mirror is the one locked without.

use std::fmt;
use std::str::FromStr;

use oci::RegistryHost;
use oci::client::RegistryAddress;
use url::Url;

/// One address that is fetched from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// What the upstream's addresses begin with.
    from: Url,
    /// What stands in its place.
    to: Url,
}

/// Why a mirror is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{written}` is no mirror: {rule}")]
pub(crate) struct InvalidMirror {
    written: String,
    rule: &'static str,
}

/// All mirrors of a run, the longest upstream address first; of two for one address the first that was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mirrors(Vec<Mirror>);

impl Mirrors {
    /// Puts mirrors in the order in which they are looked at.
    pub(crate) fn new(mirrors: impl IntoIterator<Item = Mirror>) -> Self {
        let mut mirrors: Vec<_> = mirrors.into_iter().collect();
        mirrors.sort_by_key(|mirror| std::cmp::Reverse(folder_of(&mirror.from).len()));
        Self(mirrors)
    }

    /// Returns where `url` is fetched from: itself when no mirror has it.
    pub(super) fn place_of(&self, url: &Url) -> Url {
        self.0.iter().find_map(|mirror| moved(url, &mirror.from, &mirror.to)).unwrap_or_else(|| url.clone())
    }

    /// Returns where a git repository is fetched from. Addresses as `user@host:path` have no mirror.
    pub(super) fn place_of_git(&self, address: &str) -> String {
        Url::parse(address).map_or_else(|_| address.to_owned(), |url| self.place_of(&url).into())
    }

    /// Returns the upstream's own address of what a mirror names by the mirror's: some rewrite their index.
    pub(super) fn upstream_of(&self, url: Url) -> Url {
        self.0.iter().find_map(|mirror| moved(&url, &mirror.to, &mirror.from)).unwrap_or(url)
    }
}

/// Returns `url` with `to` in the place of `from`; nothing when it lies elsewhere.
fn moved(url: &Url, from: &Url, to: &Url) -> Option<Url> {
    let server =
        |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
    let rest = url.path().strip_prefix(folder_of(from)).filter(|_| server(url) == server(from))?;
    // `/charts` is no part of `/charts-old`.
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let mut place = to.clone();
    place.set_path(&format!("{}{rest}", folder_of(to)));
    place.set_query(url.query());
    Some(place)
}

fn folder_of(url: &Url) -> &str {
    url.path().trim_end_matches('/')
}

impl FromStr for Mirror {
    type Err = InvalidMirror;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |rule| InvalidMirror { written: text.to_owned(), rule };
        let (from, to) = text.split_once('=').ok_or_else(|| refuse("write `FROM=TO`, two addresses"))?;
        let read = |address: &str| read_address(address).map_err(refuse);
        Ok(Self { from: read(from)?, to: read(to)? })
    }
}

/// Reads the beginning of addresses. `oci://` means what a registry serves below it.
fn read_address(text: &str) -> Result<Url, &'static str> {
    const RULE: &str = "write addresses as `https://charts.example.org/stable` or `oci://ghcr.io/charts`";
    let url = match text.strip_prefix("oci://") {
        Some(name) => {
            let (host, path) = name.split_once('/').unwrap_or((name, ""));
            let host: RegistryHost = host.parse().map_err(|_| RULE)?;
            RegistryAddress::of(&host).url(path).map_err(|_| RULE)?
        }
        None => Url::parse(text).map_err(|_| RULE)?,
    };
    if !matches!(url.scheme(), "http" | "https" | "ssh" | "git" | "file") {
        return Err(RULE);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("keep credentials in helm's or docker's files or in netrc, by the mirror's host");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("an address ends before `?` and `#`: the queries of upstreams are kept");
    }
    Ok(url)
}

impl fmt::Display for Mirror {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirrors(texts: &[&str]) -> Mirrors {
        Mirrors::new(texts.iter().map(|text| text.parse().unwrap()))
    }

    #[test]
    fn the_longest_address_wins_and_whole_segments_count() {
        let mirrors = mirrors(&[
            "https://github.com=http://m.local/github",
            "https://charts.test/stable/=https://m.local:8443/helm/stable",
            "https://charts.test=http://m.local/rest/",
            "oci://docker.io/bitnamicharts=oci://m.local/hub/bitnamicharts",
            "oci://ghcr.io=oci://127.0.0.1:5000/ghcr",
        ]);
        let table = [
            ("https://charts.test/stable/index.yaml", "https://m.local:8443/helm/stable/index.yaml"),
            ("https://charts.test/stable", "https://m.local:8443/helm/stable"),
            ("https://charts.test/stable-2/index.yaml", "http://m.local/rest/stable-2/index.yaml"),
            ("https://charts.test:443/x%2B1.tgz?token=a", "http://m.local/rest/x%2B1.tgz?token=a"),
            ("http://charts.test/stable/index.yaml", "http://charts.test/stable/index.yaml"),
            ("https://charts.test:8443/stable", "https://charts.test:8443/stable"),
            ("https://github.com/a/b/releases/c.tgz", "http://m.local/github/a/b/releases/c.tgz"),
            ("https://github.com.evil.test/a", "https://github.com.evil.test/a"),
            (
                "https://registry-1.docker.io/v2/bitnamicharts/redis/manifests/1.0.0",
                "https://m.local/v2/hub/bitnamicharts/redis/manifests/1.0.0",
            ),
            ("https://ghcr.io/v2/a/b/blobs/x", "http://127.0.0.1:5000/v2/ghcr/a/b/blobs/x"),
        ];
        for (url, place) in table {
            let url: Url = url.parse().unwrap();
            assert_eq!(mirrors.place_of(&url).as_str(), place, "{url}");
        }
    }

    #[test]
    fn what_a_mirror_names_by_its_own_address_is_named_by_the_upstreams() {
        let mirrors = mirrors(&["https://charts.test/stable=http://m.local/stable"]);
        let upstream = |url: &str| mirrors.upstream_of(url.parse().unwrap()).to_string();
        assert_eq!(upstream("http://m.local/stable/a-1.0.0.tgz"), "https://charts.test/stable/a-1.0.0.tgz");
        assert_eq!(upstream("http://m.local/other/a-1.0.0.tgz"), "http://m.local/other/a-1.0.0.tgz");
    }

    #[test]
    fn git_repositories_have_mirrors_too() {
        let mirrors = mirrors(&["https://github.com/a=file:///srv/git/a"]);
        assert_eq!(mirrors.place_of_git("https://github.com/a/b.git"), "file:///srv/git/a/b.git");
        assert_eq!(mirrors.place_of_git("git@github.com:a/b.git"), "git@github.com:a/b.git");
    }

    #[test]
    fn of_two_mirrors_of_one_address_the_first_wins() {
        let mirrors = mirrors(&["https://a.test=http://one.local", "https://a.test/=http://two.local"]);
        assert_eq!(mirrors.place_of(&"https://a.test/x".parse().unwrap()).as_str(), "http://one.local/x");
    }

    #[test]
    fn what_is_no_mirror_is_refused_with_the_rule() {
        let table = [
            ("https://a.test", "write `FROM=TO`"),
            ("https://a.test=m.local", "write addresses as"),
            ("=https://m.local", "write addresses as"),
            ("https://a.test=https://user:secret@m.local", "keep credentials in"),
            ("https://a.test=https://m.local/?x=1", "an address ends before"),
            ("data:a=https://m.local", "write addresses as"),
        ];
        for (text, rule) in table {
            let refusal = text.parse::<Mirror>().unwrap_err().to_string();
            assert!(refusal.starts_with(&format!("`{text}` is no mirror: {rule}")), "{refusal}");
        }
    }
}
