//! An OpenPGP secret key, as `gpg --export-secret-keys` writes it, and the part of it that signs.
//!
//! The passphrase unlocks the signing part once, in memory, and is never printed.

use std::fmt;

use pgp::composed::{ArmorOptions, CleartextSignedMessage, Deserializable, SignedPublicKey, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails, Password, SigningKey, Timestamp};

use super::signing_part::signing_parts;

/// What unlocks a secret key.
#[derive(Clone)]
pub(crate) struct Passphrase(String);

impl Passphrase {
    /// Takes a passphrase as it stands; a line break at its end is the file's.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text)).to_owned())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(…)")
    }
}

/// A secret key of which some part can sign.
pub(crate) struct SecretKey {
    key: SignedSecretKey,
    /// Which of the subkeys signs; the primary key when none.
    subkey: Option<usize>,
}

/// Why a key does not sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyRefusal {
    /// The file holds no secret key.
    #[error("`{file}` holds no OpenPGP secret key: {reason}; export it with `gpg --export-secret-keys`")]
    None {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The file holds several keys.
    #[error("`{file}` holds {count} secret keys: export the one to sign with")]
    Several {
        /// The file.
        file: String,
        /// How many.
        count: usize,
    },
    /// The key is not valid.
    #[error("the key in `{file}` {reason}: use another one")]
    Unusable {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nothing unlocks the key.
    #[error(
        "the key in `{file}` is locked, or its secret part is elsewhere: give its passphrase with --passphrase-file or CHARTPACK_SIGNING_PASSPHRASE"
    )]
    Locked {
        /// The file.
        file: String,
    },
    /// The passphrase is another one.
    #[error("the passphrase does not unlock the key in `{file}`: correct it")]
    OtherPassphrase {
        /// The file.
        file: String,
    },
    /// The signature cannot be made.
    #[error("the key does not sign: {0}; use an RSA key")]
    Failed(#[source] Box<pgp::errors::Error>),
}

impl SecretKey {
    /// Reads the one key in the bytes of `file`, binary or armoured, and unlocks it for a try.
    ///
    /// # Errors
    /// [`KeyRefusal`].
    pub(crate) fn read(
        file: &str,
        bytes: &[u8],
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, KeyRefusal> {
        let mut key = read_one(file, bytes)?;
        let unusable = |reason| KeyRefusal::Unusable { file: file.to_owned(), reason };
        key.verify_bindings().map_err(|_| unusable("is damaged, or was put together of several"))?;
        let signing = signing_parts(&key, Timestamp::now()).map_err(unusable)?;
        let password =
            passphrase.map_or_else(Password::empty, |Passphrase(text)| Password::from(text.as_str()));
        let locked = || match passphrase {
            Some(_) => KeyRefusal::OtherPassphrase { file: file.to_owned() },
            None => KeyRefusal::Locked { file: file.to_owned() },
        };
        // The primary key may be kept elsewhere, which leaves a part here that nothing unlocks.
        let subkey = signing.into_iter().find(|part| unlock(&mut key, *part, &password));
        Ok(Self { subkey: subkey.ok_or_else(locked)?, key })
    }

    /// Returns the clear-signed text. Its lines must not end with blanks.
    ///
    /// # Errors
    /// [`KeyRefusal::Failed`].
    pub(crate) fn sign(&self, text: &str) -> Result<String, KeyRefusal> {
        let subkey = self.subkey.and_then(|at| self.key.secret_subkeys.get(at));
        let message = match subkey {
            Some(subkey) => clear_sign(text, &subkey.key),
            None => clear_sign(text, &self.key.primary_key),
        };
        // RFC 9580 makes the checksum optional; gpg and helm write it.
        let options = ArmorOptions { headers: None, include_checksum: true };
        let text = message.and_then(|message| message.to_armored_string(options));
        text.map_err(|error| KeyRefusal::Failed(error.into()))
    }

    /// Returns the public half, as `gpg --export --armor` would.
    ///
    /// # Errors
    /// None in practice: what was read can be written.
    pub(crate) fn public_half(&self) -> Result<Vec<u8>, KeyRefusal> {
        let public = self.key.to_public_key().to_armored_bytes(ArmorOptions::default());
        public.map_err(|error| KeyRefusal::Failed(error.into()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey({})", self.key.fingerprint())
    }
}

/// Returns public keys to check with: of a file with secret keys their public halves, else the bytes as they are.
pub(crate) fn public_half(bytes: &[u8]) -> Vec<u8> {
    let Ok((keys, _)) = SignedSecretKey::from_reader_many(bytes) else { return bytes.to_vec() };
    let public = keys.map(|key| SignedPublicKey::from(key?).to_armored_bytes(ArmorOptions::default()));
    match public.collect::<pgp::errors::Result<Vec<_>>>() {
        Ok(keys) if !keys.is_empty() => keys.concat(),
        Ok(_) | Err(_) => bytes.to_vec(),
    }
}

fn read_one(file: &str, bytes: &[u8]) -> Result<SignedSecretKey, KeyRefusal> {
    let refuse = |reason: String| KeyRefusal::None { file: file.to_owned(), reason };
    let (keys, _) = SignedSecretKey::from_reader_many(bytes).map_err(|error| refuse(error.to_string()))?;
    let keys = keys.collect::<pgp::errors::Result<Vec<_>>>().map_err(|error| refuse(error.to_string()))?;
    let count = keys.len();
    match <[SignedSecretKey; 1]>::try_from(keys) {
        Ok([key]) => Ok(key),
        Err(_) if count == 0 => Err(refuse("it is empty, or has public keys only".to_owned())),
        Err(_) => Err(KeyRefusal::Several { file: file.to_owned(), count }),
    }
}

/// Unlocks the primary key or a subkey, so that its passphrase is stretched once only; returns whether that worked.
fn unlock(key: &mut SignedSecretKey, part: Option<usize>, password: &Password) -> bool {
    match part {
        None => key.primary_key.remove_password(password).is_ok(),
        Some(at) => {
            key.secret_subkeys.get_mut(at).is_some_and(|one| one.key.remove_password(password).is_ok())
        }
    }
}

fn clear_sign(text: &str, key: &impl SigningKey) -> pgp::errors::Result<CleartextSignedMessage> {
    // Every helm knows SHA-512; NIST's curves want the hash of their own length.
    let hash = match key.algorithm() {
        PublicKeyAlgorithm::ECDSA => key.hash_alg(),
        _ => HashAlgorithm::Sha512,
    };
    let mut config = SignatureConfig::v4(SignatureType::Text, key.algorithm(), hash);
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::now()))?,
        Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
    ];
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?];
    CleartextSignedMessage::new(text, config, key, &Password::empty())
}
