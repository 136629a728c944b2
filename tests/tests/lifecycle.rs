//! A server's life: it starts, tells how it is, stops in order and comes back the same.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::wait::wait_for;
use stories::wire::{WireRequest, connect, read_answer};

stories::on_each_backend! {
    a_request_in_flight_is_answered_before_the_server_stops,
    the_index_keeps_its_bytes_and_its_tag_across_restarts,
    an_open_server_lets_anyone_write_and_says_so,
    every_answer_carries_the_number_of_its_request,
    health_readiness_and_metrics_are_told,
}

pub(crate) fn with_charts(site: &Site) -> Result<Server> {
    let server = site.start()?;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        server.admin()?.publish("shelf", &plain_chart("kept", version))?.expect_status(201)?;
    }
    Ok(server)
}

fn a_request_in_flight_is_answered_before_the_server_stops(site: &Site) -> Result<()> {
    let mut server = with_charts(site)?;
    let archive = plain_chart("late", "1.0.0");
    let request = WireRequest::new("POST", "/api/shelf/charts")
        .header("authorization", &format!("Bearer {}", server.admin_token()?))
        .body(archive.clone());
    let mut stream = connect(server.address())?;
    stream.write_all(request.head(server.address()).as_bytes())?;
    let (first, second) = archive.split_at(archive.len() / 2);
    stream.write_all(first)?;
    // An answer on another connection shows that the server has had its turn to take up this one.
    server.anonymous()?.get("/live")?.expect_status(200)?;
    server.signal("TERM")?;
    wait_for("the port to close", Duration::from_secs(10), || {
        Ok(TcpStream::connect(server.address()).is_err().then_some(()))
    })?;
    stream.write_all(second)?;
    read_answer("the publish in flight", &mut stream)?.expect_status(201)?;
    ensure!(server.wait()?.success(), "it did not end well");
    let server = site.start()?;
    server.anonymous()?.get("/shelf/charts/late-1.0.0.tgz")?.expect_status(200)?;
    Ok(())
}

fn the_index_keeps_its_bytes_and_its_tag_across_restarts(site: &Site) -> Result<()> {
    let server = with_charts(site)?;
    let before = server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?;
    server.stop()?;
    let server = site.start()?;
    let after = server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?;
    ensure!(before.body == after.body, "other bytes after a restart");
    for header in ["etag", "last-modified", "content-type"] {
        ensure!(
            !after.header(header).is_empty() && after.header(header) == before.header(header),
            "{header}"
        );
    }
    Ok(())
}

fn an_open_server_lets_anyone_write_and_says_so(site: &Site) -> Result<()> {
    let server = site.launch().open().start()?;
    server.anonymous()?.publish("fresh", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    server.anonymous()?.get("/fresh/charts/kept-1.0.0.tgz")?.expect_status(200)?;
    ensure!(server.log()?.to_lowercase().contains("open"), "no warning in the log");
    Ok(())
}

fn every_answer_carries_the_number_of_its_request(site: &Site) -> Result<()> {
    let server = site.start()?;
    for path in ["/live", "/index.yaml", "/nowhere/at/all", "/api/charts"] {
        let own = WireRequest::new("GET", path).header("x-request-id", "story-17").send(server.address())?;
        assert_eq!(own.header("x-request-id"), "story-17", "{path}");
        let given = WireRequest::new("GET", path).send(server.address())?;
        ensure!(!given.header("x-request-id").is_empty(), "{path}: no number");
    }
    let hostile = format!("{}\u{1b}[2J", "x".repeat(5000));
    let answer = WireRequest::new("GET", "/live").header("x-request-id", &hostile).send(server.address())?;
    ensure!(answer.header("x-request-id").len() < 300, "any text is taken as a request's number");
    Ok(())
}

fn health_readiness_and_metrics_are_told(site: &Site) -> Result<()> {
    let server = with_charts(site)?;
    let client = server.anonymous()?;
    for path in ["/live", "/ready", "/health", "/info", "/metrics"] {
        client.get(path)?.expect_status(200)?;
    }
    assert_eq!(client.get("/health")?.json()?, serde_json::json!({"healthy": true}));
    let metrics = client.get("/metrics")?;
    ensure!(
        metrics.header("content-type").starts_with("text/plain")
            || metrics.header("content-type").contains("openmetrics")
    );
    let text = String::from_utf8(metrics.body)?;
    ensure!(text.contains("# TYPE") && text.contains("POST"), "no count of requests: {text}");
    ensure!(!text.contains("kept-1.0.0"), "a series of its own for each file grows without end");
    Ok(())
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() -> Result<()> {
    let site = Site::new()?;
    let server = with_charts(&site)?;
    let refusal = site.start().err().context("two servers on one folder")?.to_string();
    ensure!(refusal.contains("data") || refusal.contains("lock") || refusal.contains("use"), "{refusal}");
    server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?;
    Ok(())
}
