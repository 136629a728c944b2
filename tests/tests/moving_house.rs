//! `chartroom copy`: from the embedded default to Postgres and a bucket and back, byte for byte.

use std::fs;

use anyhow::{Result, ensure};
use stories::backend::POSTGRES_MINIO;
use stories::client::{Client, api_path, repository_path};
use stories::command_line::{self, READ_ONLY};
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::{marked_chart, plain_chart};

const REPOSITORIES: [&str; 3] = ["", "shelf", "team/b"];

/// Publishes to every repository, and deletes a version of each.
fn furnish(admin: &Client) -> Result<()> {
    for repository in REPOSITORIES {
        for version in ["1.0.0", "2.0.0", "3.0.0"] {
            admin.publish(repository, &marked_chart("moved", version, repository))?.expect_status(201)?;
        }
        let gone = api_path(repository, "charts/moved/2.0.0");
        admin.delete(&gone)?.expect_status(200)?;
    }
    Ok(())
}

/// Returns every index and an archive of each repository.
fn contents(server: &Server) -> Result<Vec<Vec<u8>>> {
    let reader = server.anonymous()?;
    let mut contents = Vec::new();
    for repository in REPOSITORIES {
        for path in ["index.yaml", "charts/moved-3.0.0.tgz"] {
            contents.push(reader.get(&repository_path(repository, path))?.expect_status(200)?.body.to_vec());
        }
    }
    Ok(contents)
}

#[test]
fn everything_moves_to_postgres_and_a_bucket_and_back_byte_for_byte() -> Result<()> {
    let Some(production) = Site::on(POSTGRES_MINIO)? else { return Ok(()) };
    let (laptop, next) = (Site::new()?, Site::new()?);
    let server = laptop.start()?;
    furnish(&server.admin()?)?;
    let expected = contents(&server)?;
    server.stop()?;

    production.run(&command_line::copy_from(&laptop.data()))?.success()?;
    production.run(&command_line::verify("24h"))?.success()?;
    let server = production.start()?;
    ensure!(contents(&server)? == expected, "production serves something else");
    // Shared stores have servers that nobody sees: their writing must be stopped.
    let refusal = production.run(&command_line::copy_to(&next.data()))?.failure()?;
    ensure!(refusal.contains("--read-only"), "{refusal}");
    let mut back = command_line::copy_to(&next.data());
    back.push(READ_ONLY.to_owned());
    production.run(&back)?.success()?;
    let refused = server.admin()?.publish("shelf", &plain_chart("late", "1.0.0"))?.expect_status(503)?;
    ensure!(refused.error_text()?.contains("read-only"), "{}", refused.text());
    ensure!(contents(&server)? == expected, "reading goes on");
    server.stop()?;

    next.run(&command_line::verify("24h"))?.success()?;
    let server = next.start()?;
    ensure!(contents(&server)? == expected, "the way back changed something");
    let token = next.create_token(&command_line::TokenRequest {
        name: "after",
        role: "admin",
        repository: None,
        expires: None,
    })?;
    server.client(&token)?.publish("shelf", &plain_chart("later", "1.0.0"))?.expect_status(201)?;
    server.stop()
}

#[test]
fn a_move_is_refused_where_it_could_lose_something() -> Result<()> {
    let (laptop, other) = (Site::new()?, Site::new()?);
    let server = laptop.start()?;
    furnish(&server.admin()?)?;
    let refusal = laptop.run(&command_line::copy_to(&other.data()))?.failure()?;
    ensure!(refusal.contains("servers may be writing"), "{refusal}");
    server.stop()?;
    laptop.run(&command_line::copy_to(&other.data()))?.success()?;
    let refusal = laptop.run(&command_line::copy_to(&other.data()))?.failure()?;
    ensure!(refusal.contains("holds versions already"), "{refusal}");
    // Lost bytes stay behind, and a target that was not filled can be filled later.
    let third = Site::new()?;
    let file = laptop.files_in("blobs")?.remove(0);
    let sound = fs::read(&file)?;
    fs::write(&file, b"rot")?;
    let refusal = laptop.run(&command_line::copy_to(&third.data()))?.failure()?;
    ensure!(refusal.contains("chartroom verify"), "{refusal}");
    fs::write(&file, sound)?;
    let configured = third.folder().join("third.toml");
    fs::write(&configured, format!("data = {:?}\n", third.data()))?;
    laptop.run(&command_line::copy_to(&configured))?.success()?;
    third.run(&command_line::verify("24h"))?.success()?;
    Ok(())
}
