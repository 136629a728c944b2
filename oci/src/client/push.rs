//! Pushes one blob (distribution specification, "Pushing blobs", "Mounting a blob from another repository").
//! Rule: what is there is not sent, what is elsewhere on the registry is mounted, and the rest goes in one stream.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use url::Url;

use super::blob_source::BlobSource;
use super::failure::Failure;
use super::manifests::RECEIPT_BYTES;
use super::registry::Registry;
use super::request::{Request, text};
use super::scope::Scope;
use crate::descriptor::Descriptor;
use crate::name::OciName;

/// Hears how many bytes of the blob have been sent; it begins anew when a push does.
pub type OnSent = Arc<dyn Fn(u64) + Send + Sync>;

/// How a blob came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It was there already.
    Present,
    /// The registry took it over from another name.
    Mounted,
    /// It was sent.
    Sent,
}

impl Registry {
    /// Sees to it that a blob is under a name. `elsewhere` is a name of this registry that may have it.
    ///
    /// # Errors
    /// [`Failure`] of the registry, or of the source.
    pub async fn push_blob<S: BlobSource>(
        &self,
        name: &OciName,
        blob: &Descriptor,
        elsewhere: Option<&OciName>,
        source: &S,
        sent: &OnSent,
    ) -> Result<Pushed, Failure> {
        let mut patience = self.transport.patience();
        let mut was_unauthorized = false;
        loop {
            // Also after a cut: the registry may have had everything, and only its answer was lost.
            if self.has_blob_with(name, &blob.digest, Scope::Push(name.clone())).await? {
                return Ok(Pushed::Present);
            }
            let Some(upload) = self.begin_upload(name, blob, elsewhere).await? else {
                return Ok(Pushed::Mounted);
            };
            let failure = match self.send_blob(name, blob, upload, source, sent).await {
                Ok(()) => return Ok(Pushed::Sent),
                Err(failure) => failure,
            };
            // A token may end while a large blob is on its way; the next try asks for a new one.
            let is_late = matches!(failure, Failure::Unauthorized { .. }) && !was_unauthorized;
            was_unauthorized |= is_late;
            if !is_late && (!failure.is_temporary() || !patience.rest(failure.asked_wait()).await) {
                return Err(failure);
            }
        }
    }

    async fn send_blob<S: BlobSource>(
        &self,
        name: &OciName,
        blob: &Descriptor,
        upload: Url,
        source: &S,
        sent: &OnSent,
    ) -> Result<(), Failure> {
        let what = self.what("blob", name, &blob.digest);
        let request = Request::new(what, Method::PUT, upload, Scope::Push(name.clone()), &[201, 204])
            .with_header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let answer = self.transport.upload(&request, source, blob.size, sent).await?;
        answer.whole(RECEIPT_BYTES).await.map(drop)
    }

    /// Returns where to send the blob; nothing when it was mounted.
    async fn begin_upload(
        &self,
        name: &OciName,
        blob: &Descriptor,
        elsewhere: Option<&OciName>,
    ) -> Result<Option<Url>, Failure> {
        let mut url = self.transport.url(&format!("{name}/blobs/uploads/"))?;
        if let Some(other) = elsewhere {
            let digest = blob.digest.to_string();
            url.query_pairs_mut().extend_pairs([("mount", digest.as_str()), ("from", other.as_str())]);
        }
        let what = self.what("blob", name, &blob.digest);
        let mut request = Request::new(what, Method::POST, url, Scope::Push(name.clone()), &[201, 202]);
        request.scopes.extend(elsewhere.map(|other| Scope::Pull(other.clone())));
        let answer = self.transport.fetch(&request, RECEIPT_BYTES).await?;
        if answer.status == 201 {
            return Ok(None);
        }
        let location = text(&answer.headers, LOCATION.as_str());
        let location =
            location.ok_or_else(|| request.bad_answer("it does not say where to send the blob"))?;
        let mut upload = self.transport.resolve(&request, location)?;
        upload.query_pairs_mut().append_pair("digest", &blob.digest.to_string());
        Ok(Some(upload))
    }
}
