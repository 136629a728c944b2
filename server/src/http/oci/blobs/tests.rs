use axum::http::header;
use chart::Timestamp;

use super::*;
use crate::access::{Caller, Role};
use crate::catalog::{BlobPlace, RepositorySettings};
use crate::http::tests::{Answer, TestServer};
use crate::jobs::collect_garbage::collect_garbage;
use crate::operations::hold_blob::HELD_FOR;

async fn pushed(server: &TestServer, token: &str, name: &str, content: &[u8]) -> Digest {
    let digest = Digest::sha256(content);
    let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
    let request = Request::post(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-length", content.len());
    let answer = Box::pin(server.send(request.body(Body::from(content.to_vec())).unwrap())).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    digest
}

async fn ask(server: &TestServer, token: &str, method: &str, path: &str, range: &str) -> Answer {
    let mut request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    if !range.is_empty() {
        request = request.header("range", range);
    }
    Box::pin(server.send(request.body(Body::empty()).unwrap())).await
}

#[tokio::test]
async fn a_blob_is_read_by_range_and_never_encoded() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin, None).await;
    let content: Vec<u8> = (0..2_000_u32).map(|number| (number % 251) as u8).collect();
    let digest = pushed(&server, &token, "app", &content).await;
    let path = format!("/v2/app/blobs/{digest}");
    for (range, part) in [
        ("bytes=500-1499", 500..1_500),
        ("bytes=500-", 500..2_000),
        ("bytes=-500", 1_500..2_000),
        ("bytes=1500-9999", 1_500..2_000),
    ] {
        let answer = ask(&server, &token, "GET", &path, range).await;
        assert_eq!(answer.status, 206, "{range}");
        assert!(answer.body == content[part.clone()], "{range}");
        let said = format!("bytes {}-{}/2000", part.start, part.end - 1);
        assert_eq!(answer.header(header::CONTENT_RANGE), said);
        assert_eq!(answer.header(header::CONTENT_LENGTH), part.len().to_string());
    }
    for range in ["bytes=500-0", "bytes=2000-2001"] {
        let answer = ask(&server, &token, "GET", &path, range).await;
        assert_eq!((answer.status.as_u16(), answer.header(header::CONTENT_RANGE)), (416, "bytes */2000"));
    }
    let whole = ask(&server, &token, "GET", &path, "").await;
    assert_eq!(whole.header(header::ACCEPT_RANGES), "bytes");
    assert!(whole.header(header::CACHE_CONTROL).contains("immutable"));
    let again = Request::get(&path)
        .header("authorization", format!("Bearer {token}"))
        .header("if-none-match", whole.header(header::ETAG))
        .header("accept-encoding", "gzip")
        .body(Body::empty());
    assert_eq!(server.send(again.unwrap()).await.status, 304);
}

#[tokio::test]
async fn a_digest_opens_no_name_that_does_not_have_it() {
    let server = TestServer::start().await;
    let settings = RepositorySettings { visibility: Visibility::Private, ..RepositorySettings::default() };
    let catalog = &server.server.app.catalog;
    let now = Timestamp::from_micros(1);
    catalog.create_repository(&"secret".parse().unwrap(), settings, now).await.unwrap();
    catalog.create_repository(&"team".parse().unwrap(), RepositorySettings::default(), now).await.unwrap();
    server.publish_chart("", "app", "1.0.0").await;
    let token = server.token(Role::Admin, None).await;
    let digest = pushed(&server, &token, "secret/app", b"secret").await;
    for (method, path) in
        [("GET", format!("/v2/app/blobs/{digest}")), ("HEAD", format!("/v2/x/blobs/{digest}"))]
    {
        assert_eq!(ask(&server, &token, method, &path, "").await.status, 404, "{path}");
    }
    let publisher = server.token(Role::Publisher, Some("team")).await;
    for from in ["&from=secret/app", ""] {
        let path = format!("/v2/team/app/blobs/uploads/?mount={digest}{from}");
        assert_eq!(ask(&server, &publisher, "POST", &path, "").await.status, 202, "{from}");
    }
}

