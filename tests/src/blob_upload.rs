//! A blob on its way into a registry, one request of the protocol at a time.
//! Rule: a story says what is sent and sees what came back; nothing is sent again by itself.

use anyhow::{Context, Result, ensure};
use oci::Digest;
use reqwest::Method;

use crate::answer::Answer;
use crate::client::Client;

/// An upload that a registry has opened; the server that goes on with it may be another one.
#[derive(Debug, Clone)]
pub struct BlobUpload {
    location: String,
}

impl BlobUpload {
    /// Opens an upload under a name.
    ///
    /// # Errors
    /// When the registry does not answer 202 with an address.
    pub fn begin(client: &Client, name: &str) -> Result<Self> {
        let answer = client.post(&format!("/v2/{name}/blobs/uploads/"), "")?.expect_status(202)?;
        Self::at(&answer)
    }

    /// Takes the address of an upload from an answer.
    ///
    /// # Errors
    /// When there is none, or it is not relative to the server.
    pub fn at(answer: &Answer) -> Result<Self> {
        let location = answer.header("location");
        ensure!(location.starts_with("/v2/"), "{}: the location is `{location}`", answer.request);
        Ok(Self { location: location.to_owned() })
    }

    /// Returns its address, a path.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Appends bytes without saying where they belong, as a client does that streams.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn append(&self, client: &Client, bytes: &[u8]) -> Result<Answer> {
        client.send(client.request(Method::PATCH, &self.location).body(bytes.to_vec()))
    }

    /// Sends a chunk that begins at `start`.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn append_at(&self, client: &Client, start: usize, bytes: &[u8]) -> Result<Answer> {
        let request = client.request(Method::PATCH, &self.location);
        client.send(request.header("content-range", content_range(start, bytes)).body(bytes.to_vec()))
    }

    /// Ends the upload with its last bytes, or none.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn finish(&self, client: &Client, digest: &Digest, last: &[u8]) -> Result<Answer> {
        client.send(client.request(Method::PUT, &self.with_digest(digest)).body(last.to_vec()))
    }

    /// Ends the upload with a last chunk that begins at `start`.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn finish_at(&self, client: &Client, digest: &Digest, start: usize, last: &[u8]) -> Result<Answer> {
        let request = client.request(Method::PUT, &self.with_digest(digest));
        client.send(request.header("content-range", content_range(start, last)).body(last.to_vec()))
    }

    /// Returns how many bytes the registry has, by its own word.
    ///
    /// # Errors
    /// When it does not answer 204 with a range. One that ends at 0 stands for no byte and for one: it counts as none.
    pub fn received(&self, client: &Client) -> Result<usize> {
        received(&client.get(&self.location)?.expect_status(204)?)
    }

    fn with_digest(&self, digest: &Digest) -> String {
        let joint = if self.location.contains('?') { '&' } else { '?' };
        format!("{}{joint}digest={digest}", self.location)
    }
}

/// Returns how many bytes an upload's answer says were received; see [`BlobUpload::received`].
///
/// # Errors
/// When the answer has no such range.
pub fn received(answer: &Answer) -> Result<usize> {
    let range = answer.header("range");
    let last = range.strip_prefix("0-").and_then(|last| last.parse::<usize>().ok());
    let last = last.with_context(|| format!("{}: the range is `{range}`", answer.request))?;
    Ok(if last == 0 { 0 } else { last + 1 })
}

fn content_range(start: usize, bytes: &[u8]) -> String {
    format!("{start}-{}", (start + bytes.len()).saturating_sub(1))
}

/// Returns the path of a blob under a name.
pub fn blob_path(name: &str, digest: &Digest) -> String {
    format!("/v2/{name}/blobs/{digest}")
}

/// Pushes a blob as most clients do: POST, then PUT with all its bytes.
///
/// # Errors
/// When the registry does not answer 201.
pub fn push_blob(client: &Client, name: &str, content: &[u8]) -> Result<Digest> {
    let digest = Digest::sha256(content);
    BlobUpload::begin(client, name)?.finish(client, &digest, content)?.expect_status(201)?;
    Ok(digest)
}
