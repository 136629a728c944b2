//! Provenance files as `helm package --sign` writes them: what a chart says of itself and the digest of its archive,
//! clear-signed with an OpenPGP key.
//!
//! No provenance leaves here that the key's own public half does not verify.

mod secret_key;
mod signing_part;
mod statement;

use std::path::{Path, PathBuf};

use chart::archive::{ArchiveError, ChartArchive, Limits};
use oci::Digest;

pub(crate) use self::secret_key::{KeyRefusal, Passphrase, SecretKey, public_half};
use crate::lock::{SignerRefusal, check_signer};

/// An archive to sign, or to check.
#[derive(Debug)]
pub(crate) struct SignableArchive {
    /// The name of its file. Helm looks the digest up by it, so a renamed archive is another one.
    file_name: String,
    digest: Digest,
    statement: String,
}

/// Why an archive is not signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignRefusal {
    /// It is no chart.
    #[error("`{path}` is not a chart archive that Helm would load: {problem}")]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<ArchiveError>,
    },
    /// The key does not sign.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// What was signed does not verify.
    #[error("what the key signed does not verify with its public half: {0}; use another key")]
    NotVerified(#[source] SignerRefusal),
}

impl SignableArchive {
    /// Reads the archive whose file is `path`.
    ///
    /// # Errors
    /// [`SignRefusal::Archive`].
    pub(crate) fn read(path: &Path, bytes: &[u8]) -> Result<Self, SignRefusal> {
        let refuse =
            |problem: ArchiveError| SignRefusal::Archive { path: path.to_owned(), problem: problem.into() };
        let metadata = ChartArchive::inspect(bytes, &Limits::default()).map_err(refuse)?;
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digest = Digest::sha256(bytes);
        let statement = statement::of(&metadata, &file_name, &digest);
        Ok(Self { file_name, digest, statement })
    }

    /// Returns the provenance file's text.
    ///
    /// # Errors
    /// [`SignRefusal::Key`] or [`SignRefusal::NotVerified`].
    pub(crate) fn sign(&self, key: &SecretKey) -> Result<String, SignRefusal> {
        let provenance = key.sign(&self.statement)?;
        let public = key.public_half()?;
        self.check(provenance.as_bytes(), ("the signing key", &public)).map_err(SignRefusal::NotVerified)?;
        Ok(provenance)
    }

    /// Checks that one of the public keys signed `provenance` for this archive, and returns its fingerprint in
    /// lower-case hex. The text before the keys is what messages call them.
    ///
    /// # Errors
    /// [`SignerRefusal`].
    pub(crate) fn check(&self, provenance: &[u8], keys: (&str, &[u8])) -> Result<String, SignerRefusal> {
        check_signer(Some(provenance), keys, (&self.file_name, &self.digest))
    }
}
