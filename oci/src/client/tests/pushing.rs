//! Blobs and manifests to a registry that has them, mounts them, cuts them off or keeps no list of referrers.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::media_type;
use crate::tag::Tag;

const UPLOADS: &str = "POST /v2/team/app/blobs/uploads/";

async fn pushed(
    registry: &PreparedRegistry,
    bytes: &'static [u8],
    elsewhere: Option<&str>,
) -> Result<Pushed, Failure> {
    let elsewhere = elsewhere.map(|name| name.parse().unwrap());
    let (client, silent): (_, OnSent) = (registry.connect(), Arc::new(|_| {}));
    client.push_blob(&name(), &blob_of(bytes), elsewhere.as_ref(), &Bytes::from_static(bytes), &silent).await
}

fn upload_to(path: &str) -> Prepared {
    Prepared::status(202).header("location", path)
}

#[tokio::test]
async fn what_is_there_is_not_sent() {
    let registry = PreparedRegistry::start().await;
    registry.put(&format!("HEAD {}", blob_path(&blob_of(b"bytes"))), [Prepared::status(200)]);
    assert_eq!(pushed(&registry, b"bytes", None).await.unwrap(), Pushed::Present);
    assert_eq!(registry.received().len(), 1);
}

#[tokio::test]
async fn what_is_elsewhere_is_mounted_or_sent_when_the_registry_does_not_mount() {
    let digest = Digest::sha256(b"bytes").to_string().replace(':', "%3A");
    let mount = format!("{UPLOADS}?mount={digest}&from=team%2Fbase");
    let registry = PreparedRegistry::start().await;
    registry.put(&mount, [Prepared::status(201), upload_to("/upload/1")]);
    let put = format!("PUT /upload/1?digest={digest}");
    registry.put(&put, [Prepared::status(201)]);
    assert_eq!(pushed(&registry, b"bytes", Some("team/base")).await.unwrap(), Pushed::Mounted);
    assert_eq!(pushed(&registry, b"bytes", Some("team/base")).await.unwrap(), Pushed::Sent);
    let last = registry.received().pop().unwrap();
    assert_eq!((last.line, last.body), (put, b"bytes".to_vec()));
}

#[tokio::test]
async fn an_upload_that_fails_begins_anew_at_a_new_address_that_keeps_its_query() {
    let digest = Digest::sha256(b"bytes").to_string().replace(':', "%3A");
    let registry = PreparedRegistry::start().await;
    registry.put(UPLOADS, [upload_to("/upload?state=1"), upload_to("/upload?state=2")]);
    registry.put(
        &format!("PUT /upload?state=1&digest={digest}"),
        [Prepared::status(503).header("retry-after", "0")],
    );
    registry.put(&format!("PUT /upload?state=2&digest={digest}"), [Prepared::status(201)]);
    assert_eq!(pushed(&registry, b"bytes", None).await.unwrap(), Pushed::Sent);
    let head = format!("HEAD {}", blob_path(&blob_of(b"bytes")));
    let put = |state: u8| format!("PUT /upload?state={state}&digest={digest}");
    assert_eq!(
        registry.lines(),
        [head.clone(), UPLOADS.to_owned(), put(1), head, UPLOADS.to_owned(), put(2)]
    );
}

#[tokio::test]
async fn what_is_sent_is_never_redirected() {
    let digest = Digest::sha256(b"bytes").to_string().replace(':', "%3A");
    let registry = PreparedRegistry::start().await;
    registry.put(UPLOADS, [upload_to("/upload")]);
    let elsewhere = Prepared::status(307).header("location", "http://elsewhere.example/");
    registry.put(&format!("PUT /upload?digest={digest}"), [elsewhere]);
    let failure = pushed(&registry, b"bytes", None).await.unwrap_err();
    assert!(failure.to_string().contains("it sends elsewhere, to `http://elsewhere.example/`"), "{failure}");
}

