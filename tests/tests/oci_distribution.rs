//! The distribution specification, row by row: its sections are the sections of this file.

use anyhow::{Context, Result, ensure};
use oci::{Algorithm, Digest, Digester};
use reqwest::Method;
use serde_json::{Value, json};
use stories::answer::Answer;
use stories::client::Client;
use stories::site::Site;

stories::on_each_backend! {
    pulling_blobs,
    pushing_a_blob_monolithically,
    pushing_a_blob_in_chunks,
    mounting_a_blob,
    cancelling_an_upload,
    pushing_manifests,
    pushing_with_tag_parameters,
    listing_tags,
    listing_referrers,
    deleting,
    digests_that_are_wrong,
}

const NAME: &str = "conformance/one";
const OTHER: &str = "conformance/two";
const OCTETS: &str = "application/octet-stream";

fn digest_by(algorithm: Algorithm, content: &[u8]) -> Digest {
    let mut digester = Digester::new(algorithm);
    digester.update(content);
    digester.finish()
}

fn with_query(location: &str, query: &str) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}{query}")
}

/// Sends a request with a body and headers.
fn send(
    client: &Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer> {
    let mut request = client.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request.body(body.to_vec()))
}

fn begin(client: &Client, name: &str, query: &str) -> Result<String> {
    let begun = send(client, Method::POST, &format!("/v2/{name}/blobs/uploads/{query}"), &[], b"")?;
    let begun = begun.expect_status(202)?;
    let location = begun.header("location").to_owned();
    ensure!(location.starts_with("/v2/"), "a relative address holds behind every proxy: {location}");
    Ok(location)
}

/// Pushes a blob by POST and PUT.
fn push_blob(client: &Client, name: &str, content: &[u8]) -> Result<Digest> {
    let digest = Digest::sha256(content);
    let location = begin(client, name, "")?;
    let put = with_query(&location, &format!("digest={digest}"));
    let pushed = send(client, Method::PUT, &put, &[("content-type", OCTETS)], content)?.expect_status(201)?;
    let there = client.get(pushed.header("location"))?.expect_status(200)?;
    assert_eq!(there.body, content);
    Ok(digest)
}

fn blob_path(name: &str, digest: &Digest) -> String {
    format!("/v2/{name}/blobs/{digest}")
}

fn expect_blob(client: &Client, name: &str, digest: &Digest, content: &[u8]) -> Result<()> {
    let got = client.get(&blob_path(name, digest))?.expect_status(200)?;
    assert_eq!((got.body.as_slice(), got.header("docker-content-digest")), (content, &*digest.to_string()));
    let head = client.head(&blob_path(name, digest))?.expect_status(200)?;
    assert_eq!(head.header("content-length"), content.len().to_string());
    assert_eq!(head.header("docker-content-digest"), digest.to_string());
    Ok(())
}

fn descriptor(kind: &str, digest: &Digest, size: usize) -> Value {
    json!({"mediaType": kind, "digest": digest.to_string(), "size": size})
}

/// Pushes the blobs of an image told apart by `mark`, and returns its manifest.
fn image(client: &Client, name: &str, mark: &str) -> Result<Value> {
    let config = push_blob(client, name, format!("{{\"author\":\"{mark}\"}}").as_bytes())?;
    let layer = push_blob(client, name, mark.as_bytes())?;
    let size = format!("{{\"author\":\"{mark}\"}}").len();
    Ok(json!({"schemaVersion": 2, "mediaType": oci::media_type::IMAGE_MANIFEST,
        "config": descriptor(oci::media_type::IMAGE_CONFIG, &config, size),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer, mark.len())],
        "odd": {"kept": mark}}))
}

fn put_manifest(client: &Client, name: &str, reference: &str, manifest: &Value) -> Result<Answer> {
    let kind = manifest["mediaType"].as_str().context("type")?;
    let path = format!("/v2/{name}/manifests/{reference}");
    send(client, Method::PUT, &path, &[("content-type", kind)], manifest.to_string().as_bytes())
}

fn code(answer: &Answer) -> Result<String> {
    Ok(answer.json()?["errors"][0]["code"].as_str().context("no code")?.to_owned())
}

