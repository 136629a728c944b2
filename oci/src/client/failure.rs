//! Why something cannot be done with a registry. Rule: each names the thing, and only a registry's own 404 is "missing".

use std::time::Duration;

use super::credentials::CredentialFailure;
use super::refusal::Refusal;
use crate::digest::Digest;
use crate::error_code::ErrorCode;
use crate::layout::LayoutError;
use crate::manifest::InvalidManifest;

/// Why something cannot be done with a registry.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no answer, or it broke off, also after the last try.
    #[error("{what}: cannot reach `{host}`: {reason}")]
    Unreachable {
        /// What was asked for.
        what: String,
        /// The host that does not answer.
        host: String,
        /// What went wrong, as the innermost cause says.
        reason: String,
    },
    /// The host's certificate, or this client's, is not accepted.
    #[error(
        "{what}: no trust between this client and `{host}`: {reason}: name the authority of its certificate, or the client certificate it wants"
    )]
    Untrusted {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// What the TLS library says.
        reason: String,
    },
    /// The registry is busy or broken, also after the last try.
    #[error("{what}: the registry is not ready: {refusal}")]
    Busy {
        /// What was asked for.
        what: String,
        /// What the registry says.
        refusal: Refusal,
    },
    /// The registry does not have it, or does not say so to this caller.
    #[error("{what} is not there: {refusal}")]
    Missing {
        /// What was asked for.
        what: String,
        /// What the registry says.
        refusal: Refusal,
    },
    /// The registry asks who this is.
    #[error("{what}: {advice}: {refusal}")]
    Unauthorized {
        /// What was asked for.
        what: String,
        /// What to do.
        advice: &'static str,
        /// What the registry or its token service says.
        refusal: Refusal,
    },
    /// The caller may not do this.
    #[error("{what}: these credentials may not do this: {refusal}")]
    Denied {
        /// What was asked for.
        what: String,
        /// What the registry says.
        refusal: Refusal,
    },
    /// The registry says no.
    #[error("{what} was refused: {refusal}")]
    Refused {
        /// What was asked for.
        what: String,
        /// What the registry says.
        refusal: Refusal,
    },
    /// An answer that the protocol does not allow.
    #[error("{what}: the registry's answer cannot be used: {reason}")]
    BadAnswer {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bytes are not the ones that were meant.
    #[error("{what}: the registry gave the bytes of `{found}`: do not use them, and tell its operator")]
    WrongDigest {
        /// What was asked for, by its digest.
        what: String,
        /// What came.
        found: Digest,
    },
    /// The bytes are more or fewer than were meant.
    #[error("{what} has {found} bytes instead of {expected}")]
    WrongSize {
        /// What was asked for.
        what: String,
        /// How many bytes there should be.
        expected: u64,
        /// How many there were, as far as was read.
        found: u64,
    },
    /// What should be a manifest is none.
    #[error("{what} cannot be used: {reason}")]
    Manifest {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        #[source]
        reason: InvalidManifest,
    },
    /// There are no credentials to be had.
    #[error(transparent)]
    Credentials(#[from] CredentialFailure),
    /// The layout at one end fails.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// What was to be sent cannot be read.
    #[error("cannot read {what}: {reason}")]
    Source {
        /// What was to be sent.
        what: String,
        /// What the system says.
        #[source]
        reason: std::io::Error,
    },
}

impl Failure {
    /// Returns what the registry said, if it said anything.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Busy { refusal, .. }
            | Self::Missing { refusal, .. }
            | Self::Unauthorized { refusal, .. }
            | Self::Denied { refusal, .. }
            | Self::Refused { refusal, .. } => Some(refusal),
            Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::BadAnswer { .. }
            | Self::WrongDigest { .. }
            | Self::WrongSize { .. }
            | Self::Manifest { .. }
            | Self::Credentials(_)
            | Self::Layout(_)
            | Self::Source { .. } => None,
        }
    }

    /// Tells whether the registry gave this code.
    pub fn has_code(&self, code: ErrorCode) -> bool {
        self.refusal().is_some_and(|refusal| refusal.has_code(code))
    }

    /// Tells whether the same request may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } => true,
            Self::Untrusted { .. }
            | Self::Missing { .. }
            | Self::Unauthorized { .. }
            | Self::Denied { .. }
            | Self::Refused { .. }
            | Self::BadAnswer { .. }
            | Self::WrongDigest { .. }
            | Self::WrongSize { .. }
            | Self::Manifest { .. }
            | Self::Credentials(_)
            | Self::Layout(_)
            | Self::Source { .. } => false,
        }
    }

    /// Returns how long the registry asks to wait before the next try.
    pub(super) fn asked_wait(&self) -> Option<Duration> {
        self.refusal().and_then(|refusal| refusal.retry_after)
    }

    /// Turns "missing" into nothing and leaves every other failure one.
    pub(super) fn none_if_missing<T>(result: Result<T, Self>) -> Result<Option<T>, Self> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Self::Missing { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// The authorities are no certificates.
    #[error("the certificate authorities are not PEM certificates: {0}")]
    Authorities(#[source] reqwest::Error),
    /// The client certificate is none, or comes without its key.
    #[error("the client certificate is not a PEM certificate with its key: {0}")]
    ClientCertificate(#[source] reqwest::Error),
    /// The TLS library could not be set up.
    #[error("cannot set up TLS: {}", innermost(.0))]
    Tls(#[source] reqwest::Error),
}

/// Returns the text of the innermost cause: the outer ones only say that a request failed.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
