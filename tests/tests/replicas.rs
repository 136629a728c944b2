//! Several servers on one database and one bucket: what one acknowledged, each shows; who is gone delays nobody.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use stories::backend::{POSTGRES_MINIO, tell};
use stories::client::Client;
use stories::command_line::TokenRequest;
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::{marked_chart, plain_chart};
use stories::wait::wait_for;

/// How long a publish may take while another replica is paused in the midst of its own: a few seconds.
const NOT_DELAYED: Duration = Duration::from_secs(5);

/// Checks that each replica shows the same index, byte for byte, and returns the versions in it.
fn same_index(replicas: &[Server]) -> Result<BTreeSet<String>> {
    let mut answers = Vec::new();
    for replica in replicas {
        answers.push(replica.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?);
    }
    let (first, others) = answers.split_first().context("no replica")?;
    for other in others {
        ensure!(first.body == other.body, "other bytes:\n{}\n{}", first.text(), other.text());
        for header in ["etag", "last-modified"] {
            ensure!(
                !first.header(header).is_empty() && first.header(header) == other.header(header),
                "{header}"
            );
        }
    }
    let index = first.json()?;
    let charts = index["entries"].as_object().context("no entries")?.values();
    let versions = charts.flat_map(|versions| versions.as_array().cloned().unwrap_or_default());
    Ok(versions
        .filter_map(|entry| Some(format!("{}-{}", entry["name"].as_str()?, entry["version"].as_str()?)))
        .collect())
}

#[test]
fn what_one_replica_acknowledged_is_in_the_next_index_of_each_other() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let replicas = site.replicas(3)?;
        let mut published = BTreeSet::new();
        for (number, publisher) in (0..30).zip(replicas.iter().cycle()) {
            let (name, version) = (["web", "batch"][number % 2], format!("1.{number}.0"));
            publisher.admin()?.publish("shelf", &plain_chart(name, &version))?.expect_status(201)?;
            published.insert(format!("{name}-{version}"));
            assert_eq!(same_index(&replicas)?, published, "after publish {number}");
        }
        for (file, replica) in published.iter().zip(replicas.iter().cycle()) {
            replica.anonymous()?.get(&format!("/shelf/charts/{file}.tgz"))?.expect_status(200)?;
        }
        let (deleting, reading) = (&replicas[0], &replicas[2]);
        deleting.admin()?.delete("/api/shelf/charts/web/1.0.0")?.expect_status(200)?;
        assert_eq!(reading.anonymous()?.get("/shelf/charts/web-1.0.0.tgz")?.status, 404, "deleted elsewhere");
        ensure!(same_index(&replicas)?.len() + 1 == published.len(), "a deleted version is still listed");
        Ok(())
    })
}

#[test]
fn of_publishers_on_several_replicas_exactly_one_wins() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let replicas = site.replicas(3)?;
        replicas[0].admin()?.publish("shelf", &plain_chart("first", "1.0.0"))?.expect_status(201)?;
        for round in 0..10 {
            let version = format!("1.{round}.0");
            let mut statuses = publish_at_once(&replicas, &version)?;
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409, 409, 409, 409, 409], "{version}");
        }
        assert_eq!(same_index(&replicas)?.len(), 11);
        Ok(())
    })
}

/// Lets two clients of each replica publish other bytes for one version, and returns what they were answered.
fn publish_at_once(replicas: &[Server], version: &str) -> Result<Vec<u16>> {
    thread::scope(|scope| {
        let publish = |(number, replica): (usize, &Server)| -> Result<_> {
            let (admin, archive) = (replica.admin()?, marked_chart("raced", version, &number.to_string()));
            Ok(scope.spawn(move || admin.publish("shelf", &archive)))
        };
        let publishers: Result<Vec<_>> = replicas.iter().chain(replicas).enumerate().map(publish).collect();
        let answer = |publisher: thread::ScopedJoinHandle<'_, Result<_>>| {
            publisher.join().map_err(|_| anyhow!("a publisher panicked"))?
        };
        publishers?.into_iter().map(|publisher| Ok(answer(publisher)?.status)).collect()
    })
}