fn pulling_blobs(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    let content: Vec<u8> = (0..2048_u32).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
    let digest = push_blob(&client, NAME, &content)?;
    expect_blob(&client, NAME, &digest, &content)?;
    for (range, expected) in [
        ("bytes=500-1499", Some(500..1500)),
        ("bytes=500-", Some(500..2048)),
        ("bytes=-500", Some(1548..2048)),
        ("bytes=2000-5000", Some(2000..2048)),
        ("bytes=500-0", None),
        ("bytes=5000-10000", None),
    ] {
        let answer = send(&client, Method::GET, &blob_path(NAME, &digest), &[("range", range)], b"")?;
        let Some(expected) = expected else {
            assert_eq!(answer.status, 416, "{range}");
            continue;
        };
        assert_eq!(answer.status, 206, "{range}");
        let content_range = format!("bytes {}-{}/2048", expected.start, expected.end - 1);
        assert_eq!(answer.header("content-range"), content_range);
        assert_eq!(answer.body, content[expected], "{range}");
    }
    let missing = client.get(&blob_path(NAME, &Digest::sha256(b"missing")))?;
    assert_eq!((missing.status, code(&missing)?.as_str()), (404, "BLOB_UNKNOWN"));
    assert_eq!(client.get(&blob_path(OTHER, &digest))?.status, 404, "a blob is under its name only");
    Ok(())
}

fn pushing_a_blob_monolithically(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for content in [&b"post only"[..], b"", b"{}"] {
            let digest = digest_by(algorithm, content);
            let path = format!("/v2/{NAME}/blobs/uploads/?digest={digest}");
            let pushed = send(&client, Method::POST, &path, &[("content-type", OCTETS)], content)?;
            pushed.expect_status(201)?;
            expect_blob(&client, NAME, &digest, content)?;
        }
        let content = b"post and put";
        let digest = digest_by(algorithm, content);
        let location = begin(&client, NAME, "")?;
        let put = with_query(&location, &format!("digest={digest}"));
        send(&client, Method::PUT, &put, &[("content-type", OCTETS)], content)?.expect_status(201)?;
        expect_blob(&client, NAME, &digest, content)?;
        let over = send(&client, Method::GET, &location, &[], b"")?;
        assert_eq!((over.status, code(&over)?.as_str()), (404, "BLOB_UPLOAD_UNKNOWN"));
    }
    Ok(())
}

fn pushing_a_blob_in_chunks(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for (first, second, last_in_put) in [(1024, 1024, false), (1, 4096, true), (4096, 0, false)] {
            let content: Vec<u8> =
                (0..first + second).map(|at| u8::try_from((at * 7) % 251).unwrap_or_default()).collect();
            let digest = digest_by(algorithm, &content);
            let query = match algorithm {
                Algorithm::Sha256 => "",
                Algorithm::Sha512 => "?digest-algorithm=sha512",
            };
            let mut location = begin(&client, NAME, query)?;
            let chunk = |location: &str, range: std::ops::Range<usize>| {
                let stated = format!("{}-{}", range.start, range.end.saturating_sub(1));
                let headers = [("content-type", OCTETS), ("content-range", stated.as_str())];
                send(&client, Method::PATCH, location, &headers, &content[range])
            };
            if second > 0 {
                let early = chunk(&location, first..first + second)?;
                assert_eq!(early.status, 416, "out of order");
            }
            let taken = chunk(&location, 0..first)?.expect_status(202)?;
            assert_eq!(taken.header("range"), format!("0-{}", first - 1));
            taken.header("location").clone_into(&mut location);
            assert_eq!(chunk(&location, 0..first)?.status, 416, "sent twice");
            let so_far = client.get(&location)?.expect_status(204)?;
            assert_eq!(so_far.header("range"), format!("0-{}", first - 1));
            let mut rest: &[u8] = b"";
            if last_in_put {
                rest = &content[first..];
            } else if second > 0 {
                let taken = chunk(&location, first..first + second)?.expect_status(202)?;
                taken.header("location").clone_into(&mut location);
            }
            let put = with_query(&location, &format!("digest={digest}"));
            send(&client, Method::PUT, &put, &[("content-type", OCTETS)], rest)?.expect_status(201)?;
            expect_blob(&client, NAME, &digest, &content)?;
        }
        let content = b"streamed without a range";
        let location = begin(&client, NAME, "")?;
        let taken = send(&client, Method::PATCH, &location, &[("content-type", OCTETS)], content)?;
        let taken = taken.expect_status(202)?;
        let put = with_query(
            taken.header("location"),
            &format!("digest={}", digest_by(Algorithm::Sha256, content)),
        );
        send(&client, Method::PUT, &put, &[], b"")?.expect_status(201)?;
    }
    Ok(())
}

fn mounting_a_blob(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    let digest = push_blob(&client, OTHER, b"mounted")?;
    let mount =
        |query: String| send(&client, Method::POST, &format!("/v2/{NAME}/blobs/uploads/?{query}"), &[], b"");
    mount(format!("mount={digest}&from={OTHER}"))?.expect_status(201)?;
    expect_blob(&client, NAME, &digest, b"mounted")?;
    let anonymous = push_blob(&client, OTHER, b"mounted from anywhere")?;
    mount(format!("mount={anonymous}"))?.expect_status(201)?;
    expect_blob(&client, NAME, &anonymous, b"mounted from anywhere")?;
    let missing = Digest::sha256(b"nowhere");
    assert_eq!(mount(format!("mount={missing}&from={OTHER}"))?.status, 202, "an upload begins instead");
    Ok(())
}

