//! The database or the store is away, silent or slow: reads go on from what is left, writes say that they are not
//! done, nothing is "not found", and everything comes back by itself.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use oci::Digest;
use stories::client::Client;
use stories::fault_proxy::{FaultProxy, Mode, Way};
use stories::server::Server;
use stories::site::Site;
use stories::stores::Stores;
use stories::synthetic::{marked_chart, plain_chart};
use stories::wait::wait_for;
use stories::{object_store, postgres};

/// How long a read from memory may take while a store is away.
const SOON: Duration = Duration::from_secs(3);
/// How long a client may wait to hear that its write is not done.
const GIVEN_UP: Duration = Duration::from_secs(40);
/// How long a server may need to notice that a store is back.
const RECOVERED: Duration = Duration::from_secs(30);

/// A server with a proxy before its database and one before its bucket.
struct Exposed {
    // Dropped first: a server ends faster while its stores answer.
    server: Server,
    database: FaultProxy,
    bucket: FaultProxy,
    _site: Site,
}

/// Starts a server that holds `kept-1.0.0`; nothing after saying that the story is skipped.
fn exposed() -> Result<Option<Exposed>> {
    let (Some(postgres), Some(minio)) = (postgres::shared()?, object_store::shared_minio()?) else {
        return Ok(None);
    };
    let (database, bucket) = (FaultProxy::start(postgres.address())?, FaultProxy::start(minio.address())?);
    let stores = Stores::new(Some(&postgres), Some(&minio))?;
    let site = Site::with(stores.catalog_at(database.address()).blobs_at(bucket.address()))?;
    let server = site.launch().impatient_with_its_bucket().start()?;
    server.admin()?.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    Ok(Some(Exposed { server, database, bucket, _site: site }))
}

/// Runs a request that has to end in time, and returns what it returned.
fn within<T>(limit: Duration, what: &str, request: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let answer = request().with_context(|| what.to_owned())?;
    ensure!(begun.elapsed() < limit, "{what} took {:?}", begun.elapsed());
    Ok(answer)
}

/// Returns what `/ready` says of the catalog, the blobs, reads and writes. It stays 200 while reads go on: a load
/// balancer that took the server away would end those too.
fn readiness(server: &Server) -> Result<[String; 4]> {
    let client = server.anonymous()?;
    let said = within(GIVEN_UP, "/ready", || client.get("/ready"))?.expect_status(200)?.json()?;
    Ok(["catalog", "blobs", "reads", "writes"].map(|part| said[part].as_str().unwrap_or_default().to_owned()))
}

/// Checks that nothing can be written and that each refusal says when to try again.
fn expect_no_writes(server: &Server) -> Result<()> {
    let admin = server.admin()?;
    admin.get("/ready?for=writes")?.expect_status(503)?;
    let publish = within(GIVEN_UP, "a publish", || admin.publish("shelf", &plain_chart("late", "1.0.0")))?;
    let delete = within(GIVEN_UP, "a delete", || admin.delete("/api/shelf/charts/kept/1.0.0"))?;
    for (what, answer) in [("publish", publish), ("delete", delete)] {
        let answer = answer.expect_status(503).with_context(|| what.to_owned())?;
        ensure!(answer.header("retry-after").parse::<u32>().is_ok(), "{what}: when to try again is not said");
    }
    Ok(())
}

/// Waits until a publish works again, and checks that nothing of the time before is lost.
fn expect_recovery(server: &Server) -> Result<()> {
    let admin = server.admin()?;
    wait_for("writes to work again", RECOVERED, || {
        Ok((admin.publish("shelf", &plain_chart("after", "1.0.0"))?.status == 201).then_some(()))
    })?;
    wait_for("it to be ready", RECOVERED, || Ok((readiness(server)? == ["ok"; 4]).then_some(())))?;
    for name in ["kept", "after"] {
        let served = admin.get(&format!("/shelf/charts/{name}-1.0.0.tgz"))?.expect_status(200)?;
        ensure!(served.body == plain_chart(name, "1.0.0"), "other bytes for {name}");
    }
    let index = admin.index("shelf")?;
    ensure!(index["entries"]["late"].is_null(), "a write that was refused is listed");
    Ok(())
}

/// Pulls the kept chart from the registry and returns everything that came: manifest, configuration, archive.
fn pull(client: &Client) -> Result<Vec<Vec<u8>>> {
    let manifest = client.get("/v2/shelf/kept/manifests/1.0.0")?.expect_status(200)?;
    let fields = manifest.json()?;
    let mut came = vec![manifest.body];
    for descriptor in [&fields["config"], &fields["layers"][0]] {
        let digest = descriptor["digest"].as_str().context("a descriptor without a digest")?;
        came.push(client.get(&format!("/v2/shelf/kept/blobs/{digest}"))?.expect_status(200)?.body);
    }
    Ok(came)
}

