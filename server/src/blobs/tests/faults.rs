//! A service that is slow, overloaded, cut off or gone: blobs are whole, or the store is away; never short, never missing.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use stories::object_store::ObjectStore;

use super::meddler::{Fault, Meddler};
use super::place::{PART, Place, content, in_bucket, keep, new_bucket, reached_at, read, stage};
use crate::blobs::{BlobError, BlobKey, Blobs, BucketOptions, Credentials, Layout, Leftovers};

/// A bucket behind a meddler, with a client that loses patience soon.
async fn behind_a_meddler(server: &ObjectStore) -> (Place, Meddler) {
    let meddler = Meddler::before(server.address()).await;
    let options = BucketOptions {
        attempt_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(20),
        ..reached_at(meddler.address, new_bucket(server))
    };
    (in_bucket(options, Layout::Addressed).await, meddler)
}

/// Reads to the end, or to what ended it.
async fn try_to_read(blobs: &Blobs, key: &BlobKey) -> Result<Vec<u8>, BlobError> {
    let reader = blobs.open_reader(key, None).await?;
    let pieces: Vec<bytes::Bytes> = reader.into_stream().boxed().try_collect().await?;
    Ok(pieces.concat())
}

fn is_away<T>(result: Result<T, BlobError>) -> bool {
    matches!(result, Err(BlobError::Unavailable(_)))
}

#[tokio::test]
async fn a_service_that_asks_for_patience_gets_it() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    let (place, meddler) = behind_a_meddler(&server).await;
    for fault in [Fault::SlowDown, Fault::InternalError, Fault::Silence] {
        meddler.next(&[fault, fault]);
        let key = keep(&place.blobs, content(1000)).await;
        meddler.next(&[fault, fault]);
        assert!(read(&place.blobs, &key, None).await == content(1000), "{fault:?}");
        meddler.next(&[fault, fault]);
        place.blobs.remove(&key).await.unwrap();
    }
}

#[tokio::test]
async fn a_service_that_never_recovers_is_away() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    let meddler = Meddler::before(server.address()).await;
    let options = BucketOptions {
        timeout: Duration::from_millis(700),
        ..reached_at(meddler.address, new_bucket(&server))
    };
    let place = in_bucket(options, Layout::Addressed).await;
    let key = keep(&place.blobs, content(1000)).await;
    for fault in [Fault::SlowDown, Fault::InternalError, Fault::ForeignNotFound, Fault::Cut(0)] {
        meddler.always(fault);
        assert!(is_away(place.blobs.open_reader(&key, None).await), "{fault:?}");
        assert!(is_away(place.blobs.ping().await), "{fault:?}");
        assert!(is_away(place.blobs.list_older_than(Duration::ZERO).try_next().await), "{fault:?}");
    }
    meddler.always(Fault::SlowDown);
    let staged = stage(&place.blobs, content(1000)).await;
    assert!(is_away(place.blobs.keep(staged, key.clone()).await));
    assert!(is_away(place.blobs.modified(&key).await));
    assert!(is_away(place.blobs.remove(&key).await));
    meddler.always(Fault::None);
    assert!(read(&place.blobs, &key, None).await == content(1000), "nothing was lost");
}

#[tokio::test]
async fn a_service_that_is_silent_for_ever_is_away_when_the_time_is_over() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    let meddler = Meddler::before(server.address()).await;
    let short = Duration::from_millis(300);
    let options = BucketOptions {
        attempt_timeout: short,
        timeout: 3 * short,
        ..reached_at(meddler.address, new_bucket(&server))
    };
    let place = in_bucket(options, Layout::Addressed).await;
    meddler.always(Fault::Silence);
    let key = BlobKey::from_catalog("blobs/sha256/00/absent".to_owned());
    assert!(is_away(place.blobs.open_reader(&key, None).await));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_taken_up_again() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    let (place, meddler) = behind_a_meddler(&server).await;
    for size in [100_000, 3_000_000] {
        let content = content(size);
        let key = keep(&place.blobs, content.clone()).await;
        meddler.next(&[Fault::Cut(50_000), Fault::SlowDown, Fault::Cut(0), Fault::Stall(40_000)]);
        assert!(read(&place.blobs, &key, None).await == content, "{size}");
        place.blobs.remove(&key).await.unwrap();
    }
}

#[tokio::test]
async fn a_body_that_always_breaks_off_is_an_error_and_never_short() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    let (place, meddler) = behind_a_meddler(&server).await;
    for size in [1000, 3_000_000] {
        let key = keep(&place.blobs, content(size)).await;
        meddler.always(Fault::Cut(10));
        assert!(is_away(try_to_read(&place.blobs, &key).await), "{size}");
        meddler.always(Fault::None);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_range_asked_for_is_refused() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    let (place, meddler) = behind_a_meddler(&server).await;
    let key = keep(&place.blobs, content(1000)).await;
    meddler.next(&[Fault::RangeDropped]);
    assert!(is_away(place.blobs.open_reader(&key, Some(5..9)).await));
    assert!(read(&place.blobs, &key, Some(5..9)).await == content(1000)[5..9]);
}