/// Publishes until told to end; tells the name of each acknowledged version.
fn publish_until(
    ended: &AtomicBool,
    client: &Client,
    next: &AtomicUsize,
    told: &Sender<String>,
) -> Result<()> {
    while !ended.load(Ordering::Relaxed) {
        let version = format!("2.{}.0", next.fetch_add(1, Ordering::Relaxed));
        let answer = client.publish("shelf", &plain_chart("busy", &version))?;
        // A pause in the midst of a transaction may cost the publish, which then says that it is not done.
        ensure!([201, 503].contains(&answer.status), "{version}: {} {}", answer.status, answer.text());
        if answer.status == 201 {
            // Nobody listens any more at the end of the round.
            let _ = told.send(format!("busy-{version}"));
        }
    }
    Ok(())
}

/// Pauses a busy replica after so many acknowledgements and publishes on another. Returns how long that took,
/// and what the busy one acknowledged.
fn pause_and_publish(
    busy: &Server,
    other: &Client,
    next: &AtomicUsize,
    round: usize,
) -> Result<(Duration, BTreeSet<String>)> {
    let (admin, ended) = (&busy.admin()?, &AtomicBool::new(false));
    let (told, acknowledged) = channel();
    thread::scope(|scope| {
        let publish = |told: Sender<String>| scope.spawn(move || publish_until(ended, admin, next, &told));
        let publishers: Vec<_> = (0..3).map(|_| publish(told.clone())).collect();
        drop(told);
        let mut seen: BTreeSet<String> = acknowledged.iter().take(1 + round).collect();
        busy.signal("STOP")?;
        let begun = Instant::now();
        let answer = other.publish("shelf", &plain_chart("calm", &format!("1.{round}.0")));
        let took = begun.elapsed();
        ended.store(true, Ordering::Relaxed);
        busy.signal("CONT")?;
        for publisher in publishers {
            publisher.join().map_err(|_| anyhow!("a publisher panicked"))??;
        }
        answer?.expect_status(201)?;
        seen.extend(acknowledged);
        Ok((took, seen))
    })
}

#[test]
fn a_paused_replica_delays_nobody_and_catches_up() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let replicas = site.replicas(2)?;
        let (busy, other, next) = (&replicas[0], replicas[1].admin()?, AtomicUsize::new(0));
        let mut acknowledged = BTreeSet::new();
        for round in 0..12 {
            let (took, seen) = pause_and_publish(busy, &other, &next, round)?;
            ensure!(took < NOT_DELAYED, "round {round}: a publish took {took:?} beside a paused replica");
            acknowledged.extend(seen);
            acknowledged.insert(format!("calm-1.{round}.0"));
        }
        let listed = same_index(&replicas)?;
        let lost: Vec<_> = acknowledged.difference(&listed).collect();
        ensure!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        Ok(())
    })
}

#[test]
fn a_killed_replica_comes_back_to_what_the_others_did() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let mut replicas = site.replicas(2)?;
        for round in 0..5 {
            let victim = replicas.remove(0);
            victim
                .admin()?
                .publish("shelf", &plain_chart("own", &format!("1.{round}.0")))?
                .expect_status(201)?;
            victim.kill()?;
            let other = replicas.first().context("no other replica")?;
            other
                .admin()?
                .publish("shelf", &plain_chart("others", &format!("1.{round}.0")))?
                .expect_status(201)?;
            replicas.push(site.replica(round % 2)?.start()?);
            assert_eq!(same_index(&replicas)?.len(), 2 * (round + 1), "round {round}");
        }
        Ok(())
    })
}

#[test]
fn a_token_made_or_revoked_beside_one_replica_counts_on_each() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let replicas = site.replicas(2)?;
        replicas[0].admin()?.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
        let request = TokenRequest { name: "pipeline", role: "publisher", repository: None, expires: None };
        let token = site.create_token(&request)?;
        for replica in &replicas {
            replica.client(&token)?.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
        }
        revoke(site, "pipeline")?;
        for replica in &replicas {
            let client = replica.client(&token)?;
            wait_for("the token to be refused", Duration::from_secs(5), || {
                let status = client.publish("shelf", &plain_chart("kept", "1.0.0"))?.status;
                Ok((status == 401).then_some(()))
            })?;
        }
        Ok(())
    })
}

fn revoke(site: &Site, name: &str) -> Result<()> {
    site.run(&stories::command_line::revoke_token(name))?.success()?;
    Ok(())
}
