use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chart::Timestamp;

use super::*;
use crate::access::{Role, Verifier};
use crate::app::Clock;
use crate::catalog::RepositorySettings;
use crate::config::{Proxies, ProxyHeaders};
use crate::http::Surface;
use crate::http::tests::{Answer, TestServer};

/// A server with a chart in its public default repository and one in a private repository.
async fn site() -> TestServer {
    site_with(Surface::default()).await
}

async fn site_with(surface: Surface) -> TestServer {
    let server = TestServer::with(crate::app::Rules::default(), surface).await;
    let settings = RepositorySettings { visibility: Visibility::Private, ..RepositorySettings::default() };
    let catalog = &server.server.app.catalog;
    catalog.create_repository(&"secret".parse().unwrap(), settings, Timestamp::from_micros(1)).await.unwrap();
    server.publish_chart("", "app", "1.0.0").await;
    server.publish_chart("/secret", "app", "1.0.0").await;
    server
}

fn basic(secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("anybody:{secret}")))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

async fn get(server: &TestServer, path: &str, authorization: &str) -> Answer {
    let mut request = Request::get(path).header("host", "registry.example:5000");
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    server.send(request.body(Body::empty()).unwrap()).await
}

async fn post(server: &TestServer, form: &str) -> Answer {
    let request = Request::post("/v2/token").header("content-type", "application/x-www-form-urlencoded");
    server.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

/// Returns the token of an answer and what it says.
fn token(answer: &Answer) -> (String, serde_json::Value) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let json = answer.json();
    let token = json["token"].as_str().unwrap().to_owned();
    assert_eq!(json["access_token"], json["token"]);
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    (token, serde_json::from_slice(&claims).unwrap())
}

fn challenge(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text());
    assert_eq!(answer.headers.get_all(header::WWW_AUTHENTICATE).iter().count(), 1, "clients read one only");
    assert!(answer.text().contains("UNAUTHORIZED"), "{}", answer.text());
    answer.header(header::WWW_AUTHENTICATE)
}

#[tokio::test]
async fn the_base_address_asks_for_a_credential_and_takes_every_kind() {
    let server = site().await;
    let secret = server.token(Role::Reader, None).await;
    assert_eq!(
        challenge(&get(&server, "/v2/", "").await),
        "Bearer realm=\"http://registry.example:5000/v2/token\",service=\"registry.example:5000\""
    );
    let (of_reader, _) = token(&get(&server, "/v2/token", &basic(&secret)).await);
    let (of_nobody, _) = token(&get(&server, "/v2/token", "").await);
    for authorization in [basic(&secret), bearer(&secret), bearer(&of_reader), bearer(&of_nobody)] {
        for path in ["/v2/", "/v2"] {
            assert_eq!(get(&server, path, &authorization).await.status, 200, "{authorization}");
        }
    }
    for authorization in [basic("wrong"), "Digest x".to_owned()] {
        let answer = get(&server, "/v2/", &authorization).await;
        assert!(!challenge(&answer).contains("error="), "{authorization}");
    }
    for authorization in [bearer("wrong"), bearer("a.b.c")] {
        let answer = get(&server, "/v2/", &authorization).await;
        assert!(challenge(&answer).ends_with(",error=\"invalid_token\""), "{authorization}");
    }
}

#[tokio::test]
async fn every_refusal_that_a_credential_would_lift_says_how() {
    let server = site().await;
    let digest = oci::Digest::sha256(b"x");
    let (reader, _) = token(
        &get(&server, "/v2/token?scope=repository:app:pull", &basic(&server.token(Role::Admin, None).await))
            .await,
    );
    for ns in ["", "?ns=docker.io"] {
        let answer = get(&server, &format!("/v2/_catalog{ns}"), &bearer(&reader)).await;
        assert!(challenge(&answer).ends_with("scope=\"registry:catalog:*\",error=\"insufficient_scope\""));
    }
    // The name as it was asked for, whichever one answers.
    let answer = get(&server, &format!("/v2/secret/library/redis/blobs/{digest}?ns=docker.io"), "").await;
    assert!(challenge(&answer).ends_with("scope=\"repository:secret/library/redis:pull\""));
    let answer = get(&server, "/v2/secret/library/redis/manifests/7?ns=docker.io", &bearer(&reader)).await;
    assert!(
        challenge(&answer)
            .ends_with("scope=\"repository:secret/library/redis:pull\",error=\"insufficient_scope\"")
    );
    assert!(!answer.text().contains("docker.io"), "{}", answer.text());
}

