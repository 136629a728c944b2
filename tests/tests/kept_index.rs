//! The file in which a server keeps a large index for its next start: never more than a quicker way to the same bytes.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use stories::client::Client;
use stories::command_line::{self, TokenRequest};
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::{detailed_chart, marked_chart, plain_chart};
use stories::wait::wait_for;

stories::on_each_backend! {
    a_large_index_comes_back_the_same_from_its_file,
    what_does_not_fit_is_read_from_the_catalog,
    a_catalog_that_was_put_back_and_went_on_shows_its_own_course,
    a_file_that_too_much_changed_since_and_files_of_nothing_are_not_used,
}

/// So many versions an index has at least that is kept.
const VERSIONS: usize = 1_000;
const CHARTS: usize = 20;
const CLIENTS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);

const ADMIN: TokenRequest<'static> =
    TokenRequest { name: "course", role: "admin", repository: None, expires: None };

const USED: &str = "read an index from its file";
const NOT_USED: &str = "an index that was kept in a file is not used";

/// Publishes so many versions that their index is kept.
fn fill(admin: &Client) -> Result<()> {
    publish(admin, 1, VERSIONS)
}

/// Publishes so many versions of the twenty charts, with this major version.
fn publish(admin: &Client, major: usize, versions: usize) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            if turn >= versions {
                return Ok(());
            }
            let chart = format!("chart-{}", turn % CHARTS);
            let version = format!("{major}.{}.0", turn / CHARTS);
            admin.publish("shelf", &plain_chart(&chart, &version))?.expect_status(201)?;
        }
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)
    })
}

fn filled(site: &Site) -> Result<Server> {
    let server = site.start()?;
    fill(&server.admin()?)?;
    Ok(server)
}

/// What a reader of the index gets, byte for byte.
#[derive(PartialEq, Eq)]
struct Shown {
    body: Vec<u8>,
    tag: String,
}

fn shown(server: &Server) -> Result<Shown> {
    let answer = server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?;
    Ok(Shown { tag: answer.header("etag").to_owned(), body: answer.body.to_vec() })
}

fn count(server: &Server) -> Result<usize> {
    let index = server.anonymous()?.index("shelf")?;
    let charts = index["entries"].as_object().context("no entries")?;
    Ok(charts.values().filter_map(|versions| versions.as_array()).map(Vec::len).sum())
}

/// Returns the file of the one large index, when it was written whole.
fn file(site: &Site) -> Result<Option<PathBuf>> {
    let is_whole = |file: &PathBuf| file.extension().is_none();
    Ok(site.files_in("index")?.into_iter().find(is_whole))
}

fn awaited_file(site: &Site) -> Result<PathBuf> {
    wait_for("the file of the index", PATIENCE, || file(site))
}

/// Starts a server and returns what it shows, after checking where it had that from.
fn started(site: &Site, said: &str) -> Result<(Server, Shown)> {
    let server = site.start()?;
    let shown = shown(&server)?;
    let log = server.log()?;
    for word in [USED, NOT_USED] {
        ensure!(log.contains(word) == (word == said), "`{word}`, where `{said}` was expected:\n{log}");
    }
    Ok((server, shown))
}

fn a_large_index_comes_back_the_same_from_its_file(site: &Site) -> Result<()> {
    let server = filled(site)?;
    awaited_file(site)?;
    // After the file was written: a server that is killed has no time to write it again.
    let admin = server.admin()?;
    for version in ["2.0.0", "2.1.0-rc.1"] {
        admin.publish("shelf", &plain_chart("late", version))?.expect_status(201)?;
    }
    admin.delete("/api/shelf/charts/chart-0/1.0.0")?.expect_status(200)?;
    let before = shown(&server)?;
    server.kill()?;

    let (server, after) = started(site, USED)?;
    ensure!(after == before, "other bytes after kill -9");
    assert_eq!(count(&server)?, VERSIONS + 1);
    server.anonymous()?.get("/shelf/charts/late-2.0.0.tgz")?.expect_status(200)?;
    server.anonymous()?.get("/shelf/charts/chart-0-1.0.0.tgz")?.expect_status(404)?;
    server.admin()?.publish("shelf", &plain_chart("later", "1.0.0"))?.expect_status(201)?;
    let before = shown(&server)?;
    server.stop()?;

    let (server, after) = started(site, USED)?;
    ensure!(after == before, "other bytes after a stop");
    ensure!(server.log()?.contains("kept=1004 applied=1004"), "the stop did not keep the last change");
    server.stop()
}

