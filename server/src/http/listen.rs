//! The sockets: binding them, TLS, who is at the other end, and stopping without cutting requests off.
//!
//! What stands between a connection and the HTTP library passes vectored writes on, so that the frames of a large body
//! leave uncopied.

mod certificate;
mod connection;
mod shutdown;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::Request;
use axum::{Extension, Router, ServiceExt};
use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Handle, Server};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::Layer as _;

pub(crate) use certificate::CertificateError;
pub(crate) use shutdown::Shutdown;

use crate::config::{Limits, Listener, Listening, Scheme};
use certificate::{Certificate, CertificateWatch};
use connection::Gate;

/// How often the certificate's files are looked at. Mounted secrets change by renaming folders, which no notification of
/// a single file reports.
const CERTIFICATE_POLL: Duration = Duration::from_secs(5);

/// Listeners that are bound and not yet served: clients can connect and wait.
#[derive(Debug)]
pub(crate) struct Listeners {
    bound: Vec<(BoundAddress, TcpListener)>,
    certificate: Option<Certificate>,
    certificate_poll: Duration,
    header_timeout: Duration,
    gate: Gate,
    shutdown_grace: Duration,
}

/// Where a listener really listens; prints as `http://127.0.0.1:8080`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BoundAddress {
    /// With or without TLS.
    pub(crate) scheme: Scheme,
    /// The address, with the port that the system chose for port 0.
    pub(crate) address: SocketAddr,
}

/// Why the server can't listen, or no longer does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// An address can't be bound.
    #[error("cannot listen on `{listener}`: {cause}: choose another address with `--listen`")]
    Bind {
        /// The listener as configured.
        listener: Listener,
        /// What the system said.
        cause: io::Error,
    },
    /// The certificate can't be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The process may not handle signals.
    #[error("cannot watch for signals: {0}")]
    Signals(io::Error),
    /// A listener ended by itself.
    #[error("the listener on `{address}` failed: {cause}")]
    Failed {
        /// The listener.
        address: BoundAddress,
        /// What the system said.
        cause: io::Error,
    },
}

impl Listeners {
    /// Binds every address and loads the certificate.
    ///
    /// # Errors
    /// [`ListenError::Bind`] for the first address that is taken or not ours, [`ListenError::Certificate`].
    pub(crate) async fn bind(listening: &Listening, limits: &Limits) -> Result<Self, ListenError> {
        let certificate = match &listening.tls {
            Some(files) => Some(Certificate::load(files.clone())?),
            None => None,
        };
        let mut bound = Vec::new();
        for listener in &listening.listeners {
            let refused = |cause| ListenError::Bind { listener: listener.clone(), cause };
            let socket = TcpListener::bind((listener.host.as_str(), listener.port)).await.map_err(refused)?;
            let address = socket.local_addr().map_err(refused)?;
            bound.push((BoundAddress { scheme: listener.scheme, address }, socket));
        }
        Ok(Self {
            bound,
            certificate,
            certificate_poll: CERTIFICATE_POLL,
            header_timeout: limits.header_timeout,
            gate: Gate::new(limits.connections.get(), limits.write_idle_timeout),
            shutdown_grace: listening.shutdown_grace,
        })
    }

    /// Returns where the listeners are, in the order of the configuration.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = BoundAddress> {
        self.bound.iter().map(|(address, _)| *address)
    }
}

/// Serves `router` on all listeners until `shutdown` says stop and what was running is finished.
///
/// Every request carries [`axum::extract::ConnectInfo`] with the peer's address, and the listener's [`Scheme`], as
/// extensions. After the stop no connection is accepted; running requests have the configured grace to finish, a second
/// signal ends them at once.
///
/// # Errors
/// [`ListenError::Failed`] if a listener ends by itself; the others are then stopped too.
pub(crate) async fn serve(
    router: Router,
    listeners: Listeners,
    shutdown: Shutdown,
) -> Result<(), ListenError> {
    let watch = CertificateWatch::start(listeners.certificate.clone(), listeners.certificate_poll)?;
    let mut running = JoinSet::new();
    let mut handles = Vec::new();
    for (address, socket) in listeners.bound {
        let handle = Handle::new();
        handles.push(handle.clone());
        let server = Server::from_listener(socket).handle(handle);
        let (router, certificate) = (router.clone(), listeners.certificate.clone());
        let (header_timeout, gate) = (listeners.header_timeout, listeners.gate.clone());
        running.spawn(async move {
            let served = serve_one(server, address.scheme, router, certificate, header_timeout, gate).await;
            served.map_err(|cause| ListenError::Failed { address, cause })
        });
    }
    let stopping = tokio::spawn(stop_when_told(handles.clone(), shutdown, listeners.shutdown_grace));
    let ended = wait_for_all(&mut running, &handles).await;
    stopping.abort();
    drop(watch);
    ended
}

async fn serve_one(
    mut server: Server<SocketAddr>,
    scheme: Scheme,
    router: Router,
    certificate: Option<Certificate>,
    header_timeout: Duration,
    gate: Gate,
) -> io::Result<()> {
    server.http_builder().http1().header_read_timeout(header_timeout);
    // Finds clients that are gone without a word; there is no other limit on an idle HTTP/2 connection.
    server.http_builder().http2().keep_alive_interval(header_timeout);
    let server =
        server.first_request_timeout(header_timeout).accept_error_handler(|peer, cause| match peer {
            Some(peer) => tracing::debug!(%peer, %cause, "connection refused"),
            None => tracing::warn!(%cause, "cannot accept connections"),
        });
    let service = Extension(scheme).layer(router);
    let make_service = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(service);
    match certificate.filter(|_| scheme == Scheme::Https) {
        Some(certificate) => {
            let acceptor = RustlsAcceptor::new(certificate.rustls()).acceptor(gate);
            server.acceptor(acceptor).serve(make_service).await
        }
        None => server.acceptor(gate).serve(make_service).await,
    }
}

async fn stop_when_told(handles: Vec<Handle<SocketAddr>>, mut shutdown: Shutdown, grace: Duration) {
    shutdown.begun().await;
    let connections: usize = handles.iter().map(Handle::connection_count).sum();
    tracing::info!(connections, grace_seconds = grace.as_secs(), "stopping: running requests may finish");
    for handle in &handles {
        handle.graceful_shutdown(Some(grace));
    }
    shutdown.hurried().await;
    tracing::warn!("stopping at once: running requests are cut off");
    for handle in &handles {
        handle.shutdown();
    }
}

/// Waits until every listener has ended; the first failure stops the others.
async fn wait_for_all(
    running: &mut JoinSet<Result<(), ListenError>>,
    handles: &[Handle<SocketAddr>],
) -> Result<(), ListenError> {
    let mut first_failure = Ok(());
    while let Some(ended) = running.join_next().await {
        // A task that panicked has been reported by the panic itself; the others go on.
        let Ok(Err(failure)) = ended else { continue };
        handles.iter().for_each(Handle::shutdown);
        first_failure = first_failure.and(Err(failure));
    }
    first_failure
}

impl fmt::Display for BoundAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme, self.address)
    }
}

#[cfg(test)]
mod tests;
