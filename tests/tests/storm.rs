//! Three replicas under load while replicas are killed and started, Postgres is restarted and the bucket refuses:
//! nothing acknowledged is lost, no reader sees a shorter or broken index, and nothing that exists is "not found".

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use oci::Digest;
use stories::client::Client;
use stories::command_line::{back_up, restore, verify};
use stories::fault_proxy::{FaultProxy, Mode};
use stories::server::Server;
use stories::site::Site;
use stories::stores::Stores;
use stories::synthetic::marked_chart;
use stories::wait::wait_for;
use stories::{environment, object_store, postgres};

const REPLICAS: usize = 3;
const PUBLISHERS: usize = 32;
const READERS: usize = 32;
/// How long after a fault of the database a replica may still answer from memory without asking.
const CALM_AFTER: Duration = Duration::from_secs(8);
/// How long the replicas may need to come together once the storm is over.
const SETTLED: Duration = Duration::from_secs(60);

/// How long the storm lasts and what happens in it.
struct Weather {
    lasts: Duration,
    database_restarts: u32,
    bucket_refuses: Duration,
    between_kills: Duration,
}

const SQUALL: Weather = Weather {
    lasts: Duration::from_secs(20),
    database_restarts: 1,
    bucket_refuses: Duration::from_secs(3),
    between_kills: Duration::from_secs(4),
};
const STORM: Weather = Weather {
    lasts: Duration::from_secs(120),
    database_restarts: 2,
    bucket_refuses: Duration::from_secs(10),
    between_kills: Duration::from_secs(7),
};

/// A replica as its clients see it.
struct Berth {
    /// Counts its starts: what one process showed says nothing of the next.
    start: u64,
    admin: Client,
    anonymous: Client,
}

/// What was acknowledged, and when the database last failed.
struct Log {
    began: Instant,
    acknowledged: Mutex<BTreeMap<String, Digest>>,
    /// Milliseconds since the beginning; all time before it is doubtful.
    calm_since: AtomicU64,
    answers: [AtomicU64; 4],
}

/// What is counted, so that a storm in which nothing happened is seen.
#[derive(Clone, Copy)]
enum Answer {
    Published,
    Refused,
    Read,
    Unread,
}

