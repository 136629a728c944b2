//! Passwords and tokens: who gets them, how often, and who never does.

use super::*;
use crate::client::authorization::Authorizer;

const MANIFEST: &str = "GET /v2/team/app/manifests/1.0";
const TAGS: &str = "GET /v2/team/app/tags/list?n=1000";
const TOKEN: &str = "/token?service=s&scope=repository%3Ateam%2Fapp%3Apull";

fn challenge(registry: &PreparedRegistry) -> String {
    format!(r#"Bearer realm="{}",service="s""#, registry.url("/token"))
}

fn asks(challenge: &str) -> Prepared {
    Prepared::status(401).header("www-authenticate", challenge)
}

fn token(text: &str) -> Prepared {
    Prepared::status(200).body(format!(r#"{{"token":"{text}","expires_in":300}}"#))
}

fn tags() -> Prepared {
    Prepared::status(200).body(r#"{"tags":["1.0"]}"#)
}

#[tokio::test]
async fn a_token_is_fetched_with_the_password_once_and_the_password_goes_nowhere_else() {
    let registry = PreparedRegistry::start().await;
    registry.put("GET /v2/", [asks(&challenge(&registry))]);
    registry.put(&format!("GET {TOKEN}&account=user"), [token("t1")]);
    registry.put(TAGS, [tags()]);
    let client = registry.connect_with_password();
    client.tags(&name()).await.unwrap();
    client.tags(&name()).await.unwrap();
    let shown: Vec<_> =
        registry.received().iter().map(|request| request.header("authorization").to_owned()).collect();
    assert_eq!(shown, ["Basic dXNlcjpwYXNzd29yZA==", "Bearer t1", "Bearer t1"]);
}

#[tokio::test]
async fn a_token_that_is_refused_is_asked_for_anew_once() {
    let registry = PreparedRegistry::start().await;
    let refusal = asks(&challenge(&registry));
    registry.put("GET /v2/", [refusal.clone()]);
    registry.put(&format!("GET {TOKEN}"), [token("t1"), token("t2"), token("t3"), token("t4")]);
    registry.put(TAGS, [refusal.clone(), tags(), refusal]);
    let client = registry.connect();
    client.tags(&name()).await.unwrap();
    let shown = |from: usize| -> Vec<_> {
        let listed = registry.received().into_iter().filter(|request| request.line == TAGS).skip(from);
        listed.map(|request| request.header("authorization").to_owned()).collect()
    };
    assert_eq!(shown(0), ["Bearer t1", "Bearer t2"]);
    let failure = client.tags(&name()).await.unwrap_err();
    assert!(matches!(failure, Failure::Unauthorized { .. }), "{failure}");
    assert_eq!(shown(2), ["Bearer t2", "Bearer t3"]);
}

#[tokio::test]
async fn an_identity_token_is_posted() {
    let registry = PreparedRegistry::start().await;
    registry.put("GET /v2/", [asks(&challenge(&registry))]);
    registry.put("POST /token", [Prepared::status(200).body(r#"{"access_token":"t1"}"#)]);
    registry.put(TAGS, [tags()]);
    registry.connect_as(Credentials::IdentityToken(Secret::new("refresh"))).tags(&name()).await.unwrap();
    let received = registry.received();
    let form = String::from_utf8(received[0].body.clone()).unwrap();
    assert_eq!(
        form,
        "grant_type=refresh_token&refresh_token=refresh&client_id=chartroom-oci\
         &scope=repository%3Ateam%2Fapp%3Apull&service=s"
    );
    assert_eq!(received[1].header("authorization"), "Bearer t1");
}

#[tokio::test]
async fn a_password_that_is_refused_is_not_sent_again() {
    let registry = PreparedRegistry::start().await;
    registry.put("GET /v2/", [asks(r#"Basic realm="r""#)]);
    registry.put(
        TAGS,
        [asks(r#"Basic realm="r""#).body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}"#)],
    );
    let failure = registry.connect_with_password().tags(&name()).await.unwrap_err();
    assert!(failure.to_string().ends_with("UNAUTHORIZED: no (status 401)"), "{failure}");
    let received = registry.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].header("authorization"), "Basic dXNlcjpwYXNzd29yZA==");
}

#[tokio::test]
async fn what_a_token_service_says_is_kept() {
    let registry = PreparedRegistry::start().await;
    registry.put("GET /v2/", [asks(&challenge(&registry))]);
    registry.put(
        &format!("GET {TOKEN}&account=user"),
        [Prepared::status(401).body(r#"{"details":"incorrect username or password"}"#)],
    );
    let failure = registry.connect_with_password().tags(&name()).await.unwrap_err();
    assert!(matches!(failure, Failure::Unauthorized { .. }), "{failure}");
    assert!(failure.to_string().contains("incorrect username or password"), "{failure}");
}

#[tokio::test]
async fn whoever_a_reader_is_sent_to_sees_no_credentials() {
    let (registry, storage) = (PreparedRegistry::start().await, PreparedRegistry::start().await);
    let blob = blob_of(b"bytes");
    registry.put("GET /v2/", [asks("Basic")]);
    registry.put(
        &format!("GET {}", blob_path(&blob)),
        [Prepared::status(307).header("location", storage.url("/signed?a=b"))],
    );
    storage.put("GET /signed?a=b", [Prepared::status(200).body("bytes")]);
    let mut pull = registry.connect_with_password().pull_blob(&name(), &blob);
    assert_eq!(pull.next().await.unwrap().unwrap(), "bytes");
    assert_eq!(registry.received()[0].header("authorization"), "Basic dXNlcjpwYXNzd29yZA==");
    assert_eq!(storage.received()[0].header("authorization"), "");
}

#[tokio::test]
async fn a_registry_with_tls_cannot_name_a_token_service_without() {
    for (address, realm, is_allowed) in [
        ("https://registry.example", "https://token.example/t", true),
        ("https://registry.example", "http://token.example/t", false),
        ("http://registry.example", "http://token.example/t", true),
        ("https://registry.example", "file:///etc/passwd", false),
        ("https://registry.example", "token", false),
    ] {
        let address: RegistryAddress = address.parse().unwrap();
        let request = request::Request::new(
            "it".to_owned(),
            reqwest::Method::GET,
            address.url("").unwrap(),
            scope::Scope::Catalog,
            &[200],
        );
        let authorizer = Authorizer::new(address, CredentialSource::default());
        assert_eq!(authorizer.checked_realm(&request, realm).is_ok(), is_allowed, "{realm}");
    }
}

#[tokio::test]
async fn a_registry_that_is_busy_is_asked_again_and_one_that_says_no_is_not() {
    let registry = PreparedRegistry::start().await;
    let busy = Prepared::status(503).header("retry-after", "0");
    registry.put(TAGS, [busy.clone(), tags()]);
    registry.put(MANIFEST, [busy]);
    let client = registry.connect();
    assert_eq!(client.tags(&name()).await.unwrap(), ["1.0".parse().unwrap()]);
    let failure = client.resolve(&name(), &tag("1.0")).await.unwrap_err();
    assert!(matches!(failure, Failure::Busy { .. }), "{failure}");
    let failure = client.resolve(&name(), &tag("2.0")).await.unwrap_err();
    assert!(matches!(failure, Failure::Missing { .. }), "{failure}");
    assert_eq!(registry.lines(), [TAGS, TAGS, MANIFEST, MANIFEST, "GET /v2/team/app/manifests/2.0"]);
}
