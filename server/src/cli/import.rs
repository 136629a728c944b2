//! `chartroom import`: where charts come from, and how.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use reqwest::Url;

use super::Output;
use crate::repository_path::RepositoryPath;

pub(super) const EXAMPLES: &str = "\
Examples:
  chartroom import /srv/chartmuseum --into playcekube
  chartroom import /srv/chartmuseum --depth 1 --into / --dry-run      tenants become repositories
  chartroom import https://charts.example.com/stable --into mirror --username ci --password-file secret
  chartroom import s3://old-charts/prefix --into playcekube            with the s3 settings of this server

Each version keeps the time of its first publication and its provenance. The import works beside a running server, \
which shows what came within its poll interval. It can be stopped and run again: what is there with the same bytes is \
passed by.

It ends with 0 when all is in, 1 when some were refused, 3 when it could not finish.";

/// Flags of `import`.
#[derive(Debug, Args)]
pub(crate) struct ImportFlags {
    /// A folder, `file:FOLDER`, `s3://BUCKET/PREFIX`, or the URL of a repository or its index.yaml
    pub(crate) source: SourceAddress,
    /// The repository that gets them, made if it does not exist; `/` is the default one
    #[arg(long, value_name = "REPOSITORY")]
    pub(crate) into: RepositoryPath,
    /// How many folders deep the archives lie, as ChartMuseum's --depth; each folder becomes a repository below --into
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) depth: usize,
    /// The user to log in as, with --password-file
    #[arg(long, value_name = "USER", requires = "password_file")]
    pub(crate) username: Option<String>,
    /// A file with the password
    #[arg(long, value_name = "FILE", requires = "username")]
    pub(crate) password_file: Option<PathBuf>,
    /// A file with a bearer token, instead of user and password
    #[arg(long, value_name = "FILE", conflicts_with = "username")]
    pub(crate) token_file: Option<PathBuf>,
    /// A PEM file with certificate authorities to trust besides the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Put other bytes in the place of published ones, where the repository's overwrite setting allows it
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Tell what would happen and change nothing; of an index nothing is downloaded, so archives are not checked
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How many archives to fetch and check at the same time
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) jobs: NonZeroUsize,
    /// How to print what became of it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Where charts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceAddress {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket of the configured S3 service.
    Bucket {
        /// Its name.
        bucket: String,
        /// What the keys of the files begin with, without slashes at its ends.
        prefix: String,
    },
    /// An index.
    Index(Url),
}

impl FromStr for SourceAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(format!("`{text}` names no bucket: write `s3://BUCKET/PREFIX`"));
            }
            let prefix = prefix.trim_matches('/').to_owned();
            return Ok(Self::Bucket { bucket: bucket.to_owned(), prefix });
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return index_of(text);
        }
        if let Some((scheme, _)) = text.split_once("://").filter(|(scheme, _)| *scheme != "file") {
            return Err(format!(
                "`{scheme}://` is not a source: give a folder, `s3://BUCKET/PREFIX` or the URL of an index"
            ));
        }
        let path = text.strip_prefix("file://").or_else(|| text.strip_prefix("file:")).unwrap_or(text);
        if path.is_empty() {
            return Err(format!("`{text}` names no folder"));
        }
        Ok(Self::Folder(path.into()))
    }
}

/// Returns the address of the index itself, as helm makes it of a repository's.
fn index_of(text: &str) -> Result<SourceAddress, String> {
    let mut url: Url = text.parse().map_err(|error| format!("`{text}` is no URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        // Not repeated: it holds a password.
        return Err("the URL holds a password: give `--username` and `--password-file`".to_owned());
    }
    let path = url.path().to_owned();
    if ![".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending)) {
        url.set_path(&format!("{}/index.yaml", path.trim_end_matches('/')));
    }
    Ok(SourceAddress::Index(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_folder_a_bucket_or_an_index() {
        let index = |url: &str| SourceAddress::Index(url.parse().unwrap());
        let bucket = |bucket: &str, prefix: &str| SourceAddress::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        for (text, expected) in [
            ("/srv/charts", SourceAddress::Folder("/srv/charts".into())),
            ("file:/srv/charts", SourceAddress::Folder("/srv/charts".into())),
            ("file:///srv/charts", SourceAddress::Folder("/srv/charts".into())),
            ("charts", SourceAddress::Folder("charts".into())),
            ("s3://old", bucket("old", "")),
            ("s3://old/a/b/", bucket("old", "a/b")),
            ("https://h.test", index("https://h.test/index.yaml")),
            ("https://h.test/charts/", index("https://h.test/charts/index.yaml")),
            ("http://h.test/a/index.yaml?x=1", index("http://h.test/a/index.yaml?x=1")),
            ("https://h.test/all.json", index("https://h.test/all.json")),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_and_passwords_are_not_repeated() {
        for (text, expected) in [
            ("oci://r.test/charts", "`oci://` is not a source"),
            ("s3://", "names no bucket"),
            ("file:", "names no folder"),
            ("https://", "is no URL"),
            ("https://me:hunter2@h.test", "--password-file"),
        ] {
            let refusal = text.parse::<SourceAddress>().unwrap_err();
            assert!(refusal.contains(expected) && !refusal.contains("hunter2"), "{text}: {refusal}");
        }
    }
}