#[tokio::test]
async fn a_token_has_what_was_asked_for_and_is_allowed() {
    let server = site().await;
    let publisher = basic(&server.token(Role::Publisher, Some("secret")).await);
    let grant = |name: &str, actions: &[&str]| serde_json::json!({ "type": "repository", "name": name, "actions": actions });
    let names = serde_json::json!({ "type": "registry", "name": "catalog", "actions": ["*"] });
    let everybodys = grant("app", &["pull"]);
    for (authorization, query, expected) in [
        ("", "", vec![]),
        ("", "?scope=repository:app:pull,push", vec![everybodys.clone()]),
        ("", "?scope=repository:app:*&scope=registry:catalog:*", vec![everybodys.clone(), names.clone()]),
        // What a stranger cannot see and what is not there.
        ("", "?scope=repository:secret/app:pull", vec![]),
        ("", "?scope=repository:missing/app:pull%20repository:app:pull", vec![everybodys]),
        (
            &publisher,
            "?scope=repository:secret/app:pull,push,delete",
            vec![grant("secret/app", &["pull", "push"])],
        ),
        (&publisher, "?scope=repository:secret/new:*", vec![grant("secret/new", &["pull", "push"])]),
        (
            &publisher,
            "?scope=repository:secret/app:push&scope=repository:secret/app:pull",
            vec![grant("secret/app", &["push", "pull"])],
        ),
        (&publisher, "?scope=repository:new:pull,push", vec![]),
        (&publisher, "?scope=plugin:x:pull&scope=repository:UPPER:pull", vec![]),
    ] {
        let answer = get(&server, &format!("/v2/token{query}"), authorization).await;
        let (_, claims) = token(&answer);
        assert_eq!(claims["access"], serde_json::Value::Array(expected), "{query}");
    }
    let answer = get(&server, "/v2/token?service=other.example&offline_token=true", &publisher).await;
    let (_, claims) = token(&answer);
    let long = format!("/v2/token?service={}", "x".repeat(LONGEST_SERVICE + 1));
    let (_, shortened) = token(&get(&server, &long, &publisher).await);
    assert_eq!(shortened["aud"], "registry.example:5000");
    assert_eq!((&claims["aud"], &claims["sub"]), (&"other.example".into(), &"publisher-secret".into()));
    assert_eq!(answer.json()["expires_in"], 300);
    assert_eq!(answer.json()["issued_at"], "2026-11-23T00:00:00Z");
    assert_eq!(
        answer.json()["refresh_token"],
        serde_json::Value::Null,
        "clients keep the credential instead"
    );
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
}

