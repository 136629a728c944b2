//! The catalogue API: bringing back, the feed of changes, quotas, and the read-only switch.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::operations::switch_read_only::switch_read_only;

async fn server_with(versions: &[&str]) -> (TestServer, String) {
    let server = TestServer::start().await;
    let curator = server.token(Role::Curator, None).await;
    for version in versions {
        assert_eq!(server.publish(&curator, chart("a", version)).await.status, StatusCode::CREATED);
    }
    (server, curator)
}

impl TestServer {
    async fn changes(&self, query: &str) -> serde_json::Value {
        let answer = self.get(&format!("/catalog/v1/repositories/changes{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
        answer.json()
    }
}

fn kinds(feed: &serde_json::Value) -> Vec<(i64, &str)> {
    let changes = feed["changes"].as_array().unwrap();
    changes
        .iter()
        .map(|change| (change["revision"].as_i64().unwrap(), change["kind"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_deleted_version_comes_back_as_it_was() {
    let (server, curator) = server_with(&["1.0.0", "1.1.0"]).await;
    let before = server.get("/index.yaml").await.json()["entries"].clone();
    server.request("DELETE", "/api/charts/a/1.0.0", &curator, Vec::new()).await;
    let listed = server.request("GET", "/catalog/v1/repositories/removed", &curator, Vec::new()).await.json();
    let removed = &listed["removed"][0];
    assert_eq!((&removed["chart"], &removed["version"]), (&"a".into(), &"1.0.0".into()));
    assert_eq!(removed["removedBy"], "curator-all");
    assert_eq!(removed["keptUntil"], "2026-11-24T00:00:00.000003Z", "24 h after it was removed");

    let path = "/catalog/v1/repositories/removed/a/1.0.0/restore";
    let restored = server.request("POST", path, &curator, Vec::new()).await;
    assert_eq!((restored.status, restored.json()["revision"].as_i64()), (StatusCode::OK, Some(4)));
    assert_eq!(server.get("/index.yaml").await.json()["entries"], before);
    assert_eq!(server.get("/charts/a-1.0.0.tgz").await.body, chart("a", "1.0.0"));

    let again = server.request("POST", path, &curator, Vec::new()).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "{}", again.text());
}

#[tokio::test]
async fn what_took_a_version_s_place_has_to_go_before_it_comes_back() {
    let (server, curator) = server_with(&["1.0.0"]).await;
    server.request("DELETE", "/api/charts/a/1.0.0", &curator, Vec::new()).await;
    let other = ChartBuilder::new("a", "1.0.0").description("other").build();
    server.publish(&curator, other).await;
    let path = "/catalog/v1/repositories/removed/a/1.0.0/restore";
    let refused = server.request("POST", path, &curator, Vec::new()).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
}

#[tokio::test]
async fn only_those_who_may_delete_bring_back() {
    let (server, curator) = server_with(&["1.0.0"]).await;
    server.request("DELETE", "/api/charts/a/1.0.0", &curator, Vec::new()).await;
    let publisher = server.token(Role::Publisher, None).await;
    for (method, path) in [
        ("GET", "/catalog/v1/repositories/removed"),
        ("POST", "/catalog/v1/repositories/removed/a/1.0.0/restore"),
    ] {
        let refused = server.request(method, path, &publisher, Vec::new()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {}", refused.text());
        let stranger = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_eq!(server.send(stranger).await.status, StatusCode::UNAUTHORIZED, "{method}");
    }
}

#[tokio::test]
async fn the_feed_tells_every_change_in_order_from_any_point() {
    let (server, curator) = server_with(&["1.0.0", "1.1.0"]).await;
    server.request("DELETE", "/api/charts/a/1.0.0", &curator, Vec::new()).await;
    server.request("POST", "/catalog/v1/repositories/removed/a/1.0.0/restore", &curator, Vec::new()).await;

    let whole = server.changes("").await;
    assert_eq!(kinds(&whole), [(1, "published"), (2, "published"), (3, "deleted"), (4, "restored")]);
    assert_eq!((&whole["revision"], &whole["next"]), (&4.into(), &4.into()));
    let first = &whole["changes"][0];
    assert_eq!(first["digest"], oci::Digest::sha256(&chart("a", "1.0.0")).to_string());
    assert_eq!(
        (&first["actor"], &first["at"]),
        (&"curator-all".into(), &"2026-11-23T00:00:00.000001Z".into())
    );

    let page = server.changes("?after=1&limit=2").await;
    assert_eq!(kinds(&page), [(2, "published"), (3, "deleted")]);
    assert_eq!((&page["revision"], &page["next"]), (&4.into(), &3.into()));
    let end = server.changes("?after=4").await;
    assert_eq!((kinds(&end).len(), &end["next"]), (0, &4.into()));
}

#[tokio::test]
async fn a_feed_that_is_asked_wrongly_says_what_is_right() {
    let (server, _) = server_with(&["1.0.0"]).await;
    for (query, status, text) in [
        ("?after=-1", 400, "`after` must be a whole number from 0"),
        ("?after=x", 400, "`after`"),
        ("?limit=0", 400, "`limit` must be a whole number from 1 to 1000"),
        ("?limit=1001", 400, "`limit`"),
        ("?wait=26", 400, "`wait` must be a whole number from 0 to 25"),
        ("?after=2", 409, "the repository is at revision 1"),
    ] {
        let answer = server.get(&format!("/catalog/v1/repositories/changes{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(answer.text().contains(text), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_waiting_feed_answers_when_something_changes() {
    let (server, curator) = server_with(&["1.0.0"]).await;
    let waiting = tokio::spawn({
        let router = server.server.clone().router();
        let request = Request::get("/catalog/v1/repositories/changes?after=1&wait=25").body(Body::empty());
        async move {
            let response = router.oneshot(request.unwrap()).await.unwrap();
            to_bytes(response.into_body(), usize::MAX).await.unwrap()
        }
    });
    while server.server.waiting.available_permits() > 31 {
        tokio::task::yield_now().await;
    }
    server.publish(&curator, chart("a", "1.1.0")).await;
    let body = tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap();
    let feed: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(kinds(&feed), [(2, "published")]);
}

#[tokio::test]
async fn the_feed_of_a_private_repository_is_unknown_to_strangers() {
    let server = TestServer::start().await;
    let admin = server.token(Role::Admin, None).await;
    let private = br#"{"visibility":"private"}"#.to_vec();
    server.request("PUT", "/catalog/v1/repositories/secret", &admin, private).await;
    let other = server.token(Role::Reader, Some("other")).await;
    for path in ["/catalog/v1/repositories/secret/changes", "/catalog/v1/repositories/none/changes"] {
        assert_eq!(server.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
        let known = server.request("GET", path, &other, Vec::new()).await;
        assert_eq!(known.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn while_read_only_every_change_is_refused_with_the_reason_and_reading_goes_on() {
    let (server, curator) = server_with(&["1.0.0", "1.1.0"]).await;
    let admin = server.token(Role::Admin, None).await;
    server.request("DELETE", "/api/charts/a/1.1.0", &curator, Vec::new()).await;
    let catalog = &server.server.app.catalog;
    switch_read_only(catalog, Some("moving until 14:00")).await.unwrap();
    let settings = br#"{"visibility":"private"}"#.to_vec();
    let large = ChartBuilder::new("b", "1.0.0").file("noise", vec![b'x'; 100]).build();
    for (method, path, body) in [
        ("POST", "/api/charts", chart("b", "1.0.0")),
        ("POST", "/api/charts?force", large),
        ("POST", "/api/fresh/charts", chart("b", "1.0.0")),
        ("DELETE", "/api/charts/a/1.0.0", Vec::new()),
        ("POST", "/catalog/v1/repositories/removed/a/1.1.0/restore", Vec::new()),
        ("PUT", "/catalog/v1/repositories/", settings.clone()),
        ("PUT", "/catalog/v1/repositories/fresh", settings),
    ] {
        let refused = server.request(method, path, &admin, body).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
        assert!(refused.text().contains("moving until 14:00"), "{method} {path}: {}", refused.text());
        assert_eq!(refused.header(header::RETRY_AFTER), "60", "{method} {path}");
    }
    assert!(catalog.find_repository(&"fresh".parse().unwrap()).await.unwrap().is_none());
    assert_eq!(server.get("/charts/a-1.0.0.tgz").await.status, StatusCode::OK);
    let status = server.get("/catalog/v1/status").await.json();
    assert_eq!((&status["writes"], &status["reason"]), (&"read-only".into(), &"moving until 14:00".into()));

    switch_read_only(catalog, None).await.unwrap();
    assert_eq!(server.publish(&admin, chart("b", "1.0.0")).await.status, StatusCode::CREATED);
    assert_eq!(server.get("/catalog/v1/status").await.json()["writes"], "on");
}

#[tokio::test]
async fn a_large_body_is_refused_unread_while_read_only() {
    let (server, curator) = server_with(&[]).await;
    switch_read_only(&server.server.app.catalog, Some("moving")).await.unwrap();
    let endless = futures_util::stream::once(std::future::pending::<Result<Bytes, std::io::Error>>());
    let request = Request::post("/api/charts").header("authorization", format!("Bearer {curator}"));
    let request = request.header("content-length", "10000000").body(Body::from_stream(endless)).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(20), server.send(request)).await;
    assert_eq!(answer.expect("it waits for no body").status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_quota_is_set_and_shown_and_its_refusal_says_what_to_do() {
    let server = TestServer::start().await;
    let admin = server.token(Role::Admin, None).await;
    let quota = br#"{"mostVersions":1,"mostBytes":1000000}"#.to_vec();
    let set = server.request("PUT", "/catalog/v1/repositories/", &admin, quota).await.json();
    assert_eq!((&set["mostVersions"], &set["mostBytes"]), (&1.into(), &1_000_000.into()));
    server.publish(&admin, chart("a", "1.0.0")).await;
    let refused = server.publish(&admin, chart("a", "1.1.0")).await;
    assert_eq!(refused.status, StatusCode::INSUFFICIENT_STORAGE);
    assert!(refused.text().contains("may hold 1 version(s)") && refused.text().contains("`mostVersions`"));
    let shown = server.get("/catalog/v1/repositories/").await.json();
    let bytes = chart("a", "1.0.0").len();
    assert_eq!((&shown["versions"], &shown["storedBytes"]), (&1.into(), &bytes.into()));

    let lifted = br#"{"mostVersions":0}"#.to_vec();
    let set = server.request("PUT", "/catalog/v1/repositories/", &admin, lifted).await.json();
    assert_eq!((&set["mostVersions"], &set["mostBytes"]), (&serde_json::Value::Null, &1_000_000.into()));
    assert_eq!(server.publish(&admin, chart("a", "1.1.0")).await.status, StatusCode::CREATED);
}
