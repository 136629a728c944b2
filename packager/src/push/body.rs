//! Bodies in pieces: memory does not grow with an archive or an answer.

use futures_util::stream;
use reqwest::{Body, Response};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::progress::Progress;

const PIECE_BYTES: usize = 64 * 1024;

/// Returns the bytes of `file` as a body; `progress` moves on as they leave.
pub(crate) fn file_body(file: File, progress: Progress) -> Body {
    let pieces = stream::try_unfold((file, progress), async |(mut file, progress)| {
        let mut piece = vec![0; PIECE_BYTES];
        let length = file.read(&mut piece).await?;
        if length == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        piece.truncate(length);
        progress.sent(length);
        Ok(Some((piece, (file, progress))))
    });
    Body::wrap_stream(pieces)
}

/// Returns the answer's body, cut at `limit` bytes.
///
/// # Errors
/// The connection's.
pub(crate) async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        let room = limit - body.len();
        body.extend(piece.iter().take(room));
        if piece.len() >= room {
            break;
        }
    }
    Ok(body)
}
