//! Image layouts on disk: blobs by digest, and an `index.json` that says what they are (image specification,
//! "OCI Image Layout Specification").
//!
//! What is in a layout is whole: each file is written beside its place, synced and renamed. Bytes are believed by their
//! digest only.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::descriptor::Descriptor;
use crate::digest::Digest;

mod blob_reader;
mod blob_writer;
mod durable;
mod error;
mod index;
mod survey;
#[cfg(test)]
mod tests;

pub use blob_reader::BlobReader;
pub use blob_writer::BlobWriter;
pub use error::LayoutError;
pub use survey::Survey;

/// The annotation that names an entry of `index.json`.
pub const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";

/// The file that makes a folder a layout, and whose lock is held while `index.json` changes.
const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";
/// The version of the format; it says nothing about what is inside.
const VERSION: &str = "1.0.0";

/// The largest manifest that is read, as for registries, which must take 4 MiB.
pub(crate) const MANIFEST_BYTES: u64 = 8 * 1024 * 1024;

/// A layout in a folder. Several processes may write to the same one.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Layout {
    /// Opens the layout in `root`.
    ///
    /// # Errors
    /// [`LayoutError`] when there is none, or one of another version.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, LayoutError> {
        let layout = Self { root: root.into() };
        let path = layout.root.join(MARKER);
        let bytes = fs::read(&path).map_err(|reason| {
            if reason.kind() == ErrorKind::NotFound {
                LayoutError::NoLayout { path: layout.root.clone() }
            } else {
                LayoutError::file("read", &path)(reason)
            }
        })?;
        let marker: Marker = serde_json::from_slice(&bytes)
            .map_err(|reason| LayoutError::Json { path: path.clone(), reason })?;
        if marker.image_layout_version != VERSION {
            return Err(LayoutError::Version { path, version: marker.image_layout_version });
        }
        Ok(layout)
    }

    /// Opens the layout in `root`, after making folder and layout where they are missing.
    ///
    /// # Errors
    /// [`LayoutError`] when that is not possible.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self, LayoutError> {
        let layout = Self { root: root.into() };
        for folder in ["blobs/sha256", "blobs/sha512"] {
            let folder = layout.root.join(folder);
            fs::create_dir_all(&folder).map_err(LayoutError::file("make", &folder))?;
        }
        if !layout.exists(&layout.root.join(INDEX))? {
            index::write_empty(&layout)?;
        }
        // Last: a folder with a marker is a whole layout.
        let path = layout.root.join(MARKER);
        if !layout.exists(&path)? {
            let marker = Marker { image_layout_version: VERSION.to_owned() };
            let bytes = serde_json::to_vec(&marker)
                .map_err(|reason| LayoutError::Json { path: path.clone(), reason })?;
            durable::write(&path, &bytes)?;
        }
        Self::open(layout.root)
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the entries of `index.json`, in order; one manifest with two names is two entries.
    ///
    /// # Errors
    /// [`LayoutError`] when it cannot be read.
    pub fn entries(&self) -> Result<Vec<Descriptor>, LayoutError> {
        index::entries(self)
    }

    /// Returns the entry of that name.
    ///
    /// # Errors
    /// [`LayoutError`] when `index.json` cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<Descriptor>, LayoutError> {
        Ok(self.entries()?.into_iter().find(|entry| name_of(entry) == Some(name)))
    }

    /// Lists a manifest in `index.json`, under a name if one is given. A name that another entry has moves over, as a
    /// tag does. Entries, and their fields, that are not concerned stay as they are.
    ///
    /// # Errors
    /// [`LayoutError`] when the manifest is not in the layout or `index.json` cannot be read or written.
    pub fn add(&self, manifest: &Descriptor, name: Option<&str>) -> Result<(), LayoutError> {
        if !self.has_blob(manifest)? {
            return Err(LayoutError::Missing { digest: manifest.digest.clone() });
        }
        index::add(self, manifest, name)
    }

    /// Tells whether the blob is there, with the length it should have. Its bytes are not read.
    ///
    /// # Errors
    /// [`LayoutError`] when the folder cannot be read: that is never "not there".
    pub fn has_blob(&self, blob: &Descriptor) -> Result<bool, LayoutError> {
        let path = self.blob_path(&blob.digest);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file() && metadata.len() == blob.size),
            Err(reason) if reason.kind() == ErrorKind::NotFound => Ok(false),
            Err(reason) => Err(LayoutError::file("read", &path)(reason)),
        }
    }

    /// Opens a blob for reading. The reader fails at the end when the bytes are not the ones meant.
    ///
    /// # Errors
    /// [`LayoutError::Missing`] when it is not there.
    pub fn open_blob(&self, blob: &Descriptor) -> Result<BlobReader, LayoutError> {
        BlobReader::open(&self.blob_path(&blob.digest), blob)
    }

    /// Returns a manifest's bytes, which are the ones meant.
    ///
    /// # Errors
    /// [`LayoutError`] when it is not there, too large, or damaged.
    pub fn read_manifest(&self, manifest: &Descriptor) -> Result<Vec<u8>, LayoutError> {
        if manifest.size > MANIFEST_BYTES {
            return Err(LayoutError::TooLarge { digest: manifest.digest.clone(), size: manifest.size });
        }
        self.open_blob(manifest)?.into_bytes()
    }

    /// Begins to write a blob. Nobody sees it before [`BlobWriter::finish`]; dropping the writer discards it.
    ///
    /// # Errors
    /// [`LayoutError`] when the folder cannot be written.
    pub fn write_blob(&self, blob: &Descriptor) -> Result<BlobWriter, LayoutError> {
        BlobWriter::begin(self.blob_path(&blob.digest), blob)
    }

    /// Writes a blob that is in memory, unless it is there.
    ///
    /// # Errors
    /// [`LayoutError`] when the bytes are not the ones meant or the folder cannot be written.
    pub fn put_blob(&self, blob: &Descriptor, bytes: &[u8]) -> Result<(), LayoutError> {
        if self.has_blob(blob)? {
            return Ok(());
        }
        let mut writer = self.write_blob(blob)?;
        writer.append(bytes)?;
        writer.finish()
    }

    /// Reads what a manifest names, as far as it is there, and says what is not.
    ///
    /// # Errors
    /// [`LayoutError`] when a manifest that is there cannot be read.
    pub fn survey(&self, manifest: &Descriptor) -> Result<Survey, LayoutError> {
        survey::survey(self, manifest)
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().name()).join(digest.hex())
    }

    fn exists(&self, path: &Path) -> Result<bool, LayoutError> {
        path.try_exists().map_err(LayoutError::file("read", path))
    }
}

/// Returns the name that an entry of `index.json` has.
pub fn name_of(entry: &Descriptor) -> Option<&str> {
    entry.annotations.as_ref()?.get(REFERENCE_NAME).map(String::as_str)
}
