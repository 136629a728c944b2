//! Blob stores to test: on a folder, and in a bucket of a real S3 server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use stories::object_store::ObjectStore;

use crate::blobs::{
    BlobKey, Blobs, BucketOptions, Credentials, Layout, Leftovers, ObjectEncryption, PartSizes, StagedBlob,
};

/// The smallest part there can be: blobs of a few parts stay small.
pub(crate) const PART: u64 = 5 * 1024 * 1024;

/// A blob store with the folder it works in.
pub(crate) struct Place {
    pub(crate) blobs: Blobs,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn on_folder(layout: Layout) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path().join("kept"), folder.path().join("staging"), layout).unwrap();
    Place { blobs, folder }
}

pub(crate) async fn in_bucket(options: BucketOptions, layout: Layout) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let staging = folder.path().join("staging");
    let blobs = Blobs::in_bucket(options, staging, Leftovers::Discarded, layout).await.unwrap();
    Place { blobs, folder }
}

/// Returns the options of a new bucket on that server.
pub(crate) fn new_bucket(server: &ObjectStore) -> BucketOptions {
    let said: BTreeMap<String, String> = server.environment().into_iter().collect();
    let said = |name: &str| said.get(name).cloned().unwrap();
    BucketOptions {
        bucket: server.create_bucket().unwrap(),
        prefix: "kept/here".to_owned(),
        endpoint: Some(said("CHARTROOM_S3_ENDPOINT")),
        region: Some(said("CHARTROOM_S3_REGION")),
        path_style: true,
        credentials: Credentials::Given {
            access_key: said("AWS_ACCESS_KEY_ID"),
            secret_key: said("AWS_SECRET_ACCESS_KEY"),
        },
        authorities: None,
        identity: None,
        encryption: ObjectEncryption::AsTheBucketSays,
        redirects: false,
        attempt_timeout: Duration::from_secs(10),
        timeout: Duration::from_secs(30),
        part_sizes: PartSizes::new(PART, PART),
    }
}

/// Returns the same bucket as it is reached at another address.
pub(crate) fn reached_at(address: SocketAddr, options: BucketOptions) -> BucketOptions {
    BucketOptions { endpoint: Some(format!("http://{address}")), ..options }
}

/// Returns bytes that differ from place to place, so that none can stand for another.
pub(crate) fn content(size: usize) -> Vec<u8> {
    (0..size).map(|number| (number % 251) as u8 ^ (number / 251 % 253) as u8).collect()
}

pub(crate) async fn stage(blobs: &Blobs, content: Vec<u8>) -> StagedBlob {
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(content))]);
    blobs.staging().receive(body, u64::MAX).await.unwrap()
}

pub(crate) async fn keep(blobs: &Blobs, content: Vec<u8>) -> BlobKey {
    let staged = stage(blobs, content).await;
    let key = BlobKey::fresh(staged.digest(), rand::random());
    blobs.keep(staged, key.clone()).await.unwrap();
    key
}

pub(crate) async fn read(blobs: &Blobs, key: &BlobKey, range: Option<Range<u64>>) -> Vec<u8> {
    let reader = blobs.open_reader(key, range).await.unwrap();
    let length = reader.length();
    let pieces: Vec<Bytes> = reader.into_stream().boxed().try_collect().await.unwrap();
    let content = pieces.concat();
    assert_eq!(content.len() as u64, length);
    content
}

/// Returns the keys of all pages, sorted.
pub(crate) async fn listed(blobs: &Blobs, older_than: Duration) -> Vec<BlobKey> {
    let pages: Vec<Vec<BlobKey>> = blobs.list_older_than(older_than).try_collect().await.unwrap();
    let mut keys = pages.concat();
    keys.sort();
    keys
}