#[tokio::test]
async fn a_form_gives_the_same_token() {
    let server = site().await;
    let secret = server.token(Role::Reader, None).await;
    let form = format!(
        "grant_type=password&service=s&client_id=oras-go&scope=repository%3Aapp%3Apull+repository%3Asecret%2Fapp%3Apull&username=u&password={secret}"
    );
    let (_, claims) = token(&post(&server, &form).await);
    assert_eq!(claims["access"].as_array().unwrap().len(), 2);
    assert_eq!(claims["aud"], "s");
    for (form, status) in [
        ("grant_type=password&username=u&password=wrong", 401),
        ("grant_type=refresh_token&refresh_token=x", 400),
        ("", 400),
        (&format!("{form}&scope=nothing"), 400),
        (&format!("{form}&x={}", "x".repeat(LARGEST_FORM)), 400),
    ] {
        assert_eq!(post(&server, form).await.status.as_u16(), status, "{form:.80}");
    }
    let body = Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let surface = Surface { body_idle_timeout: std::time::Duration::from_millis(1), ..Surface::default() };
    let impatient = TestServer::with(crate::app::Rules::default(), surface).await;
    let answer = impatient.send(Request::post("/v2/token").body(body).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "a form that never comes");
    let request = Request::delete("/v2/token").body(Body::empty()).unwrap();
    assert_eq!(server.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn no_token_comes_from_a_wrong_credential_nor_from_a_token() {
    let server = site().await;
    let answer = get(&server, "/v2/token", &basic("wrong")).await;
    assert!(challenge(&answer).starts_with("Basic "), "tokens do not help where tokens are made");
    let (of_nobody, _) = token(&get(&server, "/v2/token", "").await);
    assert_eq!(get(&server, "/v2/token", &bearer(&of_nobody)).await.status, StatusCode::BAD_REQUEST);
    let many = "repository:a:pull%20".repeat(MOST_SCOPES + 1);
    assert_eq!(get(&server, &format!("/v2/token?scope={many}"), "").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_token_of_the_registry_opens_nothing_else() {
    let server = site().await;
    let admin = basic(&server.token(Role::Admin, None).await);
    let (token, _) = token(&get(&server, "/v2/token?scope=repository:secret/app:*", &admin).await);
    for path in
        ["/api/secret/charts", "/secret/index.yaml", "/catalog/v1/repositories", "/api/charts", "/index.yaml"]
    {
        assert_eq!(get(&server, path, &admin).await.status, 200, "{path}");
        assert_eq!(get(&server, path, &bearer(&token)).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn a_token_ends_with_the_credential_behind_it() {
    let mut server = site().await;
    let admin = basic(&server.token(Role::Admin, None).await);
    let (token, _) = token(&get(&server, "/v2/token", &admin).await);
    let in_seconds = |seconds: i64| {
        Clock::Fixed(Timestamp::from_micros(server.server.app.clock.now().micros() + seconds * 1_000_000))
    };
    let clocks = [4, 299, 300].map(in_seconds);
    assert_eq!(get(&server, "/v2/", &bearer(&token)).await.status, 200);
    let [later, last, over] = clocks;
    server.server.app.clock = last;
    assert_eq!(get(&server, "/v2/", &bearer(&token)).await.status, 200);
    server.server.app.clock = over;
    assert_eq!(get(&server, "/v2/", &bearer(&token)).await.status, 401);

    server.server.app.clock = later;
    // As another replica would see it, which remembers nothing.
    server.server.app.verifier = Verifier::new(server.server.app.catalog.clone(), false, None);
    assert_eq!(get(&server, "/v2/", &bearer(&token)).await.status, 200);
    server.server.app.catalog.revoke_tokens("admin-all", Timestamp::from_micros(1)).await.unwrap();
    server.server.app.verifier = Verifier::new(server.server.app.catalog.clone(), false, None);
    let answer = get(&server, "/v2/", &bearer(&token)).await;
    assert!(challenge(&answer).ends_with(",error=\"invalid_token\""));
}

#[tokio::test]
async fn guesses_are_slowed_down_by_address() {
    let server = site().await;
    let answers = async |authorization: String| get(&server, "/v2/", &authorization).await;
    for number in 0..100 {
        assert_eq!(answers(basic(&format!("guess-{number}"))).await.status, 401, "{number}");
    }
    let slowed = answers(basic("one more")).await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(slowed.text().contains("TOOMANYREQUESTS"), "{}", slowed.text());
    assert!(!slowed.header(header::RETRY_AFTER).is_empty());
    // Whoever sends none is not slowed down.
    assert_eq!(answers(String::new()).await.status, 401);
}

#[tokio::test]
async fn the_realm_is_where_clients_reach_the_server() {
    let any = "0.0.0.0/0".parse().unwrap();
    let trusting = Proxies { trusted: vec![any], headers: ProxyHeaders::XForwarded };
    let base = Surface { context_path: Some("/charts".to_owned()), ..Surface::default() };
    for (surface, expected) in [
        (base.clone(), "http://inside:8080"),
        (Surface { proxies: trusting.clone(), ..base.clone() }, "https://outside.example"),
        (
            Surface { public_url: Some("https://public.example:8443/".to_owned()), ..base.clone() },
            "https://public.example:8443",
        ),
        (
            Surface { public_url: Some("https://public.example".to_owned()), proxies: trusting, ..base },
            "https://public.example",
        ),
    ] {
        let server = TestServer::with(crate::app::Rules::default(), surface).await;
        let request = Request::get("/v2/")
            .header("host", "inside:8080")
            .header("x-forwarded-for", "10.1.2.3")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "outside.example");
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        let host = expected.split_once("://").unwrap().1;
        let wanted = format!("Bearer realm=\"{expected}/v2/token\",service=\"{host}\"");
        assert_eq!(challenge(&answer), wanted);
    }
}

#[tokio::test]
async fn on_an_open_server_everybody_is_known() {
    let mut server = site().await;
    server.server.app.verifier = Verifier::new(server.server.app.catalog.clone(), true, None);
    for authorization in ["", "Bearer a.b.c", "Bearer x", &basic("x")] {
        assert_eq!(get(&server, "/v2/", authorization).await.status, 200, "{authorization}");
        assert_eq!(get(&server, "/v2/_catalog", authorization).await.status, 200, "{authorization}");
    }
    let (_, claims) = token(&get(&server, "/v2/token?scope=repository:secret/new:*", "").await);
    assert_eq!(claims["access"][0]["actions"], serde_json::json!(["pull", "push", "delete"]));
    assert_eq!(claims["holder"], "everyone");
}
