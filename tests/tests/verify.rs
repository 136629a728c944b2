//! `chartroom verify`: clean beside a busy server, plain about damage, silent about stores that are away.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stories::command_line;
use stories::process::Outcome;
use stories::site::Site;
use stories::synthetic::{marked_chart, plain_chart};
use stories::wait::wait_for;

stories::on_each_backend! {
    what_was_published_replaced_and_deleted_is_found_sound_beside_the_server,
}

fn what_was_published_replaced_and_deleted_is_found_sound_beside_the_server(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        admin.publish("shelf", &plain_chart("sound", version))?.expect_status(201)?;
        admin.publish("team/b", &marked_chart("sound", version, "other"))?.expect_status(201)?;
    }
    admin.delete("/api/shelf/charts/sound/2.0.0")?.expect_status(200)?;
    let (code, report) = checked(&site.run(&command_line::verify("24h"))?)?;
    assert_eq!((code, &report["findings"], &report["versions"]), (0, &Value::Array(Vec::new()), &5.into()));
    site.run(&command_line::collect_garbage())?.success()?;
    assert_eq!(checked(&site.run(&command_line::verify("24h"))?)?.0, 0);
    server.stop()
}

fn checked(outcome: &Outcome) -> Result<(i32, Value)> {
    let report = serde_json::from_slice(&outcome.stdout);
    let code = outcome.status.code().context("ended by a signal")?;
    Ok((code, report.with_context(|| format!("no report: {}", outcome.complaint()))?))
}

#[test]
fn damage_is_told_with_what_it_hits_and_repaired_where_a_copy_is_left() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    let admin = server.admin()?;
    let archive = plain_chart("hit", "1.0.0");
    admin.publish("shelf", &archive)?.expect_status(201)?;
    let files = site.files_in("blobs")?;
    let [file] = files.as_slice() else { anyhow::bail!("one blob was expected: {files:?}") };
    // A copy that no row names, as an interrupted publish leaves one.
    let name = file.file_name().and_then(|name| name.to_str()).context("a blob without a name")?;
    let digest = name.split('-').next().unwrap_or_default();
    let copy = file.with_file_name(format!("{digest}-0123456789abcdef"));
    fs::write(&copy, &archive)?;
    fs::write(file, b"rot")?;
    let (code, report) = checked(&site.run(&command_line::verify("24h"))?)?;
    let finding = &report["findings"][0];
    assert_eq!((code, finding["kind"].as_str()), (1, Some("blobDamaged")), "{report:#}");
    assert_eq!(finding["neededBy"], serde_json::json!(["shelf hit 1.0.0"]));
    let (code, report) = checked(&site.run(&command_line::repair())?)?;
    assert_eq!((code, report["findings"][0]["repaired"].as_bool()), (0, Some(true)), "{report:#}");
    // The server that had the lost key in memory takes the new one by itself.
    wait_for("the repaired archive", Duration::from_secs(10), || {
        let answer = admin.get("/shelf/charts/hit-1.0.0.tgz")?;
        Ok((answer.status == 200 && answer.body == archive).then_some(()))
    })?;
    server.stop()
}

#[test]
fn a_store_that_is_away_is_neither_sound_nor_damaged() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    server.admin()?.publish("shelf", &plain_chart("safe", "1.0.0"))?.expect_status(201)?;
    server.stop()?;
    let (blobs, elsewhere) = (site.data().join("blobs"), site.folder().join("elsewhere"));
    fs::rename(&blobs, &elsewhere)?;
    for arguments in [command_line::verify("24h"), command_line::repair()] {
        let outcome = site.run(&arguments)?;
        assert_eq!(outcome.status.code(), Some(3), "{}", outcome.complaint());
        ensure!(outcome.stdout.is_empty(), "{}", outcome.text());
    }
    // An empty folder in its place is what a disk that is not mounted looks like.
    fs::create_dir(&blobs)?;
    assert_eq!(site.run(&command_line::verify("24h"))?.status.code(), Some(3));
    fs::remove_dir_all(&blobs)?;
    fs::rename(&elsewhere, &blobs)?;
    assert_eq!(site.run(&command_line::verify("24h"))?.status.code(), Some(0));
    Ok(())
}
