//! What goes over the wire: how many requests, and nothing in them that some store refuses or ignores.

use std::time::Duration;

use stories::object_store::ObjectStore;

use super::meddler::Meddler;
use super::place::{PART, content, in_bucket, keep, new_bucket, reached_at, read, stage};
use crate::blobs::{BlobKey, BucketOptions, Layout, ObjectEncryption};

/// Conditions that some stores ignore, checksums in trailers that others refuse.
const UNWANTED: [&str; 6] =
    ["if-none-match:", "if-match:", "x-amz-checksum", "x-amz-sdk-checksum", "x-amz-trailer", "aws-chunked"];

fn first_lines(seen: &[String]) -> Vec<String> {
    let line = |request: &String| request.lines().next().unwrap().to_owned();
    seen.iter().map(line).collect()
}

fn content_length(request: &str) -> u64 {
    let length = request.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_small_blob_is_one_request_and_a_large_one_its_parts() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    let meddler = Meddler::before(server.address()).await;
    let place = in_bucket(reached_at(meddler.address, new_bucket(&server)), Layout::Addressed).await;
    let part = usize::try_from(PART).unwrap();
    meddler.seen();
    for size in [0, 1, 1024 * 1024 + 1, part] {
        keep(&place.blobs, content(size)).await;
        let seen = meddler.seen();
        let lines = first_lines(&seen);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("put ") && !lines[0].contains("uploadid="), "{lines:?}");
        assert_eq!(content_length(&seen[0]), size as u64);
        assert!(!UNWANTED.iter().any(|unwanted| seen[0].contains(unwanted)), "{seen:?}");
    }
    let key = keep(&place.blobs, content(2 * part + 7)).await;
    read(&place.blobs, &key, None).await;
    place.blobs.remove(&key).await.unwrap();
    let seen = meddler.seen();
    let verbs: Vec<String> =
        first_lines(&seen).iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(verbs, ["post", "put", "put", "put", "post", "get", "delete"]);
    assert_eq!([1, 2, 3].map(|part| content_length(&seen[part])), [PART, PART, 7]);
    for request in &seen {
        assert!(!UNWANTED.iter().any(|unwanted| request.contains(unwanted)), "{request}");
    }
}

#[tokio::test]
async fn encryption_is_asked_for_with_every_object() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    let meddler = Meddler::before(server.address()).await;
    for (encryption, expected) in [
        (ObjectEncryption::Aes256, &["x-amz-server-side-encryption: aes256"][..]),
        (ObjectEncryption::Kms(None), &["x-amz-server-side-encryption: aws:kms"]),
        (
            ObjectEncryption::Kms(Some("a-key".to_owned())),
            &["x-amz-server-side-encryption: aws:kms", "x-amz-server-side-encryption-aws-kms-key-id: a-key"],
        ),
    ] {
        let options = BucketOptions { encryption, ..reached_at(meddler.address, new_bucket(&server)) };
        let place = in_bucket(options, Layout::Addressed).await;
        for size in [1, usize::try_from(PART).unwrap() + 1] {
            meddler.seen();
            let staged = stage(&place.blobs, content(size)).await;
            let key = BlobKey::fresh(staged.digest(), rand::random());
            // Whether this server can encrypt is its own affair.
            let _ = place.blobs.keep(staged, key).await;
            let begun = &meddler.seen()[0];
            assert!(expected.iter().all(|header| begun.contains(header)), "{begun}");
        }
    }
}

#[tokio::test]
async fn an_address_that_is_given_away_reads_without_credentials() {
    let Some(server) = ObjectStore::minio().unwrap() else { return };
    let options = new_bucket(&server);
    let streaming = in_bucket(options.clone(), Layout::Addressed).await;
    let key = keep(&streaming.blobs, content(1000)).await;
    let asked = |blobs: crate::blobs::Blobs, key: BlobKey| async move {
        blobs.presigned_url(&key, "a-1.0.0.tgz", "application/gzip").await.unwrap()
    };
    assert_eq!(asked(streaming.blobs.clone(), key.clone()).await, None);
    let redirecting = in_bucket(BucketOptions { redirects: true, ..options }, Layout::Addressed).await;
    let address = asked(redirecting.blobs.clone(), key).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
    let answer = client.get(&address).header("range", "bytes=5-9").send().await.unwrap();
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.headers()["content-type"], "application/gzip");
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"a-1.0.0.tgz\"");
    assert!(answer.bytes().await.unwrap() == content(1000)[5..=9]);
    let other = address.replace("/blobs/", "/other/");
    assert_eq!(client.get(other).send().await.unwrap().status(), 403, "the signature is for one object");
}
