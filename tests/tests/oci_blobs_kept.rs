//! What becomes of blobs beside a collector, under a limit, while nothing may be written, and when many push the same.

use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use oci::Digest;
use stories::blob_upload::{BlobUpload, blob_path, push_blob};
use stories::command_line::{self, RepositorySettings};
use stories::site::Site;
use stories::synthetic::layer;

stories::on_each_backend! {
    a_collector_without_grace_leaves_what_was_pushed_or_is_on_its_way,
    a_collector_takes_what_was_deleted_or_cancelled,
    parallel_pushes_of_one_layer_are_all_welcome,
    a_full_repository_takes_no_blob_that_is_larger_than_its_room,
    while_read_only_no_blob_comes_in_and_all_go_out,
}

const NAME: &str = "apps/web";
const MIB: usize = 1024 * 1024;

fn a_collector_without_grace_leaves_what_was_pushed_or_is_on_its_way(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    let held = push_blob(&admin, NAME, b"for a manifest to come")?;
    let content = layer(14 * MIB, 1);
    let upload = BlobUpload::begin(&admin, NAME)?;
    upload.append(&admin, &content[..9 * MIB])?.expect_status(202)?;
    for _ in 0..2 {
        site.run(&command_line::collect_garbage())?.success()?;
        admin.head(&blob_path(NAME, &held))?.expect_status(200)?;
        admin.get(&blob_path(NAME, &held))?.expect_status(200)?;
    }
    assert_eq!(upload.received(&admin)?, 9 * MIB);
    upload.append_at(&admin, 9 * MIB, &content[9 * MIB..])?.expect_status(202)?;
    site.run(&command_line::collect_garbage())?.success()?;
    let digest = Digest::sha256(&content);
    upload.finish(&admin, &digest, &[])?.expect_status(201)?;
    site.run(&command_line::collect_garbage())?.success()?;
    ensure!(admin.get(&blob_path(NAME, &digest))?.expect_status(200)?.body == content, "other bytes");
    Ok(())
}

/// Runs a collector without any grace, and returns how many blobs it says nobody refers to.
fn collect(site: &Site, flags: &[&str]) -> Result<u64> {
    let mut arguments = command_line::collect_garbage();
    arguments.extend(["--output", "json"].iter().chain(flags).map(|word| (*word).to_owned()));
    let told: serde_json::Value = serde_json::from_str(&site.run(&arguments)?.success()?)?;
    told["unreferenced"].as_u64().with_context(|| format!("no count: {told}"))
}

fn a_collector_takes_what_was_deleted_or_cancelled(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for size in [10 * 1024, 12 * MIB] {
        let content = layer(size, 2);
        let digest = push_blob(&admin, NAME, &content)?;
        push_blob(&admin, "apps/other", &content)?;
        assert_eq!(collect(site, &[command_line::DRY_RUN])?, 0, "held blobs were counted");
        admin.delete(&blob_path(NAME, &digest))?.expect_status(202)?;
        site.run(&command_line::collect_garbage())?.success()?;
        admin.get(&blob_path("apps/other", &digest))?.expect_status(200)?;
        admin.delete(&blob_path("apps/other", &digest))?.expect_status(202)?;
        let upload = BlobUpload::begin(&admin, NAME)?;
        upload.append(&admin, &content)?.expect_status(202)?;
        admin.delete(upload.location())?.expect_status(204)?;
        // Counted before it is taken, and as much.
        assert_eq!(collect(site, &[command_line::DRY_RUN])?, 1, "counted");
        assert_eq!(collect(site, &[])?, 1, "taken");
        assert_eq!(site.blobs()?, Vec::<String>::new(), "waste was left");
        for folder in ["blobs", "staging", "uploads"] {
            assert_eq!(site.files_in(folder)?.len(), 0, "waste was left in `{folder}`");
        }
    }
    Ok(())
}

