//! What a registry client hears when something is refused or fails: the protocol's own body, with one of its codes.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use oci::ErrorCode;

use super::super::error::{ErrorKind, Failure};

/// A failure with the code that registry clients know it by.
#[derive(Debug)]
pub(super) struct OciFailure {
    code: ErrorCode,
    failure: Failure,
}

impl OciFailure {
    /// Makes a refusal with the status that belongs to its code.
    pub(super) fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code, failure: Failure::new(usual_kind(code), text) }
    }

    /// Makes a refusal of another status than its code usually has.
    pub(super) fn with_kind(code: ErrorCode, kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { code, failure: Failure::new(kind, text) }
    }

    /// Returns the failure under another code.
    pub(super) fn with_code(self, code: ErrorCode) -> Self {
        Self { code, ..self }
    }

    /// Returns its code.
    pub(super) fn code(&self) -> ErrorCode {
        self.code
    }

    /// Tells whether it is about the caller or the thing, not about the server.
    pub(super) fn is_refusal(&self) -> bool {
        self.failure.kind().status().is_client_error()
    }

    /// Returns the answer.
    pub(super) fn into_response(self) -> Response<Body> {
        let error = serde_json::json!({ "code": self.code.as_str(), "message": self.failure.text() });
        let mut response =
            self.failure.into_response_with(serde_json::json!({ "errors": [error] }).to_string());
        if self.code == ErrorCode::TooManyRequests {
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        }
        response
    }
}

fn usual_kind(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::BlobUnknown
        | ErrorCode::BlobUploadUnknown
        | ErrorCode::ManifestBlobUnknown
        | ErrorCode::ManifestUnknown
        | ErrorCode::NameUnknown => ErrorKind::NotFound,
        ErrorCode::BlobUploadInvalid
        | ErrorCode::DigestInvalid
        | ErrorCode::ManifestInvalid
        | ErrorCode::NameInvalid
        | ErrorCode::SizeInvalid => ErrorKind::Invalid,
        ErrorCode::Unauthorized => ErrorKind::Unauthenticated,
        ErrorCode::Denied => ErrorKind::Denied,
        ErrorCode::Unsupported => ErrorKind::MethodNotAllowed,
        ErrorCode::TooManyRequests | ErrorCode::Unavailable => ErrorKind::Unavailable,
    }
}

impl<F: Into<Failure>> From<F> for OciFailure {
    fn from(failure: F) -> Self {
        let failure = failure.into();
        let code = match failure.kind() {
            ErrorKind::Invalid | ErrorKind::MethodNotAllowed => ErrorCode::Unsupported,
            ErrorKind::Unauthenticated => ErrorCode::Unauthorized,
            ErrorKind::Denied | ErrorKind::Conflict | ErrorKind::Full => ErrorCode::Denied,
            ErrorKind::NotFound => ErrorCode::NameUnknown,
            ErrorKind::TooLarge => ErrorCode::SizeInvalid,
            ErrorKind::RangeNotSatisfiable => ErrorCode::BlobUploadInvalid,
            ErrorKind::Unavailable | ErrorKind::ReadOnly | ErrorKind::Internal => ErrorCode::Unavailable,
        };
        Self { code, failure }
    }
}
