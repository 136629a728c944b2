//! Pulls one blob in pieces (distribution specification, "Pulling blobs").
//! Rule: what was cut goes on where it stopped, and whoever reads to the end without an error has the right bytes.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use reqwest::header::{CONTENT_RANGE, HeaderValue, RANGE};

use super::blob_source::BlobStream;
use super::failure::Failure;
use super::patience::Patience;
use super::registry::Registry;
use super::request::{Answer, Request, text};
use super::scope::Scope;
use crate::descriptor::Descriptor;
use crate::digest::Digester;
use crate::name::OciName;

/// A blob that is being pulled.
#[derive(Debug)]
pub struct BlobPull {
    registry: Registry,
    name: OciName,
    blob: Descriptor,
    answer: Option<Answer>,
    // None once the end was checked.
    digester: Option<Digester>,
    patience: Patience,
    received: u64,
    /// What a registry that knows no ranges sends once more.
    repeated: u64,
}

impl Registry {
    /// Begins to pull a blob. Nothing is asked before the first [`BlobPull::next`].
    pub fn pull_blob(&self, name: &OciName, blob: &Descriptor) -> BlobPull {
        BlobPull {
            registry: self.clone(),
            name: name.clone(),
            blob: blob.clone(),
            answer: None,
            digester: Some(Digester::new(blob.digest.algorithm())),
            patience: self.transport.patience(),
            received: 0,
            repeated: 0,
        }
    }
}

impl BlobPull {
    /// Returns the next bytes; nothing at the end, when all of them were the right ones.
    ///
    /// # Errors
    /// [`Failure`] when the blob is not there, the registry does not go on, or the bytes are others.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while self.received < self.blob.size || self.answer.is_none() {
            if self.blob.size == self.received && self.digester.is_none() {
                return Ok(None);
            }
            match self.advance().await {
                Ok(Some(piece)) => return Ok(Some(piece)),
                Ok(None) => {}
                Err(failure) if failure.is_temporary() => {
                    self.answer = None;
                    if !self.patience.rest(failure.asked_wait()).await {
                        return Err(failure);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        self.check_end().await
    }

    /// Returns the rest as a stream.
    pub fn into_stream(self) -> BlobStream {
        stream::try_unfold(self, |mut pull| async move { Ok(pull.next().await?.map(|piece| (piece, pull))) })
            .boxed()
    }

    /// Takes one step: opens, or reads a piece; nothing when the piece brought nothing new.
    async fn advance(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(answer) = &mut self.answer else {
            self.answer = Some(self.open().await?);
            return Ok(None);
        };
        let Some(mut piece) = answer.next().await? else {
            let host = self.registry.address().host().to_string();
            let reason = format!("it ended after {} of {} bytes", self.received, self.blob.size);
            return Err(Failure::Unreachable { what: self.what(), host, reason });
        };
        let skipped = piece.len().min(usize::try_from(self.repeated).unwrap_or(usize::MAX));
        self.repeated -= skipped as u64;
        let piece = piece.split_off(skipped);
        if piece.is_empty() {
            return Ok(None);
        }
        self.received += piece.len() as u64;
        if self.received > self.blob.size {
            return Err(self.wrong_size());
        }
        self.patience.restore();
        self.digester.iter_mut().for_each(|digester| digester.update(&piece));
        Ok(Some(piece))
    }

    async fn open(&mut self) -> Result<Answer, Failure> {
        let scope = Scope::Pull(self.name.clone());
        let accepted: &[u16] = if self.received == 0 { &[200] } else { &[200, 206] };
        let mut request =
            self.registry.blob_request(Method::GET, &self.name, &self.blob.digest, scope, accepted)?;
        if self.received > 0 {
            let range = HeaderValue::from_str(&format!("bytes={}-", self.received));
            request.headers.insert(RANGE, range.map_err(|reason| request.bad_answer(reason.to_string()))?);
        }
        // Once: what reads this blob tries again by itself.
        let answer = self.registry.transport.attempt(&request).await?;
        self.repeated = self.place_of(&request, &answer)?;
        Ok(answer)
    }

    /// Returns how many of the bytes that follow are known already.
    fn place_of(&self, request: &Request, answer: &Answer) -> Result<u64, Failure> {
        if answer.response.status() != 206 {
            return Ok(self.received);
        }
        let range = text(answer.response.headers(), CONTENT_RANGE.as_str()).unwrap_or_default();
        if range.starts_with(&format!("bytes {}-", self.received)) {
            return Ok(0);
        }
        Err(request.bad_answer(format!("`{range}` was not the range that was asked for")))
    }

    /// There must be an end after the last byte, and the digest must be right.
    async fn check_end(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(digester) = self.digester.take() else { return Ok(None) };
        if let Some(answer) = &mut self.answer
            && let Ok(Some(more)) = answer.next().await
        {
            self.received += more.len() as u64;
            return Err(self.wrong_size());
        }
        // The place among the requests at once is free again.
        self.answer = None;
        let found = digester.finish();
        if found == self.blob.digest {
            Ok(None)
        } else {
            Err(Failure::WrongDigest { what: self.what(), found })
        }
    }

    fn wrong_size(&self) -> Failure {
        Failure::WrongSize { what: self.what(), expected: self.blob.size, found: self.received }
    }

    fn what(&self) -> String {
        self.registry.what("blob", &self.name, &self.blob.digest)
    }
}
