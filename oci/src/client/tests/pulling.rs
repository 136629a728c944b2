//! Manifests, blobs and lists from a registry that sends other bytes, fewer, more, or the same for ever.

use super::*;

async fn pulled(registry: &PreparedRegistry, blob: &Descriptor) -> Result<Vec<u8>, Failure> {
    let mut pull = registry.connect().pull_blob(&name(), blob);
    let mut bytes = Vec::new();
    while let Some(piece) = pull.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

async fn registry_with(line: &str, answers: impl Into<Vec<Prepared>>) -> PreparedRegistry {
    let registry = PreparedRegistry::start().await;
    registry.put(line, answers);
    registry
}

const CUT: &[u8] = b"01234";
const WHOLE: &[u8] = b"0123456789";

#[tokio::test]
async fn what_was_cut_goes_on_where_it_stopped() {
    let blob = blob_of(WHOLE);
    let cut = Prepared::status(200).header("content-length", "10").body(CUT);
    for (rest, expected) in [
        (Prepared::status(206).header("content-range", "bytes 5-9/10").body(&WHOLE[5..]), Some(WHOLE)),
        // A registry without ranges begins anew.
        (Prepared::status(200).body(WHOLE), Some(WHOLE)),
        (Prepared::status(206).header("content-range", "bytes 4-9/10").body(&WHOLE[4..]), None),
        (Prepared::status(206).body(&WHOLE[5..]), None),
    ] {
        let registry = registry_with(&format!("GET {}", blob_path(&blob)), [cut.clone(), rest.clone()]).await;
        let result = pulled(&registry, &blob).await;
        match (&result, expected) {
            (Ok(bytes), Some(expected)) => assert_eq!(bytes, expected),
            (Err(Failure::BadAnswer { .. }), None) => {}
            other => panic!("{rest:?}: {other:?}"),
        }
        let ranges: Vec<_> =
            registry.received().iter().map(|request| request.header("range").to_owned()).collect();
        assert_eq!(ranges, ["", "bytes=5-"]);
    }
}

#[tokio::test]
async fn bytes_that_are_not_the_ones_meant_are_told() {
    let blob = blob_of(WHOLE);
    let line = format!("GET {}", blob_path(&blob));
    let registry = registry_with(&line, [Prepared::status(200).body("987654321x")]).await;
    let failure = pulled(&registry, &blob).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::WrongDigest { found, .. } if *found == Digest::sha256(b"987654321x"))
    );
    registry.put(&line, [Prepared::status(200).body("0123456789a")]);
    let failure = pulled(&registry, &blob).await.unwrap_err();
    assert!(matches!(failure, Failure::WrongSize { expected: 10, found: 11, .. }), "{failure}");
    registry.put(&line, [Prepared::status(200).body(CUT)]);
    let failure = pulled(&registry, &blob).await.unwrap_err();
    assert!(matches!(failure, Failure::Unreachable { .. }), "{failure}");
}

#[tokio::test]
async fn an_empty_blob_has_an_end_too() {
    let blob = blob_of(b"");
    let registry = registry_with(&format!("GET {}", blob_path(&blob)), [Prepared::status(200)]).await;
    assert_eq!(pulled(&registry, &blob).await.unwrap(), b"");
}

#[tokio::test]
async fn a_manifest_has_the_digest_it_was_asked_for_or_that_the_registry_names() {
    let bytes =
        br#"{ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [] }"#;
    let digest = Digest::sha256(bytes);
    let sent = Prepared::status(200).header("content-type", "application/json; charset=utf-8").body(bytes);
    let lying = sent.clone().header("docker-content-digest", Digest::sha256(b"other").to_string());
    let registry = registry_with("GET /v2/team/app/manifests/1.0", [sent.clone(), lying]).await;
    let other = Digest::sha256(b"other");
    registry.put(&format!("GET /v2/team/app/manifests/{digest}"), [sent.clone()]);
    registry.put(&format!("GET /v2/team/app/manifests/{other}"), [sent]);
    let client = registry.connect();
    let by_tag = client.resolve(&name(), &tag("1.0")).await.unwrap();
    assert_eq!(by_tag.bytes, bytes.as_slice());
    assert_eq!(
        by_tag.descriptor,
        Descriptor::new(crate::media_type::IMAGE_INDEX, digest.clone(), bytes.len() as u64)
    );
    assert_eq!(client.resolve(&name(), &Reference::Digest(digest)).await.unwrap(), by_tag);
    for reference in [tag("1.0"), Reference::Digest(other)] {
        let failure = client.resolve(&name(), &reference).await.unwrap_err();
        assert!(matches!(failure, Failure::WrongDigest { .. }), "{failure}");
    }
}

#[tokio::test]
async fn lists_are_read_to_their_end_and_never_elsewhere() {
    let page = |tags: &str, next: &str| {
        Prepared::status(200)
            .header("link", format!(r#"<{next}>; rel="next""#))
            .body(format!(r#"{{"tags":{tags}}}"#))
    };
    let first = "GET /v2/team/app/tags/list?n=1000";
    let registry = registry_with(first, [page(r#"["1.0"]"#, "/v2/team/app/tags/list?last=1.0")]).await;
    let second = "GET /v2/team/app/tags/list?last=1.0";
    registry.put(second, [Prepared::status(200).body(r#"{"tags":["2.0"]}"#)]);
    let client = registry.connect();
    assert_eq!(client.tags(&name()).await.unwrap(), ["1.0".parse().unwrap(), "2.0".parse().unwrap()]);
    for (next, reason) in [
        ("/v2/team/app/tags/list?last=1.0", "its list does not end"),
        ("http://elsewhere.example/v2/", "its list goes on elsewhere"),
    ] {
        registry.put(second, [page("null", next)]);
        let failure = client.tags(&name()).await.unwrap_err();
        assert!(failure.to_string().contains(reason), "{failure}");
    }
}
