use std::net::IpAddr;

use axum::http::{HeaderMap, Method};
use chart::Timestamp;

use super::*;
use crate::access::{Grants, Role};
use crate::catalog::{RepositorySettings, Visibility};
use crate::config::Scheme;
use crate::http::Surface;
use crate::http::tests::TestServer;

#[test]
fn the_host_comes_behind_the_repository_and_before_the_rest() {
    for (repository, name, host, expected) in [
        ("", "library/redis", "docker.io", Some("docker.io/library/redis")),
        ("", "bitnami/redis", "docker.io", Some("docker.io/bitnami/redis")),
        ("", "bitnami/redis", "quay.io", Some("quay.io/bitnami/redis")),
        ("", "pause", "registry.k8s.io", Some("registry.k8s.io/pause")),
        ("site", "site/library/redis", "docker.io", Some("site/docker.io/library/redis")),
        ("site/a", "site/a/x", "quay.io", Some("site/a/quay.io/x")),
        // No name has a port, and none can leave its place.
        ("", "redis", "localhost:5000", None),
        ("", "redis", "..", None),
        ("", "redis", "a//b", None),
        ("", "redis", "docker.io/", None),
        ("site", "sites/redis", "docker.io", None),
    ] {
        let mirrored = mirrored_name(repository, &name.parse().unwrap(), host);
        assert_eq!(mirrored.as_ref().map(OciName::as_str), expected, "{repository} {name} {host}");
    }
}

#[test]
fn usual_ports_are_no_part_of_a_host() {
    for (host, expected) in [("a:443", "a"), ("a:80", "a"), ("a:5000", "a:5000"), ("a", "a")] {
        assert_eq!(without_usual_port(host), expected);
    }
}

/// A server with a private repository, a public one and a private one below that.
async fn site() -> TestServer {
    let surface = Surface { public_url: Some("https://Public.example".to_owned()), ..Surface::default() };
    let server = TestServer::with(crate::app::Rules::default(), surface).await;
    for (path, visibility) in
        [("secret", Visibility::Private), ("team", Visibility::Public), ("team/secret", Visibility::Private)]
    {
        let settings = RepositorySettings { visibility, ..RepositorySettings::default() };
        let catalog = &server.server.app.catalog;
        catalog.create_repository(&path.parse().unwrap(), settings, Timestamp::from_micros(1)).await.unwrap();
    }
    server
}

fn origin() -> RequestOrigin {
    let host = Some("inside:5000".to_owned());
    RequestOrigin { client: IpAddr::from([127, 0, 0, 1]), scheme: Scheme::Http, host }
}

fn asked(method: &Method, ns: &str, caller: Caller) -> Asked {
    Asked::new(method.clone(), HeaderMap::new(), Some(&format!("ns={ns}")), caller)
}

fn known(role: Role, path: Option<&str>) -> Caller {
    Caller::Known { name: "ci".to_owned(), role, repository: path.map(|path| path.parse().unwrap()) }
}

/// Returns the name that answers, or the status and text that are heard.
async fn answering(server: &TestServer, asked: &mut Asked, path: &str) -> Result<String, (u16, String)> {
    let route = OciRoute::parse(path).unwrap();
    match resolve(&server.server, asked, &origin(), &route).await {
        Ok(mirrored) => Ok(mirrored.unwrap_or(route).name().map_or("", OciName::as_str).to_owned()),
        Err(failure) => {
            let response = failure.into_response();
            let status = response.status().as_u16();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            Err((status, String::from_utf8(body.to_vec()).unwrap()))
        }
    }
}

