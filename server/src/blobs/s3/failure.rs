//! What an answer of the service means: only its own word makes a blob missing, all else is the store being away.

use std::error::Error;
use std::io;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::blobs::{BlobError, BlobKey};

/// Returns the error of a request about `key`, `request` being its name.
pub(super) fn failed_on<E>(key: &BlobKey, request: &str, error: SdkError<E>) -> BlobError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error.code() {
        // A range beyond the end: the blob is shorter than the catalog says.
        Some("NoSuchKey" | "InvalidRange") => BlobError::Missing(key.clone()),
        // A 404 of a missing bucket, of a proxy in between or without a word is no word about the blob.
        Some(_) | None => failed(request, error),
    }
}

/// Returns the error of a request that is not about one blob.
pub(super) fn failed<E>(request: &str, error: SdkError<E>) -> BlobError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let text = match (status, error.code(), error.message()) {
        (Some(status), Some(code), message) => {
            format!("{request}: {status} {code}: {}", message.unwrap_or("no reason given"))
        }
        (Some(status), None, _) => format!("{request}: status {status} without a reason"),
        (None, _, _) => format!("{request}: {}", chain(&error)),
    };
    BlobError::Unavailable(io::Error::new(kind_of(status, &error), text))
}

/// Returns an error for what the service should not have answered.
pub(super) fn odd_answer(request: &str, what: &str) -> BlobError {
    BlobError::Unavailable(io::Error::other(format!("{request}: {what}")))
}

/// Tells whether the service, or the search for credentials, said no for good: waiting would not help.
pub(in crate::blobs) fn is_refusal(error: &BlobError) -> bool {
    match error {
        BlobError::Unavailable(cause) => {
            matches!(cause.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound)
        }
        BlobError::Missing(_) | BlobError::Full(_) => false,
    }
}

fn kind_of<E>(status: Option<u16>, error: &SdkError<E>) -> io::ErrorKind {
    match status {
        Some(404) => io::ErrorKind::NotFound,
        // A wrong region is a redirect or a 400.
        Some(301 | 307 | 400 | 401 | 403) => io::ErrorKind::PermissionDenied,
        Some(_) => io::ErrorKind::Other,
        None => match error {
            SdkError::ConstructionFailure(_) => io::ErrorKind::PermissionDenied,
            // No credentials anywhere.
            SdkError::DispatchFailure(failure) if failure.is_user() || failure.is_other() => {
                io::ErrorKind::PermissionDenied
            }
            SdkError::TimeoutError(_) => io::ErrorKind::TimedOut,
            // The SDK may add kinds; none of them is a refusal.
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) | SdkError::ServiceError(_) | _ => {
                io::ErrorKind::Other
            }
        },
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
