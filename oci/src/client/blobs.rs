//! Blobs of a registry, apart from their bytes (distribution specification, "Checking if content exists", "Deleting").

use reqwest::Method;

use super::failure::Failure;
use super::manifests::RECEIPT_BYTES;
use super::registry::Registry;
use super::request::Request;
use super::scope::Scope;
use crate::digest::Digest;
use crate::name::OciName;

impl Registry {
    /// Tells whether a blob is under a name.
    ///
    /// # Errors
    /// [`Failure`] when the registry cannot or does not want to say.
    pub async fn has_blob(&self, name: &OciName, digest: &Digest) -> Result<bool, Failure> {
        self.has_blob_with(name, digest, Scope::Pull(name.clone())).await
    }

    /// Asks with the rights that a push needs anyway: one token for all of it.
    pub(super) async fn has_blob_with(
        &self,
        name: &OciName,
        digest: &Digest,
        scope: Scope,
    ) -> Result<bool, Failure> {
        let request = self.blob_request(Method::HEAD, name, digest, scope, &[200])?;
        Ok(Failure::none_if_missing(self.transport.open(&request).await)?.is_some())
    }

    /// Deletes a blob from a name.
    ///
    /// # Errors
    /// [`Failure::Missing`] when it is not there, [`Failure::Refused`] where the registry deletes nothing.
    pub async fn delete_blob(&self, name: &OciName, digest: &Digest) -> Result<(), Failure> {
        let scope = Scope::Delete(name.clone());
        let request = self.blob_request(Method::DELETE, name, digest, scope, &[200, 202, 204])?;
        self.transport.fetch(&request, RECEIPT_BYTES).await.map(drop)
    }

    pub(super) fn blob_request(
        &self,
        method: Method,
        name: &OciName,
        digest: &Digest,
        scope: Scope,
        accepted: &'static [u16],
    ) -> Result<Request, Failure> {
        let url = self.transport.url(&format!("{name}/blobs/{digest}"))?;
        Ok(Request::new(self.what("blob", name, digest), method, url, scope, accepted))
    }
}
