//! An S3 service behind a private authority that asks for a client certificate.
//!
//! MinIO stands behind a TLS end of this test's own, which lets in whoever shows the certificate it expects.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use stories::object_store::ObjectStore;
use tokio::net::{TcpListener, TcpStream};

use super::place::{content, in_bucket, keep, new_bucket, read};
use crate::blobs::{BlobError, BucketOptions, Layout};

/// A self-signed certificate for `localhost`, with its key, as PEM.
struct Pem {
    certificate: String,
    key: String,
}

impl Pem {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    fn identity(&self) -> Vec<u8> {
        format!("{}\n{}", self.certificate, self.key).into_bytes()
    }
}

/// Starts the TLS end and returns its port.
async fn tls_before(upstream: SocketAddr, own: &Pem, expected: &Pem) -> u16 {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(expected.certificate.as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that is refused has its answer from the handshake.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut upstream = TcpStream::connect(upstream).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn a_private_authority_is_trusted_and_the_client_certificate_shown() {
    let Some(server) = ObjectStore::minio().unwrap() else { return };
    let (service, client) = (Pem::new(), Pem::new());
    let port = tls_before(server.address(), &service, &client).await;
    let options = BucketOptions {
        endpoint: Some(format!("https://localhost:{port}")),
        timeout: std::time::Duration::from_secs(2),
        ..new_bucket(&server)
    };
    let authorities = Some(service.certificate.clone().into_bytes());
    let identity = Some(client.identity());
    let known =
        BucketOptions { authorities: authorities.clone(), identity: identity.clone(), ..options.clone() };
    let place = in_bucket(known, Layout::Addressed).await;
    let key = keep(&place.blobs, content(1000)).await;
    assert!(read(&place.blobs, &key, None).await == content(1000));
    for (authorities, identity) in [(None, identity), (authorities, None)] {
        let stranger = BucketOptions { authorities, identity, ..options.clone() };
        let place = in_bucket(stranger, Layout::Addressed).await;
        assert!(matches!(place.blobs.open_reader(&key, None).await, Err(BlobError::Unavailable(_))));
    }
}
