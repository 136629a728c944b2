//! The registry over the catalog that every surface shares.

use axum::http::{Request, StatusCode};
use chart::testing::ChartBuilder;
use oci::Digest;
use serde_json::{Value, json};

use super::{Answer, TestServer};
use crate::access::Role;

impl TestServer {
    /// Sends a request of a registry client with this token.
    async fn registry(
        &self,
        method: &str,
        path: &str,
        token: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type)
            .header("content-length", body.len());
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Pushes a blob in one request and returns its descriptor.
    async fn push_blob(&self, token: &str, name: &str, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::sha256(content);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        let pushed = self.registry("POST", &path, token, "application/octet-stream", content.to_vec()).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text());
        json!({"mediaType": media_type, "digest": digest.to_string(), "size": content.len()})
    }

    async fn push_manifest(&self, token: &str, name: &str, reference: &str, manifest: &Value) -> Answer {
        let (path, body) = (format!("/v2/{name}/manifests/{reference}"), manifest.to_string().into_bytes());
        self.registry("PUT", &path, token, oci::media_type::IMAGE_MANIFEST, body).await
    }

    /// Pushes what helm pushes for a chart, under `tag`.
    async fn push_chart(&self, token: &str, name: &str, tag: &str, archive: &[u8]) -> Answer {
        let config = self.push_blob(token, name, chart::artifact::CONFIG_TYPE, b"{\"name\":\"demo\"}").await;
        let layer = self.push_blob(token, name, chart::artifact::ARCHIVE_TYPE, archive).await;
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer],
            "annotations": {"org.opencontainers.image.created": "2026-11-23T00:00:00Z"}});
        self.push_manifest(token, name, tag, &manifest).await
    }

    async fn tags(&self, name: &str) -> Value {
        self.get(&format!("/v2/{name}/tags/list")).await.json()["tags"].clone()
    }
}

#[tokio::test]
async fn a_chart_that_came_by_http_can_be_pulled() {
    let server = TestServer::start().await;
    let token = server.token(Role::Curator, None).await;
    let archive = ChartBuilder::new("demo", "1.2.3+up4").build();
    assert_eq!(server.publish(&token, archive.clone()).await.status, StatusCode::CREATED);
    let pulled = server.get("/v2/demo/manifests/1.2.3_up4").await;
    assert_eq!(pulled.status, StatusCode::OK, "{}", pulled.text());
    let manifest = pulled.json();
    assert_eq!(manifest["layers"][0]["digest"], Digest::sha256(&archive).to_string());
    let digest = pulled.headers["docker-content-digest"].to_str().unwrap().to_owned();
    assert_eq!(digest, Digest::sha256(&pulled.body).to_string());
    let by_digest = server.get(&format!("/v2/demo/manifests/{digest}")).await;
    assert_eq!((by_digest.status, by_digest.body), (StatusCode::OK, pulled.body));
    assert_eq!(server.tags("demo").await, json!(["1.2.3_up4"]));
    let deleted = server.request("DELETE", "/v2/demo/manifests/1.2.3_up4", &token, Vec::new()).await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED, "{}", deleted.text());
    assert!(!server.get("/index.yaml").await.text().contains("demo"), "gone from every surface");
    let gone = server.request("GET", "/v2/demo/manifests/1.2.3_up4", &token, Vec::new()).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_pushed_chart_is_published_everywhere() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin, None).await;
    let archive = ChartBuilder::new("demo", "1.0.0").build();
    let pushed = server.push_chart(&token, "team/demo", "1.0.0", &archive).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text());
    let index = server.get("/team/index.yaml").await.text();
    assert!(index.contains(Digest::sha256(&archive).hex()), "{index}");
    assert_eq!(server.get("/team/charts/demo-1.0.0.tgz").await.body, archive);
    let pulled = server.get("/v2/team/demo/manifests/1.0.0").await;
    let digest = pushed.headers["docker-content-digest"].to_str().unwrap();
    assert_eq!(Digest::sha256(&pulled.body).to_string(), digest, "the client's own manifest is served");
    let deleted = server.request("DELETE", "/api/team/charts/demo/1.0.0", &token, Vec::new()).await;
    assert_eq!(deleted.status, StatusCode::OK);
    for reference in ["1.0.0", digest] {
        let path = format!("/v2/team/demo/manifests/{reference}");
        assert_eq!(server.request("GET", &path, &token, Vec::new()).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_tag_that_is_not_the_version_publishes_nothing() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin, None).await;
    let archive = ChartBuilder::new("demo", "1.0.0").build();
    let refused = server.push_chart(&token, "team/demo", "2.0.0", &archive).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["errors"][0]["code"], "MANIFEST_INVALID");
    assert_eq!(server.push_chart(&token, "team/demo", "1.0.0", &archive).await.status, StatusCode::CREATED);
    assert_eq!(server.push_chart(&token, "team/demo", "latest", &archive).await.status, StatusCode::CREATED);
    let lying = server.push_chart(&token, "team/demo", "3.0.0", &archive).await;
    assert_eq!(lying.status, StatusCode::BAD_REQUEST, "an alias may not read as another version");
    assert_eq!(server.tags("team/demo").await, json!(["1.0.0", "latest"]));
    let other = ChartBuilder::new("demo", "1.0.0").file("extra.txt", "x").build();
    let taken = server.push_chart(&token, "team/demo", "1.0.0", &other).await;
    assert_eq!((taken.status, &taken.json()["errors"][0]["code"]), (StatusCode::CONFLICT, &json!("DENIED")));
}

