//! Where the bytes of a push come from. Rule: a source can be opened again, since a push that was cut begins anew.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use super::failure::Failure;
use crate::descriptor::Descriptor;
use crate::layout::{Layout, LayoutError};

/// The bytes of a blob, in pieces.
pub type BlobStream = BoxStream<'static, Result<Bytes, Failure>>;

/// How many pieces are read ahead.
const AHEAD: usize = 4;

/// What has the bytes of one blob.
pub trait BlobSource: Sync {
    /// Returns the bytes from the first one on.
    fn open(&self) -> impl Future<Output = Result<BlobStream, Failure>> + Send;
}

/// What is in memory.
impl BlobSource for Bytes {
    fn open(&self) -> impl Future<Output = Result<BlobStream, Failure>> + Send {
        let all = stream::iter([Ok(self.clone())]).boxed();
        std::future::ready(Ok(all))
    }
}

/// A blob of a layout; it is verified while it is read.
#[derive(Debug, Clone)]
pub struct LayoutBlob {
    /// The layout.
    pub layout: Layout,
    /// The blob.
    pub blob: Descriptor,
}

impl BlobSource for LayoutBlob {
    async fn open(&self) -> Result<BlobStream, Failure> {
        let (layout, blob) = (self.layout.clone(), self.blob.clone());
        let (sender, receiver) = mpsc::channel(AHEAD);
        // Reading and hashing stay away from the threads on which everything else waits.
        let reading = tokio::task::spawn_blocking(move || {
            if let Err(failure) = read(&layout, &blob, &sender) {
                // Nobody listens when the push has failed.
                let _ = sender.blocking_send(Err(Failure::Layout(failure)));
            }
        });
        let pieces = stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        // A panic would otherwise look like an early end, which the length tells too, but later.
        let end = reading.into_stream().filter_map(|ended| {
            std::future::ready(ended.err().map(|reason| {
                Err(Failure::Source {
                    what: "a blob of the layout".to_owned(),
                    reason: std::io::Error::other(reason),
                })
            }))
        });
        Ok(pieces.chain(end).boxed())
    }
}

fn read(
    layout: &Layout,
    blob: &Descriptor,
    sender: &mpsc::Sender<Result<Bytes, Failure>>,
) -> Result<(), LayoutError> {
    let mut reader = layout.open_blob(blob)?;
    while let Some(piece) = reader.next_piece()? {
        if sender.blocking_send(Ok(Bytes::from(piece))).is_err() {
            break;
        }
    }
    Ok(())
}