#[tokio::test]
async fn a_charts_archive_and_its_minted_configuration_are_blobs_of_its_name() {
    let server = TestServer::start().await;
    server.publish_chart("", "app", "1.0.0").await;
    let archive = server.get("/charts/app-1.0.0.tgz").await.body;
    let digest = Digest::sha256(&archive);
    let got = server.get(&format!("/v2/app/blobs/{digest}")).await;
    assert!(got.status == 200 && got.body == archive, "{}", got.status);
    let metadata = chart::archive::ChartArchive::inspect(&archive[..], &chart::archive::Limits::default());
    let minted = chart::artifact::Minted::new(&metadata.unwrap(), (&digest, archive.len() as u64), None);
    let config = server.get(&format!("/v2/app/blobs/{}", minted.config_digest)).await;
    assert_eq!((config.status.as_u16(), config.body), (200, minted.config.clone()));
    let token = server.token(Role::Curator, None).await;
    let path = format!("/v2/app/blobs/{digest}");
    let refused = ask(&server, &token, "DELETE", &path, "").await;
    assert_eq!(refused.status, 405, "{}", refused.text());
}

#[tokio::test]
async fn a_blob_that_a_repair_moved_is_read_where_it_is_now() {
    let server = TestServer::start().await;
    server.publish_chart("", "app", "1.0.0").await;
    let archive = server.get("/charts/app-1.0.0.tgz").await.body;
    let digest = Digest::sha256(&archive);
    let path = format!("/v2/app/blobs/{digest}");
    assert_eq!(server.get(&path).await.status, 200);
    let app = &server.server.app;
    let row = app.catalog.find_blob(&digest).await.unwrap().unwrap();
    let moved = crate::blobs::BlobKey::fresh(&digest, 7);
    let body = Body::from(archive.clone()).into_data_stream();
    let staged = app.blobs.staging().receive(body, u64::MAX).await.unwrap();
    app.blobs.keep(staged, moved.clone()).await.unwrap();
    assert!(app.catalog.move_blob(&row, &moved).await.unwrap());
    app.blobs.remove(&row.key).await.unwrap();
    let again = server.get(&path).await;
    assert!(again.status == 200 && again.body == archive, "{}", again.text());
}

#[tokio::test]
async fn a_removed_blob_is_gone_at_once() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin, None).await;
    let digest = pushed(&server, &token, "app", b"layer").await;
    let path = format!("/v2/app/blobs/{digest}");
    let publisher = server.token(Role::Publisher, None).await;
    assert_eq!(ask(&server, &publisher, "DELETE", &path, "").await.status, 403);
    assert_eq!(ask(&server, &token, "DELETE", &path, "").await.status, 202);
    for method in ["HEAD", "GET", "DELETE"] {
        assert_eq!(ask(&server, &token, method, &path, "").await.status, 404, "{method}");
    }
}

#[tokio::test]
async fn a_head_by_who_may_publish_holds_a_blob_that_the_collector_would_take() {
    let mut server = TestServer::start().await;
    let token = server.token(Role::Admin, None).await;
    let digest = pushed(&server, &token, "app", b"layer").await;
    let path = format!("/v2/app/blobs/{digest}");
    let begun = server.server.app.clock.now();
    let mut wait = |share: u32| {
        let micros = i64::try_from((HELD_FOR / 10 * share).as_micros()).unwrap();
        server.server.app.clock = crate::app::Clock::Fixed(Timestamp::from_micros(begun.micros() + micros));
        server.server.app.clone()
    };
    let later = wait(6);
    let place = BlobPlace { name: "app".parse().unwrap(), chart: None };
    let held = |app: crate::app::App| {
        let (place, digest) = (place.clone(), digest.clone());
        async move { app.catalog.find_blob_under(&place, &digest).await.unwrap() }
    };
    let before = held(later.clone()).await.unwrap();
    hold_blob(&later, 1, &place.name, &before).await.unwrap();
    let after = held(later).await.unwrap();
    assert!(after.held_until > before.held_until, "less than half of the time was left");
    let app = wait(15);
    Box::pin(collect_garbage(&app, std::time::Duration::ZERO)).await.unwrap();
    assert!(held(app).await.is_some(), "it is held");
    let app = wait(17);
    Box::pin(collect_garbage(&app, std::time::Duration::ZERO)).await.unwrap();
    assert_eq!(held(app).await, None, "its time is over");
    assert_eq!(ask(&server, &token, "HEAD", &path, "").await.status, 404);
    let nobody = Asked::new(Method::HEAD, axum::http::HeaderMap::new(), None, Caller::Anonymous);
    let owned = readable(&server.server, &nobody, &"app".parse().unwrap()).await;
    assert!(owned.is_err());
}