fn parallel_pushes_of_one_layer_are_all_welcome(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for size in [10 * 1024, 9 * MIB] {
        let (admin, content) = (&admin, &layer(size, 3));
        thread::scope(|scope| -> Result<()> {
            let push =
                |number: usize| scope.spawn(move || push_blob(admin, &format!("apps/a{number}"), content));
            let pushers: Vec<_> = (0..8).map(push).collect();
            for pusher in pushers {
                pusher.join().map_err(|_| anyhow!("a pusher panicked"))??;
            }
            Ok(())
        })?;
        let digest = Digest::sha256(content);
        for number in 0..8 {
            let answer = admin.get(&blob_path(&format!("apps/a{number}"), &digest))?.expect_status(200)?;
            ensure!(answer.body == *content, "other bytes under name {number}");
        }
        admin.head(&blob_path("apps/b", &digest))?.expect_status(404)?;
        let blobs = site.blobs()?;
        push_blob(admin, "apps/b", content)?;
        assert_eq!(site.blobs()?, blobs, "bytes that are known were stored again");
    }
    Ok(())
}

fn a_full_repository_takes_no_blob_that_is_larger_than_its_room(site: &Site) -> Result<()> {
    site.create_repository("shelf", &RepositorySettings::default())?;
    site.run(&command_line::limit_repository("shelf", 0, "100000"))?.success()?;
    let server = site.start()?;
    let admin = server.admin()?;
    push_blob(&admin, "shelf/web", &layer(90_000, 4))?;
    let before = site.blobs()?;
    let content = layer(100_001, 4);
    let digest = Digest::sha256(&content);
    let upload = BlobUpload::begin(&admin, "shelf/web")?;
    for answer in [
        admin.post(&format!("/v2/shelf/web/blobs/uploads/?digest={digest}"), content.clone())?,
        BlobUpload::begin(&admin, "shelf/web")?.append(&admin, &content)?,
        upload.finish(&admin, &digest, &content)?,
    ] {
        let answer = answer.expect_status(413)?;
        let error = answer.json()?["errors"][0].clone();
        let text = error["message"].as_str().unwrap_or_default();
        ensure!(error["code"] == "DENIED" && text.contains("may hold 100000 bytes"), "{error}");
    }
    admin.head(&blob_path("shelf/web", &digest))?.expect_status(404)?;
    assert_eq!(site.blobs()?, before, "refused bytes were kept");
    push_blob(&admin, "elsewhere/web", &content)?;
    Ok(())
}

fn while_read_only_no_blob_comes_in_and_all_go_out(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    let (there, content) = (push_blob(&admin, NAME, b"there before")?, layer(9 * MIB, 5));
    let [whole, chunked] = [BlobUpload::begin(&admin, NAME)?, BlobUpload::begin(&admin, NAME)?];
    site.run(&command_line::read_only_on("moving until 14:00"))?.success()?;
    let before = site.blobs()?;
    for size in [10, 9 * MIB] {
        let (bytes, digest) = (&content[..size], Digest::sha256(&content[..size]));
        for answer in [
            admin.post(&format!("/v2/{NAME}/blobs/uploads/?digest={digest}"), bytes.to_vec())?,
            whole.finish(&admin, &digest, bytes)?,
            chunked.append(&admin, bytes)?,
            admin.delete(&blob_path(NAME, &there))?,
        ] {
            let answer = answer.expect_status(503)?;
            ensure!(answer.text().contains("moving until 14:00"), "{}: {}", answer.request, answer.text());
        }
    }
    admin.head(&blob_path(NAME, &there))?.expect_status(200)?;
    admin.get(&blob_path(NAME, &there))?.expect_status(200)?;
    assert_eq!(site.blobs()?, before, "refused bytes were kept");
    site.run(&command_line::read_only_off())?.success()?;
    whole.finish(&admin, &Digest::sha256(&content), &content)?.expect_status(201)?;
    Ok(())
}
