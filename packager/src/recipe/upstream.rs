//! Where a recipe's chart comes from. Credentials are refused in it: a recipe is shared, its reader's files are not.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use chart::{ChartName, ChartVersion};
use oci::Digest;
use url::Url;

use crate::located::{Located, LocatedProblem, Problem};

/// The origin of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// A repository with an `index.yaml`.
    Repository {
        /// Its URL, as in `helm repo add`.
        repository: Url,
        /// The chart's name there.
        chart: ChartName,
        /// The version.
        version: ChartVersion,
        /// The digest its archive must have.
        digest: Option<Digest>,
    },
    /// An OCI registry.
    Oci {
        /// Host and path.
        name: OciName,
        /// The version, from which the tag follows.
        version: ChartVersion,
        /// The digest its manifest must have, as `helm pull` prints it.
        digest: Option<Digest>,
    },
    /// A folder of a git repository.
    Git {
        /// What `git clone` takes.
        url: String,
        /// The commit.
        commit: Commit,
        /// The chart's folder in it, empty for the top.
        path: String,
    },
    /// A folder or archive on this machine, relative to the recipe.
    Path {
        /// The folder or archive.
        path: PathBuf,
        /// The digest an archive must have.
        digest: Option<Digest>,
    },
}

/// The name of a chart in an OCI registry: `host[:port]/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OciName {
    /// Host and port.
    pub(crate) host: String,
    /// The path below it.
    pub(crate) path: String,
}

/// The full object name of a git commit. A branch or tag moves, so neither is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit(String);

impl Commit {
    /// Returns the hex digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Commit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && matches!(text.len(), 40 | 64) {
            return Ok(Self(text.to_owned()));
        }
        Err("write the whole commit, 40 lower-case hex digits: branches and tags move")
    }
}

impl FromStr for OciName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str =
            "write `host/path`, as in `ghcr.io/nginxinc/charts/nginx-ingress`, without tag and digest";
        let text = text.strip_prefix("oci://").unwrap_or(text);
        let (host, path) = text.split_once('/').ok_or(RULE)?;
        let fits = |text: &str, more: &[u8]| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
        };
        let is_path = path.split('/').all(|segment| fits(segment, b"._-") && !segment.starts_with('.'));
        if fits(host, b".-:") && is_path {
            return Ok(Self { host: host.to_owned(), path: path.to_owned() });
        }
        Err(RULE)
    }
}

impl fmt::Display for OciName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.host, self.path)
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository { repository, chart, version, .. } => {
                write!(formatter, "{chart} {version} of {repository}")
            }
            Self::Oci { name, version, .. } => write!(formatter, "oci://{name} {version}"),
            Self::Git { url, commit, path } => write!(formatter, "{url} at {commit}, folder `{path}`"),
            Self::Path { path, .. } => write!(formatter, "{}", path.display()),
        }
    }
}

/// Reads the short form `chart: FOLDER` or `chart: {path, digest}`.
///
/// # Errors
/// [`LocatedProblem`] with the line and column.
pub(super) fn read_short(value: Located<'_>) -> Result<Upstream, LocatedProblem> {
    if value.json().is_string() {
        return Ok(Upstream::Path { path: value.text("chart")?.into(), digest: None });
    }
    let (mut path, mut digest) = (None, None);
    for field in value.known_entries("chart", &["path", "digest"])? {
        match field.key {
            "path" => path = Some(PathBuf::from(field.value.text("path")?)),
            _ => digest = Some(field.value.parsed("digest")?),
        }
    }
    let path = path.ok_or_else(|| missing(value, "path", "name the chart's folder or archive"))?;
    Ok(Upstream::Path { path, digest })
}

/// Reads an origin; `name` is the key it stands under.
///
/// # Errors
/// [`LocatedProblem`] with the line and column.
pub(super) fn read(value: Located<'_>, name: &str) -> Result<Upstream, LocatedProblem> {
    const KINDS: [&str; 4] = ["repository", "oci", "git", "path"];
    let all = ["repository", "oci", "git", "path", "chart", "version", "digest", "commit"];
    let fields = value.known_entries(name, &all)?;
    let has = |key: &str| fields.iter().any(|field| field.key == key);
    // `path` is also the folder in a git repository.
    let kinds: Vec<_> =
        KINDS.into_iter().filter(|kind| has(kind) && !(*kind == "path" && has("git"))).collect();
    match kinds.as_slice() {
        ["repository"] => read_repository(value, name),
        ["oci"] => read_oci(value, name),
        ["git"] => read_git(value, name),
        ["path"] => read_local(value, name),
        _ => Err(value.refuse(Problem::NotExactlyOne(KINDS.join("`, `")))),
    }
}

