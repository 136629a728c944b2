use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

fn auth(user: &str, password: &str) -> Value {
    json!({"auth": STANDARD.encode(format!("{user}:{password}"))})
}

fn written(folder: &TempDir, name: &str, config: &Value) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, config.to_string()).unwrap();
    path
}

async fn found(files: &CredentialFiles, registry: &str, name: &str) -> Credentials {
    let name = name.parse().ok();
    files.find(&registry.parse().unwrap(), name.as_ref()).await.unwrap()
}

#[tokio::test]
async fn entries_are_found_by_host_and_by_the_longest_part_of_the_name() {
    let folder = TempDir::new().unwrap();
    let config = json!({"auths": {
        "registry.example:5000": auth("host", "h"),
        "registry.example:5000/team": auth("team", "t"),
        "registry.example:5000/team/app": auth("app", "with:colon"),
        "https://index.docker.io/v1/": auth("hub", "d"),
        "https://old.example/v2/": auth("old", "o"),
        "token.example": {"identitytoken": "refresh"},
        "bearer.example": {"registrytoken": "bearer"},
        "plain.example": {"username": "u", "password": "p"},
        "program.example": {},
    }});
    let files =
        CredentialFiles::new([folder.path().join("absent"), written(&folder, "config.json", &config)]);
    for (registry, name, expected) in [
        ("registry.example:5000", "team/app/part", basic("app", "with:colon")),
        ("registry.example:5000", "team/other", basic("team", "t")),
        ("registry.example:5000", "teams/app", basic("host", "h")),
        ("registry.example:5000", "", basic("host", "h")),
        ("registry.example", "team/app", Credentials::Anonymous),
        ("docker.io", "library/redis", basic("hub", "d")),
        ("registry-1.docker.io", "", basic("hub", "d")),
        ("old.example", "", basic("old", "o")),
        ("token.example", "", Credentials::IdentityToken(Secret::new("refresh"))),
        ("bearer.example", "", Credentials::RegistryToken(Secret::new("bearer"))),
        ("plain.example", "", basic("u", "p")),
        ("program.example", "", Credentials::Anonymous),
    ] {
        assert_eq!(found(&files, registry, name).await, expected, "{registry} {name}");
    }
}

#[tokio::test]
async fn whom_no_file_knows_gets_what_is_said_otherwise() {
    let folder = TempDir::new().unwrap();
    let config = json!({"auths": {"known.example": auth("file", "f")}});
    let files = CredentialFiles::new([written(&folder, "config.json", &config)]).otherwise(basic("net", "n"));
    assert_eq!(found(&files, "known.example", "").await, basic("file", "f"));
    assert_eq!(found(&files, "other.example", "").await, basic("net", "n"));
}

#[tokio::test]
async fn the_first_file_that_knows_the_registry_wins() {
    let folder = TempDir::new().unwrap();
    let first = written(&folder, "first", &json!({"auths": {"a.example": auth("first", "1")}}));
    let second = json!({"auths": {"a.example": auth("second", "2"), "b.example": auth("second", "2")}});
    let files = CredentialFiles::new([first, written(&folder, "second", &second)]);
    assert_eq!(found(&files, "a.example", "").await, basic("first", "1"));
    assert_eq!(found(&files, "b.example", "").await, basic("second", "2"));
}

#[tokio::test]
async fn a_login_that_cannot_be_read_is_not_the_same_as_none() {
    let folder = TempDir::new().unwrap();
    for (config, expected) in [
        (json!({"auths": {"a.example": {"auth": "not base64!"}}}), "the entry `a.example` in"),
        (json!({"auths": {"a.example": {"auth": STANDARD.encode("no colon")}}}), "the entry `a.example` in"),
        (json!({"auths": []}), "cannot read the credentials in"),
        (json!({"credsStore": "not/../a/name"}), "`docker-credential-not/../a/name`, which keeps"),
        (
            json!({"credHelpers": {"a.example": "surely-absent"}}),
            "`docker-credential-surely-absent`, which keeps",
        ),
    ] {
        let files = CredentialFiles::new([written(&folder, "config.json", &config)]);
        let failure = files.find(&"a.example".parse().unwrap(), None).await.unwrap_err().to_string();
        assert!(failure.starts_with(expected), "{failure}");
    }
}

/// A program that is found by its path: the search path belongs to whoever runs the tests.
fn program(folder: &TempDir, script: &str) -> CredentialProgram {
    let path = folder.path().join("docker-credential-story");
    let new = folder.path().join("new");
    fs::write(&new, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, &path).unwrap();
    CredentialProgram::at(&path)
}

#[tokio::test]
async fn programs_are_asked_as_docker_asks_them() {
    let folder = TempDir::new().unwrap();
    let says = r#"[ "$1" = get ] || exit 3; read server; printf '{"ServerURL":"%s","Username":"u","Secret":"of %s"}' "$server" "$server""#;
    for (script, expected) in [
        (says, Some(basic("u", "of a.example"))),
        (
            r#"cat >/dev/null; echo '{"Username":"<token>","Secret":"refresh"}'"#,
            Some(Credentials::IdentityToken(Secret::new("refresh"))),
        ),
        ("cat >/dev/null; echo 'credentials not found in native keychain'; exit 1", None),
        (r#"cat >/dev/null; echo '{"Username":"","Secret":""}'"#, None),
    ] {
        assert_eq!(program(&folder, script).ask("a.example").await.unwrap(), expected, "{script}");
    }
}

#[tokio::test]
async fn programs_that_fail_are_named_with_what_they_say() {
    let folder = TempDir::new().unwrap();
    for (script, expected) in [
        ("cat >/dev/null; echo 'the keychain is locked' >&2; exit 1", "the keychain is locked"),
        ("cat >/dev/null; echo nonsense", "its answer is not JSON"),
    ] {
        let failure = program(&folder, script).ask("a.example").await.unwrap_err().to_string();
        assert!(failure.contains("docker-credential-story") && failure.contains(expected), "{failure}");
    }
}

#[test]
fn files_are_looked_for_where_clients_keep_them() {
    let look = |variables: &[(&str, &str)]| {
        let find = |name: &str| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| PathBuf::from(*value))
        };
        let paths = CredentialFiles::where_clients_look(find).paths;
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        look(&[("HOME", "/h")]),
        ["/h/.config/helm/registry/config.json", "/h/.config/containers/auth.json", "/h/.docker/config.json"]
    );
    assert_eq!(
        look(&[
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_RUNTIME_DIR", "/run/user/1"),
            ("DOCKER_CONFIG", "/d"),
            ("HELM_REGISTRY_CONFIG", "/helm.json"),
            ("REGISTRY_AUTH_FILE", "/auth.json"),
        ]),
        [
            "/helm.json",
            "/auth.json",
            "/run/user/1/containers/auth.json",
            "/c/containers/auth.json",
            "/d/config.json"
        ]
    );
    assert!(look(&[("HOME", "")]).is_empty());
}

#[test]
fn secrets_are_not_printed() {
    let shown = format!("{:?}", basic("user", "password"));
    assert!(shown.contains("user") && !shown.contains("password: \"") && shown.contains('…'), "{shown}");
}
