//! A disk that takes no more, or lost what it had: an error of the server, never "not found" and never a publish.

use std::fs;

use anyhow::{Context, Result, ensure};
use chart::testing::ChartBuilder;
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::wire::WireRequest;

/// The largest file the server may write in these stories.
const FILE_LIMIT: usize = 3 << 20;

/// A chart whose archive is larger than that: bytes that no packer can shrink, in files that helm loads.
fn large_chart() -> Vec<u8> {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes().into_iter().take(4)
    };
    let file: Vec<u8> = (0..1 << 20).flat_map(|_| noise()).collect();
    ChartBuilder::new("large", "1.0.0").file("noise", file).build()
}

/// Starts a server whose writes fail beyond the limit, as on a full disk.
fn start_limited(site: &Site) -> Result<Server> {
    // With the signal ignored, the write fails instead of ending the process. `ulimit -f` counts blocks of 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", FILE_LIMIT / 512);
    site.launch().under(&["sh", "-c", &script, "sh"]).start()
}

#[test]
fn a_publish_that_the_disk_does_not_take_is_an_error_and_leaves_nothing() -> Result<()> {
    let large = large_chart();
    ensure!(large.len() > FILE_LIMIT, "the chart has only {} bytes", large.len());
    let site = Site::new()?;
    let server = start_limited(&site)?;
    let admin = server.admin()?;
    admin.publish("shelf", &plain_chart("small", "1.0.0"))?.expect_status(201)?;
    let before = admin.get("/shelf/index.yaml")?.body;
    let request = WireRequest::new("POST", "/api/shelf/charts")
        .header("authorization", &format!("Bearer {}", server.admin_token()?))
        .body(large.clone());
    for _ in 0..3 {
        let answer = request.send(server.address())?;
        ensure!([503, 507].contains(&answer.status), "{} {}", answer.status, answer.text());
        ensure!(!answer.text().contains("os error"), "the cause is told to clients: {}", answer.text());
    }
    ensure!(admin.get("/shelf/index.yaml")?.body == before, "the index changed");
    admin.get("/shelf/charts/large-1.0.0.tgz")?.expect_status(404)?;
    assert_eq!(
        (site.files_in("blobs")?.len(), site.files_in("staging")?.len()),
        (1, 0),
        "something was left behind"
    );
    admin.publish("shelf", &plain_chart("small", "1.1.0"))?.expect_status(201)?;
    server.stop()?;
    let server = site.start()?;
    server.admin()?.publish("shelf", &large)?.expect_status(201)?;
    Ok(())
}

#[test]
fn bytes_that_the_disk_lost_are_an_error_and_not_an_absence() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    let admin = server.admin()?;
    admin.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    let blob = site.files_in("blobs")?.pop().context("no blob")?;
    fs::remove_file(&blob)?;
    let answer = admin.get("/shelf/charts/kept-1.0.0.tgz")?;
    ensure!((500..600).contains(&answer.status), "{} {}", answer.status, answer.text());
    ensure!(
        !answer.text().contains(&site.data().display().to_string()),
        "a path of the server: {}",
        answer.text()
    );
    admin.get("/shelf/index.yaml")?.expect_status(200)?;
    Ok(())
}
