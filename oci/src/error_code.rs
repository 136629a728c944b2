//! Error codes of the registry protocol (distribution specification, "Error Codes").

use std::fmt;

/// A code that a registry gives for what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// The blob is not under this name.
    BlobUnknown,
    /// The upload cannot go on this way.
    BlobUploadInvalid,
    /// The upload does not exist, or is over.
    BlobUploadUnknown,
    /// The digest is none, or not that of the content.
    DigestInvalid,
    /// The manifest names a blob that is not under this name.
    ManifestBlobUnknown,
    /// The manifest is none.
    ManifestInvalid,
    /// The manifest is not under this name.
    ManifestUnknown,
    /// The name breaks the grammar.
    NameInvalid,
    /// The name is not known.
    NameUnknown,
    /// The length is not that of the content, or too much.
    SizeInvalid,
    /// A credential is needed.
    Unauthorized,
    /// The credential does not reach this far, or the registry's rules stand against it.
    Denied,
    /// The operation is not possible here.
    Unsupported,
    /// Too many requests at once.
    TooManyRequests,
    /// The registry or what it stands on is away. Not the specification's: Docker's registry gives it.
    Unavailable,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 15] = [
        Self::BlobUnknown,
        Self::BlobUploadInvalid,
        Self::BlobUploadUnknown,
        Self::DigestInvalid,
        Self::ManifestBlobUnknown,
        Self::ManifestInvalid,
        Self::ManifestUnknown,
        Self::NameInvalid,
        Self::NameUnknown,
        Self::SizeInvalid,
        Self::Unauthorized,
        Self::Denied,
        Self::Unsupported,
        Self::TooManyRequests,
        Self::Unavailable,
    ];

    /// Returns the code as it stands in an error's body.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Denied => "DENIED",
            Self::Unsupported => "UNSUPPORTED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// Reads a code from an error's body; `None` for one that is not known here.
    pub fn from_body(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_body(code.as_str()), Some(code));
        }
        assert_eq!(ErrorCode::from_body("TEAPOT"), None);
    }
}