fn what_does_not_fit_is_read_from_the_catalog(site: &Site) -> Result<()> {
    let server = filled(site)?;
    // Of which the older one has much that a lean index leaves out.
    for version in ["1.0.0", "1.1.0"] {
        server.admin()?.publish("shelf", &detailed_chart("detailed", version))?.expect_status(201)?;
    }
    let before = shown(&server)?;
    server.stop()?;

    let file = awaited_file(site)?;
    let whole = fs::read(&file)?;
    let mut flipped = whole.clone();
    *flipped.get_mut(whole.len() / 2).context("an empty file")? ^= 1;
    let cut = whole.get(..whole.len() / 3).context("an empty file")?;
    for damaged in [flipped.as_slice(), cut, b"", b"something else altogether, and long enough"] {
        fs::write(&file, damaged)?;
        let (server, after) = started(site, NOT_USED)?;
        ensure!(after == before, "other bytes from a damaged file");
        server.stop()?;
    }
    let (server, after) = started(site, USED)?;
    ensure!(after == before, "the stop did not write a whole file again");
    server.stop()?;

    site.run(&command_line::show_lean_index("shelf"))?.success()?;
    let (server, lean) = started(site, NOT_USED)?;
    ensure!(lean.body.len() < before.body.len(), "the full index is shown");
    server.stop()?;
    let (server, after) = started(site, USED)?;
    ensure!(after == lean, "other bytes from the file of a lean index");
    server.stop()?;

    // A folder that cannot be written costs a line in the log, and nothing else.
    fs::remove_dir_all(site.data().join("index"))?;
    fs::write(site.data().join("index"), b"")?;
    let server = site.start()?;
    ensure!(shown(&server)? == lean, "other bytes without a folder");
    server.admin()?.publish("shelf", &plain_chart("late", "1.0.0"))?.expect_status(201)?;
    wait_for("the warning", PATIENCE, || {
        Ok(server.log()?.contains("cannot keep indexes in files").then_some(()))
    })?;
    server.stop()
}

fn a_catalog_that_was_put_back_and_went_on_shows_its_own_course(site: &Site) -> Result<()> {
    let server = filled(site)?;
    site.run(&command_line::back_up(site.backups()))?.success()?;
    publish_course(&server.admin()?, "lost")?;
    server.stop()?;
    let lost = fs::read(awaited_file(site)?)?;

    let back = site.another()?;
    back.run(&command_line::restore(site.backups()))?.success()?;
    let token = back.create_token(&ADMIN)?;
    let kept = back.data().join("index").join(awaited_file(site)?.file_name().context("no name")?);
    fs::create_dir_all(back.data().join("index"))?;
    // The file knows changes that the catalog does not have.
    fs::write(&kept, &lost)?;
    let (server, _) = started(&back, NOT_USED)?;
    assert_eq!(count(&server)?, VERSIONS);
    publish_course(&server.client(&token)?, "true")?;
    server.client(&token)?.publish("shelf", &plain_chart("more", "1.0.0"))?.expect_status(201)?;
    let before = shown(&server)?;
    server.stop()?;

    // Now the catalog has changes with the same numbers, of the same versions.
    fs::write(&kept, &lost)?;
    let (server, after) = started(&back, NOT_USED)?;
    ensure!(after == before, "the index of the lost course is shown");
    server.stop()?;
    let (server, after) = started(&back, USED)?;
    ensure!(after == before, "other bytes from the true file");
    server.stop()
}

/// Publishes the same versions in every course, with other bytes.
fn publish_course(client: &Client, course: &str) -> Result<()> {
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        client.publish("shelf", &marked_chart("course", version, course))?.expect_status(201)?;
    }
    Ok(())
}

fn a_file_that_too_much_changed_since_and_files_of_nothing_are_not_used(site: &Site) -> Result<()> {
    let server = filled(site)?;
    let file = awaited_file(site)?;
    // Fewer than after which it is written again, more than it is quicker to apply than to read all.
    publish(&server.admin()?, 2, VERSIONS / 2)?;
    let before = shown(&server)?;
    server.kill()?;
    // As a repository leaves it that is gone, and a server that was killed while it wrote.
    let useless = [file.with_file_name("4000000"), file.with_extension("part")];
    for file in &useless {
        fs::write(file, b"of no use")?;
    }

    let (server, after) = started(site, NOT_USED)?;
    ensure!(server.log()?.contains("500 changes were made since"), "another reason:\n{}", server.log()?);
    ensure!(after == before, "other bytes than before");
    assert_eq!(count(&server)?, VERSIONS * 3 / 2);
    wait_for("the useless files to go", PATIENCE, || {
        Ok(useless.iter().all(|file| !file.exists()).then_some(()))
    })?;
    ensure!(file.exists(), "the file of the repository went with them");
    server.stop()?;
    let (server, after) = started(site, USED)?;
    ensure!(after == before, "other bytes from the file that the stop wrote");
    server.stop()
}
