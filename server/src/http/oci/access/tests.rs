use axum::http::{HeaderMap, Method};
use chart::Timestamp;

use super::*;
use crate::access::{Grants, Role};
use crate::app::{AnonymousRead, Rules};
use crate::catalog::{RepositorySettings, Visibility};
use crate::http::Surface;
use crate::http::tests::TestServer;

/// A server with a public default repository, a private one, a private one below a public one, and a chart in each.
async fn site() -> TestServer {
    let server = TestServer::start().await;
    for (path, visibility) in
        [("secret", Visibility::Private), ("team", Visibility::Public), ("team/secret", Visibility::Private)]
    {
        let settings = RepositorySettings { visibility, ..RepositorySettings::default() };
        let catalog = &server.server.app.catalog;
        catalog.create_repository(&path.parse().unwrap(), settings, Timestamp::from_micros(1)).await.unwrap();
    }
    for path in ["", "/secret", "/team", "/team/secret"] {
        server.publish_chart(path, "app", "1.0.0").await;
    }
    server
}

fn known(role: Role, path: Option<&str>) -> Caller {
    Caller::Known { name: "ci".to_owned(), role, repository: path.map(|path| path.parse().unwrap()) }
}

fn asked(caller: Caller) -> Asked {
    Asked::new(Method::GET, HeaderMap::new(), None, caller)
}

/// What is heard: the status, and the text with the name taken out of it.
async fn heard(server: &TestServer, asked: &Asked, name: &str, permission: Permission) -> (u16, String) {
    let oci_name = name.parse().unwrap();
    let answer = match permission {
        Permission::Read => readable(&server.server, asked, &oci_name).await,
        Permission::Publish | Permission::Delete | Permission::Administer => {
            permitted(&server.server, asked, &oci_name, permission).await
        }
    };
    let Err(failure) = answer else { return (200, String::new()) };
    let response = failure.into_response();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap().replace(name, "NAME"))
}

#[tokio::test]
async fn who_may_read_and_push_where() {
    use Permission::{Delete, Publish, Read};
    let server = site().await;
    let elsewhere = known(Role::Reader, Some("elsewhere"));
    for (caller, name, statuses) in [
        (Caller::Anonymous, "app", [200, 401, 401]),
        (Caller::Anonymous, "team/app", [200, 401, 401]),
        (Caller::Anonymous, "secret/app", [401, 401, 401]),
        (elsewhere.clone(), "app", [200, 403, 403]),
        (elsewhere.clone(), "secret/app", [404, 403, 403]),
        (known(Role::Publisher, Some("elsewhere")), "elsewhere/new", [200, 200, 403]),
        (known(Role::Publisher, Some("elsewhere")), "secret/app", [404, 403, 403]),
        (known(Role::Publisher, Some("elsewhere")), "new", [404, 403, 403]),
        (known(Role::Reader, Some("secret")), "secret/app", [200, 403, 403]),
        (known(Role::Reader, Some("secret")), "secret/new", [200, 403, 403]),
        (known(Role::Reader, None), "new", [200, 403, 403]),
        (known(Role::Publisher, Some("secret")), "secret/new", [200, 200, 403]),
        (known(Role::Publisher, None), "new/here", [200, 200, 403]),
        (known(Role::Curator, Some("secret")), "secret/app", [200, 200, 200]),
        (known(Role::Admin, None), "team/secret/app", [200, 200, 200]),
        (Caller::Everyone, "secret/app", [200, 200, 200]),
    ] {
        let asked = asked(caller);
        let mut heard_statuses = Vec::new();
        for permission in [Read, Publish, Delete] {
            heard_statuses.push(heard(&server, &asked, name, permission).await.0);
        }
        assert_eq!(heard_statuses, statuses, "{:?}: {name}", asked.caller);
    }
}

#[tokio::test]
async fn to_strangers_what_is_private_looks_like_what_is_not_there() {
    use Permission::{Delete, Publish, Read};
    let server = site().await;
    // A private name that is there, one that is not, and names of repositories that are not.
    let private = ["secret/app", "secret/new", "secret", "secret/a/b", "team/secret/app", "team/secret/new"];
    let missing = ["missing/app", "missing", "missing/a/b", "team/missing/app", "team/missing", "team/new"];
    for caller in [
        Caller::Anonymous,
        known(Role::Reader, Some("elsewhere")),
        known(Role::Publisher, Some("elsewhere")),
        known(Role::Admin, Some("elsewhere")),
    ] {
        let asked = asked(caller);
        for permission in [Read, Publish, Delete] {
            let expected = heard(&server, &asked, "missing/other", permission).await;
            assert_ne!(expected.0, 200, "{:?}", asked.caller);
            for name in private.iter().chain(&missing) {
                let heard = heard(&server, &asked, name, permission).await;
                assert_eq!(heard, expected, "{:?}: {permission:?} {name}", asked.caller);
            }
        }
    }
}

#[tokio::test]
async fn the_path_of_a_public_repository_is_a_name_that_is_not_there() {
    // Rancher looks for charts below a path whose own name is answered so.
    let server = site().await;
    let (status, text) = heard(&server, &asked(Caller::Anonymous), "team", Permission::Read).await;
    assert_eq!(status, 404);
    assert!(text.contains("NAME_UNKNOWN"), "{text}");
}

#[tokio::test]
async fn where_nobody_reads_without_a_credential_everything_is_hidden() {
    let rules = Rules { anonymous_read: AnonymousRead::Never, ..Rules::default() };
    let server = TestServer::with(rules, Surface::default()).await;
    server.publish_chart("", "app", "1.0.0").await;
    for name in ["app", "new"] {
        assert_eq!(heard(&server, &asked(Caller::Anonymous), name, Permission::Read).await.0, 401, "{name}");
    }
    let reader = asked(known(Role::Reader, None));
    assert_eq!(heard(&server, &reader, "app", Permission::Read).await.0, 200);
}

#[tokio::test]
async fn a_token_takes_away_from_rights_and_never_adds() {
    use Permission::{Delete, Publish, Read};
    let server = site().await;
    let (app, other): (OciName, OciName) = ("secret/app".parse().unwrap(), "team/app".parse().unwrap());
    let mut grants = Grants::default();
    for action in [Action::Pull, Action::Push] {
        grants.add(&app, action);
    }
    for (caller, name, statuses) in [
        // Within the token and the caller's right; beyond the token; beyond the right.
        (known(Role::Admin, None), &app, [200, 200, 401]),
        (known(Role::Admin, None), &other, [401, 401, 401]),
        (known(Role::Reader, None), &app, [200, 403, 403]),
        (known(Role::Reader, Some("elsewhere")), &app, [404, 403, 403]),
        (Caller::Anonymous, &app, [401, 401, 401]),
    ] {
        let mut asked = asked(caller);
        asked.grants = Some(grants.clone());
        for (permission, status) in [Read, Publish, Delete].into_iter().zip(statuses) {
            let heard = heard(&server, &asked, name.as_str(), permission).await;
            assert_eq!(heard.0, status, "{:?}: {permission:?} {name}", asked.caller);
        }
    }
}
