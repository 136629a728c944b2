//! A bucket of an S3 service: AWS, MinIO, Garage, Ceph and others that speak its protocol.
//!
//! One rule: a blob is missing only when the service says `NoSuchKey`; whatever else goes wrong, it is away.

mod client;
mod failure;
mod list;
mod options;
mod put;
mod read;
mod transport;
mod upload;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use chart::Timestamp;

use super::{BlobError, BlobKey};
pub(super) use failure::is_refusal;
use failure::{failed, failed_on, odd_answer};
pub(crate) use options::{BucketOptions, Credentials, ObjectEncryption, PartSizes};
pub(super) use read::RestOfObject;
pub(super) use upload::UploadInParts;

/// How long an address that was given away is good for.
const ADDRESS_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The bucket; clones share its connections.
#[derive(Clone)]
pub(super) struct Bucket(Arc<Inner>);

struct Inner {
    client: Client,
    options: BucketOptions,
}

impl Bucket {
    /// Returns the bucket without asking whether it is there.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when a certificate or key cannot be used.
    pub(super) async fn connect(options: BucketOptions) -> Result<Self, BlobError> {
        let client = client::connect(&options).await.map_err(|cause| {
            BlobError::Unavailable(io::Error::new(io::ErrorKind::PermissionDenied, cause))
        })?;
        Ok(Self(Arc::new(Inner { client, options })))
    }

    fn client(&self) -> &Client {
        &self.0.client
    }

    fn options(&self) -> &BucketOptions {
        &self.0.options
    }

    fn name(&self) -> &str {
        &self.0.options.bucket
    }

    /// Returns the object's name: the key after the prefix.
    fn object_of(&self, key: &BlobKey) -> String {
        self.object_below(key.as_str())
    }

    fn object_below(&self, path: &str) -> String {
        match self.0.options.prefix.as_str() {
            "" => path.to_owned(),
            prefix => format!("{prefix}/{path}"),
        }
    }

    /// Returns the key of an object's name.
    fn path_of<'object>(&self, object: &'object str) -> Option<&'object str> {
        match self.0.options.prefix.as_str() {
            "" => Some(object),
            prefix => object.strip_prefix(prefix)?.strip_prefix('/'),
        }
    }

    /// Asks whether the bucket answers, once and for a few seconds at most.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] with what it said.
    pub(super) async fn ping(&self) -> Result<(), BlobError> {
        // Unlike HEAD of the bucket this has a body that says what is wrong.
        self.client()
            .list_objects_v2()
            .bucket(self.name())
            .prefix(self.object_below(""))
            .max_keys(1)
            .customize()
            .config_override(client::impatient())
            .send()
            .await
            .map_err(|error| failed("ListObjectsV2", error))?;
        Ok(())
    }

    /// Removes the object; that it is gone already is fine.
    pub(super) async fn remove(&self, key: &BlobKey) -> Result<(), BlobError> {
        let removed = self.client().delete_object().bucket(self.name()).key(self.object_of(key)).send().await;
        match removed.map_err(|error| failed_on(key, "DeleteObject", error)) {
            Ok(_) | Err(BlobError::Missing(_)) => Ok(()),
            Err(error @ (BlobError::Unavailable(_) | BlobError::Full(_))) => Err(error),
        }
    }

    /// Returns when the object was written, to the second.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when it is not there, else why the service did not answer.
    pub(super) async fn modified(&self, key: &BlobKey) -> Result<Timestamp, BlobError> {
        let answer = self.client().head_object().bucket(self.name()).key(self.object_of(key)).send().await;
        match answer {
            Ok(answer) => {
                let time = answer.last_modified().map(list::whole_seconds);
                time.ok_or_else(|| odd_answer("HeadObject", "the answer has no time"))
            }
            // A HEAD has no body to say whether the object or the bucket is missing; a GET has.
            Err(error) if error.raw_response().is_some_and(|answer| answer.status().as_u16() == 404) => {
                self.open_reader(key, None).await?;
                Err(failed("HeadObject", error))
            }
            Err(error) => Err(failed_on(key, "HeadObject", error)),
        }
    }

    /// Returns an address under which anybody can read the object for 5 minutes, if addresses are to be given away.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when there are no credentials to sign with.
    pub(super) async fn presigned_url(
        &self,
        key: &BlobKey,
        file_name: &str,
        content_type: &str,
    ) -> Result<Option<String>, BlobError> {
        if !self.options().redirects {
            return Ok(None);
        }
        let lifetime = PresigningConfig::expires_in(ADDRESS_LIFETIME)
            .map_err(|error| odd_answer("GetObject", &error.to_string()))?;
        let request = self
            .client()
            .get_object()
            .bucket(self.name())
            .key(self.object_of(key))
            .response_content_type(content_type)
            .response_content_disposition(format!("attachment; filename=\"{file_name}\""))
            .presigned(lifetime)
            .await
            .map_err(|error| failed_on(key, "GetObject", error))?;
        Ok(Some(request.uri().to_owned()))
    }
}
