//! Why something cannot be done with a layout. Rule: a folder that fails is never one that lacks something.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::manifest::InvalidManifest;

/// Why something cannot be done with a layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The folder holds no layout.
    #[error("`{}` is no OCI image layout: it has no file `oci-layout`", path.display())]
    NoLayout {
        /// The folder.
        path: PathBuf,
    },
    /// The layout is of a version that is not known.
    #[error("`{}` says version `{version}`: only layouts of version `1.0.0` can be read", path.display())]
    Version {
        /// The file that says so.
        path: PathBuf,
        /// The version.
        version: String,
    },
    /// The system refuses.
    #[error("cannot {action} `{}`: {reason}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// A file is not the JSON it should be.
    #[error("cannot read `{}`: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        reason: serde_json::Error,
    },
    /// A blob is not in the layout.
    #[error("`{digest}` is not in the layout")]
    Missing {
        /// Its digest.
        digest: Digest,
    },
    /// A blob has other bytes than its name says.
    #[error(
        "the bytes of `{expected}` are those of `{found}`: the layout or its source is damaged, make it again"
    )]
    WrongDigest {
        /// What the blob should be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// A blob has another length than its descriptor says.
    #[error(
        "`{digest}` has {found} bytes instead of {expected}: the layout or its source is damaged, make it again"
    )]
    WrongSize {
        /// The blob.
        digest: Digest,
        /// Its length by the descriptor, in bytes.
        expected: u64,
        /// Its length as far as it was read, in bytes.
        found: u64,
    },
    /// A manifest is larger than any should be.
    #[error("the manifest `{digest}` has {size} bytes, which is more than any registry takes")]
    TooLarge {
        /// The manifest.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// A blob that should be a manifest is none.
    #[error("`{digest}` cannot be used: {reason}")]
    Manifest {
        /// The blob.
        digest: Digest,
        /// What is wrong with it.
        #[source]
        reason: InvalidManifest,
    },
}

impl LayoutError {
    /// Returns what makes an error of what the system says of a file.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |reason| Self::File { action, path, reason }
    }
}
