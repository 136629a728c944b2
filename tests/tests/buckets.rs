//! A bucket in the place of a folder: ChartMuseum's own, one that refuses, one that goes away.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use stories::fault_proxy::{FaultProxy, Mode};
use stories::object_store::{ObjectStore, environment_at, shared_minio};
use stories::process::run;
use stories::server::Launch;
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::{binary, command_line, environment};

use crate::request_table::{SINGLE, TENANTS};
use crate::routes::faults;

#[test]
fn in_chartmuseums_place_a_bucket_answers_as_a_folder_does() -> Result<()> {
    let Some(store) = shared_minio()? else { return Ok(()) };
    for (table, depth, kept) in
        [(SINGLE, 0, "mychart-0.1.0.tgz"), (TENANTS, 2, "org/other/mychart-0.1.0.tgz")]
    {
        let bucket = store.create_bucket()?;
        let site = Site::new()?;
        let server = site.launch().in_place_of_chartmuseum_on(&store, &bucket, "charts", depth).start()?;
        let wrong = faults(table, server.address(), "none", |difference| difference.drop_in)?;
        ensure!(wrong.is_empty(), "at depth {depth}: {}", wrong.join("\n"));
        let keys = store.keys(&bucket)?;
        ensure!(keys.contains(&format!("charts/{kept}")), "not where ChartMuseum keeps it: {keys:?}");
    }
    Ok(())
}

#[test]
fn what_chartmuseum_left_in_a_bucket_is_served_with_its_times() -> Result<()> {
    let Some(store) = ObjectStore::s3s_fs()? else { return Ok(()) };
    let bucket = store.create_bucket()?;
    let tenant = store.folder().join(&bucket).join("charts").join("team");
    std::fs::create_dir_all(&tenant)?;
    std::fs::write(tenant.join("kept-1.0.0.tgz"), plain_chart("kept", "1.0.0"))?;
    std::fs::write(tenant.join("broken-1.0.0.tgz"), "no archive")?;
    let site = Site::new()?;
    let launch = || -> Launch { site.launch().in_place_of_chartmuseum_on(&store, &bucket, "charts", 1) };
    let server = launch().start()?;
    let reader = server.anonymous()?;
    let archive = reader.get("/team/charts/kept-1.0.0.tgz")?.expect_status(200)?;
    ensure!(archive.body == plain_chart("kept", "1.0.0"));
    let first = reader.get("/team/index.yaml")?.expect_status(200)?;
    ensure!(!first.text().contains("broken"), "{}", first.text());
    reader.publish("team", &plain_chart("kept", "1.1.0"))?.expect_status(201)?;
    reader.delete("/api/team/charts/kept/1.0.0")?.expect_status(200)?;
    ensure!(!tenant.join("kept-1.0.0.tgz").exists(), "the object is still there");
    let before = reader.get("/team/index.yaml")?.expect_status(200)?.body;
    server.stop()?;
    let server = launch().start()?;
    let after = server.anonymous()?.get("/team/index.yaml")?.expect_status(200)?.body;
    ensure!(before == after, "a second look at the bucket changed the index");
    Ok(())
}

#[test]
fn a_bucket_that_refuses_stops_the_start_and_is_named() -> Result<()> {
    let Some(store) = shared_minio()? else { return Ok(()) };
    let bucket = store.create_bucket()?;
    let site = Site::new()?;
    for (variable, value, expected) in [
        ("AWS_SECRET_ACCESS_KEY", "guess", "SignatureDoesNotMatch"),
        ("CHARTROOM_BLOBS_URL", "s3://absent", "NoSuchBucket"),
        ("CHARTROOM_S3_CA_FILE", "/absent/ca.pem", "cannot read `/absent/ca.pem`"),
    ] {
        let mut command = environment::clean_command(binary::chartroom()?);
        command.envs(store.environment()).env("CHARTROOM_BLOBS_URL", format!("s3://{bucket}"));
        let refused = run(command.env(variable, value).args(command_line::serve(&site.data())))?.failure()?;
        ensure!(refused.contains(expected), "{refused}");
        if !value.contains("pem") {
            let name = value.strip_prefix("s3://").unwrap_or(&bucket);
            ensure!(refused.contains(&format!("the bucket `{name}`")), "{refused}");
            ensure!(refused.contains(&store.endpoint()), "{refused}");
        }
    }
    Ok(())
}