#[tokio::test]
async fn a_request_that_arrives_twice_changes_nothing() {
    let Some(server) = ObjectStore::minio().unwrap() else { return };
    let (place, meddler) = behind_a_meddler(&server).await;
    meddler.always(Fault::Twice);
    let key = keep(&place.blobs, content(1000)).await;
    assert!(read(&place.blobs, &key, None).await == content(1000));
    place.blobs.remove(&key).await.unwrap();
    let large = content(usize::try_from(2 * PART).unwrap());
    let staged = stage(&place.blobs, large.clone()).await;
    let key = BlobKey::fresh(staged.digest(), 1);
    match place.blobs.keep(staged, key.clone()).await {
        Ok(()) => assert!(read(&place.blobs, &key, None).await == large),
        // The second completion has nothing to complete: told as a failure, which leaves waste at worst.
        Err(error) => assert!(is_away::<()>(Err(error))),
    }
}

#[tokio::test]
async fn parts_of_an_upload_that_fails_are_discarded() {
    let Some(server) = ObjectStore::minio().unwrap() else { return };
    let (place, meddler) = behind_a_meddler(&server).await;
    let staged = stage(&place.blobs, content(usize::try_from(2 * PART).unwrap())).await;
    let key = BlobKey::fresh(staged.digest(), 1);
    // The upload begins and one part arrives; the other is refused.
    meddler.next(&[Fault::None, Fault::None, Fault::Refused]);
    meddler.seen();
    assert!(is_away(place.blobs.keep(staged, key.clone()).await));
    let seen = meddler.seen();
    let last = seen.last().unwrap();
    assert!(last.starts_with("delete ") && last.contains("uploadid="), "{last}");
    assert!(matches!(place.blobs.open_reader(&key, None).await, Err(BlobError::Missing(_))));
}

#[tokio::test]
async fn old_uploads_are_discarded_and_young_ones_are_not() {
    let Some(server) = ObjectStore::minio().unwrap() else { return };
    let (place, meddler) = behind_a_meddler(&server).await;
    let listing = "<ListMultipartUploadsResult>\
        <Upload><Key>kept/here/blobs/a</Key><UploadId>old</UploadId><Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload>\
        <Upload><Key>kept/here/blobs/b</Key><UploadId>young</UploadId><Initiated>2999-01-01T00:00:00.000Z</Initiated></Upload>\
        <IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
    meddler.next(&[Fault::Answer(listing)]);
    meddler.seen();
    assert_eq!(place.blobs.discard_uploads(Duration::from_secs(3_600), &[]).await.unwrap(), 1);
    let seen = meddler.seen();
    let lines: Vec<&str> = seen.iter().filter_map(|request| request.lines().next()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].starts_with("delete ") && lines[1].contains("uploadid=old"), "{lines:?}");
}

#[tokio::test]
async fn what_is_in_memory_is_served_while_the_service_is_away() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    let options = BucketOptions { timeout: Duration::from_secs(2), ..new_bucket(&server) };
    let place = in_bucket(options.clone(), Layout::Addressed).await;
    let [hot, cold] = [keep(&place.blobs, content(9)).await, keep(&place.blobs, content(8)).await];
    read(&place.blobs, &hot, None).await;
    server.stop().unwrap();
    assert!(read(&place.blobs, &hot, None).await == content(9));
    assert!(read(&place.blobs, &hot, Some(2..5)).await == content(9)[2..5]);
    assert!(is_away(place.blobs.open_reader(&cold, None).await));
    assert!(is_away(place.blobs.ping().await));
    // A server that starts meanwhile starts.
    let late = in_bucket(options, Layout::Addressed).await;
    assert!(is_away(late.blobs.open_reader(&hot, None).await));
    server.start_again().unwrap();
    assert!(read(&place.blobs, &cold, None).await == content(8));
    assert!(read(&late.blobs, &hot, None).await == content(9));
}

#[tokio::test]
async fn a_bucket_that_refuses_is_refused_at_the_start() {
    let Some(server) = ObjectStore::minio().unwrap() else { return };
    let options = new_bucket(&server);
    let stranger =
        Credentials::Given { access_key: "stranger".to_owned(), secret_key: "not-the-secret".to_owned() };
    for (refused, expected) in [
        (BucketOptions { credentials: stranger, ..options.clone() }, "InvalidAccessKeyId"),
        (BucketOptions { bucket: "absent".to_owned(), ..options.clone() }, "NoSuchBucket"),
        (
            BucketOptions { authorities: Some(b"junk".to_vec()), ..options.clone() },
            "holds no PEM certificate",
        ),
        (BucketOptions { identity: Some(b"junk".to_vec()), ..options }, "certificate or key cannot be used"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let staging = folder.path().join("staging");
        match Blobs::in_bucket(refused, staging, Leftovers::Discarded, Layout::Addressed).await {
            Err(BlobError::Unavailable(cause)) => assert!(cause.to_string().contains(expected), "{cause}"),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("accepted what should give {expected}"),
        }
    }
}

#[tokio::test]
async fn a_bucket_that_goes_away_is_no_lost_blob() {
    let Some(server) = ObjectStore::minio().unwrap() else { return };
    let options = new_bucket(&server);
    let place = in_bucket(options.clone(), Layout::Addressed).await;
    let key = keep(&place.blobs, content(9)).await;
    std::fs::remove_dir_all(server.folder().join(&options.bucket)).unwrap();
    assert!(is_away(place.blobs.open_reader(&key, None).await));
    assert!(is_away(place.blobs.modified(&key).await));
}
