//! Digests: `algorithm:hex`, as the OCI image specification writes them (descriptor.md, "Digests").
//!
//! A `Digest` that exists is valid: known algorithm, right length, lower-case hex.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256, Sha512};

/// A registered digest algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, the algorithm every client must support.
    Sha256,
    /// SHA-512, registered and optional.
    Sha512,
}

impl Algorithm {
    /// Returns the algorithm's registered name, as it stands before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns the algorithm of a registered name; `None` for one that is not known here.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha512].into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the length of the encoded part in hex characters.
    pub const fn hex_length(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// The digest of some bytes: algorithm and lower-case hex.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    hex: Box<str>,
}

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDigest {
    /// The part before the colon is not `sha256` or `sha512`, or there is no colon.
    #[error("`{0}` does not begin with `sha256:` or `sha512:`")]
    UnknownAlgorithm(String),
    /// The part after the colon has the wrong length or is not lower-case hex.
    #[error("`{text}` must have {expected} lower-case hex digits after the colon")]
    NotHex {
        /// The whole text as given.
        text: String,
        /// How many digits the algorithm has.
        expected: usize,
    },
}

impl Digest {
    /// Returns the SHA-256 of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        let mut digester = Digester::new(Algorithm::Sha256);
        digester.update(bytes);
        digester.finish()
    }

    /// Parses the bare 64 hex digits of a SHA-256, as Helm's index and provenance files hold them,
    /// with or without the `sha256:` in front.
    ///
    /// # Errors
    /// [`InvalidDigest`] when it is neither form.
    pub fn from_sha256_hex(text: &str) -> Result<Self, InvalidDigest> {
        Self::checked(Algorithm::Sha256, text.strip_prefix("sha256:").unwrap_or(text), text)
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the encoded part alone: lower-case hex without the algorithm.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    fn checked(algorithm: Algorithm, hex: &str, text: &str) -> Result<Self, InvalidDigest> {
        let is_hex = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() != algorithm.hex_length() || !is_hex {
            return Err(InvalidDigest::NotHex { text: text.to_owned(), expected: algorithm.hex_length() });
        }
        Ok(Self { algorithm, hex: hex.into() })
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (algorithm, hex) = match text.split_once(':') {
            Some(("sha256", hex)) => (Algorithm::Sha256, hex),
            Some(("sha512", hex)) => (Algorithm::Sha512, hex),
            Some(_) | None => return Err(InvalidDigest::UnknownAlgorithm(text.to_owned())),
        };
        Self::checked(algorithm, hex, text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.name(), self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes a digest piece by piece, so that bytes can be hashed while they pass.
#[derive(Debug, Clone)]
pub struct Digester(State);

#[derive(Debug, Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Digester {
    /// Begins a digest over no bytes.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// Returns what it takes to go on later, in another process too: 104 bytes for SHA-256, 208 for SHA-512.
    pub fn save(&self) -> Vec<u8> {
        match &self.0 {
            State::Sha256(state) => state.serialize().to_vec(),
            State::Sha512(state) => state.serialize().to_vec(),
        }
    }

    /// Goes on from what [`Self::save`] returned; `None` for bytes that are none of that algorithm's.
    pub fn resume(algorithm: Algorithm, saved: &[u8]) -> Option<Self> {
        Some(Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(resume(saved)?),
            Algorithm::Sha512 => State::Sha512(resume(saved)?),
        }))
    }

    /// Returns the algorithm of the digest it computes.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Returns the digest of all bytes added.
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => Digest { algorithm: Algorithm::Sha256, hex: hex(&state.finalize()) },
            State::Sha512(state) => Digest { algorithm: Algorithm::Sha512, hex: hex(&state.finalize()) },
        }
    }
}

fn resume<S: SerializableState>(saved: &[u8]) -> Option<S> {
    S::deserialize(&SerializedState::<S>::try_from(saved).ok()?).ok()
}

fn hex(bytes: &[u8]) -> Box<str> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)] as char, DIGITS[usize::from(byte & 15)] as char])
        .collect::<String>()
        .into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn empty_bytes_have_the_published_sha256() {
        assert_eq!(Digest::sha256(b"").to_string(), format!("sha256:{EMPTY}"));
    }

    #[test]
    fn pieces_give_the_same_digest_as_the_whole() {
        let mut digester = Digester::new(Algorithm::Sha512);
        digester.update(b"char");
        digester.update(b"troom");
        let mut whole = Digester::new(Algorithm::Sha512);
        whole.update(b"chartroom");
        assert_eq!(digester.finish(), whole.finish());
    }

    #[test]
    fn a_digest_goes_on_where_another_process_left_off() {
        let bytes: Vec<u8> = (0..1_000_u32).map(|number| number as u8).collect();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let mut whole = Digester::new(algorithm);
            whole.update(&bytes);
            let expected = whole.finish();
            for cut in [0, 1, 63, 64, 65, 127, 128, 129, 999, 1_000] {
                let mut first = Digester::new(algorithm);
                first.update(&bytes[..cut]);
                let mut second = Digester::resume(algorithm, &first.save()).unwrap();
                assert_eq!(second.algorithm(), algorithm);
                second.update(&bytes[cut..]);
                assert_eq!(second.finish(), expected, "{algorithm:?} cut at {cut}");
            }
            assert!(Digester::resume(algorithm, b"short").is_none());
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::from_name("md5"), None);
    }

    #[test]
    fn text_is_checked_for_algorithm_length_and_case() {
        assert!(format!("sha256:{EMPTY}").parse::<Digest>().is_ok());
        assert!(format!("sha512:{EMPTY}{EMPTY}").parse::<Digest>().is_ok());
        for bad in [
            String::new(),
            "sha256".to_owned(),
            "sha256:".to_owned(),
            "md5:d41d8cd98f00b204e9800998ecf8427e".to_owned(),
            EMPTY.to_owned(),
            format!("sha256:{}", EMPTY.to_uppercase()),
            format!("sha256:{EMPTY}0"),
            format!("sha512:{EMPTY}"),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn bare_hex_is_a_sha256() {
        assert_eq!(Digest::from_sha256_hex(EMPTY).unwrap(), Digest::sha256(b""));
        assert_eq!(Digest::from_sha256_hex(&format!("sha256:{EMPTY}")).unwrap(), Digest::sha256(b""));
        assert!(Digest::from_sha256_hex("e3b0").is_err());
    }

    #[test]
    fn json_is_the_text_form() {
        let digest = Digest::sha256(b"x");
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, format!("\"{digest}\""));
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    }
}