#[test]
fn keys_come_from_a_profile_too() -> Result<()> {
    let Some(store) = shared_minio()? else { return Ok(()) };
    let bucket = store.create_bucket()?;
    let site = Site::new()?;
    let keys: Vec<String> = store
        .environment()
        .iter()
        .filter(|(name, _)| name.starts_with("AWS_"))
        .map(|(name, value)| format!("{} = {value}\n", name.to_lowercase()))
        .collect();
    let profile = site.folder().join("credentials");
    std::fs::write(&profile, format!("[charts]\n{}", keys.concat()))?;
    let server = site
        .launch()
        .variable("AWS_PROFILE", "charts")
        .variable("AWS_SHARED_CREDENTIALS_FILE", &profile.display().to_string())
        .variable("CHARTROOM_S3_ENDPOINT", &store.endpoint())
        .variable("CHARTROOM_BLOBS_URL", &format!("s3://{bucket}/kept"))
        .start()?;
    server.admin()?.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    assert_eq!(store.keys(&bucket)?.len(), 1);
    Ok(())
}

#[test]
fn a_web_identity_is_shown_to_the_token_service() -> Result<()> {
    let Some(store) = shared_minio()? else { return Ok(()) };
    let site = Site::new()?;
    let token = site.folder().join("token");
    std::fs::write(&token, "identity-of-the-pod")?;
    // A token service that hears one request and refuses it: what it would give, only AWS can sign with.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let service = format!("http://{}", listener.local_addr()?);
    let heard = thread::spawn(move || -> Result<String> {
        let (mut client, _) = listener.accept()?;
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        while !String::from_utf8_lossy(&request).contains("WebIdentityToken=") {
            let count = client.read(&mut piece)?;
            ensure!(count > 0, "the request broke off");
            request.extend_from_slice(&piece[..count]);
        }
        client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
        Ok(String::from_utf8_lossy(&request).into_owned())
    });
    let mut command = environment::clean_command(binary::chartroom()?);
    command
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
        .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/charts")
        .env("AWS_ENDPOINT_URL_STS", service)
        .env("CHARTROOM_S3_ENDPOINT", store.endpoint())
        .env("CHARTROOM_BLOBS_URL", "s3://charts");
    run(command.args(command_line::serve(&site.data())))?.failure()?;
    let heard = heard.join().map_err(|_| anyhow!("the token service panicked"))??;
    ensure!(heard.contains("AssumeRoleWithWebIdentity") && heard.contains("identity-of-the-pod"), "{heard}");
    Ok(())
}

#[test]
fn a_bucket_that_is_away_stops_neither_start_nor_index() -> Result<()> {
    let Some(store) = shared_minio()? else { return Ok(()) };
    let bucket = store.create_bucket()?;
    let proxy = FaultProxy::start(store.address())?;
    let site = Site::new()?;
    let launch = || {
        environment_at(proxy.address())
            .iter()
            .fold(site.launch(), |launch, (name, value)| launch.variable(name, value))
            .variable("CHARTROOM_BLOBS_URL", &format!("s3://{bucket}"))
            .variable("CHARTROOM_S3_TIMEOUT", "2s")
    };
    let server = launch().start()?;
    server.admin()?.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    let index = server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?.body;
    server.stop()?;
    for mode in [Mode::Refuse, Mode::BlackHole, Mode::Delay(Duration::from_secs(60))] {
        proxy.set(mode)?;
        let server = launch().start()?;
        let reader = server.anonymous()?;
        ensure!(reader.get("/shelf/index.yaml")?.expect_status(200)?.body == index);
        for answer in [
            reader.get("/shelf/charts/kept-1.0.0.tgz")?,
            server.admin()?.publish("shelf", &plain_chart("kept", "2.0.0"))?,
        ] {
            ensure!(!answer.expect_status(503)?.header("retry-after").is_empty(), "no Retry-After");
        }
        proxy.set(Mode::Pass)?;
        let archive = reader.get("/shelf/charts/kept-1.0.0.tgz")?.expect_status(200)?;
        ensure!(archive.body == plain_chart("kept", "1.0.0"));
        server.stop()?;
    }
    Ok(())
}
