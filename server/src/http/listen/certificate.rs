//! The certificate of the https listeners: read from PEM files, and read again when they change.
//!
//! New files take effect for new connections. If they can't be used, the old certificate stays and a line says why.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use super::ListenError;
use crate::config::TlsFiles;

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    /// A file can't be read.
    #[error("cannot read `{}`: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file has no certificate in PEM form.
    #[error("`{}` holds no PEM certificate: it must have a `BEGIN CERTIFICATE` part", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A file has no private key in PEM form.
    #[error("`{}` holds no PEM private key: it must have a `BEGIN PRIVATE KEY` part, not encrypted", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key do not go together, or are of a kind that TLS does not know.
    #[error("`{}` and `{}` cannot be used together: {reason}", certificate.display(), key.display())]
    Unusable {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// What the TLS library said.
        reason: String,
    },
    /// The authorities for clients' certificates can't be used.
    #[error("`{}` cannot be used to check clients' certificates: {reason}", path.display())]
    UnusableAuthorities {
        /// The file.
        path: PathBuf,
        /// What the TLS library said.
        reason: String,
    },
}

/// A certificate in use; clones share it, replaced ones too.
#[derive(Clone)]
pub(super) struct Certificate {
    files: TlsFiles,
    /// The bytes last tried, whether they could be used or not; `None` if they could not even be read.
    tried: Option<FileBytes>,
    config: RustlsConfig,
}

/// What became of a look at the files.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    Unchanged,
    Replaced,
    Refused,
}

#[derive(Clone, PartialEq, Eq)]
struct FileBytes {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// Looks at the files from time to time and at SIGHUP, until dropped.
pub(super) struct CertificateWatch(JoinHandle<()>);

impl Certificate {
    /// Reads the files and builds what the listeners need.
    pub(super) fn load(files: TlsFiles) -> Result<Self, CertificateError> {
        let bytes = FileBytes::read(&files)?;
        let config = RustlsConfig::from_config(server_config(&files, &bytes)?);
        Ok(Self { files, tried: Some(bytes), config })
    }

    /// Returns the configuration that listeners take for each new connection.
    pub(super) fn rustls(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Puts the files' certificate in place of the old one if it differs from what was last tried and can be used.
    pub(super) fn look(&mut self) -> Look {
        let found = FileBytes::read(&self.files);
        if found.as_ref().ok() == self.tried.as_ref() {
            return Look::Unchanged;
        }
        let replacement = found
            .as_ref()
            .map_err(ToString::to_string)
            .and_then(|found| server_config(&self.files, found).map_err(|refusal| refusal.to_string()));
        self.tried = found.ok();
        match replacement {
            Ok(config) => {
                self.config.reload_from_config(config);
                tracing::info!(certificate = %self.files.certificate.display(), "certificate replaced");
                Look::Replaced
            }
            Err(cause) => {
                tracing::warn!(%cause, "certificate kept: the new one cannot be used");
                Look::Refused
            }
        }
    }
}

impl CertificateWatch {
    /// Starts to look at the files every `poll` and at each SIGHUP. Without a certificate SIGHUP is only noted: left
    /// alone, it would end the process.
    pub(super) fn start(certificate: Option<Certificate>, poll: Duration) -> Result<Self, ListenError> {
        let hangup = signal(SignalKind::hangup()).map_err(ListenError::Signals)?;
        Ok(Self(match certificate {
            Some(certificate) => tokio::spawn(look_again_and_again(certificate, poll, hangup)),
            None => tokio::spawn(note_hangups(hangup)),
        }))
    }
}

impl Drop for CertificateWatch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn look_again_and_again(mut certificate: Certificate, poll: Duration, mut hangup: Signal) {
    loop {
        let is_asked = tokio::select! {
            () = tokio::time::sleep(poll) => false,
            asked = hangup.recv() => asked.is_some(),
        };
        let looked = tokio::task::spawn_blocking(move || (certificate.look(), certificate));
        let Ok((look, looked_at)) = looked.await else { return };
        if is_asked && look == Look::Unchanged {
            tracing::info!("certificate unchanged");
        }
        certificate = looked_at;
    }
}

async fn note_hangups(mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        tracing::info!("there is no certificate to read again");
    }
}

impl FileBytes {
    fn read(files: &TlsFiles) -> Result<Self, CertificateError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|cause| CertificateError::Unreadable { path: path.to_owned(), cause })
        };
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
            client_ca: files.client_ca.as_deref().map(read).transpose()?,
        })
    }
}

/// Returns the TLS settings: HTTP/2 and HTTP/1.1, TLS 1.2 and 1.3, clients' certificates if authorities are given.
fn server_config(files: &TlsFiles, bytes: &FileBytes) -> Result<Arc<ServerConfig>, CertificateError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(&files.certificate, &bytes.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&bytes.key)
        .map_err(|_| CertificateError::NoKey { path: files.key.clone() })?;
    let unusable = |refusal: rustls::Error| CertificateError::Unusable {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        reason: refusal.to_string(),
    };
    let verifier = match (&files.client_ca, &bytes.client_ca) {
        (Some(path), Some(bytes)) => client_verifier(path, bytes, &provider)?,
        (Some(_) | None, _) => WebPkiClientVerifier::no_client_auth(),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let none = || CertificateError::NoCertificate { path: path.to_owned() };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>().map_err(|_| none())?;
    if chain.is_empty() { Err(none()) } else { Ok(chain) }
}

fn client_verifier(
    path: &Path,
    bytes: &[u8],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
    let unusable = |reason: String| CertificateError::UnusableAuthorities { path: path.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    for authority in certificates(path, bytes)? {
        roots.add(authority).map_err(|refusal| unusable(refusal.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|refusal| unusable(refusal.to_string()))
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The bytes hold the private key.
        formatter.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}
