//! The secret part of a token: 256 random bits behind a prefix that scanners of leaked secrets can find.

use std::fmt;

use oci::Digest;

/// A token's secret; shown once, never logged.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Makes the secret from 32 random bytes.
    pub(crate) fn from_random(bytes: [u8; 32]) -> Self {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("chartroom_{hex}"))
    }

    /// Takes what a client or an operator's file gave, without the line end an editor may have added.
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Takes a password as it is.
    pub(crate) fn exactly(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the digest under which the catalog keeps the token.
    pub(crate) fn digest(&self) -> Digest {
        Digest::sha256(self.0.as_bytes())
    }

    /// Returns the secret itself, to be shown to its owner.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}
