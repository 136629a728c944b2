//! The smallest image that clients take: one empty layer, and a configuration that tells it from others.
//! Rule: made on the spot, never fetched.

use std::fs;
use std::path::Path;

use anyhow::Result;
use oci::Digest;
use serde_json::json;

/// Two empty blocks: the end of an archive without entries (POSIX.1, `pax`).
const EMPTY_ARCHIVE: [u8; 1024] = [0; 1024];

/// Writes an image as an OCI layout into a folder that is not there yet, and returns its digest. Equal marks make equal
/// images.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_layout(folder: &Path, mark: &str) -> Result<String> {
    write_layout_of(folder, mark, &EMPTY_ARCHIVE)
}

/// As [`write_layout`], with a layer of these bytes, which nobody unpacks.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_layout_of(folder: &Path, mark: &str, layer_content: &[u8]) -> Result<String> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let keep = |bytes: &[u8]| -> Result<String> {
        let digest = Digest::sha256(bytes);
        fs::write(blobs.join(digest.hex()), bytes)?;
        Ok(digest.to_string())
    };
    let layer = keep(layer_content)?;
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "author": mark,
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": [layer] },
    });
    let config = serde_json::to_vec(&config)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": keep(&config)?,
            "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": layer,
            "size": layer_content.len(),
        }],
    });
    let manifest = serde_json::to_vec(&manifest)?;
    let digest = keep(&manifest)?;
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest,
            "size": manifest.len(),
        }],
    });
    fs::write(folder.join("index.json"), serde_json::to_vec(&index)?)?;
    fs::write(folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(digest)
}
