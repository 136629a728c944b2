//! What a client hears when something is refused or fails: one kind, one status, one line of JSON.
//!
//! The cause of a server's failure goes to the log, never to the client.

use std::error::Error;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::route::NoRoute;
use crate::access::AccessError;
use crate::blobs::{BlobError, StageError};
use crate::catalog::CatalogError;
use crate::operations::add_provenance::AddProvenanceError;
use crate::operations::create_repository::CreateRepositoryError;
use crate::operations::delete_version::DeleteVersionError;
use crate::operations::publish::PublishError;
use crate::operations::restore_version::RestoreVersionError;

/// What went wrong, as a client can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The request itself is at fault.
    Invalid,
    /// A credential is needed, or the one that came is not valid.
    Unauthenticated,
    /// The credential does not reach this far.
    Denied,
    /// No such thing.
    NotFound,
    /// The address is right, the verb is not.
    MethodNotAllowed,
    /// Something else stands in this place.
    Conflict,
    /// The body is larger than allowed.
    TooLarge,
    /// The range lies outside the bytes.
    RangeNotSatisfiable,
    /// A limit or the disk is used up.
    Full,
    /// The database or the store is away.
    Unavailable,
    /// The operator stopped all writing.
    ReadOnly,
    /// A fault of the server.
    Internal,
}

impl ErrorKind {
    /// Returns the one status of this kind.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Denied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Unavailable | Self::ReadOnly => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A refusal or failure on its way to the client.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: ErrorKind,
    text: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Makes a refusal the client can read in full.
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), cause: None }
    }

    /// Makes a failure whose cause only the log sees.
    fn hidden(kind: ErrorKind, text: &str, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { kind, text: text.to_owned(), cause: Some(Box::new(cause)) }
    }

    /// Returns the answer and logs the cause, once, here.
    pub(crate) fn into_response(self) -> Response<Body> {
        let body = serde_json::json!({ "error": self.text }).to_string();
        self.into_response_with(body)
    }

    /// As [`Self::into_response`], with the body of a surface that has its own form of errors.
    pub(super) fn into_response_with(self, body: String) -> Response<Body> {
        if let Some(cause) = &self.cause {
            tracing::error!(cause = %chain(cause.as_ref()), "{}", self.text);
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        match self.kind {
            ErrorKind::Unauthenticated => {
                headers
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"chartroom\""));
            }
            ErrorKind::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            }
            // Somebody moves a house or heals a disk: that takes minutes.
            ErrorKind::ReadOnly => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            ErrorKind::Invalid
            | ErrorKind::TooLarge
            | ErrorKind::Denied
            | ErrorKind::NotFound
            | ErrorKind::MethodNotAllowed
            | ErrorKind::Conflict
            | ErrorKind::RangeNotSatisfiable
            | ErrorKind::Full
            | ErrorKind::Internal => {}
        }
        response
    }

    /// Returns what kind of failure this is.
    pub(super) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns what the client reads.
    pub(super) fn text(&self) -> &str {
        &self.text
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

impl From<NoRoute> for Failure {
    fn from(error: NoRoute) -> Self {
        match error {
            NoRoute::Unknown => Self::new(ErrorKind::NotFound, error.to_string()),
            NoRoute::Repository(_) | NoRoute::Encoding => Self::new(ErrorKind::Invalid, error.to_string()),
        }
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Full(_) => Self::hidden(
                ErrorKind::Full,
                "the server's disk is full: nothing was stored; tell its operator",
                error,
            ),
            CatalogError::Unavailable(_)
            | CatalogError::TimedOut
            | CatalogError::Contended(_)
            | CatalogError::Shared(_)
            | CatalogError::Closed => {
                Self::hidden(ErrorKind::Unavailable, "the catalog is not available: try again", error)
            }
            CatalogError::UnknownSchema(_)
            | CatalogError::NotMigrated
            | CatalogError::Address(_)
            | CatalogError::Corrupt { .. } => Self::hidden(ErrorKind::Internal, "internal error", error),
        }
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full(_) => Self::hidden(
                ErrorKind::Full,
                "the server's disk is full: nothing was stored; tell its operator",
                error,
            ),
            // Bytes the catalog promises are a fault of the server, never "not found".
            BlobError::Missing(_) | BlobError::Unavailable(_) => {
                Self::hidden(ErrorKind::Unavailable, "the blob store is not available: try again", error)
            }
        }
    }
}

