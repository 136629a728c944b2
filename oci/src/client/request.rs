//! One request to a registry, and its answer. Rule: nothing waits for ever, and nothing is read without a limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use url::Url;

use super::failure::Failure;
use super::scope::Scope;
use super::transport::unreachable;

/// A request that can be sent again.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// What it is about, for messages.
    pub(super) what: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) scopes: Vec<Scope>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The statuses that are no failure.
    pub(super) accepted: &'static [u16],
}

impl Request {
    pub(super) fn new(
        what: String,
        method: Method,
        url: Url,
        scope: Scope,
        accepted: &'static [u16],
    ) -> Self {
        let scopes = vec![scope];
        Self { what, method, url, scopes, headers: HeaderMap::new(), body: Bytes::new(), accepted }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Tells whether it only looks.
    pub(super) fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    pub(super) fn bad_answer(&self, reason: impl Into<String>) -> Failure {
        Failure::BadAnswer { what: self.what.clone(), reason: reason.into() }
    }
}

/// An answer whose body is still to come. Its place among the requests at once is kept until it is dropped.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) what: String,
    pub(super) stall_timeout: Duration,
    pub(super) _place: Option<OwnedSemaphorePermit>,
}

/// An answer with its whole body.
#[derive(Debug)]
pub(super) struct WholeAnswer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// Returns the next bytes; nothing at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let piece = timeout(self.stall_timeout, self.response.chunk()).await;
        let piece = piece.map_err(|_| stalled(&self.what, self.response.url(), self.stall_timeout))?;
        piece.map_err(|error| unreachable(&self.what, self.response.url(), &error))
    }

    /// Returns all of it.
    pub(super) async fn whole(mut self, limit: usize) -> Result<WholeAnswer, Failure> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.next().await? {
            if body.len() + piece.len() > limit {
                let reason = format!("it has more than {limit} bytes");
                return Err(Failure::BadAnswer { what: self.what, reason });
            }
            body.extend_from_slice(&piece);
        }
        Ok(WholeAnswer {
            status: self.response.status().as_u16(),
            headers: std::mem::take(self.response.headers_mut()),
            body: body.freeze(),
        })
    }
}

/// Returns a header's text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Returns the failure of a transfer in which nothing moves.
pub(super) fn stalled(what: &str, url: &Url, after: Duration) -> Failure {
    let host = url.host_str().unwrap_or_default().to_owned();
    Failure::Unreachable {
        what: what.to_owned(),
        host,
        reason: format!("nothing moved for {} s", after.as_secs()),
    }
}
