//! Listing, a page at a time: old blobs, flat files, uploads that nobody finished.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{MultipartUpload, Object};
use chart::Timestamp;
use futures_util::{Stream, stream};

use super::Bucket;
use super::failure::failed;
use crate::blobs::flat::FlatEntry;
use crate::blobs::{BlobError, BlobKey};

impl Bucket {
    /// Returns, page by page, the keys of addressed blobs that were written more than `older_than` ago.
    pub(in crate::blobs) fn list_older_than(
        &self,
        older_than: Duration,
    ) -> impl Stream<Item = Result<Vec<BlobKey>, BlobError>> + Send + use<> {
        let bucket = self.clone();
        self.pages("blobs/", move |object| {
            let path = bucket.path_of(object.key()?)?;
            (age_of(object.last_modified()?) >= older_than).then(|| BlobKey::from_listing(path.to_owned()))
        })
    }

    /// Returns, page by page, the files of the flat layout that are in no hidden folder and at most `deepest` deep.
    pub(in crate::blobs) fn list_flat(
        &self,
        deepest: Option<usize>,
    ) -> impl Stream<Item = Result<Vec<FlatEntry>, BlobError>> + Send + use<> {
        let bucket = self.clone();
        self.pages("", move |object| {
            let path = bucket.path_of(object.key()?)?;
            let (folders, name) = path.rsplit_once('/').map_or(("", path), |(folders, name)| (folders, name));
            let depth = folders.split('/').filter(|folder| !folder.is_empty()).count();
            let is_shown = !name.is_empty()
                && !folders.split('/').any(|folder| folder.starts_with('.'))
                && deepest.is_none_or(|most| depth <= most);
            is_shown.then_some(FlatEntry {
                path: path.to_owned(),
                modified: whole_seconds(object.last_modified()?),
                size_bytes: u64::try_from(object.size()?).ok()?,
            })
        })
    }

    /// Lists the objects whose path below the prefix begins with `below`, and keeps of each page what `keep` makes of it.
    fn pages<T, K>(
        &self,
        below: &str,
        keep: K,
    ) -> impl Stream<Item = Result<Vec<T>, BlobError>> + Send + use<T, K>
    where
        T: Send,
        K: Fn(&Object) -> Option<T> + Send,
    {
        let paginator = self
            .client()
            .list_objects_v2()
            .bucket(self.name())
            .prefix(self.object_below(below))
            .into_paginator()
            .send();
        stream::try_unfold((paginator, keep), |(mut paginator, keep)| async move {
            let Some(page) = paginator.next().await else { return Ok(None) };
            let page = page.map_err(|error| failed("ListObjectsV2", error))?;
            let found: Vec<T> = page.contents().iter().filter_map(&keep).collect();
            Ok(Some((found, (paginator, keep))))
        })
    }

    /// Discards uploads under the prefix that were begun more than `older_than` ago, but none to a key of `open`, and returns
    /// how many.
    ///
    /// Stores that cannot list uploads, or list them by exact key only, have none to discard: there, a rule of the
    /// bucket has to do it.
    ///
    /// # Errors
    /// [`BlobError`] when the store did not answer.
    pub(in crate::blobs) async fn discard_uploads(
        &self,
        older_than: Duration,
        open: &[BlobKey],
    ) -> Result<u64, BlobError> {
        let open: HashSet<String> = open.iter().map(|key| self.object_of(key)).collect();
        let mut discarded = 0;
        let mut next = Some((None, None));
        while let Some((after_object, after_id)) = next.take() {
            let page = self
                .client()
                .list_multipart_uploads()
                .bucket(self.name())
                .prefix(self.object_below(""))
                .set_key_marker(after_object)
                .set_upload_id_marker(after_id)
                .send()
                .await;
            let page = match page {
                Ok(page) => page,
                Err(error) if error.code() == Some("NotImplemented") => {
                    tracing::debug!(
                        "the store does not list uploads: a rule of the bucket has to end old ones"
                    );
                    break;
                }
                Err(error) => return Err(failed("ListMultipartUploads", error)),
            };
            let old = page.uploads().iter().filter_map(|upload| old_enough(upload, older_than));
            for (object, id) in old.filter(|(object, _)| !open.contains(*object)) {
                self.abort_upload(object, id).await?;
                discarded += 1;
            }
            next = page
                .is_truncated()
                .unwrap_or_default()
                .then_some((page.next_key_marker, page.next_upload_id_marker));
        }
        Ok(discarded)
    }

    /// Discards an upload's parts; that it is gone already is fine.
    pub(super) async fn abort_upload(&self, object: &str, id: &str) -> Result<(), BlobError> {
        let aborted =
            self.client().abort_multipart_upload().bucket(self.name()).key(object).upload_id(id).send().await;
        match aborted {
            Err(error) if error.code() != Some("NoSuchUpload") => Err(failed("AbortMultipartUpload", error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn old_enough(upload: &MultipartUpload, older_than: Duration) -> Option<(&str, &str)> {
    let is_old = age_of(upload.initiated()?) >= older_than;
    is_old.then_some((upload.key()?, upload.upload_id()?))
}

/// Returns how old something is; what comes from the future is young.
fn age_of(time: &DateTime) -> Duration {
    SystemTime::try_from(*time).ok().and_then(|time| time.elapsed().ok()).unwrap_or_default()
}

/// Returns the time to the second: a HEAD tells it no finer, and the same object must have one time.
pub(super) fn whole_seconds(time: &DateTime) -> Timestamp {
    Timestamp::from_micros(time.secs().saturating_mul(1_000_000))
}
