use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parse(text: &str) -> ImageReference {
    text.parse().unwrap_or_else(|refusal| panic!("{text}: {refusal}"))
}

#[test]
fn docker_io_and_library_are_added() {
    for (text, normalised) in [
        ("redis", "docker.io/library/redis"),
        ("redis:7", "docker.io/library/redis:7"),
        ("redis:5000", "docker.io/library/redis:5000"),
        ("bitnami/redis:7.0.0-alpine", "docker.io/bitnami/redis:7.0.0-alpine"),
        ("docker.io/redis", "docker.io/library/redis"),
        ("docker.io/library/redis", "docker.io/library/redis"),
        ("index.docker.io/redis:7", "docker.io/library/redis:7"),
        ("docker.io/a/b/c", "docker.io/a/b/c"),
        ("library/redis", "docker.io/library/redis"),
    ] {
        assert_eq!(parse(text).normalised(), normalised);
    }
}

#[test]
fn what_stands_before_the_first_slash_may_be_a_host() {
    for (text, host, name) in [
        ("quay.io/redis", "quay.io", "redis"),
        ("localhost/redis", "localhost", "redis"),
        ("localhost:5000/redis", "localhost:5000", "redis"),
        ("registry:5000/redis", "registry:5000", "redis"),
        ("registry/redis", "docker.io", "registry/redis"),
        ("local-host/redis", "docker.io", "local-host/redis"),
        ("10.0.0.1/a/b", "10.0.0.1", "a/b"),
        ("[::1]:5000/redis", "[::1]:5000", "redis"),
        ("[2001:db8::1]/redis", "[2001:db8::1]", "redis"),
        ("Registry/redis", "Registry", "redis"),
        ("REGISTRY.example:5000/redis", "REGISTRY.example:5000", "redis"),
        ("registry.local.cloud:5000/docker.io/redis", "registry.local.cloud:5000", "docker.io/redis"),
    ] {
        let image = parse(text);
        assert_eq!((image.host().as_str(), image.name().as_str()), (host, name), "{text}");
    }
}

#[test]
fn tag_and_digest_are_told_apart() {
    for (text, tag, digest, asked) in [
        ("a".to_owned(), None, None, "latest"),
        ("a:1".to_owned(), Some("1"), None, "1"),
        ("h:5000/a".to_owned(), None, None, "latest"),
        ("h:5000/a:1".to_owned(), Some("1"), None, "1"),
        (format!("a@{DIGEST}"), None, Some(DIGEST), DIGEST),
        (format!("h:5000/a:1@{DIGEST}"), Some("1"), Some(DIGEST), DIGEST),
    ] {
        let image = parse(&text);
        assert_eq!(image.tag().map(Tag::as_str), tag, "{text}");
        assert_eq!(image.digest().map(ToString::to_string).as_deref(), digest, "{text}");
        assert_eq!(image.reference().to_string(), asked, "{text}");
        assert_eq!(image.to_string(), text);
    }
}

#[test]
fn the_full_form_reads_back_as_itself() {
    for text in ["redis", "quay.io/a:1", "[::1]:5000/a/b", "Registry/a"] {
        let normalised = parse(text).normalised();
        assert_eq!(parse(&normalised).normalised(), normalised);
    }
    assert_eq!(parse(&format!("a:1@{DIGEST}")).normalised(), format!("docker.io/library/a:1@{DIGEST}"));
}

#[test]
fn other_texts_are_refused() {
    let hex = &DIGEST["sha256:".len()..];
    for text in [
        "",
        ":1",
        "@",
        "/",
        "/a",
        "a/",
        "a//b",
        "A",
        "Redis:7",
        "quay.io/Redis",
        "a:",
        "a:.b",
        "a b",
        "a@b",
        "a@sha256:0",
        "quay.io/",
        "quay.io/:1",
        "h:x/a",
        "h:/a",
        "h:65536/a",
        "::1/a",
        "[::1/a",
        "-h.io/a",
        "h_x:1/a",
        "http://h/a",
        "a:b:c",
        "é",
        hex,
    ] {
        assert!(text.parse::<ImageReference>().is_err(), "{text}");
    }
    assert!(
        format!("quay.io/{hex}").parse::<ImageReference>().is_ok(),
        "only short names can be identifiers"
    );
}