/// A manifest that refers to `subject`.
fn signature(subject: &Digest) -> Resolved {
    let empty =
        json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::sha256(b"{}"), "size": 2});
    let content = json!({
        "schemaVersion": 2, "mediaType": media_type::IMAGE_MANIFEST, "artifactType": "application/x.signature",
        "config": empty, "layers": [empty], "annotations": {"a": "b"},
        "subject": {"mediaType": media_type::IMAGE_MANIFEST, "digest": subject, "size": 10},
    });
    let bytes = Bytes::from(content.to_string());
    let digest = Digest::sha256(&bytes);
    Resolved { descriptor: Descriptor::new(media_type::IMAGE_MANIFEST, digest, bytes.len() as u64), bytes }
}

#[tokio::test]
async fn a_registry_without_the_list_of_referrers_has_it_under_a_tag() {
    let subject = Digest::sha256(b"subject");
    let (signature, list) = (signature(&subject), Tag::of_referrers(&subject));
    let registry = PreparedRegistry::start().await;
    registry.put("PUT /v2/team/app/manifests/sig", [Prepared::status(201)]);
    registry.put(&format!("PUT /v2/team/app/manifests/{list}"), [Prepared::status(201)]);
    let client = registry.connect();
    client.push_manifest(&name(), &tag("sig"), &signature).await.unwrap();
    let pushed = registry.received().pop().unwrap();
    assert_eq!(pushed.line, format!("PUT /v2/team/app/manifests/{list}"));
    let index: Value = serde_json::from_slice(&pushed.body).unwrap();
    let entry = &index["manifests"][0];
    assert_eq!(entry["digest"], signature.descriptor.digest.to_string());
    assert_eq!(entry["artifactType"], "application/x.signature");
    assert_eq!(entry["annotations"], json!({"a": "b"}));
    let stored = Prepared::status(200).header("content-type", media_type::IMAGE_INDEX).body(pushed.body);
    registry.put(&format!("GET /v2/team/app/manifests/{list}"), [stored]);
    for (kind, count) in [(None, 1), (Some("application/x.signature"), 1), (Some("application/x.sbom"), 0)] {
        assert_eq!(client.referrers(&name(), &subject, kind).await.unwrap().len(), count, "{kind:?}");
    }
    // What is listed already is not listed twice.
    let before = registry.received().len();
    client.push_manifest(&name(), &tag("sig"), &signature).await.unwrap();
    let again: Vec<_> = registry.lines().split_off(before);
    assert_eq!(again, ["PUT /v2/team/app/manifests/sig", &format!("GET /v2/team/app/manifests/{list}")]);
}

#[tokio::test]
async fn a_registry_that_keeps_the_list_is_left_to_it() {
    let subject = Digest::sha256(b"subject");
    let registry = PreparedRegistry::start().await;
    let kept = Prepared::status(201).header("oci-subject", subject.to_string());
    registry.put("PUT /v2/team/app/manifests/sig", [kept]);
    registry.connect().push_manifest(&name(), &tag("sig"), &signature(&subject)).await.unwrap();
    assert_eq!(registry.lines(), ["PUT /v2/team/app/manifests/sig"]);
}

#[tokio::test]
async fn a_registry_that_stored_other_bytes_is_told_on() {
    let registry = PreparedRegistry::start().await;
    let other = Prepared::status(201).header("docker-content-digest", Digest::sha256(b"other").to_string());
    registry.put("PUT /v2/team/app/manifests/sig", [other]);
    let manifest = signature(&Digest::sha256(b"subject"));
    let failure = registry.connect().push_manifest(&name(), &tag("sig"), &manifest).await.unwrap_err();
    assert!(matches!(failure, Failure::WrongDigest { .. }), "{failure}");
}

#[tokio::test]
async fn deleting_asks_for_what_it_names() {
    let registry = PreparedRegistry::start().await;
    let blob = blob_of(b"bytes");
    registry.put("DELETE /v2/team/app/manifests/1.0", [Prepared::status(202)]);
    registry.put(&format!("DELETE {}", blob_path(&blob)), [Prepared::status(405)]);
    let client = registry.connect();
    client.delete_manifest(&name(), &tag("1.0")).await.unwrap();
    let failure = client.delete_manifest(&name(), &tag("2.0")).await.unwrap_err();
    assert!(matches!(failure, Failure::Missing { .. }), "{failure}");
    let failure = client.delete_blob(&name(), &blob.digest).await.unwrap_err();
    assert!(matches!(failure, Failure::Refused { .. }), "{failure}");
}
