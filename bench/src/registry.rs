//! Pushing to a registry the way clients do: a POST that begins, a PUT with the bytes, then the manifest.

use std::cell::Cell;
use std::time::Instant;

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use oci::Digest;
use serde_json::json;

use crate::http::Connection;
use crate::server::Server;

/// The name that everything is pushed to.
pub(crate) const NAME: &str = "bench/image";
const OCTETS: &str = "application/octet-stream";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Bytes and their digest, which the client of a benchmark has worked out beforehand.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    /// The bytes.
    pub(crate) content: Vec<u8>,
    /// Their digest.
    pub(crate) digest: Digest,
}

impl Blob {
    /// Makes a blob of so many bytes that no other number has.
    pub(crate) fn numbered(number: u64, size: usize) -> Self {
        // SplitMix64: different for each number, and nothing a disk or a filter could make smaller.
        let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut content = Vec::with_capacity(size + 8);
        while content.len() < size {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            content.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
        }
        content.truncate(size);
        Self { digest: Digest::sha256(&content), content }
    }

    /// Returns where it is read.
    pub(crate) fn path(&self) -> String {
        format!("/v2/{NAME}/blobs/{}", self.digest)
    }
}

/// Pushes a blob over a connection.
///
/// # Errors
/// When the server does not take it.
pub(crate) async fn push_blob(server: &Server, connection: &mut Connection, blob: &Blob) -> Result<()> {
    let begin = ("POST", format!("/v2/{NAME}/blobs/uploads/"));
    let location = server.send_over(connection, (begin.0, &begin.1), OCTETS, b"", 202).await?;
    let location = location.context("an upload began nowhere")?;
    let separator = if location.contains('?') { '&' } else { '?' };
    let path = format!("{location}{separator}digest={}", blob.digest);
    server.send_over(connection, ("PUT", &path), OCTETS, &blob.content, 201).await?;
    Ok(())
}

/// Pushes all blobs over so many connections and returns how many seconds it took.
///
/// # Errors
/// When the server refuses one.
pub(crate) async fn push_all(server: &Server, blobs: &[Blob], connections: usize) -> Result<f64> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(server.connect().await?);
    }
    let next = Cell::new(0);
    let begun = Instant::now();
    try_join_all(open.into_iter().map(async |mut connection| {
        loop {
            let position = next.replace(next.get() + 1);
            let Some(blob) = blobs.get(position) else { return anyhow::Ok(()) };
            push_blob(server, &mut connection, blob).await?;
        }
    }))
    .await?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Pushes an image of such layers under a tag and returns the manifest.
///
/// # Errors
/// When the server does not take it.
pub(crate) async fn push_image(server: &Server, layers: &[Blob], tag: &str) -> Result<Blob> {
    let mut connection = server.connect().await?;
    let config =
        json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}});
    let config = config.to_string().into_bytes();
    let config = Blob { digest: Digest::sha256(&config), content: config };
    for blob in layers.iter().chain([&config]) {
        push_blob(server, &mut connection, blob).await?;
    }
    let descriptor = |kind: &str, blob: &Blob| json!({"mediaType": kind, "digest": blob.digest.to_string(), "size": blob.content.len()});
    let layers: Vec<_> = layers.iter().map(|layer| descriptor(LAYER, layer)).collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, &config), "layers": layers,
    });
    let content = manifest.to_string().into_bytes();
    let path = format!("/v2/{NAME}/manifests/{tag}");
    server.send_over(&mut connection, ("PUT", &path), MANIFEST, &content, 201).await?;
    Ok(Blob { digest: Digest::sha256(&content), content })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_differ_and_have_their_size() {
        let [one, other] = [1, 2].map(|number| Blob::numbered(number, 10 << 10));
        assert_ne!(one.digest, other.digest);
        assert_eq!((one.content.len(), Blob::numbered(3, 5).content.len()), (10 << 10, 5));
        assert_eq!(Blob::numbered(1, 10 << 10).digest, one.digest);
    }
}