impl Log {
    fn acknowledged(&self) -> MutexGuard<'_, BTreeMap<String, Digest>> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Calls what is read from now on doubtful until `from` after now.
    fn doubt(&self, from: Duration) {
        self.calm_since.store(self.now() + u64::try_from(from.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    fn is_calm(&self) -> bool {
        self.now() >= self.calm_since.load(Ordering::SeqCst)
    }

    fn count(&self, answer: Answer) {
        self.answers[answer as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn counted(&self, answer: Answer) -> u64 {
        self.answers[answer as usize].load(Ordering::Relaxed)
    }
}

type Berths = Vec<RwLock<Option<Arc<Berth>>>>;

/// Returns a replica that runs, beginning to look at `number`.
fn some_berth(berths: &Berths, number: usize) -> Option<(usize, Arc<Berth>)> {
    (0..berths.len()).map(|offset| (number + offset) % berths.len()).find_map(|place| {
        let berth = berths[place].read().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some((place, berth))
    })
}

/// Publishes versions of its own chart until the storm is over.
fn publish_on(number: usize, berths: &Berths, log: &Log, lasts: Duration) -> Result<()> {
    let mut patch = 0;
    while log.began.elapsed() < lasts {
        patch += 1;
        let version = format!("1.{number}.{patch}");
        let archive = marked_chart("storm", &version, &version);
        let Some((_, berth)) = some_berth(berths, number + patch) else { continue };
        // A connection that breaks or an outage leaves the version as it may be: there or not.
        match berth.admin.publish("shelf", &archive) {
            Ok(answer) if answer.status == 201 => {
                log.acknowledged().insert(version, Digest::sha256(&archive));
                log.count(Answer::Published);
            }
            Ok(answer) => {
                ensure!(answer.status == 503, "publish {version}: {} {}", answer.status, answer.text());
                log.count(Answer::Refused);
            }
            Err(_) => log.count(Answer::Refused),
        }
    }
    Ok(())
}

/// Reads the index and archives until the storm is over, and compares with what was acknowledged before.
fn read_on(number: usize, berths: &Berths, log: &Log, lasts: Duration) -> Result<()> {
    // How many versions each replica showed, by its start.
    let mut shown: BTreeMap<(usize, u64), usize> = BTreeMap::new();
    let mut turn = number;
    while log.began.elapsed() < lasts {
        turn += 1;
        let Some((place, berth)) = some_berth(berths, turn) else { continue };
        let expected: BTreeSet<String> = log.acknowledged().keys().cloned().collect();
        let was_calm = log.is_calm();
        let Ok(answer) = berth.anonymous.get("/shelf/index.yaml") else {
            log.count(Answer::Unread);
            continue;
        };
        // A replica that starts while the database is away has nothing to show, and says so.
        if answer.status == 503 {
            log.count(Answer::Unread);
            continue;
        }
        let is_last_seen = answer.header("chartroom-freshness") == "last-seen";
        let index = answer.expect_status(200)?.json().context("a broken index")?;
        let entries = index["entries"]["storm"].as_array().cloned().unwrap_or_default();
        let versions: BTreeSet<String> =
            entries.iter().filter_map(|entry| entry["version"].as_str().map(str::to_owned)).collect();
        let before = shown.insert((place, berth.start), versions.len()).unwrap_or(0);
        ensure!(versions.len() >= before, "an index shrank from {before} to {}", versions.len());
        if was_calm && log.is_calm() && !is_last_seen {
            let missing: Vec<&String> = expected.difference(&versions).collect();
            ensure!(missing.is_empty(), "acknowledged and not in the next index: {missing:?}");
        }
        log.count(Answer::Read);
        read_one(&berth, &expected, turn, log)?;
    }
    Ok(())
}

/// Reads one of the archives that are known to exist.
fn read_one(berth: &Berth, expected: &BTreeSet<String>, turn: usize, log: &Log) -> Result<()> {
    let Some(version) = expected.iter().nth(turn % expected.len().max(1)) else { return Ok(()) };
    let Ok(answer) = berth.anonymous.get(&format!("/shelf/charts/storm-{version}.tgz")) else {
        return Ok(());
    };
    match answer.status {
        200 => {
            let digest = log.acknowledged().get(version).cloned();
            ensure!(Some(answer.digest()) == digest, "other bytes for {version}");
        }
        503 => {}
        other => return Err(anyhow!("{version} exists and is answered {other} {}", answer.text())),
    }
    Ok(())
}

/// The fleet: replicas that come and go.
struct Fleet<'a> {
    site: &'a Site,
    berths: &'a Berths,
    servers: Vec<Option<Server>>,
    starts: u64,
}

impl Fleet<'_> {
    fn start(&mut self, place: usize) -> Result<()> {
        let server = self.site.replica(place)?.impatient_with_its_bucket().start()?;
        self.starts += 1;
        let berth = Berth { start: self.starts, admin: server.admin()?, anonymous: server.anonymous()? };
        *self.berths[place].write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(berth));
        self.servers[place] = Some(server);
        Ok(())
    }

    fn kill(&mut self, place: usize) -> Result<()> {
        *self.berths[place].write().unwrap_or_else(PoisonError::into_inner) = None;
        self.servers[place].take().map_or(Ok(()), Server::kill)
    }
}

/// Waits until so long after the beginning.
fn wait_until(log: &Log, moment: Duration) {
    thread::sleep(moment.saturating_sub(log.began.elapsed()));
}

/// Lets the database and the bucket fail at even moments of the storm.
fn rage(weather: &Weather, log: &Log, database: &postgres::Postgres, bucket: &FaultProxy) -> Result<()> {
    let moments = weather.database_restarts + 2;
    for number in 1..=weather.database_restarts {
        wait_until(log, weather.lasts * number / moments);
        log.doubt(Duration::from_secs(600));
        database.restart()?;
        log.doubt(CALM_AFTER);
    }
    wait_until(log, weather.lasts * (moments - 1) / moments);
    bucket.set(Mode::Refuse)?;
    thread::sleep(weather.bucket_refuses);
    bucket.set(Mode::Pass)
}

/// Makes one backup after another until the storm is over; returns how many became whole.
fn back_up_on(site: &Site, place: &Path, log: &Log, lasts: Duration) -> Result<u32> {
    let mut whole = 0;
    while log.began.elapsed() < lasts {
        // While a store is away there is no backup, which the command says.
        whole += u32::from(site.run(&back_up(place))?.status.success());
    }
    Ok(whole)
}

/// Returns what the feed of `shelf` tells: each version with its revision.
fn told(client: &Client) -> Result<BTreeMap<String, u64>> {
    let mut told = BTreeMap::new();
    let mut after = 0;
    loop {
        let path = format!("/catalog/v1/repositories/shelf/changes?after={after}&limit=500");
        let page = client.get(&path)?.expect_status(200)?.json()?;
        let changes = page["changes"].as_array().cloned().unwrap_or_default();
        for change in &changes {
            let revision = change["revision"].as_u64().context("no revision")?;
            ensure!(revision == after + 1, "the feed has a gap after {after}");
            after = revision;
            told.insert(change["version"].as_str().context("no version")?.to_owned(), revision);
        }
        if changes.is_empty() {
            return Ok(told);
        }
    }
}

/// Returns the entries of the index by version.
fn entries(client: &Client) -> Result<BTreeMap<String, serde_json::Value>> {
    let index = client.index("shelf")?;
    let entries = index["entries"]["storm"].as_array().cloned().unwrap_or_default();
    Ok(entries
        .into_iter()
        .filter_map(|entry| Some((entry["version"].as_str()?.to_owned(), entry.clone())))
        .collect())
}

/// Restores the newest backup elsewhere, and checks that it is the source as it was at one revision.
fn check_backup(site: &Site, place: &Path, source: &Client) -> Result<()> {
    let other = site.another()?;
    other.run(&restore(place))?.success().context("the restore")?;
    other.run(&verify("0s"))?.success().context("the restored copy is not what its catalog says")?;
    let server = other.start()?;
    let (restored, original) = (entries(&server.anonymous()?)?, entries(source)?);
    let last = told(&server.anonymous()?)?.into_values().max().unwrap_or(0);
    let expected: BTreeMap<String, serde_json::Value> = told(source)?
        .into_iter()
        .filter(|(_, revision)| *revision <= last)
        .filter_map(|(version, _)| Some((version.clone(), original.get(&version)?.clone())))
        .collect();
    ensure!(restored == expected, "the backup is not the source at revision {last}");
    ensure!(restored.len() > 1, "the backup holds next to nothing");
    server.stop()
}

/// Checks, once all is calm, that every replica has everything that was acknowledged, and shows the same.
fn check(servers: &[Option<Server>], log: &Log) -> Result<()> {
    let clients: Result<Vec<Client>> = servers.iter().flatten().map(Server::anonymous).collect();
    let clients = clients?;
    ensure!(clients.len() == REPLICAS, "a replica is missing");
    let bodies = wait_for("the indexes to be equal", SETTLED, || {
        let mut bodies = BTreeSet::new();
        for client in &clients {
            let answer = client.get("/shelf/index.yaml")?;
            bodies.insert((answer.status, answer.header("etag").to_owned(), answer.body));
        }
        Ok((bodies.len() == 1).then_some(bodies))
    })?;
    let (status, _, body) = bodies.first().context("no index")?;
    ensure!(*status == 200, "the index is answered {status}");
    let index: serde_json::Value = serde_json::from_slice(body)?;
    let listed: BTreeMap<&str, &str> = index["entries"]["storm"]
        .as_array()
        .context("no versions")?
        .iter()
        .filter_map(|entry| Some((entry["version"].as_str()?, entry["digest"].as_str()?)))
        .collect();
    for (number, (version, digest)) in log.acknowledged().iter().enumerate() {
        ensure!(
            listed.get(version.as_str()) == Some(&digest.hex()),
            "{version} was acknowledged and is lost"
        );
        let client = &clients[number % REPLICAS];
        let archive = client.get(&format!("/shelf/charts/storm-{version}.tgz"))?.expect_status(200)?;
        ensure!(archive.digest() == *digest, "other bytes for {version}");
    }
    Ok(())
}

fn weather(weather: &Weather) -> Result<()> {
    // Servers of its own: others would not like theirs restarted.
    let (Some(database), Some(minio)) = (postgres::Postgres::durable()?, object_store::shared_minio()?)
    else {
        return Ok(());
    };
    let database = Arc::new(database);
    let bucket = FaultProxy::start(minio.address())?;
    let stores = Stores::new(Some(&database), Some(&minio))?.blobs_at(bucket.address());
    let site = &Site::with(stores)?;
    let place = &site.folder().join("backups");
    let berths: &Berths = &(0..REPLICAS).map(|_| RwLock::new(None)).collect();
    let mut fleet = Fleet { site, berths, servers: (0..REPLICAS).map(|_| None).collect(), starts: 0 };
    for place in 0..REPLICAS {
        fleet.start(place)?;
    }
    let (_, first) = some_berth(berths, 0).context("no replica")?;
    first.admin.publish("shelf", &marked_chart("storm", "0.0.1", "first"))?.expect_status(201)?;
    let log = &Log {
        began: Instant::now(),
        acknowledged: Mutex::default(),
        calm_since: AtomicU64::new(0),
        answers: Default::default(),
    };
    thread::scope(|scope| -> Result<()> {
        let lasts = weather.lasts;
        let mut crew: Vec<thread::ScopedJoinHandle<'_, Result<()>>> = Vec::new();
        crew.extend(
            (0..PUBLISHERS).map(|number| scope.spawn(move || publish_on(number, berths, log, lasts))),
        );
        crew.extend((0..READERS).map(|number| scope.spawn(move || read_on(number, berths, log, lasts))));
        crew.push(scope.spawn(|| rage(weather, log, &database, &bucket)));
        let backups = scope.spawn(move || back_up_on(site, place, log, lasts));
        let mut turn = 0;
        while log.began.elapsed() + weather.between_kills < lasts {
            thread::sleep(weather.between_kills / 2);
            fleet.kill(turn * 2 % REPLICAS)?;
            thread::sleep(weather.between_kills / 2);
            // The database may be in the midst of its restart.
            wait_for("a replica to start again", SETTLED, || Ok(fleet.start(turn * 2 % REPLICAS).ok()))?;
            turn += 1;
        }
        for member in crew {
            member.join().map_err(|_| anyhow!("one of the crew panicked"))??;
        }
        let whole = backups.join().map_err(|_| anyhow!("the backups panicked"))??;
        ensure!(whole > 0, "no backup became whole");
        Ok(())
    })?;
    check(&fleet.servers, log)?;
    site.run(&verify("1h"))?.success().context("what is stored is not what the catalog says")?;
    check_backup(site, place, &fleet.servers.iter().flatten().next().context("no replica")?.anonymous()?)?;
    let [published, refused, read, unread] =
        [Answer::Published, Answer::Refused, Answer::Read, Answer::Unread].map(|answer| log.counted(answer));
    ensure!(
        published > 100 && read > 100,
        "next to nothing happened: {published} published, {refused} refused, {read} read, {unread} not answered"
    );
    Ok(())
}

#[test]
fn a_fleet_in_a_storm_loses_nothing_it_acknowledged() -> Result<()> {
    weather(if environment::wants_longest_stories() { &STORM } else { &SQUALL })
}
