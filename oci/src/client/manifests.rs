//! Manifests of a registry (distribution specification, "Pulling manifests", "Pushing Manifests", "Deleting").
//! Rule: bytes are kept as they came; their digest is computed, never taken on trust.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;

use super::failure::Failure;
use super::registry::Registry;
use super::request::{Request, text};
use super::scope::Scope;
use crate::descriptor::Descriptor;
use crate::digest::{Algorithm, Digest, Digester};
use crate::layout::MANIFEST_BYTES;
use crate::manifest::Manifest;
use crate::media_type;
use crate::name::OciName;
use crate::reference::Reference;

pub(super) const DIGEST_HEADER: &str = "docker-content-digest";
/// How much is read of answers that only say that all is well.
pub(super) const RECEIPT_BYTES: usize = 64 * 1024;

/// Every type that a manifest may have here; without it, registries convert or refuse.
const ACCEPTED_TYPES: [&str; 4] = [
    media_type::IMAGE_MANIFEST,
    media_type::IMAGE_INDEX,
    media_type::DOCKER_MANIFEST,
    media_type::DOCKER_MANIFEST_LIST,
];

/// A manifest as it is stored: its bytes, and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Type, digest and length of the bytes.
    pub descriptor: Descriptor,
    /// The bytes.
    pub bytes: Bytes,
}

impl Resolved {
    /// Returns what the manifest says.
    ///
    /// # Errors
    /// [`Failure::Manifest`] when the bytes are not a manifest of a type that is known here.
    pub fn manifest(&self) -> Result<Manifest, Failure> {
        Manifest::parse(&self.bytes, Some(&self.descriptor.media_type)).map_err(|reason| Failure::Manifest {
            what: format!("the manifest `{}`", self.descriptor.digest),
            reason,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnType {
    media_type: Option<String>,
}

impl Registry {
    /// Returns the manifest that a tag names now, or that a digest names for ever; its bytes have that digest.
    ///
    /// # Errors
    /// [`Failure::Missing`] when it is not there, [`Failure::WrongDigest`] when it has other bytes.
    pub async fn resolve(&self, name: &OciName, reference: &Reference) -> Result<Resolved, Failure> {
        let request = self.manifest_request(Method::GET, name, reference)?;
        let answer = self.transport.fetch(&request, MANIFEST_BYTES as usize).await?;
        let claimed = text(&answer.headers, DIGEST_HEADER).and_then(|claimed| claimed.parse::<Digest>().ok());
        let expected = match reference {
            Reference::Digest(digest) => Some(digest.clone()),
            Reference::Tag(_) => claimed,
        };
        let algorithm = expected.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
        let found = digest_of(algorithm, &answer.body);
        if expected.is_some_and(|expected| expected != found) {
            return Err(Failure::WrongDigest { what: request.what, found });
        }
        let own: Option<OwnType> = serde_json::from_slice(&answer.body).ok();
        let sent =
            text(&answer.headers, CONTENT_TYPE.as_str()).map(|sent| media_type::essence(sent).to_owned());
        // Some registries send `application/json`, so the manifest's own word comes first.
        let media_type = own.and_then(|own| own.media_type).filter(|own| !own.is_empty()).or(sent);
        let media_type = media_type.ok_or_else(|| request.bad_answer("nothing says what type it has"))?;
        Ok(Resolved {
            descriptor: Descriptor::new(media_type, found, answer.body.len() as u64),
            bytes: answer.body,
        })
    }

    /// Returns what the registry says of a manifest without sending it, nothing when it is not there. Nothing of this is
    /// verified; it costs less than [`Self::resolve`], and does not count against the limits of Docker Hub.
    ///
    /// # Errors
    /// [`Failure`] when the registry cannot or does not want to say.
    pub async fn look_up(
        &self,
        name: &OciName,
        reference: &Reference,
    ) -> Result<Option<Descriptor>, Failure> {
        let request = self.manifest_request(Method::HEAD, name, reference)?;
        let Some(answer) = Failure::none_if_missing(self.transport.open(&request).await)? else {
            return Ok(None);
        };
        let headers = answer.response.headers();
        let digest = match (text(headers, DIGEST_HEADER), reference) {
            (Some(claimed), _) => claimed.parse().map_err(|_| request.bad_answer("its digest is none"))?,
            (None, Reference::Digest(digest)) => digest.clone(),
            (None, Reference::Tag(_)) => return Err(request.bad_answer("it does not say the digest")),
        };
        let size = text(headers, CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok()).unwrap_or(0);
        let media_type = text(headers, CONTENT_TYPE.as_str()).map(media_type::essence).unwrap_or_default();
        Ok(Some(Descriptor::new(media_type, digest, size)))
    }

    /// Stores a manifest under its digest or a tag. What it names must be there already. Where the registry does not
    /// keep the list of what refers to a subject, the list under the subject's tag is kept up here.
    ///
    /// # Errors
    /// [`Failure`] with what the registry says.
    pub async fn push_manifest(
        &self,
        name: &OciName,
        reference: &Reference,
        manifest: &Resolved,
    ) -> Result<(), Failure> {
        let media_type = &manifest.descriptor.media_type;
        let what = self.what("manifest", name, reference);
        let url = self.transport.url(&format!("{name}/manifests/{reference}"))?;
        let mut request = Request::new(what, Method::PUT, url, Scope::Push(name.clone()), &[200, 201, 202]);
        let media_type = HeaderValue::from_str(media_type)
            .map_err(|_| request.bad_answer(format!("`{media_type}` cannot be the type of a manifest")))?;
        request.headers.insert(CONTENT_TYPE, media_type);
        request.body = manifest.bytes.clone();
        let answer = self.transport.fetch(&request, RECEIPT_BYTES).await?;
        let stored = text(&answer.headers, DIGEST_HEADER).and_then(|stored| stored.parse::<Digest>().ok());
        if let Some(found) = stored
            && found.algorithm() == manifest.descriptor.digest.algorithm()
            && found != manifest.descriptor.digest
        {
            return Err(Failure::WrongDigest { what: request.what, found });
        }
        if !answer.headers.contains_key("oci-subject")
            && let Ok(content) = manifest.manifest()
            && let Some(subject) = &content.subject
        {
            self.list_referrer(name, &subject.digest, &manifest.descriptor, &content).await?;
        }
        Ok(())
    }

    /// Deletes a manifest with all its tags, or one tag alone.
    ///
    /// # Errors
    /// [`Failure::Missing`] when it is not there, [`Failure::Refused`] where the registry deletes nothing.
    pub async fn delete_manifest(&self, name: &OciName, reference: &Reference) -> Result<(), Failure> {
        let what = self.what("manifest", name, reference);
        let url = self.transport.url(&format!("{name}/manifests/{reference}"))?;
        let request = Request::new(what, Method::DELETE, url, Scope::Delete(name.clone()), &[200, 202, 204]);
        self.transport.fetch(&request, RECEIPT_BYTES).await.map(drop)
    }

    fn manifest_request(
        &self,
        method: Method,
        name: &OciName,
        reference: &Reference,
    ) -> Result<Request, Failure> {
        let what = self.what("manifest", name, reference);
        let url = self.transport.url(&format!("{name}/manifests/{reference}"))?;
        let request = Request::new(what, method, url, Scope::Pull(name.clone()), &[200]);
        Ok(ACCEPTED_TYPES.into_iter().fold(request, |request, accepted| {
            request.with_header(ACCEPT, HeaderValue::from_static(accepted))
        }))
    }
}

fn digest_of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut digester = Digester::new(algorithm);
    digester.update(bytes);
    digester.finish()
}
