//! `kill -9` at any moment: what was acknowledged stays, what was not is whole or absent, waste stays small.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use oci::Digest;
use stories::client::Client;
use stories::server::Server;
use stories::site::Site;
use stories::skip::skip;
use stories::synthetic::marked_chart;
use stories::{command_line, environment};

stories::on_each_backend! {
    what_was_acknowledged_survives_kill_9_at_any_moment,
    a_hundred_kills_lose_nothing,
}

const PUBLISHES: usize = 100;
const CLIENTS: usize = 3;

/// Digests by version: what a 201 promised, and what was sent and not answered.
#[derive(Default)]
struct Ledger {
    acknowledged: BTreeMap<String, Digest>,
    unanswered: BTreeMap<String, Digest>,
}

/// Publishes until the server is gone or all is published; tells of each acknowledgement.
fn publish_on(client: &Client, next: &AtomicUsize, ledger: &Mutex<Ledger>, told: &Sender<()>) -> Result<()> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= PUBLISHES {
            return Ok(());
        }
        let version = format!("1.{number}.0");
        // A few kilobytes more each time, so that the kill meets every stage of writing.
        let archive = marked_chart("killed", &version, &version.repeat(1 + number * 200));
        let digest = Digest::sha256(&archive);
        let answer = client.publish("shelf", &archive);
        let mut ledger = ledger.lock().map_err(|_| anyhow!("a client panicked"))?;
        match answer {
            Ok(answer) => {
                answer.expect_status(201)?;
                ledger.acknowledged.insert(version, digest);
                // Nobody listens any more once the server is being killed.
                let _ = told.send(());
            }
            Err(_) => {
                ledger.unanswered.insert(version, digest);
                return Ok(());
            }
        }
    }
}

/// When to kill: so many acknowledgements after the start, and then a little later.
#[derive(Clone, Copy)]
struct Moment {
    acknowledgements: u64,
    later: Duration,
}

/// Lets clients publish and kills the server at the moment.
fn publish_and_kill(
    server: Server,
    next: &AtomicUsize,
    ledger: &Mutex<Ledger>,
    moment: Moment,
) -> Result<()> {
    let admin = server.admin()?;
    let (told, acknowledgements) = channel();
    thread::scope(|scope| {
        let publish = |told: Sender<()>| {
            let admin = &admin;
            scope.spawn(move || publish_on(admin, next, ledger, &told))
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| publish(told.clone())).collect();
        drop(told);
        for _ in 0..moment.acknowledgements {
            // An error means that every client is through.
            let _ = acknowledgements.recv();
        }
        let _ = acknowledgements.recv_timeout(moment.later);
        server.kill()?;
        for client in clients {
            client.join().map_err(|_| anyhow!("a client panicked"))??;
        }
        Ok(())
    })
}

/// Checks what a fresh start shows against what was promised.
fn check_survivors(site: &Site, server: &Server, ledger: &Ledger) -> Result<()> {
    let client = server.anonymous()?;
    let index =
        if ledger.acknowledged.is_empty() { serde_json::Value::Null } else { client.index("shelf")? };
    let listed = index["entries"]["killed"].as_array().cloned().unwrap_or_default();
    let mut seen = BTreeMap::new();
    for entry in &listed {
        let version = entry["version"].as_str().context("an entry without a version")?;
        let served = client.get(&format!("/shelf/charts/killed-{version}.tgz"))?.expect_status(200)?;
        assert_eq!(entry["digest"].as_str(), Some(served.digest().hex()), "{version}");
        seen.insert(version.to_owned(), served.digest());
    }
    for (version, digest) in &ledger.acknowledged {
        ensure!(seen.get(version) == Some(digest), "{version} was acknowledged and is lost");
    }
    for (version, digest) in seen {
        let sent = ledger.acknowledged.get(&version).or(ledger.unanswered.get(&version));
        ensure!(sent == Some(&digest), "{version} has bytes nobody sent");
    }
    let staged = site.files_in("staging")?;
    ensure!(staged.is_empty(), "left in the staging folder: {staged:?}");
    Ok(())
}

/// Moments spread over the steps of a publish, early and late in the life of a server; the same in every run.
fn moments(count: u64) -> impl Iterator<Item = Moment> {
    let spread = |number: u64| Duration::from_micros(number.wrapping_mul(2_654_435_761) % 20_000);
    (0..count).map(move |number| Moment { acknowledgements: number * 7 % 5, later: spread(number) })
}

fn tell(site: &Site, rounds: u64) -> Result<()> {
    let (next, ledger) = (AtomicUsize::new(0), Mutex::new(Ledger::default()));
    let mut kills = 0;
    for moment in moments(rounds) {
        publish_and_kill(site.start()?, &next, &ledger, moment)?;
        kills += 1;
        let ledger = ledger.lock().map_err(|_| anyhow!("a client panicked"))?;
        check_survivors(site, &site.start()?, &ledger)?;
        if next.load(Ordering::Relaxed) >= PUBLISHES {
            break;
        }
    }
    let ledger = ledger.into_inner().map_err(|_| anyhow!("a client panicked"))?;
    let (acknowledged, unanswered) = (ledger.acknowledged.len(), ledger.unanswered.len());
    ensure!(
        acknowledged >= 20 && unanswered >= 20,
        "{acknowledged} answers and {unanswered} kills in between"
    );
    let kept = site.blobs()?.len();
    let most = ledger.acknowledged.len() + ledger.unanswered.len();
    ensure!(kept <= most, "{kept} files for {most} publishes, {kills} of them killed");
    publish_again(site, &ledger)
}

/// Whatever became of it, a publish may simply be repeated.
fn publish_again(site: &Site, ledger: &Ledger) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for (version, digest) in ledger.acknowledged.iter().chain(&ledger.unanswered) {
        let number: usize = version.split('.').nth(1).context("no number")?.parse()?;
        let archive = marked_chart("killed", version, &version.repeat(1 + number * 200));
        ensure!(Digest::sha256(&archive) == *digest, "the story made other bytes for {version}");
        admin.publish("shelf", &archive)?.expect_status(201)?;
    }
    server.stop()?;
    site.run(&command_line::collect_garbage())?.success()?;
    let (kept, published) = (site.blobs()?.len(), ledger.acknowledged.len() + ledger.unanswered.len());
    assert_eq!(kept, published, "files after collecting, and versions");
    Ok(())
}

fn what_was_acknowledged_survives_kill_9_at_any_moment(site: &Site) -> Result<()> {
    tell(site, 25)
}

fn a_hundred_kills_lose_nothing(site: &Site) -> Result<()> {
    if !environment::wants_longest_stories() {
        skip("one of the longest stories: run `make test-all`");
        return Ok(());
    }
    for _ in 0..4 {
        tell(&site.another()?, 100)?;
    }
    Ok(())
}