fn cancelling_an_upload(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    for has_begun in [false, true] {
        let mut location = begin(&client, NAME, "")?;
        if has_begun {
            let taken = send(&client, Method::PATCH, &location, &[], b"some")?.expect_status(202)?;
            taken.header("location").clone_into(&mut location);
        }
        client.delete(&location)?.expect_status(204)?;
        assert_eq!(client.get(&location)?.status, 404);
        let put = with_query(&location, &format!("digest={}", Digest::sha256(b"some")));
        assert_eq!(send(&client, Method::PUT, &put, &[], b"some")?.status, 404);
    }
    Ok(())
}

fn pushing_manifests(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    let mut large = image(&client, NAME, "large")?;
    for number in 0..390 {
        large["annotations"][format!("annotation-{number}")] = "A".repeat(10_000).into();
    }
    let small = image(&client, NAME, "small")?;
    let index = json!({"schemaVersion": 2, "mediaType": oci::media_type::IMAGE_INDEX, "manifests": [
        descriptor(oci::media_type::IMAGE_MANIFEST, &Digest::sha256(small.to_string().as_bytes()), small.to_string().len()),
        descriptor(oci::media_type::IMAGE_MANIFEST, &Digest::sha256(b"another platform"), 1)]});
    let empty = json!({"schemaVersion": 2, "mediaType": oci::media_type::IMAGE_INDEX, "manifests": []});
    for (tag, manifest) in [("large", &large), ("small", &small), ("index", &index), ("empty", &empty)] {
        let bytes = manifest.to_string();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let digest = digest_by(algorithm, bytes.as_bytes()).to_string();
            let pushed = put_manifest(&client, NAME, &digest, manifest)?.expect_status(201)?;
            assert_eq!(pushed.header("docker-content-digest"), digest);
            let got = client.get(&format!("/v2/{NAME}/manifests/{digest}"))?.expect_status(200)?;
            assert_eq!(
                (got.header("docker-content-digest"), got.body.as_slice()),
                (&*digest, bytes.as_bytes())
            );
        }
        put_manifest(&client, NAME, tag, manifest)?.expect_status(201)?;
        let path = format!("/v2/{NAME}/manifests/{tag}");
        let head = client.head(&path)?.expect_status(200)?;
        assert_eq!(head.header("content-length"), bytes.len().to_string());
        assert_eq!(head.header("content-type"), manifest["mediaType"].as_str().unwrap_or_default());
        assert_eq!(
            client.get(&path)?.expect_status(200)?.body,
            bytes.as_bytes(),
            "exact bytes, odd fields too"
        );
    }
    let missing = client.get(&format!("/v2/{NAME}/manifests/missing"))?;
    assert_eq!((missing.status, code(&missing)?.as_str()), (404, "MANIFEST_UNKNOWN"));
    Ok(())
}

fn pushing_with_tag_parameters(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    let manifest = image(&client, NAME, "tagged")?;
    let digest = Digest::sha256(manifest.to_string().as_bytes());
    let tags: Vec<String> = (0..12).map(|number| format!("tag-{number}")).collect();
    let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
    let reference = format!("{digest}?{}", query.join("&"));
    put_manifest(&client, NAME, &reference, &manifest)?.expect_status(201)?;
    for tag in &tags {
        let head = client.head(&format!("/v2/{NAME}/manifests/{tag}"))?.expect_status(200)?;
        assert_eq!(head.header("docker-content-digest"), digest.to_string());
    }
    Ok(())
}

fn listing_tags(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    assert_eq!(client.get("/v2/never/existed/tags/list")?.status, 404);
    let manifest = image(&client, NAME, "listed")?;
    for tag in ["b", "a", "c", "B"] {
        put_manifest(&client, NAME, tag, &manifest)?.expect_status(201)?;
    }
    for (query, expected) in [
        ("", json!(["B", "a", "b", "c"])),
        ("?n=2", json!(["B", "a"])),
        ("?n=2&last=a", json!(["b", "c"])),
        ("?last=a", json!(["b", "c"])),
        ("?n=0", json!([])),
    ] {
        let listed = client.get(&format!("/v2/{NAME}/tags/list{query}"))?.expect_status(200)?;
        assert_eq!(listed.json()?["tags"], expected, "{query}");
        assert_eq!(!listed.header("link").is_empty(), query == "?n=2", "{query}");
    }
    Ok(())
}

