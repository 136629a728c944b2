//! Uploads that are cut off go on: after a broken connection, a killed server, on another server, without anything of
//! the one that had them.

use std::fs;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use oci::Digest;
use stories::backend::{POSTGRES_MINIO, tell};
use stories::blob_upload::{BlobUpload, blob_path};
use stories::client::Client;
use stories::postgres;
use stories::server::{Launch, Server};
use stories::site::Site;
use stories::stores::Stores;
use stories::synthetic::layer;
use stories::wait::wait_for;
use stories::wire::{WireRequest, connect};

stories::on_each_backend! {
    an_upload_goes_on_after_its_connection_was_cut,
    an_upload_goes_on_after_its_server_was_killed,
}

const NAME: &str = "apps/web";
const MIB: usize = 1024 * 1024;
/// The smallest part that S3 takes, and its neighbours.
const CHUNKS: [usize; 9] = [1, 5 * MIB - 1, 5 * MIB + 1, 1, 1, 5 * MIB + 1, 5 * MIB - 1, 1, 5 * MIB];
/// Longer than a server waits for one that had the upload and is gone.
const TAKEN_OVER: Duration = Duration::from_secs(60);

fn check_blob(client: &Client, content: &[u8]) -> Result<()> {
    let answer = client.get(&blob_path(NAME, &Digest::sha256(content)))?.expect_status(200)?;
    ensure!(answer.body == content, "other bytes came back");
    Ok(())
}

/// Sends what is missing, by the server's own word of what it has.
fn go_on(client: &Client, upload: &BlobUpload, content: &[u8]) -> Result<()> {
    let has = upload.received(client)?;
    // While the server that had it may still be alive, another one refuses.
    let answer = wait_for("the upload to be free", TAKEN_OVER, || {
        let answer = upload.append_at(client, has, &content[has..])?;
        Ok((answer.status != 409).then_some(answer))
    })?;
    let upload = BlobUpload::at(&answer.expect_status(202)?)?;
    upload.finish(client, &Digest::sha256(content), &[])?.expect_status(201)?;
    check_blob(client, content)
}

fn patch_of(server: &Server, upload: &BlobUpload, content: &[u8]) -> Result<WireRequest> {
    Ok(WireRequest::new("PATCH", upload.location())
        .header("authorization", &format!("Bearer {}", server.admin_token()?))
        .header("content-type", "application/octet-stream")
        .body(content))
}

fn an_upload_goes_on_after_its_connection_was_cut(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for (cut, mark) in [(10, 1), (3 * MIB, 2), (7 * MIB, 3)] {
        let content = layer(12 * MIB, mark);
        let upload = BlobUpload::begin(&admin, NAME)?;
        patch_of(&server, &upload, &content)?.send_cut(server.address(), cut)?;
        let has = wait_for("what came before the cut", TAKEN_OVER, || {
            let has = upload.received(&admin)?;
            Ok((has > 0).then_some(has))
        })?;
        ensure!(has <= cut, "{has} bytes of {cut} that were sent");
        go_on(&admin, &upload, &content).with_context(|| format!("cut after {cut} bytes"))?;
    }
    Ok(())
}

fn an_upload_goes_on_after_its_server_was_killed(site: &Site) -> Result<()> {
    for (sent, mark) in [(MIB, 1), (6 * MIB, 2), (11 * MIB, 3)] {
        let server = site.start()?;
        let (admin, content) = (server.admin()?, layer(20 * MIB, mark));
        let upload = BlobUpload::begin(&admin, NAME)?;
        upload.append_at(&admin, 0, &content[..sent])?.expect_status(202)?;
        // Killed in the middle of the next chunk.
        let next = patch_of(&server, &upload, &content[sent..])?;
        let mut stream = connect(server.address())?;
        stream.write_all(next.head(server.address()).as_bytes())?;
        stream.write_all(&next.body[..4 * MIB])?;
        server.kill()?;
        let server = site.start()?;
        let (admin, at) = (server.admin()?, || format!("killed after {sent} bytes"));
        let has = upload.received(&admin).with_context(at)?;
        ensure!(has >= sent, "{has} bytes are left of {sent} that were acknowledged");
        go_on(&admin, &upload, &content).with_context(at)?;
    }
    Ok(())
}