fn read_repository(value: Located<'_>, name: &str) -> Result<Upstream, LocatedProblem> {
    let (mut repository, mut chart, mut version, mut digest) = (None, None, None, None);
    for field in value.known_entries(name, &["repository", "chart", "version", "digest"])? {
        match field.key {
            "repository" => repository = Some(read_url(field.value, "repository")?),
            "chart" => chart = Some(field.value.parsed("chart")?),
            "version" => version = Some(field.value.parsed("version")?),
            _ => digest = Some(field.value.parsed("digest")?),
        }
    }
    Ok(Upstream::Repository {
        repository: repository
            .ok_or_else(|| missing(value, "repository", "write the URL of the repository"))?,
        chart: chart.ok_or_else(|| missing(value, "chart", "write the chart's name in the repository"))?,
        version: version.ok_or_else(|| missing(value, "version", ONE_VERSION))?,
        digest,
    })
}

fn read_oci(value: Located<'_>, name: &str) -> Result<Upstream, LocatedProblem> {
    let (mut oci, mut version, mut digest) = (None, None, None);
    for field in value.known_entries(name, &["oci", "version", "digest"])? {
        match field.key {
            "oci" => {
                let text = field.value.text("oci")?;
                oci = Some(text.parse().map_err(|rule: &str| field.value.breaks("oci", rule))?);
            }
            "version" => version = Some(field.value.parsed("version")?),
            _ => digest = Some(field.value.parsed("digest")?),
        }
    }
    Ok(Upstream::Oci {
        name: oci.ok_or_else(|| missing(value, "oci", "write the host and path of the chart"))?,
        version: version.ok_or_else(|| missing(value, "version", ONE_VERSION))?,
        digest,
    })
}

fn read_git(value: Located<'_>, name: &str) -> Result<Upstream, LocatedProblem> {
    let (mut url, mut commit, mut path) = (None, None, String::new());
    for field in value.known_entries(name, &["git", "commit", "path"])? {
        let text = field.value.text(field.key)?;
        match field.key {
            "git" => {
                // An option in the URL's place would be obeyed by git.
                if text.is_empty()
                    || text.starts_with('-')
                    || Url::parse(text).is_ok_and(|url| url.password().is_some())
                {
                    let rule = "write what `git clone` takes, without a password";
                    return Err(field.value.breaks("git", rule));
                }
                url = Some(text.to_owned());
            }
            "commit" => commit = Some(text.parse().map_err(|rule: &str| field.value.breaks("commit", rule))?),
            _ => {
                let is_clean = text.split('/').all(|part| !matches!(part, "" | "..") && !part.contains('\\'));
                if !is_clean && !text.is_empty() {
                    return Err(field.value.breaks("path", "write a folder inside the git repository"));
                }
                path = if text == "." { String::new() } else { text.trim_start_matches("./").to_owned() };
            }
        }
    }
    Ok(Upstream::Git {
        url: url.ok_or_else(|| missing(value, "git", "write what `git clone` takes"))?,
        commit: commit.ok_or_else(|| missing(value, "commit", "write the whole commit"))?,
        path,
    })
}

fn read_local(value: Located<'_>, name: &str) -> Result<Upstream, LocatedProblem> {
    // The other keys belong to other origins and are refused with the right list.
    value.known_entries(name, &["path", "digest"])?;
    read_short(value)
}

/// Reads an http or https URL.
///
/// # Errors
/// [`LocatedProblem`] for other schemes, and for credentials in the URL.
pub(super) fn read_url(value: Located<'_>, name: &str) -> Result<Url, LocatedProblem> {
    let text = value.text(name)?;
    let url = Url::parse(text).map_err(|problem| value.breaks(name, format!("it is no URL: {problem}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(value.breaks(name, "it must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(value.breaks(name, "keep user and password in helm's repositories.yaml or in netrc"));
    }
    Ok(url)
}

const ONE_VERSION: &str = "write the one version to deliver";

fn missing(value: Located<'_>, key: &'static str, remedy: &'static str) -> LocatedProblem {
    value.refuse(Problem::Missing { key, remedy })
}