fn listing_referrers(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    let unknown =
        client.get(&format!("/v2/{NAME}/referrers/{}", Digest::sha256(b"unknown")))?.expect_status(200)?;
    assert_eq!(unknown.header("content-type"), oci::media_type::IMAGE_INDEX);
    assert_eq!(unknown.json()?["manifests"], json!([]));
    let subject = image(&client, NAME, "subject")?;
    let digest = Digest::sha256(subject.to_string().as_bytes());
    // What is attached may come before what it is attached to.
    for kind in ["example/one", "example/two"] {
        let mut attached = image(&client, NAME, kind)?;
        attached["artifactType"] = json!(kind);
        attached["annotations"] = json!({"org.opencontainers.conformance": "hello"});
        attached["subject"] = descriptor(oci::media_type::IMAGE_MANIFEST, &digest, subject.to_string().len());
        let name = Digest::sha256(attached.to_string().as_bytes()).to_string();
        let pushed = put_manifest(&client, NAME, &name, &attached)?.expect_status(201)?;
        assert_eq!(pushed.header("oci-subject"), digest.to_string());
    }
    put_manifest(&client, NAME, "subject", &subject)?.expect_status(201)?;
    let path = format!("/v2/{NAME}/referrers/{digest}");
    let all = client.get(&path)?.expect_status(200)?.json()?;
    assert_eq!(all["manifests"].as_array().map(Vec::len), Some(2));
    let filtered = client.get(&format!("{path}?artifactType=example%2Fone"))?.expect_status(200)?;
    assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
    let filtered = filtered.json()?;
    let [one] = filtered["manifests"].as_array().context("list")?.as_slice() else {
        anyhow::bail!("{filtered}");
    };
    assert_eq!(
        (&one["artifactType"], &one["annotations"]["org.opencontainers.conformance"]),
        (&json!("example/one"), &json!("hello"))
    );
    Ok(())
}

fn deleting(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    let manifest = image(&client, NAME, "deleted")?;
    let digest = Digest::sha256(manifest.to_string().as_bytes());
    put_manifest(&client, NAME, "gone", &manifest)?.expect_status(201)?;
    let layer: Digest = manifest["layers"][0]["digest"].as_str().context("layer")?.parse()?;
    let used = client.delete(&blob_path(NAME, &layer))?;
    assert_eq!((used.status, code(&used)?.as_str()), (405, "UNSUPPORTED"), "a manifest still names it");
    client.delete(&format!("/v2/{NAME}/manifests/gone"))?.expect_status(202)?;
    assert_eq!(client.head(&format!("/v2/{NAME}/manifests/gone"))?.status, 404);
    client.get(&format!("/v2/{NAME}/manifests/{digest}"))?.expect_status(200)?;
    client.delete(&format!("/v2/{NAME}/manifests/{digest}"))?.expect_status(202)?;
    assert_eq!(client.head(&format!("/v2/{NAME}/manifests/{digest}"))?.status, 404);
    client.delete(&blob_path(NAME, &layer))?.expect_status(202)?;
    assert_eq!(client.head(&blob_path(NAME, &layer))?.status, 404);
    Ok(())
}

fn digests_that_are_wrong(site: &Site) -> Result<()> {
    let server = site.start()?;
    let client = server.admin()?;
    let wrong = Digest::sha256(b"something else");
    let post = format!("/v2/{NAME}/blobs/uploads/?digest={wrong}");
    let put = with_query(&begin(&client, NAME, "")?, &format!("digest={wrong}"));
    let taken =
        send(&client, Method::PATCH, &begin(&client, NAME, "")?, &[], b"oh no")?.expect_status(202)?;
    let chunked = with_query(taken.header("location"), &format!("digest={wrong}"));
    for (method, path, body) in
        [(Method::POST, post, &b"oh no"[..]), (Method::PUT, put, b"oh no"), (Method::PUT, chunked, b"")]
    {
        let refused = send(&client, method, &path, &[("content-type", OCTETS)], body)?;
        assert_eq!((refused.status, code(&refused)?.as_str()), (400, "DIGEST_INVALID"), "{path}");
    }
    assert_eq!(client.head(&blob_path(NAME, &wrong))?.status, 404);
    let manifest = image(&client, NAME, "wrong")?;
    for reference in [wrong.to_string(), "sha256:baddigeststring".to_owned()] {
        assert_eq!(put_manifest(&client, NAME, &reference, &manifest)?.status, 400, "{reference}");
    }
    assert_eq!(client.get(&format!("/v2/{NAME}/manifests/sha256:baddigeststring"))?.status, 400);
    Ok(())
}
