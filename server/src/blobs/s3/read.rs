//! Reading: streamed, counted, and taken up again where a body broke off.

use std::io;
use std::ops::Range;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::Bucket;
use super::failure::{failed_on, odd_answer};
use crate::blobs::reader::{BlobReader, Rest};
use crate::blobs::{BlobError, BlobKey};

/// How often one read is taken up again after its body broke off.
const RESUMPTIONS: u32 = 5;

/// An object's body that is still coming.
pub(in crate::blobs) struct RestOfObject {
    bucket: Bucket,
    key: BlobKey,
    body: ByteStream,
    /// What of the object is yet to come.
    left: Range<u64>,
    /// Which bytes these are: a flat file may be replaced while it is read.
    etag: Option<String>,
    resumptions_left: u32,
}

impl Bucket {
    /// Opens the bytes under `key`, or a range of them.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when the service says so or the range lies outside, else why it did not answer.
    pub(in crate::blobs) async fn open_reader(
        &self,
        key: &BlobKey,
        range: Option<Range<u64>>,
    ) -> Result<BlobReader, BlobError> {
        if range.as_ref().is_some_and(Range::is_empty) {
            // No range header can say this.
            return Ok(BlobReader::of(Bytes::new()));
        }
        let answer = self.get(key, range.as_ref()).await?;
        let announced = announced_length(&answer)?;
        let left = range.unwrap_or(0..announced);
        let length = left.end.saturating_sub(left.start);
        if announced < length {
            // A range that runs over the end is cut by the service.
            return Err(BlobError::Missing(key.clone()));
        }
        let rest = RestOfObject {
            bucket: self.clone(),
            key: key.clone(),
            body: answer.body,
            left,
            etag: answer.e_tag,
            resumptions_left: RESUMPTIONS,
        };
        Ok(BlobReader::of_pieces(Bytes::new(), Some(Rest::Object(Box::new(rest))), length))
    }

    async fn get(&self, key: &BlobKey, range: Option<&Range<u64>>) -> Result<GetObjectOutput, BlobError> {
        let header = range.map(|range| format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let answer = self
            .client()
            .get_object()
            .bucket(self.name())
            .key(self.object_of(key))
            .set_range(header)
            .send()
            .await
            .map_err(|error| failed_on(key, "GetObject", error))?;
        match range.filter(|range| !begins_at(&answer, range.start)) {
            None => Ok(answer),
            Some(_) => Err(odd_answer("GetObject", "the answer is not the range that was asked for")),
        }
    }
}

/// Tells whether the answer is a part of the object that begins there; some proxies drop the range and send it all.
fn begins_at(answer: &GetObjectOutput, start: u64) -> bool {
    answer
        .content_range()
        .and_then(|range| range.trim().strip_prefix("bytes "))
        .and_then(|range| range.split_once('-'))
        .is_some_and(|(first, _)| first.trim().parse() == Ok(start))
}

fn announced_length(answer: &GetObjectOutput) -> Result<u64, BlobError> {
    answer
        .content_length()
        .and_then(|length| u64::try_from(length).ok())
        .ok_or_else(|| odd_answer("GetObject", "the answer does not say how long it is"))
}

impl RestOfObject {
    /// Returns the next piece and what is left then.
    ///
    /// # Errors
    /// [`BlobError`] when the body broke off too often, or the service sends other bytes than it began with.
    pub(in crate::blobs) async fn next_piece(
        mut self: Box<Self>,
    ) -> Result<(Bytes, Option<Rest>), BlobError> {
        while !self.left.is_empty() {
            match self.body.next().await {
                Some(Ok(piece)) if piece.is_empty() => {}
                Some(Ok(piece)) => {
                    self.left.start += piece.len() as u64;
                    if self.left.start > self.left.end {
                        return Err(odd_answer("GetObject", "the body is longer than it was said to be"));
                    }
                    let rest = (!self.left.is_empty()).then_some(Rest::Object(self));
                    return Ok((piece, rest));
                }
                Some(Err(error)) => self.resume(&error).await?,
                None => self.resume(&io::Error::from(io::ErrorKind::UnexpectedEof)).await?,
            }
        }
        Ok((Bytes::new(), None))
    }

    /// Asks for what is still to come.
    async fn resume(&mut self, cause: &(dyn std::error::Error + Send + Sync)) -> Result<(), BlobError> {
        let Some(resumptions_left) = self.resumptions_left.checked_sub(1) else {
            return Err(odd_answer("GetObject", &format!("the body broke off too often: {cause}")));
        };
        self.resumptions_left = resumptions_left;
        tracing::debug!(key = %self.key, left = ?self.left, %cause, "a body broke off: asking for the rest");
        let answer = self.bucket.get(&self.key, Some(&self.left)).await?;
        if answer.e_tag != self.etag {
            return Err(odd_answer("GetObject", "the object was replaced while it was read"));
        }
        self.body = answer.body;
        Ok(())
    }
}
