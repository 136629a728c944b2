//! Parts of an object that come over several requests. The service keeps the parts, the catalog which they are.
//!
//! The service begins to hear of an upload with its first part: what is smaller than one goes in a single request.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::failure::failed;
use super::put::Upload;
use super::{Bucket, odd_answer};
use crate::blobs::{BlobError, BlobKey};

/// Which parts the service has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Parts {
    /// The service's name for the upload.
    upload: String,
    /// The ETag of each part, the first one's first.
    tags: Vec<String>,
}

/// An upload in parts that goes on.
pub(in crate::blobs) struct UploadInParts {
    bucket: Bucket,
    key: BlobKey,
    parts: Option<Parts>,
}

impl Bucket {
    /// Goes on with the upload that a [`UploadInParts::state`] is of, or begins one.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when the state cannot be read.
    pub(in crate::blobs) fn resume_upload(
        &self,
        key: &BlobKey,
        state: Option<&str>,
    ) -> Result<UploadInParts, BlobError> {
        let parts = state.map(serde_json::from_str).transpose().map_err(unreadable)?;
        Ok(UploadInParts { bucket: self.clone(), key: key.clone(), parts })
    }
}

impl UploadInParts {
    /// Amazon's smallest part but the last.
    pub(in crate::blobs) const SMALLEST: usize = 5 * 1024 * 1024;

    /// Returns how large the next part is to be.
    pub(in crate::blobs) fn next_part_bytes(&self) -> usize {
        let sent = self.parts.as_ref().map_or(0, |parts| parts.tags.len());
        let bytes = self.bucket.options().part_sizes.part_bytes_after(sent);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Sends the next part.
    ///
    /// # Errors
    /// [`BlobError`] when the service did not take it.
    pub(in crate::blobs) async fn send(&mut self, part: Bytes) -> Result<(), BlobError> {
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => {
                let begun = self.bucket.begin_upload(&self.key).await?;
                none.insert(Parts { upload: begun.id, tags: Vec::new() })
            }
        };
        let upload = Upload::resumed(&self.bucket, &self.key, &parts.upload);
        let length = part.len() as u64;
        let sent = upload.send_part(number(parts.tags.len()), ByteStream::from(part), length).await?;
        parts.tags.push(sent.e_tag.unwrap_or_default());
        Ok(())
    }

    /// Returns what it takes to go on; `None` before the first part.
    ///
    /// # Errors
    /// None in practice: it can always be written.
    pub(in crate::blobs) fn state(&self) -> Result<Option<String>, BlobError> {
        self.parts.as_ref().map(serde_json::to_string).transpose().map_err(unreadable)
    }

    /// Sends the `rest` and makes all of it the object: `written` bytes before the rest.
    ///
    /// # Errors
    /// [`BlobError`] when the service did not take it.
    pub(in crate::blobs) async fn complete(mut self, rest: Bytes, written: u64) -> Result<(), BlobError> {
        if self.parts.is_none() {
            return self.bucket.put_bytes(&self.key, rest).await;
        }
        let size = written + rest.len() as u64;
        if !rest.is_empty()
            && let Err(error) = self.send(rest).await
        {
            // Completed by an earlier request whose answer was lost.
            return if self.is_there(size).await { Ok(()) } else { Err(error) };
        }
        let Some(parts) = &self.parts else { return Ok(()) };
        let completed = parts
            .tags
            .iter()
            .enumerate()
            .map(|(index, tag)| CompletedPart::builder().part_number(number(index)).e_tag(tag).build());
        let completed = CompletedMultipartUpload::builder().set_parts(Some(completed.collect())).build();
        let sent = self
            .bucket
            .client()
            .complete_multipart_upload()
            .bucket(self.bucket.name())
            .key(self.bucket.object_of(&self.key))
            .upload_id(&parts.upload)
            .multipart_upload(completed)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("NoSuchUpload") && self.is_there(size).await => Ok(()),
            Err(error) => Err(failed("CompleteMultipartUpload", error)),
        }
    }

    /// Tells whether the object is there in full.
    async fn is_there(&self, size: u64) -> bool {
        let object = self.bucket.object_of(&self.key);
        let head = self.bucket.client().head_object().bucket(self.bucket.name()).key(object).send().await;
        head.is_ok_and(|head| head.content_length().is_some_and(|length| length.unsigned_abs() == size))
    }

    /// Discards the parts, and the object where they became one.
    ///
    /// # Errors
    /// [`BlobError`] when the service did not answer.
    pub(in crate::blobs) async fn discard(self) -> Result<(), BlobError> {
        if let Some(parts) = &self.parts {
            self.bucket.abort_upload(&self.bucket.object_of(&self.key), &parts.upload).await?;
        }
        self.bucket.remove(&self.key).await
    }
}

fn number(index: usize) -> i32 {
    i32::try_from(index + 1).unwrap_or(i32::MAX)
}

fn unreadable(error: serde_json::Error) -> BlobError {
    odd_answer("UploadPart", &format!("what was kept of it cannot be read: {error}"))
}
