//! What a repository already holds, as its index says.

use std::collections::HashMap;

use chart::index::{IndexFile, InvalidIndex};
use chart::{ChartName, ChartVersion};
use oci::Digest;
use serde::Deserialize;

/// What an index says that matters to a push.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The path that the server lives under (`serverInfo.contextPath`, ChartMuseum's own field); mostly empty.
    pub(crate) context_path: String,
    digests: HashMap<(String, String), Option<Digest>>,
}

/// What a repository has of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// The version is not listed.
    Absent,
    /// The version is listed with these bytes.
    SameBytes,
    /// The version is listed with other bytes.
    OtherBytes,
    /// The version is listed without a digest.
    UnknownBytes,
}

impl Listing {
    /// Reads an index in JSON or YAML; ChartMuseum serves an empty one for a repository that does not exist.
    ///
    /// # Errors
    /// [`InvalidIndex`] when the bytes are something else.
    pub(crate) fn read(index: &[u8]) -> Result<Self, InvalidIndex> {
        let entries = match IndexFile::read(index) {
            Ok((file, _)) => file.entries,
            Err(InvalidIndex::Empty) => return Ok(Self::default()),
            Err(
                problem @ (InvalidIndex::JsonFields(_)
                | InvalidIndex::YamlFields(_)
                | InvalidIndex::Yaml(_)
                | InvalidIndex::NoApiVersion),
            ) => {
                return Err(problem);
            }
        };
        let versions = entries.into_values().flatten().map(|entry| {
            let key = (entry.metadata.name.to_string(), entry.metadata.version.to_string());
            (key, entry.digest)
        });
        Ok(Self { digests: versions.collect(), context_path: context_path(index).unwrap_or_default() })
    }

    /// Returns what the repository has of `version`.
    pub(crate) fn presence(&self, name: &ChartName, version: &ChartVersion, digest: &Digest) -> Presence {
        match self.digests.get(&(name.to_string(), version.to_string())) {
            None => Presence::Absent,
            Some(None) => Presence::UnknownBytes,
            Some(Some(listed)) if listed == digest => Presence::SameBytes,
            Some(Some(_)) => Presence::OtherBytes,
        }
    }
}

/// Finds `serverInfo.contextPath` in JSON, or in YAML as ChartMuseum writes it: without parsing the rest.
fn context_path(index: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Server {
        context_path: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Top {
        server_info: Option<Server>,
    }
    if let Ok(top) = serde_json::from_slice::<Top>(index) {
        return top.server_info?.context_path;
    }
    let text = str::from_utf8(index).ok()?;
    let (_, below) = text
        .split_once("\nserverInfo:")
        .or_else(|| text.strip_prefix("serverInfo:").map(|rest| ("", rest)))?;
    let mut lines = below.lines().skip(1).take_while(|line| line.starts_with(' '));
    let value = lines.find_map(|line| line.trim().strip_prefix("contextPath:"))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"apiVersion":"v1","entries":{"a":[
        {"name":"a","version":"1.0.0","apiVersion":"v2","urls":["charts/a-1.0.0.tgz"],
         "digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"name":"a","version":"0.9.0","apiVersion":"v2","urls":["charts/a-0.9.0.tgz"]}]}}"#;

    #[test]
    fn a_version_is_absent_or_there_with_the_same_or_other_bytes() {
        let listing = Listing::read(JSON.as_bytes()).unwrap();
        let presence = |version: &str, bytes: &[u8]| {
            listing.presence(&"a".parse().unwrap(), &version.parse().unwrap(), &Digest::sha256(bytes))
        };
        assert_eq!(presence("1.0.0", b""), Presence::SameBytes);
        assert_eq!(presence("1.0.0", b"x"), Presence::OtherBytes);
        assert_eq!(presence("0.9.0", b""), Presence::UnknownBytes);
        assert_eq!(presence("1.0.1", b""), Presence::Absent);
    }

    #[test]
    fn an_empty_index_lists_nothing_and_a_page_is_refused() {
        assert_eq!(Listing::read(b"").unwrap(), Listing::default());
        assert!(Listing::read(b"<html></html>").is_err());
    }

    #[test]
    fn the_context_path_is_found_in_json_and_yaml() {
        let table = [
            (r#"{"apiVersion":"v1","entries":{},"serverInfo":{"contextPath":"/ctx"}}"#, "/ctx"),
            (r#"{"apiVersion":"v1","entries":{},"serverInfo":{}}"#, ""),
            ("apiVersion: v1\nentries: {}\nserverInfo:\n  contextPath: /ctx\n", "/ctx"),
            ("apiVersion: v1\nentries: {}\nserverInfo: {}\n", ""),
            ("apiVersion: v1\nentries: {}\n", ""),
        ];
        for (index, expected) in table {
            assert_eq!(Listing::read(index.as_bytes()).unwrap().context_path, expected, "{index}");
        }
    }
}
