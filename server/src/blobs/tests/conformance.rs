//! One function, every store: folder, MinIO, s3s-fs.

use std::io::Read;
use std::time::Duration;

use chart::Timestamp;
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use stories::object_store::ObjectStore;

use super::place::{PART, Place, content, in_bucket, keep, listed, new_bucket, on_folder, read, stage};
use crate::blobs::{BlobError, BlobKey, FlatEntry, Layout};
use crate::repository_path::RepositoryPath;

const HOUR: Duration = Duration::from_secs(3_600);

async fn conforms(addressed: &Place, flat: &Place) {
    keeps_and_reads(addressed).await;
    takes_many_at_once(addressed).await;
    tells_what_is_missing(addressed).await;
    lists_what_is_old(addressed).await;
    tells_when_it_was_written(addressed).await;
    overwrites_flat_files(flat).await;
    lists_flat_files(flat).await;
}

async fn keeps_and_reads(place: &Place) {
    let part = usize::try_from(PART).unwrap();
    let mib = 1024 * 1024;
    for size in [0, 1, mib, mib + 1, 2 * mib, 2 * mib + 1, part, part + 1, 2 * part + 7] {
        let content = content(size);
        let key = keep(&place.blobs, content.clone()).await;
        for _cold_and_warm in 0..2 {
            assert!(read(&place.blobs, &key, None).await == content, "{size}");
            let mut blocking = Vec::new();
            let reader = place.blobs.open_reader(&key, None).await.unwrap();
            let blocking = tokio::task::spawn_blocking(move || {
                reader.into_blocking_reader().read_to_end(&mut blocking).unwrap();
                blocking
            });
            assert!(blocking.await.unwrap() == content, "{size}");
        }
    }
    for size in [10, 3 * mib] {
        // Never read as a whole before, so that nothing comes from memory.
        let content = content(size);
        let key = keep(&place.blobs, content.clone()).await;
        for range in [0..1, 5..9, 5..size, size - 1..size, 0..size] {
            let asked = Some(range.start as u64..range.end as u64);
            assert!(read(&place.blobs, &key, asked).await == content[range.clone()], "{range:?} of {size}");
        }
    }
}

async fn takes_many_at_once(place: &Place) {
    let contents: Vec<_> = (1..=16).map(|number| content(number * 40_000)).collect();
    let keys = join_all(contents.iter().map(|content| keep(&place.blobs, content.clone()))).await;
    let back = join_all(keys.iter().map(|key| read(&place.blobs, key, None))).await;
    assert!(back == contents);
    // The same bytes twice are two blobs: removing one leaves the other.
    let [one, other] = [keep(&place.blobs, vec![5; 9]).await, keep(&place.blobs, vec![5; 9]).await];
    place.blobs.remove(&one).await.unwrap();
    assert_eq!(read(&place.blobs, &other, None).await, [5; 9]);
}

async fn tells_what_is_missing(place: &Place) {
    let key = keep(&place.blobs, vec![1, 2, 3]).await;
    let beyond = place.blobs.open_reader(&key, Some(1..4)).await;
    assert!(matches!(beyond, Err(BlobError::Missing(missing)) if missing == key), "a range beyond the end");
    let outside = place.blobs.open_reader(&key, Some(3..4)).await;
    assert!(matches!(outside, Err(BlobError::Missing(missing)) if missing == key), "a range outside");
    place.blobs.remove(&key).await.unwrap();
    place.blobs.remove(&key).await.unwrap();
    for range in [None, Some(0..1)] {
        let opened = place.blobs.open_reader(&key, range).await;
        assert!(matches!(opened, Err(BlobError::Missing(missing)) if missing == key));
    }
    assert!(matches!(place.blobs.modified(&key).await, Err(BlobError::Missing(missing)) if missing == key));
}

async fn lists_what_is_old(place: &Place) {
    let before = listed(&place.blobs, Duration::ZERO).await;
    let key = keep(&place.blobs, vec![1]).await;
    let mut expected = [before, vec![key]].concat();
    expected.sort();
    assert_eq!(listed(&place.blobs, Duration::ZERO).await, expected);
    assert_eq!(listed(&place.blobs, HOUR).await, []);
    assert_eq!(place.blobs.discard_uploads(HOUR, &[]).await.unwrap(), 0);
    assert!(place.blobs.ping().await.is_ok());
}

async fn tells_when_it_was_written(place: &Place) {
    let times = [keep(&place.blobs, vec![1]).await, keep(&place.blobs, vec![2]).await];
    let [one, other] = times.each_ref().map(|key| place.blobs.modified(key));
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert!(one <= other && one > Timestamp::from_micros(1_600_000_000_000_000), "{one:?} {other:?}");
}

fn flat(tenant: &str, file_name: &str) -> BlobKey {
    let tenant = if tenant.is_empty() { RepositoryPath::root() } else { tenant.parse().unwrap() };
    BlobKey::flat(&tenant, file_name)
}

async fn overwrites_flat_files(place: &Place) {
    let key = flat("org/team", "a-1.0.0.tgz");
    for content in [content(100), content(70_000), vec![]] {
        let staged = stage(&place.blobs, content.clone()).await;
        place.blobs.keep(staged, key.clone()).await.unwrap();
        assert!(read(&place.blobs, &key, None).await == content);
        assert!(read(&place.blobs, &key, None).await == content, "a flat file comes from no memory");
    }
}

async fn lists_flat_files(place: &Place) {
    for (tenant, file_name) in [("", "b-1.0.0+x.tgz"), ("", "b-1.0.0+x.tgz.prov"), ("org", "c-1.0.0.tgz")] {
        let staged = stage(&place.blobs, vec![7; 7]).await;
        place.blobs.keep(staged, flat(tenant, file_name)).await.unwrap();
    }
    let staged = stage(&place.blobs, vec![7]).await;
    place.blobs.keep(staged, BlobKey::from_catalog(".hidden/d-1.0.0.tgz".to_owned())).await.unwrap();
    let all = ["b-1.0.0+x.tgz", "b-1.0.0+x.tgz.prov", "org/c-1.0.0.tgz", "org/team/a-1.0.0.tgz"];
    for (deepest, count) in [(None, 4), (Some(2), 4), (Some(1), 3), (Some(0), 2)] {
        let pages: Vec<Vec<FlatEntry>> = place.blobs.list_flat(deepest).try_collect().await.unwrap();
        let mut entries = pages.concat();
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, all[..count], "{deepest:?}");
        for entry in entries {
            let key = BlobKey::from_catalog(entry.path.clone());
            assert_eq!(entry.modified, place.blobs.modified(&key).await.unwrap(), "one file, one time");
            assert_eq!(entry.size_bytes, if entry.path == all[3] { 0 } else { 7 });
        }
    }
}

#[tokio::test]
async fn a_folder_conforms() {
    conforms(&on_folder(Layout::Addressed), &on_folder(Layout::Flat)).await;
}

async fn a_bucket_conforms(server: &ObjectStore) {
    let addressed = in_bucket(new_bucket(server), Layout::Addressed).await;
    conforms(&addressed, &in_bucket(new_bucket(server), Layout::Flat).await).await;
}

#[tokio::test]
async fn minio_conforms() {
    let Some(server) = ObjectStore::minio().unwrap() else { return };
    a_bucket_conforms(&server).await;
}

#[tokio::test]
async fn s3s_fs_conforms() {
    let Some(server) = ObjectStore::s3s_fs().unwrap() else { return };
    a_bucket_conforms(&server).await;
}
