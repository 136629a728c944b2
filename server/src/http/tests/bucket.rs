//! The same requests with the blobs in a bucket: what a publish costs there, and what is left when it is away.

use std::time::Duration;

use stories::object_store::ObjectStore;

use super::*;
use crate::blobs::BucketOptions;
use crate::blobs::tests::meddler::{Fault, Meddler};
use crate::blobs::tests::place::{in_bucket, new_bucket, reached_at};

async fn server_in(options: BucketOptions) -> TestServer {
    let place = in_bucket(options, Layout::Addressed).await;
    TestServer::on(place.folder, place.blobs, Rules::default(), Surface::default()).await
}

#[tokio::test]
async fn a_publish_without_provenance_is_one_request_to_the_store() {
    let Some(store) = ObjectStore::s3s_fs().unwrap() else { return };
    let meddler = Meddler::before(store.address()).await;
    let server = server_in(reached_at(meddler.address, new_bucket(&store))).await;
    let token = server.token(Role::Publisher, None).await;
    meddler.seen();
    assert_eq!(server.publish(&token, chart("keepalived", "0.1.0")).await.status, 201);
    let seen = meddler.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].starts_with("put "), "{seen:?}");
    assert_eq!(server.publish(&token, chart("keepalived", "0.1.0")).await.status, 201);
    assert_eq!(server.get("/index.yaml").await.status, 200);
    assert_eq!(meddler.seen(), Vec::<String>::new(), "bytes that are known, and an index");
}

#[tokio::test]
async fn a_download_is_redirected_where_the_operator_says_so() {
    let Some(store) = ObjectStore::minio().unwrap() else { return };
    let server = server_in(BucketOptions { redirects: true, ..new_bucket(&store) }).await;
    let token = server.token(Role::Publisher, None).await;
    let archive = chart("keepalived", "0.1.0");
    assert_eq!(server.publish(&token, archive.clone()).await.status, 201);
    let path = "/charts/keepalived-0.1.0.tgz";
    let answer = server.get(path).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let fetched = client.get(answer.header(header::LOCATION)).send().await.unwrap();
    assert_eq!(fetched.headers()["content-type"], "application/gzip");
    assert!(fetched.bytes().await.unwrap() == archive);
    let head = server.send(Request::head(path).body(Body::empty()).unwrap()).await;
    assert_eq!(
        (head.status, head.header(header::CONTENT_LENGTH)),
        (StatusCode::OK, archive.len().to_string().as_str())
    );
    assert_eq!(server.get("/charts/keepalived-9.9.9.tgz").await.status, 404);
}

#[tokio::test]
async fn without_the_store_indexes_and_warm_archives_go_on_and_nothing_is_not_found() {
    let Some(store) = ObjectStore::s3s_fs().unwrap() else { return };
    let meddler = Meddler::before(store.address()).await;
    let options =
        BucketOptions { timeout: Duration::from_secs(1), ..reached_at(meddler.address, new_bucket(&store)) };
    let server = server_in(options).await;
    let token = server.token(Role::Publisher, None).await;
    for version in ["0.1.0", "0.2.0"] {
        assert_eq!(server.publish(&token, chart("keepalived", version)).await.status, 201);
    }
    let [warm, cold] = ["/charts/keepalived-0.1.0.tgz", "/charts/keepalived-0.2.0.tgz"];
    assert_eq!(server.get(warm).await.status, 200);
    meddler.always(Fault::SlowDown);
    assert_eq!(server.get("/index.yaml").await.status, 200);
    assert_eq!(server.get(warm).await.status, 200);
    for answer in [server.get(cold).await, server.publish(&token, chart("keepalived", "0.3.0")).await] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!answer.header(header::RETRY_AFTER).is_empty());
        assert!(!answer.text().contains("SlowDown"), "{}", answer.text());
    }
    let ready = server.get("/ready?for=writes").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["blobs"], "away");
    meddler.always(Fault::None);
    assert_eq!(server.get(cold).await.status, 200);
    assert_eq!(
        server.get("/charts/keepalived-0.3.0.tgz").await.status,
        404,
        "it was refused, and is not there"
    );
    assert_eq!(server.publish(&token, chart("keepalived", "0.3.0")).await.status, 201);
}
