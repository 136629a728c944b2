//! What refers to a manifest: signatures, attestations, SBOMs (distribution specification, "Listing Referrers",
//! "Referrers Tag Schema").
//! Rule: a registry without the list has it under a tag, which clients keep up.

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::manifests::Resolved;
use super::registry::Registry;
use super::request::Request;
use super::scope::Scope;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::media_type;
use crate::name::OciName;
use crate::reference::Reference;
use crate::tag::Tag;

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

impl Registry {
    /// Returns the manifests that refer to `subject`, of one type of artifact if one is given.
    ///
    /// # Errors
    /// [`Failure`] when the registry cannot or does not want to say. That nothing refers to it is no failure.
    pub async fn referrers(
        &self,
        name: &OciName,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, Failure> {
        let mut url = self.transport.url(&format!("{name}/referrers/{subject}"))?;
        if let Some(kind) = artifact_type {
            url.query_pairs_mut().append_pair("artifactType", kind);
        }
        let what = self.what("what refers to", name, subject);
        let request = Request::new(what, Method::GET, url, Scope::Pull(name.clone()), &[200]);
        let listed = match Failure::none_if_missing(self.pages::<Index>(&request).await)? {
            Some(pages) => pages.into_iter().flat_map(|page| page.manifests).collect(),
            None => self.referrers_under_tag(name, subject).await?,
        };
        // Registries need not filter.
        let is_wanted = |found: &Descriptor| {
            artifact_type.is_none_or(|kind| found.artifact_type.as_deref() == Some(kind))
        };
        Ok(listed.into_iter().filter(is_wanted).collect())
    }

    async fn referrers_under_tag(
        &self,
        name: &OciName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Failure> {
        let tag = Reference::Tag(Tag::of_referrers(subject));
        match Failure::none_if_missing(self.resolve(name, &tag).await)? {
            Some(list) => Ok(list.manifest()?.manifests().to_vec()),
            None => Ok(Vec::new()),
        }
    }

    /// Adds a manifest to the list under its subject's tag. Two clients that do so at once can lose an entry, which the
    /// specification knows and cannot help.
    pub(super) async fn list_referrer(
        &self,
        name: &OciName,
        subject: &Digest,
        referrer: &Descriptor,
        content: &Manifest,
    ) -> Result<(), Failure> {
        let _alone = self.referrers_list.lock().await;
        let tag = Reference::Tag(Tag::of_referrers(subject));
        let mut entries = match Failure::none_if_missing(self.resolve(name, &tag).await)? {
            Some(list) => list.manifest()?.manifests().to_vec(),
            None => Vec::new(),
        };
        if entries.iter().any(|entry| entry.digest == referrer.digest) {
            return Ok(());
        }
        let annotations = (!content.annotations.is_empty()).then(|| content.annotations.clone());
        let artifact_type = content.artifact_type().map(str::to_owned);
        entries.push(Descriptor { artifact_type, annotations, ..referrer.clone() });
        let list = json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": entries});
        // Boxed: pushing a list could, as far as the compiler knows, list the list.
        Box::pin(self.push_manifest(name, &tag, &index_of(&list))).await
    }
}

fn index_of(list: &Value) -> Resolved {
    let bytes = Bytes::from(list.to_string());
    let digest = Digest::sha256(&bytes);
    Resolved { descriptor: Descriptor::new(media_type::IMAGE_INDEX, digest, bytes.len() as u64), bytes }
}
