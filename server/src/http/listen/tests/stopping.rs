//! What happens to running requests and new connections when the server is told to stop.

use std::process::Command;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::*;

/// A request that runs until it is let go, and knows that it has begun.
#[derive(Clone, Default)]
struct LongRequest {
    begun: Arc<Notify>,
    let_go: Arc<Notify>,
}

impl LongRequest {
    fn router(&self) -> Router {
        let request = self.clone();
        Router::new().route(
            "/",
            get(move || async move {
                request.begun.notify_one();
                request.let_go.notified().await;
                "finished"
            }),
        )
    }
}

/// Sends the long request to the server and waits until it runs.
async fn send(request: &LongRequest, url: String) -> JoinHandle<reqwest::Result<String>> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = tokio::spawn(async move { client.get(url).send().await?.text().await });
    request.begun.notified().await;
    answer
}

async fn refuses_connections(served_at: SocketAddr) {
    wait_until(async || TcpStream::connect(served_at).await.is_err()).await;
}

#[tokio::test]
async fn running_requests_finish_while_new_connections_are_refused() {
    let request = LongRequest::default();
    let served = start(request.router(), bind(&config(None, &[])).await);
    let address = served.addresses.first().unwrap().address;
    let answer = send(&request, served.url()).await;
    served.trigger.begin();
    refuses_connections(address).await;
    assert!(!served.ended.is_finished());
    request.let_go.notify_one();
    assert_eq!(answer.await.unwrap().unwrap(), "finished");
    served.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_second_word_cuts_running_requests_off() {
    let request = LongRequest::default();
    let served = start(request.router(), bind(&config(None, &[])).await);
    let answer = send(&request, served.url()).await;
    served.trigger.begin();
    served.trigger.hurry();
    served.ended.await.unwrap().unwrap();
    assert!(answer.await.unwrap().is_err());
}

#[tokio::test]
async fn the_grace_ends_what_does_not_finish() {
    let request = LongRequest::default();
    let served = start(request.router(), bind(&config(None, &[("CHARTROOM_SHUTDOWN_GRACE", "10ms")])).await);
    let answer = send(&request, served.url()).await;
    served.trigger.begin();
    served.ended.await.unwrap().unwrap();
    assert!(answer.await.unwrap().is_err());
}

#[tokio::test]
async fn sigterm_is_the_first_word_and_sigint_the_second() {
    let request = LongRequest::default();
    let listeners = bind(&config(None, &[])).await;
    let address = listeners.addresses().next().unwrap();
    let shutdown = Shutdown::on_signals().unwrap();
    let ended = tokio::spawn(serve(request.router(), listeners, shutdown));
    let answer = send(&request, address.to_string()).await;
    let own_id = std::process::id().to_string();
    assert!(Command::new("kill").args(["-TERM", &own_id]).status().unwrap().success());
    refuses_connections(address.address).await;
    assert!(!ended.is_finished());
    assert!(Command::new("kill").args(["-INT", &own_id]).status().unwrap().success());
    ended.await.unwrap().unwrap();
    assert!(answer.await.unwrap().is_err());
}
