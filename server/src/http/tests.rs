//! Requests against the router in this process, over a real SQLite catalog and a real folder.

mod bucket;
mod catalogue;
mod registry;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use chart::Timestamp;
use chart::testing::ChartBuilder;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::{Server, Surface};
use crate::access::{Role, Signer, Verifier};
use crate::app::{App, CHECKED_AT_ONCE, Clock, Rules};
use crate::blobs::{Blobs, Layout};
use crate::catalog::{Catalog, RepositorySettings, SettingsChange, Visibility};
use crate::operations::create_token::{TokenRequest, create_token};
use crate::registry::Registry;
use crate::repositories::{Addresses, Repositories};
use crate::repository_path::RepositoryPath;
use crate::telemetry::{MetricNames, Metrics};

/// 2026-11-23T00:00:00Z.
const NOW: i64 = 1_795_392_000_000_000;

/// A server without a socket, with its stores in a temporary folder.
pub(crate) struct TestServer {
    pub(crate) server: Server,
    folder: tempfile::TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(Rules::default(), Surface::default()).await
    }

    pub(crate) async fn with(rules: Rules, surface: Surface) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let blobs = Blobs::open(root.clone(), root.join("staging"), Layout::Addressed).unwrap();
        Self::on(folder, blobs, rules, surface).await
    }

    async fn on(folder: tempfile::TempDir, blobs: Blobs, rules: Rules, surface: Surface) -> Self {
        let catalog = Catalog::open_embedded(&folder.path().join("catalog.db")).await.unwrap();
        Self::over(folder, catalog, blobs, rules, surface).await
    }

    /// Starts a server over these stores, which others may share; `folder` is what goes when it ends.
    pub(crate) async fn over(
        folder: tempfile::TempDir,
        catalog: Catalog,
        blobs: Blobs,
        rules: Rules,
        surface: Surface,
    ) -> Self {
        let now = Timestamp::from_micros(NOW);
        catalog.create_repository(&RepositoryPath::root(), rules.new_repository.clone(), now).await.unwrap();
        let repositories = Repositories::new(catalog.clone(), Addresses::default());
        let app = App {
            registry: Registry::new(catalog.clone(), repositories.clone()),
            repositories,
            verifier: Verifier::new(catalog.clone(), false, None),
            signer: Signer::new(catalog.clone()),
            catalog,
            blobs,
            clock: Clock::Fixed(now),
            rules: rules.into(),
            checking: Arc::new(Semaphore::new(CHECKED_AT_ONCE)),
        };
        let room = 64.try_into().unwrap();
        Self { server: Server::new(app, surface, Metrics::new(MetricNames::Chartroom), room), folder }
    }

    pub(crate) async fn token(&self, role: Role, repository: Option<&str>) -> String {
        let request = TokenRequest {
            name: format!("{role}-{}", repository.unwrap_or("all")),
            role,
            repository: repository.map(|path| path.parse().unwrap()),
            expires_at: None,
        };
        let secret =
            create_token(&self.server.app.catalog, request, Timestamp::from_micros(NOW)).await.unwrap();
        secret.reveal().to_owned()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.server.clone().router().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn request(&self, method: &str, path: &str, token: &str, body: Vec<u8>) -> Answer {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn publish(&self, token: &str, chart: Vec<u8>) -> Answer {
        self.request("POST", "/api/charts", token, chart).await
    }

    /// Publishes a chart into the repository at `path`, which is empty or begins with a slash.
    pub(crate) async fn publish_chart(&self, path: &str, name: &str, version: &str) {
        let token = create_token(
            &self.server.app.catalog,
            TokenRequest {
                name: format!("publishes{path}/{name}/{version}"),
                role: Role::Admin,
                repository: None,
                expires_at: None,
            },
            Timestamp::from_micros(NOW),
        );
        let token = token.await.unwrap();
        let answer =
            self.request("POST", &format!("/api{path}/charts"), token.reveal(), chart(name, version)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    }

    fn blob_count(&self) -> usize {
        let algorithm = self.folder.path().join("blobs/sha256");
        std::fs::read_dir(algorithm)
            .unwrap()
            .map(|fan| std::fs::read_dir(fan.unwrap().path()).unwrap().count())
            .sum()
    }
}

fn chart(name: &str, version: &str) -> Vec<u8> {
    ChartBuilder::new(name, version).build()
}

#[tokio::test]
async fn a_published_version_is_in_every_view_at_once() {
    let server = TestServer::start().await;
    let token = server.token(Role::Publisher, None).await;
    let archive = chart("keepalived", "0.1.0");
    let saved = server.publish(&token, archive.clone()).await;
    assert_eq!((saved.status, saved.text().as_str()), (StatusCode::CREATED, r#"{"saved":true}"#));

    let index = server.get("/index.yaml").await;
    let digest = oci::Digest::sha256(&archive);
    let entry = &index.json()["entries"]["keepalived"][0];
    assert_eq!(entry["digest"], digest.hex());
    assert_eq!(entry["urls"][0], "charts/keepalived-0.1.0.tgz");
    assert_eq!(index.header(header::CONTENT_TYPE), "application/yaml");

    let download = server.get("/charts/keepalived-0.1.0.tgz").await;
    assert_eq!(download.body, archive);
    assert_eq!(download.header(header::CONTENT_TYPE), "application/gzip");
    assert_eq!(download.header(header::ETAG), format!("\"{}\"", digest.hex()));

    for path in
        ["/api/charts/keepalived/0.1.0", "/api/charts/keepalived/latest", "/api/charts/keepalived/%5E0.1"]
    {
        assert_eq!(server.get(path).await.json(), *entry, "{path}");
    }
    assert_eq!(server.get("/api/charts").await.json()["keepalived"][0], *entry);
}

#[tokio::test]
async fn the_same_bytes_again_change_nothing_and_other_bytes_are_refused() {
    let server = TestServer::start().await;
    let token = server.token(Role::Publisher, None).await;
    let archive = chart("a", "1.0.0");
    assert_eq!(server.publish(&token, archive.clone()).await.status, StatusCode::CREATED);
    let before = server.get("/index.yaml").await.body;
    assert_eq!(server.publish(&token, archive).await.status, StatusCode::CREATED);
    let other = ChartBuilder::new("a", "1.0.0").description("other bytes").build();
    let refused = server.publish(&token, other).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("already published with other bytes"), "{}", refused.text());
    assert_eq!(server.get("/index.yaml").await.body, before);
    assert_eq!(server.blob_count(), 1, "a refusal keeps no bytes");
}

#[tokio::test]
async fn two_versions_may_not_share_a_file_name() {
    let server = TestServer::start().await;
    let token = server.token(Role::Publisher, None).await;
    assert_eq!(server.publish(&token, chart("a-1", "2.0.0")).await.status, StatusCode::CREATED);
    let refused = server.publish(&token, chart("a", "1-2.0.0")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("`a-1` `2.0.0`"), "{}", refused.text());
    assert_eq!(server.blob_count(), 1);
}

#[tokio::test]
async fn writing_needs_a_token_that_reaches_far_enough() {
    let server = TestServer::start().await;
    let nobody =
        server.send(Request::post("/api/charts").body(Body::from(chart("a", "1.0.0"))).unwrap()).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert!(nobody.header(header::WWW_AUTHENTICATE).starts_with("Basic "));
    for (role, repository, status) in [
        (Role::Reader, None, StatusCode::FORBIDDEN),
        (Role::Publisher, Some("elsewhere"), StatusCode::FORBIDDEN),
        (Role::Publisher, None, StatusCode::CREATED),
    ] {
        let token = server.token(role, repository).await;
        assert_eq!(server.publish(&token, chart("a", "1.0.0")).await.status, status, "{role}");
    }
    assert_eq!(server.publish("made-up", chart("a", "1.0.0")).await.status, StatusCode::UNAUTHORIZED);
    let publisher = server.token(Role::Publisher, Some("/")).await;
    let denied = server.request("DELETE", "/api/charts/a/1.0.0", &publisher, Vec::new()).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_deleted_version_is_out_of_every_view() {
    let server = TestServer::start().await;
    let token = server.token(Role::Curator, None).await;
    server.publish(&token, chart("a", "1.0.0")).await;
    // Scripts split a file name at its last hyphen.
    server.publish(&token, chart("mychart2", "0.1.0-SNAPSHOT-1")).await;
    for path in ["/api/charts/a/1.0.0", "/api/charts/mychart2-0.1.0-SNAPSHOT/1"] {
        let deleted = server.request("DELETE", path, &token, Vec::new()).await;
        assert_eq!(
            (deleted.status, deleted.text().as_str()),
            (StatusCode::OK, r#"{"deleted":true}"#),
            "{path}"
        );
        assert_eq!(server.request("DELETE", path, &token, Vec::new()).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(server.get("/charts/a-1.0.0.tgz").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/index.yaml").await.json()["entries"], serde_json::json!({}));
    assert_eq!(server.get("/api/charts").await.text(), "{}");
}

#[tokio::test]
async fn a_private_repository_is_not_told_from_one_that_does_not_exist() {
    let server = TestServer::start().await;
    let settings = RepositorySettings { visibility: Visibility::Private, ..RepositorySettings::default() };
    let path = "secret".parse().unwrap();
    server.server.app.catalog.create_repository(&path, settings, Timestamp::from_micros(NOW)).await.unwrap();
    for address in
        ["/secret/index.yaml", "/nothing/index.yaml", "/secret/charts/a-1.tgz", "/api/nothing/charts"]
    {
        assert_eq!(server.get(address).await.status, StatusCode::UNAUTHORIZED, "{address}");
    }
    let elsewhere = server.token(Role::Admin, Some("elsewhere")).await;
    for address in ["/secret/index.yaml", "/nothing/index.yaml"] {
        assert_eq!(
            server.request("GET", address, &elsewhere, Vec::new()).await.status,
            StatusCode::NOT_FOUND
        );
    }
    let reader = server.token(Role::Reader, Some("secret")).await;
    assert_eq!(server.request("GET", "/secret/index.yaml", &reader, Vec::new()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_an_administrators_publish_brings_a_repository_into_being() {
    let server = TestServer::start().await;
    let publisher = server.token(Role::Publisher, None).await;
    let refused = server.request("POST", "/api/team/prod/charts", &publisher, chart("a", "1.0.0")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let admin = server.token(Role::Admin, Some("team")).await;
    let created = server.request("POST", "/api/team/prod/charts", &admin, chart("a", "1.0.0")).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(server.get("/team/prod/charts/a-1.0.0.tgz").await.status, StatusCode::OK);
    assert_eq!(
        server.request("POST", "/api/other/charts", &admin, chart("a", "1.0.0")).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn ranges_conditions_and_heads_are_answered_by_the_book() {
    let server = TestServer::start().await;
    let token = server.token(Role::Publisher, None).await;
    let archive = chart("a", "1.0.0");
    server.publish(&token, archive.clone()).await;
    let path = "/charts/a-1.0.0.tgz";
    let ranged = |range: &'static str| Request::get(path).header("range", range).body(Body::empty()).unwrap();
    let part = server.send(ranged("bytes=5-9")).await;
    assert_eq!((part.status, part.body.as_slice()), (StatusCode::PARTIAL_CONTENT, &archive[5..10]));
    assert_eq!(part.header(header::CONTENT_RANGE), format!("bytes 5-9/{}", archive.len()));
    let beyond = server.send(ranged("bytes=99999999-")).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    for path in [path, "/index.yaml"] {
        let whole = server.get(path).await;
        let etag = whole.header(header::ETAG).to_owned();
        assert!(etag.starts_with('"'), "strong: {etag}");
        let again = Request::get(path).header("if-none-match", &etag).body(Body::empty()).unwrap();
        let unchanged = server.send(again).await;
        assert_eq!((unchanged.status, unchanged.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        let head = server.send(Request::head(path).body(Body::empty()).unwrap()).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        assert_eq!(head.header(header::CONTENT_LENGTH), whole.body.len().to_string());
    }
}

#[tokio::test]
async fn gzip_goes_only_to_who_asks_and_never_on_archives() {
    let server = TestServer::start().await;
    let token = server.token(Role::Publisher, None).await;
    server.publish(&token, chart("a", "1.0.0")).await;
    let ask = |path: &'static str| {
        Request::get(path).header("accept-encoding", "gzip").body(Body::empty()).unwrap()
    };
    let zipped = server.send(ask("/index.yaml")).await;
    assert_eq!(zipped.header(header::CONTENT_ENCODING), "gzip");
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&zipped.body[..]), &mut plain).unwrap();
    assert_eq!(plain, server.get("/index.yaml").await.body);
    assert!(!server.get("/index.yaml").await.headers.contains_key(header::CONTENT_ENCODING));
    assert!(!server.send(ask("/charts/a-1.0.0.tgz")).await.headers.contains_key(header::CONTENT_ENCODING));
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused_and_leaves_nothing() {
    let rules = Rules { upload_bytes: 100, ..Rules::default() };
    let server = TestServer::with(rules, Surface::default()).await;
    let token = server.token(Role::Publisher, None).await;
    let refused = server.publish(&token, vec![0; 101]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(server.blob_count(), 0);
}

#[tokio::test]
async fn settings_change_through_the_catalogue_api() {
    let server = TestServer::start().await;
    let admin = server.token(Role::Admin, None).await;
    let address = "/catalog/v1/repositories/team";
    let created = server.request("PUT", address, &admin, br#"{"indexFormat":"yaml"}"#.to_vec()).await;
    assert_eq!((created.status, created.json()["indexFormat"].as_str()), (StatusCode::CREATED, Some("yaml")));
    server.request("POST", "/api/team/charts", &admin, chart("a", "1.0.0")).await;
    assert!(server.get("/team/index.yaml").await.text().starts_with("apiVersion: v1\n"));
    let changed = server.request("PUT", address, &admin, br#"{"indexFormat":"json"}"#.to_vec()).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert!(server.get("/team/index.yaml").await.json()["entries"]["a"].is_array());
    let unknown = server.request("PUT", address, &admin, br#"{"colour":"red"}"#.to_vec()).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    let publisher = server.token(Role::Publisher, None).await;
    let denied = server.request("PUT", address, &publisher, b"{}".to_vec()).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn settings_changed_by_another_process_are_followed() {
    let server = TestServer::start().await;
    let token = server.token(Role::Publisher, None).await;
    server.publish(&token, chart("a", "1.0.0")).await;
    let row = server.server.app.catalog.find_repository(&RepositoryPath::root()).await.unwrap().unwrap();
    let change = SettingsChange { visibility: Some(Visibility::Private), ..SettingsChange::default() };
    server.server.app.catalog.change_settings(row.id, change).await.unwrap();
    server.server.app.repositories.follow().await.unwrap();
    assert_eq!(server.get("/index.yaml").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_welcome_page_says_what_to_type() {
    let asked = |host: &str| {
        let request = Request::builder().uri("/").header(header::HOST, host);
        request.body(Body::empty()).unwrap()
    };
    let server = TestServer::start().await;
    let page = server.send(asked("charts.example.com:8443")).await.text();
    assert!(page.contains("helm repo add charts http://charts.example.com:8443\n"), "{page}");
    let page = server.send(asked("<script>")).await.text();
    assert!(page.contains("helm repo add charts ADDRESS\n"), "{page}");
    let surface =
        Surface { public_url: Some("https://public.example.com/".to_owned()), ..Surface::default() };
    let server = TestServer::with(Rules::default(), surface).await;
    let page = server.send(asked("inside")).await.text();
    assert!(page.contains("helm repo add charts https://public.example.com\n"), "{page}");
}

#[tokio::test]
async fn a_request_beyond_those_in_flight_waits_its_turn() {
    let server = Arc::new(TestServer::start().await);
    let room = Arc::clone(&server.server.room);
    let others = room.acquire_many(63).await.unwrap();
    assert_eq!(server.get("/index.yaml").await.status, StatusCode::OK, "there is room for one");
    let last = room.acquire().await.unwrap();
    let asking = Arc::clone(&server);
    let waiting = tokio::spawn(async move { asking.get("/live").await.status });
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished(), "it was answered beyond the limit");
    drop(last);
    assert_eq!(waiting.await.unwrap(), StatusCode::OK);
    drop(others);
}
