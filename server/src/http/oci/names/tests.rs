use axum::body::Body;
use axum::http::Request;
use chart::Timestamp;

use super::*;
use crate::access::Role;
use crate::app::Rules;
use crate::catalog::{RepositorySettings, Visibility};
use crate::http::Surface;
use crate::http::tests::{Answer, TestServer};

async fn site() -> TestServer {
    let server = TestServer::start().await;
    for (path, visibility) in
        [("a", Visibility::Public), ("a-b", Visibility::Public), ("secret", Visibility::Private)]
    {
        let settings = RepositorySettings { visibility, ..RepositorySettings::default() };
        let catalog = &server.server.app.catalog;
        catalog.create_repository(&path.parse().unwrap(), settings, Timestamp::from_micros(1)).await.unwrap();
    }
    // In the order of bytes `-` comes before `/`, and upper-case letters are in no name.
    for (path, chart) in [
        ("/a", "x"),
        ("/a", "y"),
        ("/a-b", "x"),
        ("/a", "Upper"),
        ("/a", "Other"),
        ("", "a0"),
        ("/secret", "x"),
    ] {
        server.publish_chart(path, chart, "1.0.0").await;
    }
    server.publish_chart("/a", "x", "2.0.0").await;
    server
}

async fn list(server: &TestServer, token: &str, query: &str) -> Answer {
    let request =
        Request::get(format!("/v2/_catalog{query}")).header("authorization", format!("Bearer {token}"));
    server.send(request.body(Body::empty()).unwrap()).await
}

async fn names(server: &TestServer, token: &str, query: &str) -> (Vec<String>, String) {
    let answer = list(server, token, query).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let names = serde_json::from_value(answer.json()["repositories"].clone()).unwrap();
    (names, answer.header(header::LINK).to_owned())
}

/// Returns a token that was given to nobody.
async fn nobodys_token(server: &TestServer) -> String {
    let answer = server.get("/v2/token?scope=registry:catalog:*").await;
    answer.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn names_come_in_the_order_of_bytes_to_those_who_may_read_them() {
    let server = site().await;
    let public = ["a-b/x", "a/x", "a/y", "a0"];
    let all = ["a-b/x", "a/x", "a/y", "a0", "secret/x"];
    let nobodys = nobodys_token(&server).await;
    assert_eq!(names(&server, &nobodys, "").await.0, public);
    for (role, path, expected) in [
        (Role::Reader, Some("elsewhere"), &public[..]),
        (Role::Reader, Some("secret"), &all),
        (Role::Reader, Some("secret/x"), &public),
        (Role::Reader, None, &all),
        (Role::Publisher, Some("/"), &all),
    ] {
        let token = server.token(role, path).await;
        assert_eq!(names(&server, &token, "").await.0, expected, "{role} {path:?}");
    }
}

#[tokio::test]
async fn a_page_leads_to_the_next() {
    let server = site().await;
    let token = server.token(Role::Reader, None).await;
    for (query, expected, link) in [
        ("?n=0", &[][..], ""),
        ("?n=1", &["a-b/x"], "</v2/_catalog?n=1&last=a-b/x>; rel=\"next\""),
        // The two names in upper case between these take no place.
        ("?n=1&last=a-b/x", &["a/x"], "</v2/_catalog?n=1&last=a/x>; rel=\"next\""),
        ("?n=2&last=a/x", &["a/y", "a0"], "</v2/_catalog?n=2&last=a0>; rel=\"next\""),
        ("?n=2&last=a%2Fy", &["a0", "secret/x"], ""),
        ("?n=5", &["a-b/x", "a/x", "a/y", "a0", "secret/x"], ""),
        ("?n=99999999999999999999", &["a-b/x", "a/x", "a/y", "a0", "secret/x"], ""),
        ("?last=a0", &["secret/x"], ""),
        ("?last=zzz", &[], ""),
        ("?last=%27%3B%20DROP", &["a-b/x", "a/x", "a/y", "a0", "secret/x"], ""),
    ] {
        let (names, next) = names(&server, &token, query).await;
        assert_eq!(
            (names.as_slice(), next.as_str()),
            (&*expected.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), link),
            "{query}"
        );
    }
    for query in ["?n=", "?n=-1", "?n=x", "?n=1.5"] {
        assert_eq!(list(&server, &token, query).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn clients_without_a_credential_are_told_to_log_in_first() {
    let server = site().await;
    let answer = server
        .send(Request::get("/v2/_catalog").header("host", "registry.example").body(Body::empty()).unwrap())
        .await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.header(header::WWW_AUTHENTICATE),
        "Bearer realm=\"http://registry.example/v2/token\",service=\"registry.example\",scope=\"registry:catalog:*\""
    );
    // A token for something else does not list.
    let answer = server.get("/v2/token?scope=repository:a/x:pull").await;
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let answer = list(&server, &token, "").await;
    assert_eq!(answer.status, 401);
    assert!(answer.text().contains("not for the list of names"), "{}", answer.text());
}

#[tokio::test]
async fn where_nothing_is_public_nobody_lists_nothing() {
    let rules = Rules {
        new_repository: RepositorySettings {
            visibility: Visibility::Private,
            ..RepositorySettings::default()
        },
        ..Rules::default()
    };
    let server = TestServer::with(rules, Surface::default()).await;
    assert_eq!(server.get("/v2/_catalog").await.status, 401);
    assert_eq!(server.get("/v2/token?scope=registry:catalog:*").await.status, 401);
}
