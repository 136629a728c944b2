//! Who signed an upstream archive: the provenance file against the keys that a recipe pins.
//!
//! Only the text that the signature covers is read, so that nothing around it can speak for it.

use chart::{InvalidProvenance, Provenance, ProvenanceMismatch};
use oci::Digest;
use pgp::composed::{CleartextSignedMessage, Deserializable, SignedPublicKey};
use pgp::packet::{Signature, SignatureType};
use pgp::types::KeyDetails;

/// Why a provenance file does not speak for an archive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignerRefusal {
    /// There is none.
    #[error(
        "the upstream has no provenance file for it: take `provenance` out of the recipe, or ask its publisher"
    )]
    None,
    /// The pinned file holds no keys.
    #[error("`{file}` holds no OpenPGP public key: {reason}; export it with `gpg --export`")]
    Keys {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The file is not signed in the way helm signs.
    #[error("its provenance file is not clear-signed: {0}")]
    NotSigned(String),
    /// No pinned key made the signature, or the text was changed after it was made.
    #[error(
        "no key of `{file}` signed its provenance file as it is: somebody else signed it, or it was changed; find out which before you pin another key"
    )]
    NotByPinnedKey {
        /// The file with the keys.
        file: String,
    },
    /// The signed text is no provenance.
    #[error("its provenance file says nothing usable: {0}")]
    Text(#[from] InvalidProvenance),
    /// It is of another archive.
    #[error("its provenance file is of other bytes: {0}")]
    Mismatch(#[from] ProvenanceMismatch),
}

/// Checks that one of the keys in `keys` signed that the archive called `file_name` has `digest`, and returns the key's
/// fingerprint in lower-case hex. `file` is what messages call the keys.
///
/// # Errors
/// [`SignerRefusal`].
pub(crate) fn check(
    provenance: Option<&[u8]>,
    (file, keys): (&str, &[u8]),
    (file_name, digest): (&str, &Digest),
) -> Result<String, SignerRefusal> {
    let provenance = provenance.ok_or(SignerRefusal::None)?;
    let keys = read_keys(file, keys)?;
    let text = str::from_utf8(provenance).map_err(|error| SignerRefusal::NotSigned(error.to_string()))?;
    let (message, _) = CleartextSignedMessage::from_string(text)
        .map_err(|error| SignerRefusal::NotSigned(error.to_string()))?;
    let signer = keys.iter().find_map(|key| signer_of(&message, key));
    let signer = signer.ok_or_else(|| SignerRefusal::NotByPinnedKey { file: file.to_owned() })?;
    let signed = Provenance::parse(&rewrapped(&message))?;
    signed.covers(file_name, digest)?;
    Ok(signer)
}

fn read_keys(file: &str, bytes: &[u8]) -> Result<Vec<SignedPublicKey>, SignerRefusal> {
    let refuse = |reason: String| SignerRefusal::Keys { file: file.to_owned(), reason };
    let (keys, _) = SignedPublicKey::from_reader_many(bytes).map_err(|error| refuse(error.to_string()))?;
    let keys: Vec<SignedPublicKey> =
        keys.collect::<Result<_, _>>().map_err(|error| refuse(error.to_string()))?;
    if keys.is_empty() {
        return Err(refuse("it is empty".to_owned()));
    }
    Ok(keys)
}

/// Returns the fingerprint of the key, or of its subkey, that made the signature.
fn signer_of(message: &CleartextSignedMessage, key: &SignedPublicKey) -> Option<String> {
    // A subkey counts only when the primary key says that it is its own.
    key.verify_bindings().ok()?;
    // A signature over a key or a standalone one speaks for no text.
    let is_good =
        |signature: &Signature| matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary));
    if message.verify(key).is_ok_and(is_good) {
        return Some(key.fingerprint().to_string());
    }
    let subkey = key.public_subkeys.iter().find(|subkey| message.verify(*subkey).is_ok_and(is_good));
    subkey.map(|subkey| subkey.fingerprint().to_string())
}

/// Wraps the signed text again, without what stood around it in the file.
fn rewrapped(message: &CleartextSignedMessage) -> Vec<u8> {
    let text = message.text();
    format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}\n-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n"
    )
    .into_bytes()
}
