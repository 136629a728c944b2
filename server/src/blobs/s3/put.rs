//! Writing: one request for a blob that is small enough, parts of the final object for a larger one.
//!
//! Nothing rests on conditional requests, which some stores ignore: keys are fresh, so a repeated write is the same.

use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use bytes::Bytes;

use super::failure::{failed, odd_answer};
use super::{Bucket, ObjectEncryption};
use crate::blobs::staging::Content;
use crate::blobs::{BlobError, BlobKey, StagedBlob};

/// How much of a staged file is read at a time.
const READ_AT_ONCE: usize = 128 * 1024;

/// An upload in parts that is not complete.
pub(super) struct Upload {
    bucket: Bucket,
    object: String,
    pub(super) id: String,
}

impl Bucket {
    /// Keeps the bytes under `key`; they are the store's when this returns.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]; parts that were sent are discarded.
    pub(in crate::blobs) async fn keep(&self, staged: StagedBlob, key: &BlobKey) -> Result<(), BlobError> {
        let size_bytes = staged.size_bytes();
        let Some(part_bytes) = self.options().part_sizes.part_bytes(size_bytes) else {
            return self.put_object(&staged, key).await;
        };
        let (bucket, key) = (self.clone(), key.clone());
        // A publisher who hangs up ends this call, but must not leave parts behind that are paid for.
        let sending = tokio::spawn(async move { bucket.put_in_parts(&staged, &key, part_bytes).await });
        sending.await.map_err(|lost| BlobError::Unavailable(std::io::Error::other(lost)))?
    }

    async fn put_object(&self, staged: &StagedBlob, key: &BlobKey) -> Result<(), BlobError> {
        self.put(key, piece(staged, 0, staged.size_bytes()).await?, staged.size_bytes()).await
    }

    /// Keeps bytes that are in memory in one request.
    pub(super) async fn put_bytes(&self, key: &BlobKey, bytes: Bytes) -> Result<(), BlobError> {
        let length = bytes.len() as u64;
        self.put(key, bytes.into(), length).await
    }

    async fn put(&self, key: &BlobKey, body: ByteStream, length: u64) -> Result<(), BlobError> {
        let (encryption, kms_key) = self.encryption();
        self.client()
            .put_object()
            .bucket(self.name())
            .key(self.object_of(key))
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(kms_key)
            .content_length(i64::try_from(length).unwrap_or(i64::MAX))
            .body(body)
            .send()
            .await
            .map_err(|error| failed("PutObject", error))?;
        Ok(())
    }

    async fn put_in_parts(
        &self,
        staged: &StagedBlob,
        key: &BlobKey,
        part_bytes: u64,
    ) -> Result<(), BlobError> {
        let upload = self.begin_upload(key).await?;
        match upload.send(staged, part_bytes).await {
            Ok(()) => Ok(()),
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    pub(super) async fn begin_upload(&self, key: &BlobKey) -> Result<Upload, BlobError> {
        let (encryption, kms_key) = self.encryption();
        let object = self.object_of(key);
        let begun = self
            .client()
            .create_multipart_upload()
            .bucket(self.name())
            .key(&object)
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(kms_key)
            .send()
            .await
            .map_err(|error| failed("CreateMultipartUpload", error))?;
        let id =
            begun.upload_id.ok_or_else(|| odd_answer("CreateMultipartUpload", "the answer has no upload"))?;
        Ok(Upload { bucket: self.clone(), object, id })
    }

    fn encryption(&self) -> (Option<ServerSideEncryption>, Option<String>) {
        match &self.options().encryption {
            ObjectEncryption::AsTheBucketSays => (None, None),
            ObjectEncryption::Aes256 => (Some(ServerSideEncryption::Aes256), None),
            ObjectEncryption::Kms(key) => (Some(ServerSideEncryption::AwsKms), key.clone()),
        }
    }
}

impl Upload {
    /// Names an upload that was begun earlier.
    pub(super) fn resumed(bucket: &Bucket, key: &BlobKey, id: &str) -> Self {
        Self { bucket: bucket.clone(), object: bucket.object_of(key), id: id.to_owned() }
    }

    /// Sends all parts, one after the other so that memory holds a piece of one, and makes them the object.
    async fn send(&self, staged: &StagedBlob, part_bytes: u64) -> Result<(), BlobError> {
        let mut parts = Vec::new();
        let mut offset = 0;
        while offset < staged.size_bytes() {
            let length = part_bytes.min(staged.size_bytes() - offset);
            let number = i32::try_from(parts.len() + 1).unwrap_or(i32::MAX);
            let body = piece(staged, offset, length).await?;
            parts.push(self.send_part(number, body, length).await?);
            offset += length;
        }
        let client = self.bucket.client();
        client
            .complete_multipart_upload()
            .bucket(self.bucket.name())
            .key(&self.object)
            .upload_id(&self.id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .send()
            .await
            .map_err(|error| failed("CompleteMultipartUpload", error))?;
        Ok(())
    }

    pub(super) async fn send_part(
        &self,
        number: i32,
        body: ByteStream,
        length: u64,
    ) -> Result<CompletedPart, BlobError> {
        let sent = self
            .bucket
            .client()
            .upload_part()
            .bucket(self.bucket.name())
            .key(&self.object)
            .upload_id(&self.id)
            .part_number(number)
            .content_length(i64::try_from(length).unwrap_or(i64::MAX))
            .body(body)
            .send()
            .await
            .map_err(|error| failed("UploadPart", error))?;
        let tag = sent.e_tag.ok_or_else(|| odd_answer("UploadPart", "the answer has no ETag"))?;
        Ok(CompletedPart::builder().part_number(number).e_tag(tag).build())
    }

    /// Discards the parts; what cannot be discarded now, the collector finds by its age.
    async fn abort(&self) {
        if let Err(error) = self.bucket.abort_upload(&self.object, &self.id).await {
            tracing::warn!(object = self.object, %error, "cannot discard the parts of an upload that failed");
        }
    }
}

/// Returns a part of the staged bytes as a body that can be sent again.
async fn piece(staged: &StagedBlob, offset: u64, length: u64) -> Result<ByteStream, BlobError> {
    match staged.content() {
        Content::Memory(bytes) => Ok(slice(bytes, offset, length).into()),
        Content::File(file) => ByteStream::read_from()
            .path(&file.path)
            .offset(offset)
            .length(Length::Exact(length))
            .buffer_size(READ_AT_ONCE)
            .build()
            .await
            .map_err(|error| BlobError::Unavailable(std::io::Error::other(error))),
    }
}

fn slice(bytes: &Bytes, offset: u64, length: u64) -> Bytes {
    let bound = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(bound(offset)..bound(offset + length))
}
