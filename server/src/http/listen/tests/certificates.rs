//! Certificates: which are refused at start, how they are replaced while the server runs, and clients that need one.

use std::process::Command;
use std::sync::Arc;

use super::*;
use crate::config::TlsFiles;
use crate::http::listen::certificate::Look;

/// Returns whether a new connection shows a certificate that `pem` trusts.
async fn shows(pem: &Pem, url: &str) -> bool {
    pem.client().build().unwrap().get(url).send().await.is_ok()
}

fn router() -> Router {
    Router::new().route("/", get(|| async { "" }))
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("tls.crt"), key: folder.join("tls.key"), client_ca: None }
}

#[tokio::test]
async fn a_changed_certificate_is_shown_to_new_connections() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Pem::new(), Pem::new());
    old.write(folder.path());
    let mut listeners = bind(&config(Some(folder.path()), &[])).await;
    listeners.certificate_poll = Duration::from_millis(1);
    let served = start(router(), listeners);
    assert!(shows(&old, &served.url()).await);
    new.write(folder.path());
    wait_until(async || shows(&new, &served.url()).await).await;
    assert!(!shows(&old, &served.url()).await);
    served.stop().await;
}

#[tokio::test]
async fn sighup_reads_the_certificate_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Pem::new(), Pem::new());
    old.write(folder.path());
    let mut listeners = bind(&config(Some(folder.path()), &[])).await;
    listeners.certificate_poll = Duration::from_secs(3600);
    let served = start(router(), listeners);
    assert!(shows(&old, &served.url()).await);
    new.write(folder.path());
    let own_id = std::process::id().to_string();
    assert!(Command::new("kill").args(["-HUP", &own_id]).status().unwrap().success());
    wait_until(async || shows(&new, &served.url()).await).await;
    served.stop().await;
}

#[tokio::test]
async fn sighup_does_not_end_a_server_without_a_certificate() {
    let served = start(router(), bind(&config(None, &[])).await);
    // The first answer shows that the server, and with it the handler of the signal, is up.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(served.url()).send().await.unwrap();
    let own_id = std::process::id().to_string();
    assert!(Command::new("kill").args(["-HUP", &own_id]).status().unwrap().success());
    client.get(served.url()).send().await.unwrap();
    served.stop().await;
}

#[test]
fn a_certificate_that_can_not_be_used_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Pem::new(), Pem::new());
    old.write(folder.path());
    let mut certificate = Certificate::load(files(folder.path())).unwrap();
    let in_use = certificate.rustls().get_inner();
    assert_eq!(certificate.look(), Look::Unchanged);
    for text in [new.certificate.as_str(), "", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"]
    {
        std::fs::write(folder.path().join("tls.crt"), text).unwrap();
        assert_eq!(certificate.look(), Look::Refused, "{text}");
        assert_eq!(certificate.look(), Look::Unchanged, "what is wrong is said once");
        assert!(Arc::ptr_eq(&certificate.rustls().get_inner(), &in_use));
    }
    std::fs::remove_file(folder.path().join("tls.key")).unwrap();
    assert_eq!((certificate.look(), certificate.look()), (Look::Refused, Look::Unchanged));
    new.write(folder.path());
    assert_eq!(certificate.look(), Look::Replaced);
    assert!(!Arc::ptr_eq(&certificate.rustls().get_inner(), &in_use));
}

#[test]
fn files_that_make_no_certificate_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, other) = (Pem::new(), Pem::new());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key, ca) = (path("tls.crt"), path("tls.key"), path("ca.crt"));
    for (certificate_text, key_text, ca_text, expected) in [
        (
            "",
            pem.key.as_str(),
            None,
            format!("`{certificate}` holds no PEM certificate: it must have a `BEGIN CERTIFICATE` part"),
        ),
        (
            &pem.certificate,
            "x",
            None,
            format!(
                "`{key}` holds no PEM private key: it must have a `BEGIN PRIVATE KEY` part, not encrypted"
            ),
        ),
        (
            &pem.certificate,
            &other.key,
            None,
            format!("`{certificate}` and `{key}` cannot be used together: "),
        ),
        (&pem.certificate, &pem.key, Some("x"), format!("`{ca}` holds no PEM certificate")),
    ] {
        std::fs::write(&certificate, certificate_text).unwrap();
        std::fs::write(&key, key_text).unwrap();
        std::fs::write(&ca, ca_text.unwrap_or_default()).unwrap();
        let files = TlsFiles { client_ca: ca_text.map(|_| ca.clone().into()), ..files(folder.path()) };
        let refusal = Certificate::load(files).unwrap_err().to_string();
        assert!(refusal.starts_with(&expected), "{refusal}");
    }
    std::fs::remove_file(&key).unwrap();
    let refusal = Certificate::load(files(folder.path())).unwrap_err().to_string();
    assert!(refusal.starts_with(&format!("cannot read `{key}`: ")), "{refusal}");
}

#[tokio::test]
async fn with_client_authorities_a_client_needs_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, client, stranger) = (Pem::new(), Pem::new(), Pem::new());
    pem.write(folder.path());
    let ca = folder.path().join("ca.crt");
    std::fs::write(&ca, &client.certificate).unwrap();
    let listeners =
        bind(&config(Some(folder.path()), &[("CHARTROOM_TLS_CLIENT_CA", ca.to_str().unwrap())])).await;
    let served = start(router(), listeners);
    for (identity, is_let_in) in [(None, false), (Some(&stranger), false), (Some(&client), true)] {
        let builder = match identity {
            Some(Pem { certificate, key }) => pem
                .client()
                .identity(reqwest::Identity::from_pem(format!("{key}{certificate}").as_bytes()).unwrap()),
            None => pem.client(),
        };
        let answer = builder.build().unwrap().get(served.url()).send().await;
        assert_eq!(answer.is_ok(), is_let_in, "{answer:?}");
    }
    served.stop().await;
}
