//! What a client hears whose bytes were not taken.

use oci::ErrorCode;

use super::super::super::error::ErrorKind;
use super::super::error::OciFailure;
use crate::operations::append_to_upload::UploadError;

/// Returns the refusal of an upload.
pub(super) fn refusal(error: UploadError) -> OciFailure {
    let text = error.to_string();
    match error {
        UploadError::Over => OciFailure::new(ErrorCode::BlobUploadUnknown, text),
        UploadError::Taken => OciFailure::with_kind(ErrorCode::BlobUploadInvalid, ErrorKind::Conflict, text),
        UploadError::WrongOffset { .. } => {
            OciFailure::with_kind(ErrorCode::BlobUploadInvalid, ErrorKind::RangeNotSatisfiable, text)
        }
        UploadError::WrongLength => OciFailure::new(ErrorCode::SizeInvalid, text),
        UploadError::Cut => OciFailure::new(ErrorCode::BlobUploadInvalid, text),
        UploadError::OtherDigest { .. } => OciFailure::new(ErrorCode::DigestInvalid, text),
        UploadError::ReadOnly { .. } => {
            OciFailure::with_kind(ErrorCode::Unavailable, ErrorKind::ReadOnly, text)
        }
        UploadError::TooManyBytes { .. } => {
            OciFailure::with_kind(ErrorCode::Denied, ErrorKind::TooLarge, text)
        }
        UploadError::Catalog(error) => error.into(),
        UploadError::Blobs(error) => error.into(),
    }
}
