//! Bodies: those sent from memory go out as the pieces they are, those received may not pause for too long.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body::{Frame, SizeHint};

/// The pieces of a body, in order. Cloning a piece counts a reference and copies nothing.
pub(crate) struct Pieces {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl Pieces {
    /// Returns the body of `length` bytes that these pieces make.
    pub(crate) fn into_body(pieces: Vec<Bytes>, length: u64) -> Body {
        Body::new(Self { pieces: pieces.into_iter(), left: length })
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(piece) = self.pieces.next() else { return Poll::Ready(None) };
        self.left = self.left.saturating_sub(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
}

/// Returns the stream, which ends in an error when nothing comes for `pause`: a client that sends a byte an hour would
/// hold its place for ever.
pub(super) fn with_idle_timeout<S, E>(
    body: S,
    pause: Duration,
) -> impl Stream<Item = Result<Bytes, BodyCut>> + Unpin
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    Box::pin(futures_util::stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match tokio::time::timeout(pause, body.next()).await {
            Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some(body))),
            Ok(Some(Err(_))) | Err(_) => Some((Err(BodyCut), None)),
            Ok(None) => None,
        }
    }))
}

/// How much of a refused body is read and thrown away at most.
const DRAINED_AT_MOST: u64 = 64 * 1024 * 1024;
/// How long it may pause meanwhile.
const DRAIN_PAUSE: Duration = Duration::from_secs(1);

/// A request's body that is read on when nobody wants it: a client that is still sending when the connection closes
/// loses the answer that says why.
pub(super) struct Drained(Option<Body>);

impl Drained {
    /// Returns `body` with that care.
    pub(super) fn wrap(body: Body) -> Body {
        if http_body::Body::is_end_stream(&body) { body } else { Body::new(Self(Some(body))) }
    }
}

impl http_body::Body for Drained {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        if let (Some(body), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(drain(body));
        }
    }
}

async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    let mut drained: u64 = 0;
    while let Ok(Some(Ok(piece))) = tokio::time::timeout(DRAIN_PAUSE, pieces.next()).await {
        drained += piece.len() as u64;
        if drained > DRAINED_AT_MOST {
            return;
        }
    }
}

/// A body that broke off or paused for too long.
#[derive(Debug)]
pub(super) struct BodyCut;
