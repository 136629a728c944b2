//! What only a folder can meet.

use super::place::{keep, on_folder, read};
use crate::blobs::{BlobError, Layout};

#[tokio::test]
async fn a_staging_folder_that_is_away_says_so() {
    let place = on_folder(Layout::Addressed);
    let key = keep(&place.blobs, vec![1]).await;
    assert!(place.blobs.ping().await.is_ok());
    std::fs::remove_dir_all(place.folder.path().join("staging")).unwrap();
    std::fs::write(place.folder.path().join("staging"), b"a file in the way").unwrap();
    assert!(matches!(place.blobs.ping().await, Err(BlobError::Unavailable(_))));
    assert_eq!(read(&place.blobs, &key, None).await, [1], "what is stored is still read");
}

#[tokio::test]
async fn a_file_that_is_cut_is_an_error_and_never_short() {
    let place = on_folder(Layout::Addressed);
    let key = keep(&place.blobs, vec![1; 3 * 1024 * 1024]).await;
    let reader = place.blobs.open_reader(&key, None).await.unwrap();
    let path = key.path_below(&place.folder.path().join("kept"));
    std::fs::File::options().write(true).open(path).unwrap().set_len(2 * 1024 * 1024).unwrap();
    let read = tokio::task::spawn_blocking(move || {
        std::io::copy(&mut reader.into_blocking_reader(), &mut std::io::sink())
    });
    assert_eq!(read.await.unwrap().unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}
