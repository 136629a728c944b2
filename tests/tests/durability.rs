//! A 201 means on disk: the server's system calls, traced, show file, folder and log synced before it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stories::site::Site;
use stories::strace::{Event, TRACED_CALLS, find_gaps, read_trace};
use stories::synthetic::marked_chart;
use stories::tool::find_tool;
use stories::wait::wait_for;

const PUBLISHES: usize = 12;

#[test]
fn file_folder_and_log_are_synced_before_each_acknowledgement() -> Result<()> {
    let Some(strace) = find_tool("strace")? else { return Ok(()) };
    let site = Site::new()?;
    // The folder and the repository are made outside the trace: it shows publishes and nothing else.
    let server = site.start()?;
    server.admin()?.publish("shelf", &marked_chart("first", "1.0.0", ""))?.expect_status(201)?;
    server.stop()?;
    let trace = site.folder().join("trace");
    let (strace, output) = (strace.display().to_string(), trace.display().to_string());
    // With -D the tracer is the grandchild, so that signals for the child reach the server itself.
    let wrapper = [strace.as_str(), "-D", "-f", "-y", "-s", "64", "-e", TRACED_CALLS, "-o", output.as_str()];
    let server = site.launch().under(&wrapper).start()?;
    let admin = server.admin()?;
    for number in 0..PUBLISHES {
        // Bodies below and above what a server may keep in memory while it stages.
        let mark = "x".repeat(if number % 3 == 2 { 3 << 20 } else { number });
        admin
            .publish("shelf", &marked_chart("traced", &format!("1.{number}.0"), &mark))?
            .expect_status(201)?;
    }
    server.stop()?;
    let text = wait_for("the end of the trace", Duration::from_secs(20), || {
        Ok(fs::read_to_string(&trace).ok().filter(|text| text.contains("+++ exited with 0 +++")))
    })?;
    let events = read_trace(&text);
    let acknowledged = events.iter().filter(|event| **event == Event::Acknowledged).count();
    assert_eq!(acknowledged, PUBLISHES, "the trace does not show every 201");
    let blobs = fs::canonicalize(site.data().join("blobs")).context("no folder of blobs")?;
    let gaps = find_gaps(&events, |path| path.starts_with(&blobs.display().to_string()));
    ensure!(gaps.is_empty(), "missing before the acknowledgement (publish, step): {gaps:?}");
    Ok(())
}