/// Sends an upload in chunks, each to a server of its own that is then killed and loses its data folder.
fn scatter(
    launch: &dyn Fn(usize) -> Result<Launch>,
    data: &dyn Fn(usize) -> std::path::PathBuf,
) -> Result<()> {
    let content = layer(CHUNKS.iter().sum(), 1);
    let (mut upload, mut start) = (None, 0);
    for (number, size) in CHUNKS.into_iter().enumerate() {
        let server = launch(number % 2)?.start()?;
        let admin = server.admin()?;
        let here = match upload.take() {
            Some(upload) => upload,
            None => BlobUpload::begin(&admin, NAME)?,
        };
        let answer = here.append_at(&admin, start, &content[start..start + size])?;
        let answer = answer.expect_status(202).with_context(|| format!("chunk {number}"))?;
        start += size;
        ensure!(answer.header("range") == format!("0-{}", start - 1), "chunk {number}: {answer:?}");
        upload = Some(BlobUpload::at(&answer)?);
        server.kill()?;
        fs::remove_dir_all(data(number % 2))?;
    }
    let server = launch(1)?.start()?;
    let admin = server.admin()?;
    let upload = upload.context("no chunk was sent")?;
    upload.finish(&admin, &Digest::sha256(&content), &[])?.expect_status(201)?;
    check_blob(&admin, &content)
}

#[test]
fn chunks_alternate_between_replicas_that_lose_their_data_folders() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        scatter(&|number| site.replica(number), &|number| site.folder().join(format!("data-{number}")))
    })
}

#[test]
fn chunks_go_on_in_a_shared_folder_without_the_data_folder() -> Result<()> {
    let Some(postgres) = postgres::shared()? else { return Ok(()) };
    let site = Site::with(Stores::new(Some(&postgres), None)?)?;
    let shared = format!("file:{}", site.folder().join("shared").display());
    let launch = |_| Ok(site.launch().variable("CHARTROOM_BLOBS_URL", &shared));
    scatter(&launch, &|_| site.data())
}

#[test]
fn chunks_alternate_between_replicas_that_run_side_by_side() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let replicas = site.replicas(2)?;
        let content = layer(CHUNKS.iter().sum(), 2);
        let mut upload = BlobUpload::begin(&replicas[0].admin()?, NAME)?;
        let mut start = 0;
        for (size, replica) in CHUNKS.into_iter().zip(replicas.iter().cycle()) {
            let chunk = &content[start..start + size];
            let answer = upload.append_at(&replica.admin()?, start, chunk)?.expect_status(202)?;
            upload = BlobUpload::at(&answer)?;
            start += size;
        }
        upload.finish(&replicas[0].admin()?, &Digest::sha256(&content), &[])?.expect_status(201)?;
        for replica in &replicas {
            check_blob(&replica.admin()?, &content)?;
        }
        Ok(())
    })
}

#[test]
fn when_a_replica_is_killed_in_the_middle_the_client_goes_on_at_another() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let mut replicas = site.replicas(2)?;
        let content = layer(20 * MIB, 3);
        let (victim, other) = (replicas.remove(0), replicas.remove(0));
        let upload = BlobUpload::begin(&victim.admin()?, NAME)?;
        let request = patch_of(&victim, &upload, &content)?;
        let mut stream = connect(victim.address())?;
        stream.write_all(request.head(victim.address()).as_bytes())?;
        stream.write_all(&request.body[..12 * MIB])?;
        victim.kill()?;
        go_on(&other.admin()?, &upload, &content)
    })
}
