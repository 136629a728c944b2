//! Bodies and heads on the wire: large ones arrive whole, stalled ones are given up.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

const FRAMES: usize = 96;
const FRAME_BYTES: usize = 128 * 1024;

/// Answers with frames that all share one buffer, as index segments are shared between requests.
async fn many_frames() -> Body {
    let frame = Bytes::from(vec![b'x'; FRAME_BYTES]);
    Body::from_stream(stream::iter((0..FRAMES).map(move |_| Ok::<_, Infallible>(frame.clone()))))
}

#[tokio::test]
async fn a_body_of_many_frames_arrives_whole_with_and_without_tls() {
    let folder = tempfile::tempdir().unwrap();
    let pem = Pem::new();
    pem.write(folder.path());
    let listeners =
        bind(&config(Some(folder.path()), &[("CHARTROOM_LISTEN", "http://127.0.0.1:0,https://127.0.0.1:0")]))
            .await;
    let served = start(Router::new().route("/", get(many_frames)), listeners);
    for address in &served.addresses {
        for client in [pem.client(), pem.client().http1_only()] {
            let url = format!("{}://localhost:{}/", address.scheme, address.address.port());
            let body = client.build().unwrap().get(url).send().await.unwrap().bytes().await.unwrap();
            assert_eq!(body.len(), FRAMES * FRAME_BYTES);
            assert!(body.iter().all(|byte| *byte == b'x'));
        }
    }
    served.stop().await;
}

#[tokio::test]
async fn a_connection_that_does_not_finish_a_head_is_closed() {
    let served = start(
        Router::new().route("/", get(|| async { "" })),
        bind(&config(None, &[("CHARTROOM_LIMITS_HEADER_TIMEOUT", "50ms")])).await,
    );
    let address = served.addresses.first().unwrap().address;
    for sent in ["", "GET / HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT"] {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), connection.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the connection is still open after `{sent}`");
    }
    served.stop().await;
}
