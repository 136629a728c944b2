//! `kill -9` at any moment: what was acknowledged stays, what was not is whole or absent, waste stays small.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use oci::Digest;
use stories::client::Client;
use stories::environment;
use stories::server::Server;
use stories::site::Site;
use stories::skip::skip;
use stories::synthetic::marked_chart;

const PUBLISHES: usize = 100;
const CLIENTS: usize = 3;

/// Digests by version: what a 201 promised, and what was sent and not answered.
#[derive(Default)]
struct Ledger {
    acknowledged: BTreeMap<String, Digest>,
    unanswered: BTreeMap<String, Digest>,
}

/// Publishes until the server is gone or all is published.
fn publish_on(client: &Client, next: &AtomicUsize, ledger: &Mutex<Ledger>) -> Result<()> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= PUBLISHES {
            return Ok(());
        }
        let version = format!("1.{number}.0");
        // A few kilobytes more each time, so that the kill meets every stage of writing.
        let archive = marked_chart("killed", &version, &version.repeat(1 + number * 200));
        let digest = Digest::sha256(&archive);
        let answer = client.publish("charts", &archive);
        let mut ledger = ledger.lock().map_err(|_| anyhow::anyhow!("a client panicked"))?;
        match answer {
            Ok(answer) => {
                answer.expect_status(201)?;
                ledger.acknowledged.insert(version, digest);
            }
            Err(_) => {
                ledger.unanswered.insert(version, digest);
                return Ok(());
            }
        }
    }
}

/// Lets clients publish and kills the server at the moment.
fn publish_and_kill(
    server: Server,
    next: &AtomicUsize,
    ledger: &Mutex<Ledger>,
    moment: Duration,
) -> Result<()> {
    let admin = server.admin()?;
    let (done, all_done) = channel::<()>();
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let (admin, done) = (&admin, done.clone());
            clients.push(scope.spawn(move || {
                let result = publish_on(admin, next, ledger);
                drop(done);
                result
            }));
        }
        drop(done);
        // Returns early only when every client is through.
        let _ = all_done.recv_timeout(moment);
        server.kill()?;
        for client in clients {
            client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        Ok(())
    })
}

/// Checks what a fresh start shows against what was promised.
fn check_survivors(site: &Site, server: &Server, ledger: &Ledger) -> Result<()> {
    let client = server.anonymous()?;
    let index =
        if ledger.acknowledged.is_empty() { serde_json::Value::Null } else { client.index("charts")? };
    let listed = index["entries"]["killed"].as_array().cloned().unwrap_or_default();
    let mut seen = BTreeMap::new();
    for entry in &listed {
        let version = entry["version"].as_str().context("an entry without a version")?;
        let served = client.get(&format!("/charts/charts/killed-{version}.tgz"))?.expect_status(200)?;
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

/// Moments spread over the first tens of milliseconds, where a publish has its steps; the same in every run.
fn moments(count: u64) -> impl Iterator<Item = Duration> {
    (1..=count).map(|number| Duration::from_micros(number.wrapping_mul(2_654_435_761) % 60_000))
}

fn tell(rounds: u64) -> Result<()> {
    let site = Site::new()?;
    let (next, ledger) = (AtomicUsize::new(0), Mutex::new(Ledger::default()));
    let mut kills = 0;
    for moment in moments(rounds) {
        publish_and_kill(site.start()?, &next, &ledger, moment)?;
        kills += 1;
        let ledger = ledger.lock().map_err(|_| anyhow::anyhow!("a client panicked"))?;
        check_survivors(&site, &site.start()?, &ledger)?;
        if next.load(Ordering::Relaxed) >= PUBLISHES {
            break;
        }
    }
    let ledger = ledger.into_inner().map_err(|_| anyhow::anyhow!("a client panicked"))?;
    let kept = site.files_in("blobs")?.len();
    let most = ledger.acknowledged.len() + ledger.unanswered.len();
    ensure!(kept <= most, "{kept} files for {most} publishes, {kills} of them killed");
    publish_again(&site, &ledger)
}

/// Whatever became of it, a publish may simply be repeated.
fn publish_again(site: &Site, ledger: &Ledger) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for (version, digest) in ledger.acknowledged.iter().chain(&ledger.unanswered) {
        let number: usize = version.split('.').nth(1).context("no number")?.parse()?;
        let archive = marked_chart("killed", version, &version.repeat(1 + number * 200));
        ensure!(Digest::sha256(&archive) == *digest, "the story made other bytes for {version}");
        admin.publish("charts", &archive)?.expect_status(201)?;
    }
    server.stop()
}

#[test]
fn what_was_acknowledged_survives_kill_9_at_any_moment() -> Result<()> {
    tell(25)
}

#[test]
fn a_hundred_kills_lose_nothing() -> Result<()> {
    if !environment::wants_longest_stories() {
        skip("one of the longest stories: run `make test-all`");
        return Ok(());
    }
    for _ in 0..4 {
        tell(100)?;
    }
    Ok(())
}
