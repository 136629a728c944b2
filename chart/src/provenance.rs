//! Provenance files: the clear-signed text that `helm package --sign` puts beside an archive.
//!
//! Read for what it says of which file; whether the signature is good is for whoever holds the keys.

use std::collections::BTreeMap;

use oci::{Digest, InvalidDigest};
use serde::Deserialize;

use crate::name::{ChartName, InvalidName};
use crate::version::{ChartVersion, InvalidVersion};
use crate::yaml::{self, Budget, DecodeError, YamlError};

const MESSAGE_BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE_BEGIN: &str = "-----BEGIN PGP SIGNATURE-----";
const SIGNATURE_END: &str = "-----END PGP SIGNATURE-----";

/// The line between a chart's metadata and the digests. YAML's own `---` cannot stand in a clear-signed text.
const DOCUMENT_END: &str = "\n...\n";

/// What a provenance file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    name: ChartName,
    version: ChartVersion,
    files: BTreeMap<String, Digest>,
}

/// Why bytes are not a provenance file.
#[derive(Debug, thiserror::Error)]
pub enum InvalidProvenance {
    /// The bytes are not UTF-8.
    #[error("the provenance file is not UTF-8; upload the `.prov` that `helm package --sign` writes")]
    NotText,
    /// There is no clear-signed message.
    #[error("the line `{MESSAGE_BEGIN}` is missing; upload the `.prov` that `helm package --sign` writes")]
    NotSigned,
    /// The message has no signature behind it, or it is cut off.
    #[error(
        "the signature between `{SIGNATURE_BEGIN}` and `{SIGNATURE_END}` is missing; upload the file again"
    )]
    NoSignature,
    /// The digests are missing.
    #[error("the line `...` between the chart's metadata and its digests is missing; sign the chart again")]
    NoDigests,
    /// A part is not YAML.
    #[error("the {part} is not valid YAML: {reason}")]
    Yaml {
        /// `chart's metadata` or `list of files`.
        part: &'static str,
        /// The position in the part and what is wrong there.
        reason: YamlError,
    },
    /// A field is missing or has the wrong type.
    #[error("the {part} has a wrong field: {reason}")]
    Field {
        /// `chart's metadata` or `list of files`.
        part: &'static str,
        /// The field and what it must be.
        reason: DecodeError,
    },
    /// The chart's name cannot be used.
    #[error("field `name`: {0}")]
    Name(#[from] InvalidName),
    /// The chart's version is not a semantic version.
    #[error("field `version`: {0}")]
    Version(#[from] InvalidVersion),
    /// A file's digest is malformed.
    #[error("the digest of `{file}` is refused: {reason}")]
    Digest {
        /// The file.
        file: String,
        /// What is wrong with the digest.
        reason: InvalidDigest,
    },
}

/// Why a provenance file does not speak for an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvenanceMismatch {
    /// It does not list the file. Helm looks a file up by its name, so a renamed archive is another one.
    #[error("the provenance file lists no `{file}`; it names {listed}")]
    NotListed {
        /// The file asked for.
        file: String,
        /// The files it lists, each in backticks.
        listed: String,
    },
    /// It was made for other bytes.
    #[error(
        "the provenance file gives `{file}` the digest `{signed}`, the archive has `{actual}`; sign it again"
    )]
    OtherDigest {
        /// The file.
        file: String,
        /// The digest that was signed.
        signed: Digest,
        /// The digest of the archive.
        actual: Digest,
    },
}

/// The metadata's fields of interest. Maintainers have names too, and stand before the chart's own; hence a parser
/// and not a search for `name:`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    name: String,
    version: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sums {
    files: BTreeMap<String, String>,
}

impl Provenance {
    /// Parses a `.prov` file, with LF or CRLF line ends.
    ///
    /// # Errors
    /// [`InvalidProvenance`] naming the missing or wrong part.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidProvenance> {
        let text = str::from_utf8(bytes).map_err(|_| InvalidProvenance::NotText)?;
        let message = signed_message(text)?;
        let (metadata, sums) = message.split_once(DOCUMENT_END).ok_or(InvalidProvenance::NoDigests)?;
        let sums = sums.split_once(DOCUMENT_END).map_or(sums, |(sums, _)| sums);
        let head: Head = decode("chart's metadata", metadata)?;
        let Sums { files } = decode("list of files", sums)?;
        let files = files.into_iter().map(|(file, digest)| match digest.parse() {
            Ok(digest) => Ok((file, digest)),
            Err(reason) => Err(InvalidProvenance::Digest { file, reason }),
        });
        Ok(Self {
            name: head.name.parse()?,
            version: head.version.parse()?,
            files: files.collect::<Result<_, _>>()?,
        })
    }

    /// Returns the name of the chart that was signed.
    pub fn name(&self) -> &ChartName {
        &self.name
    }

    /// Returns the version of the chart that was signed.
    pub fn version(&self) -> &ChartVersion {
        &self.version
    }

    /// Returns the digest signed for a file, which is listed under its bare name.
    pub fn digest_of(&self, file_name: &str) -> Option<&Digest> {
        self.files.get(file_name)
    }

    /// Checks that the archive called `file_name`, with this digest, is what was signed.
    ///
    /// # Errors
    /// [`ProvenanceMismatch`] when `helm verify` would fail for it with any key.
    pub fn covers(&self, file_name: &str, digest: &Digest) -> Result<(), ProvenanceMismatch> {
        let file = file_name.to_owned();
        match self.digest_of(file_name) {
            Some(signed) if signed == digest => Ok(()),
            Some(signed) => {
                Err(ProvenanceMismatch::OtherDigest { file, signed: signed.clone(), actual: digest.clone() })
            }
            None => {
                let listed: Vec<_> = self.files.keys().map(|file| format!("`{file}`")).collect();
                let listed = if listed.is_empty() { "no files".to_owned() } else { listed.join(", ") };
                Err(ProvenanceMismatch::NotListed { file, listed })
            }
        }
    }
}

/// Returns the text between the message's headers and its signature, line ends as LF and dashes unescaped
/// (RFC 4880, section 7).
fn signed_message(text: &str) -> Result<String, InvalidProvenance> {
    let mut lines = text.lines();
    if !lines.by_ref().any(|line| line.trim_end() == MESSAGE_BEGIN) {
        return Err(InvalidProvenance::NotSigned);
    }
    // The armor's own headers, such as `Hash: SHA512`, end with an empty line.
    let mut message = String::new();
    let mut lines = lines.skip_while(|line| !line.trim_end().is_empty()).skip(1);
    loop {
        let line = lines.next().ok_or(InvalidProvenance::NoSignature)?.trim_end();
        if line == SIGNATURE_BEGIN {
            break;
        }
        message.push_str(line.strip_prefix("- ").unwrap_or(line));
        message.push('\n');
    }
    if !lines.any(|line| line.trim_end() == SIGNATURE_END) {
        return Err(InvalidProvenance::NoSignature);
    }
    Ok(message)
}

fn decode<T: Default + for<'de> Deserialize<'de>>(
    part: &'static str,
    text: &str,
) -> Result<T, InvalidProvenance> {
    let value = yaml::parse(text.as_bytes(), &Budget::default());
    let value = value.map_err(|reason| InvalidProvenance::Yaml { part, reason })?;
    let decoded =
        Option::<T>::deserialize(&value).map_err(|reason| InvalidProvenance::Field { part, reason })?;
    Ok(decoded.unwrap_or_default())
}

#[cfg(test)]
mod tests;