/// Checks what goes on without the database, and that its return is noticed.
fn without_the_database(exposed: &Exposed, mode: Mode) -> Result<()> {
    let (server, client) = (&exposed.server, exposed.server.anonymous()?);
    let before = client.get("/shelf/index.yaml")?.expect_status(200)?;
    let pulled = pull(&client)?;
    exposed.database.set(mode)?;
    for _ in 0..5 {
        let again = within(SOON, "a pull from the registry", || pull(&client))?;
        ensure!(again == pulled, "the registry serves something else");
        let index = within(SOON, "the index", || client.get("/shelf/index.yaml"))?.expect_status(200)?;
        ensure!(index.body == before.body, "another index: {}", index.text());
        let archive = within(SOON, "an archive", || client.get("/shelf/charts/kept-1.0.0.tgz"))?;
        archive.expect_status(200)?;
    }
    within(SOON, "/live", || client.get("/live"))?.expect_status(200)?;
    assert_eq!(readiness(server)?, ["away", "ok", "degraded", "away"]);
    expect_no_writes(server)?;
    let index = client.get("/shelf/index.yaml")?.expect_status(200)?;
    ensure!(index.body == before.body, "a failed write changed the index");
    exposed.database.set(Mode::Pass)?;
    expect_recovery(server)
}

#[test]
fn a_database_that_refuses_stops_writes_and_no_read() -> Result<()> {
    exposed()?.map_or(Ok(()), |exposed| without_the_database(&exposed, Mode::Refuse))
}

#[test]
fn a_silent_database_stops_writes_and_no_read() -> Result<()> {
    exposed()?.map_or(Ok(()), |exposed| without_the_database(&exposed, Mode::BlackHole))
}

/// Returns a chart too large to be kept in memory, so that each download asks the store.
fn large_chart() -> Result<Vec<u8>> {
    // Digests, for what can be compressed would be small again.
    let noise: String =
        (0..75_000_u32).map(|number| Digest::sha256(&number.to_le_bytes()).hex().to_owned()).collect();
    let archive = marked_chart("large", "1.0.0", &noise);
    ensure!(archive.len() > 2 << 20, "{} bytes are kept in memory", archive.len());
    Ok(archive)
}

/// Checks what goes on without the store, and that its return is noticed.
fn without_the_store(exposed: &Exposed, mode: Mode) -> Result<()> {
    let (server, client) = (&exposed.server, exposed.server.anonymous()?);
    let large = large_chart()?;
    server.admin()?.publish("shelf", &large)?.expect_status(201)?;
    let before = client.get("/shelf/index.yaml")?.expect_status(200)?;
    exposed.bucket.set(mode)?;
    let archive = within(GIVEN_UP, "an archive", || client.get("/shelf/charts/large-1.0.0.tgz"))?;
    let archive = archive.expect_status(503)?;
    ensure!(!archive.header("retry-after").is_empty(), "when to try again is not said");
    let publish =
        within(GIVEN_UP, "a publish", || server.admin()?.publish("shelf", &plain_chart("late", "1.0.0")))?;
    publish.expect_status(503)?;
    let index = within(SOON, "the index", || client.get("/shelf/index.yaml"))?.expect_status(200)?;
    ensure!(index.body == before.body, "a failed write changed the index");
    assert_eq!(readiness(server)?, ["ok", "away", "degraded", "away"]);
    exposed.bucket.set(Mode::Pass)?;
    expect_recovery(server)?;
    ensure!(client.get("/shelf/charts/large-1.0.0.tgz")?.expect_status(200)?.body == large, "other bytes");
    Ok(())
}

#[test]
fn a_store_that_refuses_stops_archives_and_writes_and_not_the_index() -> Result<()> {
    exposed()?.map_or(Ok(()), |exposed| without_the_store(&exposed, Mode::Refuse))
}

#[test]
fn a_silent_store_stops_archives_and_writes_and_not_the_index() -> Result<()> {
    exposed()?.map_or(Ok(()), |exposed| without_the_store(&exposed, Mode::BlackHole))
}

#[test]
fn a_body_that_the_store_cuts_off_is_never_taken_for_the_whole() -> Result<()> {
    let Some(exposed) = exposed()? else { return Ok(()) };
    let (server, bucket) = (&exposed.server, &exposed.bucket);
    let large = large_chart()?;
    server.admin()?.publish("shelf", &large)?.expect_status(201)?;
    for after in [0, 1, 500, 5_000, 100_000] {
        bucket.set(Mode::Cut { way: Way::ToClient, after })?;
        // An error on the way is what a client may see beside a 503 and the whole: it knows that it has not all.
        if let Ok(answer) = server.anonymous()?.get("/shelf/charts/large-1.0.0.tgz") {
            let whole = answer.status == 200 && answer.body == large;
            ensure!(
                whole || answer.status == 503,
                "cut after {after}: {} {} bytes",
                answer.status,
                answer.body.len()
            );
        }
    }
    bucket.set(Mode::Pass)?;
    ensure!(server.anonymous()?.get("/shelf/charts/large-1.0.0.tgz")?.expect_status(200)?.body == large);
    Ok(())
}

#[test]
fn slow_stores_slow_a_publish_down_and_do_not_fail_it() -> Result<()> {
    let Some(exposed) = exposed()? else { return Ok(()) };
    let server = &exposed.server;
    for proxy in [&exposed.database, &exposed.bucket] {
        proxy.set(Mode::Delay(Duration::from_millis(60)))?;
    }
    server.admin()?.publish("shelf", &plain_chart("slow", "1.0.0"))?.expect_status(201)?;
    let index = server.anonymous()?.index("shelf")?;
    ensure!(index["entries"]["slow"].is_array(), "acknowledged and not listed");
    Ok(())
}