impl From<StageError> for Failure {
    fn from(error: StageError) -> Self {
        match error {
            StageError::TooLarge { limit } => Self::new(
                ErrorKind::TooLarge,
                format!(
                    "request too large: the limit is {limit} bytes; publish a smaller file, or let the operator raise `limits.max_chart_bytes`"
                ),
            ),
            StageError::Cut => {
                Self::new(ErrorKind::Invalid, "the body broke off before its end: send it again")
            }
            StageError::Store(error) => error.into(),
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Refused => Self::new(ErrorKind::Unauthenticated, error.to_string()),
            AccessError::Catalog(error) => error.into(),
        }
    }
}

impl From<CreateRepositoryError> for Failure {
    fn from(error: CreateRepositoryError) -> Self {
        let kind = match error {
            CreateRepositoryError::Unauthenticated => ErrorKind::Unauthenticated,
            CreateRepositoryError::Denied { .. } => ErrorKind::Denied,
            CreateRepositoryError::Unknown { .. } => ErrorKind::NotFound,
            CreateRepositoryError::Exists { .. } | CreateRepositoryError::NamesThere { .. } => {
                ErrorKind::Conflict
            }
            CreateRepositoryError::ReadOnly { .. } => ErrorKind::ReadOnly,
            CreateRepositoryError::Catalog(error) => return error.into(),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        use crate::operations::publish::PublishError as E;
        let kind = match error {
            E::Archive(_)
            | E::Provenance(_)
            | E::Mismatch(_)
            | E::OtherChart { .. }
            | E::OtherName { .. }
            | E::OtherTag { .. } => ErrorKind::Invalid,
            E::Exists(_)
            | E::Repeated
            | E::ProvenanceExists { .. }
            | E::FileNameTaken { .. }
            | E::NameHoldsImages { .. } => ErrorKind::Conflict,
            E::LimitReached { .. } | E::TooManyVersions { .. } | E::TooManyBytes { .. } => ErrorKind::Full,
            E::ReadOnly { .. } => ErrorKind::ReadOnly,
            E::Overtaken => ErrorKind::Unavailable,
            E::Repository(error) => return error.into(),
            E::Catalog(error) => return error.into(),
            E::Keep(error) => return error.into(),
            E::Interrupted(_) => return Self::hidden(ErrorKind::Internal, "internal error", error),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<crate::operations::publish::KeepError> for Failure {
    fn from(error: crate::operations::publish::KeepError) -> Self {
        match error {
            crate::operations::publish::KeepError::Catalog(error) => error.into(),
            crate::operations::publish::KeepError::Blobs(error) => error.into(),
        }
    }
}

impl From<AddProvenanceError> for Failure {
    fn from(error: AddProvenanceError) -> Self {
        match error {
            AddProvenanceError::VersionUnknown { .. } => Self::new(ErrorKind::NotFound, error.to_string()),
            AddProvenanceError::Publish(error) => error.into(),
        }
    }
}

impl From<DeleteVersionError> for Failure {
    fn from(error: DeleteVersionError) -> Self {
        match error {
            DeleteVersionError::Unknown { .. } => Self::new(ErrorKind::NotFound, error.to_string()),
            DeleteVersionError::ReadOnly { .. } => Self::new(ErrorKind::ReadOnly, error.to_string()),
            DeleteVersionError::Repository(error) => error.into(),
        }
    }
}

impl From<RestoreVersionError> for Failure {
    fn from(error: RestoreVersionError) -> Self {
        let kind = match error {
            RestoreVersionError::Unknown { .. } => ErrorKind::NotFound,
            RestoreVersionError::Exists { .. } => ErrorKind::Conflict,
            RestoreVersionError::BeyondQuota { .. } => ErrorKind::Full,
            RestoreVersionError::ReadOnly { .. } => ErrorKind::ReadOnly,
            RestoreVersionError::Repository(error) => return error.into(),
        };
        Self::new(kind, error.to_string())
    }
}
