//! An index of charts, read as Helm reads it: what each entry offers, and why an entry offers nothing.

use std::collections::HashSet;

use chart::index::{IndexEntry, IndexFile, InvalidIndex};
use reqwest::Url;

use super::download::Downloads;
use super::{FetchError, ListError, Listing, Named, Offer, OfferedProvenance, Place, Unusable};
use crate::repository_path::RepositoryPath;

/// The largest index that is read, ten times the largest public one: it is held in memory while it is read.
const LARGEST_INDEX: u64 = 256 << 20;

pub(super) async fn list(url: &Url, downloads: &Downloads) -> Result<Listing, ListError> {
    let failed = |reason: FetchError| ListError::Index { url: url.clone(), reason };
    let bytes = downloads.read(url, LARGEST_INDEX).await.map_err(failed)?;
    let base = url.clone();
    let read = tokio::task::spawn_blocking(move || read(&bytes, &base));
    let read = read.await.map_err(|_| ListError::Interrupted)?;
    read.map_err(|reason| ListError::NoIndex { url: url.clone(), reason })
}

/// Makes offers of an index's entries; relative addresses count from the index's own.
fn read(bytes: &[u8], base: &Url) -> Result<Listing, InvalidIndex> {
    let (index, skipped) = IndexFile::read(bytes)?;
    let mut listing = Listing::default();
    for entry in skipped {
        let reason = format!("Helm would skip the entry: {}", entry.reason);
        listing.unusable.push(Unusable { name: entry.chart, version: entry.version, reason });
    }
    let mut seen = HashSet::new();
    for entry in index.entries.into_values().flatten() {
        let named = Named::Entry(entry.metadata.name.clone(), entry.metadata.version.clone());
        let offer = match seen.insert(named.file_name()) {
            true => offer(&entry, named, base),
            false => Err("listed twice, or under one file name with another: the first is taken".to_owned()),
        };
        match offer {
            Ok(offer) => listing.offers.push(offer),
            Err(reason) => listing.unusable.push(Unusable {
                name: entry.metadata.name.to_string(),
                version: entry.metadata.version.to_string(),
                reason,
            }),
        }
    }
    Ok(listing)
}

fn offer(entry: &IndexEntry, named: Named, base: &Url) -> Result<Offer, String> {
    let archive = address(&entry.urls, base)?;
    let mut provenance = archive.clone();
    provenance.set_path(&format!("{}.prov", archive.path()));
    Ok(Offer {
        tenant: RepositoryPath::root(),
        named,
        created: entry.created,
        digest: entry.digest.clone(),
        archive: Place::Url(archive),
        provenance: OfferedProvenance::Perhaps(Place::Url(provenance)),
    })
}

/// Returns the first address that can be fetched, or why none can.
fn address(urls: &[String], base: &Url) -> Result<Url, String> {
    let mut refusal = "the entry has no address".to_owned();
    for text in urls {
        match base.join(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => return Ok(url),
            Ok(url) if url.scheme() == "oci" => {
                refusal = format!("`{url}` is in an OCI registry: pull it with helm and publish it");
            }
            Ok(url) => refusal = format!("`{url}` is no address of a web server"),
            Err(error) => refusal = format!("`{text}` is no address: {error}"),
        }
    }
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        "https://charts.example.test/team/index.yaml".parse().unwrap()
    }

    #[test]
    fn addresses_are_relative_to_the_index_or_absolute_and_of_the_web() {
        for (urls, expected) in [
            (&["charts/a-1.0.0.tgz"][..], Ok("https://charts.example.test/team/charts/a-1.0.0.tgz")),
            (&["/a-1.0.0.tgz"], Ok("https://charts.example.test/a-1.0.0.tgz")),
            (&["http://other.test/a.tgz?x=1"], Ok("http://other.test/a.tgz?x=1")),
            (&["oci://r.test/a:1.0.0", "a.tgz"], Ok("https://charts.example.test/team/a.tgz")),
            (&["oci://r.test/a:1.0.0"], Err("`oci://r.test/a:1.0.0` is in an OCI registry")),
            (&["file:///etc/passwd"], Err("`file:///etc/passwd` is no address of a web server")),
            (&["http://"], Err("`http://` is no address")),
            (&[], Err("the entry has no address")),
        ] {
            let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
            match (address(&urls, &base()), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected),
                (Err(refusal), Err(expected)) => assert!(refusal.contains(expected), "{refusal}"),
                (found, expected) => panic!("{urls:?}: {found:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_named_with_its_reason() {
        let index = "apiVersion: v1\nentries:\n  a:\n  - {apiVersion: v2, name: a, version: 1.0.0, urls: [a-1.0.0.tgz], created: 2020-01-01T00:00:00Z}\n  - {apiVersion: v2, name: a, version: 1.0.0, urls: [b.tgz]}\n  - {apiVersion: v2, name: a, version: nonsense, urls: [c.tgz]}\n  - {apiVersion: v2, name: a, version: 2.0.0, urls: ['oci://r.test/a:2']}\n";
        let listing = read(index.as_bytes(), &base()).unwrap();
        assert_eq!(listing.offers.len(), 1);
        assert_eq!(listing.offers[0].created.unwrap().to_string(), "2020-01-01T00:00:00Z");
        let OfferedProvenance::Perhaps(Place::Url(url)) = &listing.offers[0].provenance else { panic!() };
        assert_eq!(url.as_str(), "https://charts.example.test/team/a-1.0.0.tgz.prov");
        let versions: Vec<_> = listing.unusable.iter().map(|entry| entry.version.as_str()).collect();
        assert_eq!(versions, ["nonsense", "2.0.0", "1.0.0"]);
    }

    #[test]
    fn a_web_page_is_no_index() {
        assert!(read(b"<html>sign in</html>", &base()).is_err());
    }
}
