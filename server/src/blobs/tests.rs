//! What every blob store must do, whatever it stands on.

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{BlobError, BlobKey, Blobs, Layout};

struct Place {
    blobs: Blobs,
    folder: tempfile::TempDir,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let blobs =
        Blobs::open(folder.path().to_owned(), folder.path().join("staging"), Layout::Addressed).unwrap();
    Place { blobs, folder }
}

async fn keep(blobs: &Blobs, content: Vec<u8>) -> BlobKey {
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(content))]);
    let staged = blobs.staging().receive(body, u64::MAX).await.unwrap();
    let key = BlobKey::fresh(staged.digest(), rand::random());
    blobs.keep(staged, key.clone()).await.unwrap();
    key
}

async fn read(blobs: &Blobs, key: &BlobKey, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let reader = blobs.open_reader(key, range).await.unwrap();
    let length = reader.length();
    let pieces: Vec<Bytes> = reader.into_stream().boxed().try_collect().await.unwrap();
    let content = pieces.concat();
    assert_eq!(content.len() as u64, length);
    content
}

#[tokio::test]
async fn bytes_come_back_as_they_were_whole_and_in_part() {
    let place = place();
    for size in [0, 1, 256 * 1024, 256 * 1024 + 1, 3 * 1024 * 1024] {
        let content: Vec<u8> = (0..size).map(|number| (number % 251) as u8).collect();
        let key = keep(&place.blobs, content.clone()).await;
        assert_eq!(read(&place.blobs, &key, None).await, content);
        let mut blocking = Vec::new();
        let reader = place.blobs.open_reader(&key, None).await.unwrap();
        reader.into_blocking_reader().read_to_end(&mut blocking).unwrap();
        assert_eq!(blocking, content);
        if size > 10 {
            let end = size as u64;
            assert_eq!(read(&place.blobs, &key, Some(5..end)).await, content[5..]);
            assert_eq!(read(&place.blobs, &key, Some(5..9)).await, content[5..9]);
        }
    }
}

#[tokio::test]
async fn bytes_that_are_gone_are_missing_and_never_empty() {
    let place = place();
    let key = keep(&place.blobs, vec![1, 2, 3]).await;
    place.blobs.remove(&key).await.unwrap();
    place.blobs.remove(&key).await.unwrap();
    assert!(
        matches!(place.blobs.open_reader(&key, None).await, Err(BlobError::Missing(missing)) if missing == key)
    );
}

#[tokio::test]
async fn a_store_that_is_away_says_so() {
    let place = place();
    let key = keep(&place.blobs, vec![1]).await;
    assert!(place.blobs.ping().await.is_ok());
    std::fs::remove_dir_all(place.folder.path().join("staging")).unwrap();
    std::fs::write(place.folder.path().join("staging"), b"a file in the way").unwrap();
    assert!(matches!(place.blobs.ping().await, Err(BlobError::Unavailable(_))));
    assert_eq!(read(&place.blobs, &key, None).await, [1], "what is stored is still read");
}