#[tokio::test]
async fn reads_for_another_host_are_answered_from_its_names() {
    let server = site().await;
    let digest = oci::Digest::sha256(b"x");
    let blob = format!("team/library/redis/blobs/{digest}");
    let referrers = format!("team/secret/x/referrers/{digest}");
    for (method, path, ns, expected) in [
        (Method::HEAD, "library/redis/manifests/7", "docker.io", "docker.io/library/redis"),
        (Method::GET, "library/redis/manifests/7", "DOCKER.io", "docker.io/library/redis"),
        (Method::GET, "prometheus/node/tags/list", "quay.io", "quay.io/prometheus/node"),
        (Method::GET, &blob, "docker.io", "team/docker.io/library/redis"),
        (Method::GET, &referrers, "quay.io", "team/secret/quay.io/x"),
        // The path of a repository is none of its names.
        (Method::GET, "team/manifests/1", "docker.io", "docker.io/team"),
        (Method::GET, "team/secret/manifests/1", "docker.io", "team/docker.io/secret"),
        // This server by its names, and no host at all.
        (Method::GET, "library/redis/manifests/7", "inside:5000", "library/redis"),
        (Method::GET, "library/redis/manifests/7", "public.example:443", "library/redis"),
        (Method::GET, "library/redis/manifests/7", "", "library/redis"),
        // What is written stays where the address says.
        (Method::PUT, "library/redis/manifests/7", "docker.io", "library/redis"),
        (Method::DELETE, "library/redis/manifests/7", "docker.io", "library/redis"),
        (Method::POST, "library/redis/blobs/uploads/", "docker.io", "library/redis"),
        (Method::GET, "library/redis/blobs/uploads/1", "docker.io", "library/redis"),
        (Method::GET, "_catalog", "docker.io", ""),
    ] {
        let mut asked = asked(&method, ns, known(Role::Admin, None));
        assert_eq!(answering(&server, &mut asked, path).await.as_deref(), Ok(expected), "{path} {ns}");
    }
    let mut asked = asked(&Method::GET, "docker.io:5000", known(Role::Admin, None));
    let (status, _) = answering(&server, &mut asked, "library/redis/manifests/7").await.unwrap_err();
    assert_eq!(status, 404, "never the bare name, which is another host's or ours");
}

#[tokio::test]
async fn strangers_do_not_learn_whose_mirror_there_is() {
    let server = site().await;
    for (caller, status) in [
        (Caller::Anonymous, 401),
        (known(Role::Reader, Some("elsewhere")), 404),
        (known(Role::Admin, Some("elsewhere")), 404),
    ] {
        for name in ["secret/redis", "missing/redis", "team/secret/redis", "team/missing/redis", "redis"] {
            let mut asked = asked(&Method::GET, "docker.io", caller.clone());
            let (heard, text) =
                answering(&server, &mut asked, &format!("{name}/manifests/7")).await.unwrap_err();
            assert_eq!(heard, status, "{caller:?}: {name}");
            assert!(!text.contains("docker.io"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_token_for_the_name_in_the_address_is_for_the_one_that_answers() {
    let server = site().await;
    let path = "secret/redis/manifests/7";
    for (granted, expected) in [
        ("secret/redis", Ok("secret/docker.io/redis")),
        ("secret/docker.io/redis", Ok("secret/docker.io/redis")),
        ("secret/quay.io/redis", Err(401)),
        ("redis", Err(401)),
    ] {
        let mut asked = asked(&Method::GET, "docker.io", known(Role::Reader, Some("secret")));
        let mut grants = Grants::default();
        grants.add(&granted.parse().unwrap(), Action::Pull);
        asked.grants = Some(grants);
        let answering = answering(&server, &mut asked, path).await;
        assert_eq!(answering.as_deref().map_err(|(status, _)| *status), expected, "{granted}");
    }
    // Nor does a token lend a right that its holder has not.
    let mut asked = asked(&Method::GET, "docker.io", known(Role::Reader, Some("elsewhere")));
    let mut grants = Grants::default();
    grants.add(&"secret/redis".parse().unwrap(), Action::Pull);
    asked.grants = Some(grants);
    assert_eq!(answering(&server, &mut asked, path).await.unwrap_err().0, 404);
}