#[tokio::test]
async fn an_image_and_what_is_attached_to_it_are_kept_apart_from_charts() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin, None).await;
    let config = server.push_blob(&token, "web", oci::media_type::IMAGE_CONFIG, b"{}").await;
    let layer = server.push_blob(&token, "web", "application/vnd.oci.image.layer.v1.tar", b"layer").await;
    let image = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
    let pushed = server.push_manifest(&token, "web", "1.0", &image).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text());
    let digest = pushed.headers["docker-content-digest"].to_str().unwrap().to_owned();
    let subject = json!({"mediaType": oci::media_type::IMAGE_MANIFEST, "digest": digest, "size": 1});
    let signature = json!({"schemaVersion": 2, "config": config, "layers": [], "artifactType": "text/signature",
        "subject": subject, "annotations": {"by": "us"}});
    let name = Digest::sha256(signature.to_string().as_bytes());
    let attached = server.push_manifest(&token, "web", &name.to_string(), &signature).await;
    assert_eq!(attached.headers["oci-subject"], digest.as_str());
    let path = format!("/v2/web/referrers/{digest}?artifactType=text%2Fsignature");
    let listed = server.get(&path).await;
    assert_eq!(listed.headers["oci-filters-applied"], "artifactType");
    let listed = listed.json();
    assert_eq!(
        (&listed["manifests"][0]["digest"], &listed["manifests"][0]["annotations"]["by"]),
        (&json!(name.to_string()), &json!("us"))
    );
    let none = server.get(&format!("/v2/web/referrers/{digest}?artifactType=other")).await.json();
    assert_eq!(none["manifests"], json!([]));
    let chart = server.publish(&token, ChartBuilder::new("web", "1.0.0").build()).await;
    assert_eq!(chart.status, StatusCode::CONFLICT, "{}", chart.text());
    let moved = json!({"schemaVersion": 2, "config": config, "layers": []});
    let refused = server.push_manifest(&token, "web", "1.0", &moved).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "tags of an immutable repository do not move");
    let again = server.push_manifest(&token, "web", "1.0", &image).await;
    assert_eq!(again.status, StatusCode::CREATED, "the same again changes nothing");
}

#[tokio::test]
async fn a_manifest_is_refused_for_what_is_wrong_with_it() {
    let server = TestServer::start().await;
    let token = server.token(Role::Admin, None).await;
    let missing = json!({"mediaType": oci::media_type::IMAGE_CONFIG, "digest": Digest::sha256(b"?").to_string(), "size": 1});
    let image = json!({"schemaVersion": 2, "config": missing, "layers": []});
    let wrong = Digest::sha256(b"other").to_string();
    for (reference, manifest, status, code) in [
        ("1", &image, StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN"),
        (wrong.as_str(), &image, StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
        ("1", &json!([]), StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
    ] {
        let refused = server.push_manifest(&token, "web", reference, manifest).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (status, &json!(code)));
    }
    let reader = server.token(Role::Reader, None).await;
    assert_eq!(server.push_manifest(&reader, "web", "1", &image).await.status, StatusCode::FORBIDDEN);
    let index = json!({"schemaVersion": 2, "manifests": [missing]});
    let path = "/v2/web/manifests/sparse";
    let body = index.to_string().into_bytes();
    let sparse = server.registry("PUT", path, &token, oci::media_type::IMAGE_INDEX, body).await;
    assert_eq!(sparse.status, StatusCode::CREATED, "an index may name what is not there");
}
