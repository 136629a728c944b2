//! What must be known of a bucket and its service to keep blobs there.

use std::time::Duration;

/// A bucket, how its service is reached, and what is asked of it.
#[derive(Debug, Clone)]
pub(crate) struct BucketOptions {
    /// The bucket's name.
    pub(crate) bucket: String,
    /// What every key begins with, without slashes at its ends; may be empty.
    pub(crate) prefix: String,
    /// The service's URL; none is AWS.
    pub(crate) endpoint: Option<String>,
    /// The region; none is what AWS's variables and files say.
    pub(crate) region: Option<String>,
    /// Whether the bucket stands in the path of addresses.
    pub(crate) path_style: bool,
    /// Who asks.
    pub(crate) credentials: Credentials,
    /// Authorities to trust beside the system's, as PEM.
    pub(crate) authorities: Option<Vec<u8>>,
    /// A client's certificate chain and its private key, as PEM one after the other.
    pub(crate) identity: Option<Vec<u8>>,
    /// Which encryption is asked for with every object.
    pub(crate) encryption: ObjectEncryption,
    /// Whether downloads get addresses of the service.
    pub(crate) redirects: bool,
    /// The limit of one attempt.
    pub(crate) attempt_timeout: Duration,
    /// The limit of all attempts.
    pub(crate) timeout: Duration,
    /// When and how blobs are sent in parts.
    pub(crate) part_sizes: PartSizes,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    /// Whom AWS's own variables, files and services name: keys, profile, web identity, the machine.
    ByAwsRules,
    /// This account, for tests: they share one environment.
    #[cfg(test)]
    Given {
        /// Its access key.
        access_key: String,
        /// Its secret key.
        secret_key: String,
    },
}

/// Which encryption is asked for with every object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ObjectEncryption {
    /// None: the bucket's own rule holds.
    AsTheBucketSays,
    /// With keys the service holds.
    Aes256,
    /// With a key of the key management service; none is the account's default key.
    Kms(Option<String>),
}

/// When and how blobs are sent in parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartSizes {
    /// Up to this size a blob is one request.
    single_request_bytes: u64,
    /// The size of every part but the last.
    part_bytes: u64,
}

/// Amazon's smallest part but the last.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;
/// Amazon's most parts of one object.
const MOST_PARTS: u64 = 10_000;

impl PartSizes {
    /// Returns the sizes; parts that S3 would refuse as too small are made as large as it asks.
    pub(crate) fn new(single_request_bytes: u64, part_bytes: u64) -> Self {
        Self { single_request_bytes, part_bytes: part_bytes.max(SMALLEST_PART) }
    }

    /// Returns the length of each part of a blob, the last one shorter; `None` when it goes in one request.
    pub(super) fn part_bytes(self, size_bytes: u64) -> Option<u64> {
        if size_bytes <= self.single_request_bytes.max(SMALLEST_PART) {
            return None;
        }
        Some(self.part_bytes.max(size_bytes.div_ceil(MOST_PARTS)))
    }

    /// Returns the length of the part after so many, of a blob whose size nobody knows: parts grow by the thousand, so that
    /// [`MOST_PARTS`] are enough for 440 GB of the usual ones.
    pub(super) fn part_bytes_after(self, sent: usize) -> u64 {
        self.part_bytes.saturating_mul(1 + sent as u64 / 1_000)
    }
}

impl Default for PartSizes {
    fn default() -> Self {
        Self::new(16 * 1024 * 1024, 8 * 1024 * 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_blobs_are_one_request_and_no_part_is_too_small_or_one_too_many() {
        let mib = 1024 * 1024;
        let sizes = PartSizes::default();
        for (size, expected) in [
            (0, None),
            (1, None),
            (16 * mib, None),
            (16 * mib + 1, Some(8 * mib)),
            (80_000 * mib, Some(8 * mib)),
            (80_000 * mib + 1, Some(8 * mib + 1)),
        ] {
            assert_eq!(sizes.part_bytes(size), expected, "{size}");
        }
        assert_eq!(PartSizes::new(0, 1).part_bytes(5 * mib + 1), Some(5 * mib));
        assert_eq!(PartSizes::new(0, 1).part_bytes(5 * mib), None);
    }
}
