//! Clients that send or read too slowly, or that are too many: each is given up, and the others notice nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chart::testing::ChartBuilder;
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::wait::wait_for;
use stories::wire::{WireRequest, connect, read_answer};

/// How long the server waits for its clients in these stories.
const PATIENCE: &str = "1s";
/// How long a story waits for the server to lose its patience.
const SOON: Duration = Duration::from_secs(15);

fn impatient(site: &Site) -> Result<Server> {
    let names = ["HEADER_TIMEOUT", "BODY_IDLE_TIMEOUT", "WRITE_IDLE_TIMEOUT"];
    names
        .iter()
        .fold(site.launch(), |launch, name| launch.variable(&format!("CHARTROOM_LIMITS_{name}"), PATIENCE))
        .start()
}

/// Waits until the server has closed the connection.
fn closed_soon(stream: &mut TcpStream) -> Result<()> {
    let begun = Instant::now();
    stream.set_read_timeout(Some(SOON))?;
    let mut rest = Vec::new();
    // A reset is an end too.
    let ended = stream.read_to_end(&mut rest).err().map(|error| error.kind());
    ensure!(ended != Some(std::io::ErrorKind::WouldBlock) && begun.elapsed() < SOON, "the server waits on");
    Ok(())
}

#[test]
fn a_client_that_does_not_send_its_head_is_given_up() -> Result<()> {
    let site = Site::new()?;
    let server = impatient(&site)?;
    for begun in ["", "GET /index.yaml HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut stream = connect(server.address())?;
        stream.write_all(begun.as_bytes())?;
        closed_soon(&mut stream)?;
    }
    Ok(())
}

#[test]
fn a_client_that_stops_in_the_middle_of_an_upload_is_refused_and_leaves_nothing() -> Result<()> {
    let site = Site::new()?;
    let server = impatient(&site)?;
    let request = WireRequest::new("POST", "/api/charts")
        .header("authorization", &format!("Bearer {}", server.admin_token()?))
        .body(plain_chart("kept", "1.0.0"));
    let mut stream = connect(server.address())?;
    stream.write_all(request.head(server.address()).as_bytes())?;
    stream.write_all(b"half")?;
    let answer = read_answer("the stalled upload", &mut stream)?.expect_status(400)?;
    ensure!(answer.text().contains("broke off"), "{}", answer.text());
    assert_eq!((site.files_in("blobs")?.len(), site.files_in("staging")?.len()), (0, 0));
    Ok(())
}

/// A chart of some 9 MB: more than the sockets on both sides hold.
fn large_chart() -> Vec<u8> {
    let mut state = 7_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes().into_iter().take(4)
    };
    let chart = ChartBuilder::new("large", "1.0.0");
    let files = (0..3).map(|_| (0..3 << 18).flat_map(|_| noise()).collect::<Vec<u8>>());
    files.enumerate().fold(chart, |chart, (at, bytes)| chart.file(&format!("noise-{at}"), bytes)).build()
}

#[test]
fn a_client_that_stops_reading_is_given_up_and_one_that_reads_slowly_is_not() -> Result<()> {
    let site = Site::new()?;
    let server = impatient(&site)?;
    let archive = large_chart();
    server.admin()?.publish("", &archive)?.expect_status(201)?;
    let request = WireRequest::new("GET", "/charts/large-1.0.0.tgz");
    let ask = || -> Result<TcpStream> {
        let mut stream = connect(server.address())?;
        stream.write_all(request.head(server.address()).as_bytes())?;
        Ok(stream)
    };
    let mut stalled = ask()?;
    let mut slow = ask()?;
    // While the first is given up, the second takes a piece well within the server's patience each time.
    let mut read = Vec::new();
    let mut piece = vec![0; 32 * 1024];
    let begun = Instant::now();
    wait_for("the slow client to read for longer than the server's patience", SOON, || {
        let count = slow.read(&mut piece)?;
        read.extend(piece.iter().take(count));
        Ok((begun.elapsed() > Duration::from_secs(3) || count == 0).then_some(()))
    })?;
    slow.read_to_end(&mut read)?;
    ensure!(read.ends_with(&archive), "the slow client was cut off after {} bytes", read.len());

    let mut received = Vec::new();
    // What lies in the sockets still arrives; then comes the end, or a reset.
    let _ = stalled.read_to_end(&mut received);
    ensure!(received.len() < archive.len(), "the server waited for a client that read nothing");
    server.anonymous()?.get("/charts/large-1.0.0.tgz")?.expect_status(200)?;
    Ok(())
}

#[test]
fn connections_beyond_the_limit_are_closed_and_later_ones_find_room_again() -> Result<()> {
    let site = Site::new()?;
    let server = site.launch().variable("CHARTROOM_LIMITS_CONNECTIONS", "3").start()?;
    let request = WireRequest::new("GET", "/live").header("connection", "keep-alive");
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(server.address())?;
        stream.write_all(request.head(server.address()).as_bytes())?;
        let mut first = [0; 12];
        stream.read_exact(&mut first)?;
        assert_eq!(&first, b"HTTP/1.1 200");
        held.push(stream);
    }
    let mut refused = connect(server.address())?;
    // It may be closed before or after this is written.
    let _ = refused.write_all(request.head(server.address()).as_bytes());
    let mut answer = Vec::new();
    let _ = refused.read_to_end(&mut answer);
    ensure!(answer.is_empty(), "answered beyond the limit: {}", String::from_utf8_lossy(&answer));

    held.pop();
    wait_for("room for another", SOON, || {
        Ok(WireRequest::new("GET", "/live").send(server.address()).is_ok().then_some(()))
    })?;
    Ok(())
}
