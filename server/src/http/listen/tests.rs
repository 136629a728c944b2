//! Listeners over real sockets: TLS and its reload, graceful stops, timeouts, large bodies.

mod bodies;
mod certificates;
mod stopping;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::Extension;
use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::task::JoinHandle;

use super::shutdown::ShutdownTrigger;
use super::*;
use crate::config::Config;

/// A server of this test's own, and what stops it.
pub(super) struct Served {
    pub(super) addresses: Vec<BoundAddress>,
    pub(super) trigger: ShutdownTrigger,
    pub(super) ended: JoinHandle<Result<(), ListenError>>,
}

/// A self-signed certificate for `localhost`, as PEM.
pub(super) struct Pem {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Pem {
    pub(super) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    pub(super) fn write(&self, folder: &Path) {
        std::fs::write(folder.join("tls.key"), &self.key).unwrap();
        std::fs::write(folder.join("tls.crt"), &self.certificate).unwrap();
    }

    /// Returns a client that trusts this certificate alone.
    pub(super) fn client(&self) -> reqwest::ClientBuilder {
        let trusted = reqwest::Certificate::from_pem(self.certificate.as_bytes()).unwrap();
        reqwest::Client::builder().no_proxy().tls_certs_only([trusted])
    }
}

/// Returns the configuration of free local ports, with TLS if `folder` holds a certificate.
pub(super) fn config(folder: Option<&Path>, given: &[(&str, &str)]) -> Config {
    let paths =
        folder.map(|folder| ["tls.crt", "tls.key"].map(|name| folder.join(name).display().to_string()));
    let mut variables = vec![("CHARTROOM_LISTEN", "127.0.0.1:0")];
    if let Some([certificate, key]) = &paths {
        variables.extend([
            ("CHARTROOM_TLS_CERTIFICATE", certificate.as_str()),
            ("CHARTROOM_TLS_KEY", key.as_str()),
        ]);
    }
    variables.extend(given);
    crate::config::tests::config(&variables)
}

pub(super) async fn bind(config: &Config) -> Listeners {
    Listeners::bind(&config.listening, &config.limits).await.unwrap()
}

pub(super) fn start(router: Router, listeners: Listeners) -> Served {
    let (trigger, shutdown) = Shutdown::new();
    let addresses = listeners.addresses().collect();
    Served { addresses, trigger, ended: tokio::spawn(serve(router, listeners, shutdown)) }
}

impl Served {
    pub(super) fn url(&self) -> String {
        let first = self.addresses.first().unwrap();
        format!("{}://localhost:{}/", first.scheme, first.address.port())
    }

    pub(super) async fn stop(self) {
        self.trigger.begin();
        self.ended.await.unwrap().unwrap();
    }
}

/// Waits until `condition` holds; a test that waits for ever is a failure.
pub(super) async fn wait_until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let waiting = async { while !condition().await {} };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it never came about");
}

async fn show_connection(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(scheme): Extension<Scheme>,
) -> String {
    format!("{scheme} {}", peer.ip())
}

#[tokio::test]
async fn handlers_see_the_peer_and_whether_it_came_by_tls() {
    let folder = tempfile::tempdir().unwrap();
    let pem = Pem::new();
    pem.write(folder.path());
    let listeners =
        bind(&config(Some(folder.path()), &[("CHARTROOM_LISTEN", "http://127.0.0.1:0,https://127.0.0.1:0")]))
            .await;
    let served = start(Router::new().route("/", get(show_connection)), listeners);
    let client = pem.client().build().unwrap();
    for (address, expected) in served.addresses.iter().zip(["http 127.0.0.1", "https 127.0.0.1"]) {
        let url = format!("{}://localhost:{}/", address.scheme, address.address.port());
        assert_eq!(client.get(url).send().await.unwrap().text().await.unwrap(), expected);
    }
    served.stop().await;
}

#[tokio::test]
async fn tls_speaks_http_2_and_1() {
    let folder = tempfile::tempdir().unwrap();
    let pem = Pem::new();
    pem.write(folder.path());
    let served =
        start(Router::new().route("/", get(|| async { "" })), bind(&config(Some(folder.path()), &[])).await);
    let newest = pem.client().build().unwrap().get(served.url()).send().await.unwrap();
    assert_eq!(newest.version(), reqwest::Version::HTTP_2);
    let older = pem.client().http1_only().build().unwrap().get(served.url()).send().await.unwrap();
    assert_eq!(older.version(), reqwest::Version::HTTP_11);
    served.stop().await;
}

#[tokio::test]
async fn a_bound_address_has_its_real_port() {
    let listeners = bind(&config(None, &[("CHARTROOM_LISTEN", "127.0.0.1:0,localhost:0")])).await;
    let addresses: Vec<_> = listeners.addresses().collect();
    assert_eq!(addresses.len(), 2);
    assert!(addresses.iter().all(|address| address.address.port() != 0));
    let shown = addresses.first().unwrap().to_string();
    assert!(shown.starts_with("http://127.0.0.1:"), "{shown}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let first = bind(&config(None, &[])).await;
    let taken = first.addresses().next().unwrap().address.to_string();
    let config = config(None, &[("CHARTROOM_LISTEN", &taken)]);
    let refusal = Listeners::bind(&config.listening, &config.limits).await.unwrap_err().to_string();
    assert!(refusal.starts_with(&format!("cannot listen on `http://{taken}`: ")), "{refusal}");
    assert!(refusal.ends_with("choose another address with `--listen`"), "{refusal}");
}
