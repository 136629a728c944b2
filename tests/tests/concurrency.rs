//! Many pipelines publish at once, some of them the same version with other bytes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use oci::Digest;
use stories::client::Client;
use stories::site::Site;
use stories::synthetic::marked_chart;

stories::on_each_backend! {
    of_many_publishers_of_one_version_exactly_one_wins,
    the_same_bytes_from_many_publishers_are_all_welcome,
    whoever_got_201_finds_the_version_in_the_next_index,
}

const CLIENTS: usize = 16;
const PUBLISHES: usize = 200;
const CHARTS: usize = 5;
const VERSIONS: usize = 10;
const RIVALS: usize = PUBLISHES / (CHARTS * VERSIONS);

/// One publish and how it was answered.
struct Attempt {
    chart: String,
    version: String,
    digest: Digest,
    status: u16,
}

fn publish_numbered(client: &Client, number: usize) -> Result<Attempt> {
    // Numbers that differ by the count of places meet at one version, each with bytes of its own.
    let place = number % (CHARTS * VERSIONS);
    let (chart, version) = (format!("chart-{}", place % CHARTS), format!("1.{}.0", place / CHARTS));
    let archive = marked_chart(&chart, &version, &number.to_string());
    let answer = client.publish("busy", &archive)?;
    if answer.status == 409 {
        let reason = answer.error_text()?;
        ensure!(reason.contains(&chart) && reason.contains(&version), "409 without a reason: {reason}");
    }
    Ok(Attempt { chart, version, digest: Digest::sha256(&archive), status: answer.status })
}

fn publish_from_many_clients(admin: &Client) -> Result<Vec<Attempt>> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<Attempt>> {
        let mut attempts = Vec::new();
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            if turn >= PUBLISHES {
                return Ok(attempts);
            }
            // The rivals for one version take neighbouring turns, so that they are in flight together.
            attempts.push(publish_numbered(admin, turn / RIVALS + turn % RIVALS * CHARTS * VERSIONS)?);
        }
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for client in clients {
            all.extend(client.join().map_err(|_| anyhow!("a client panicked"))??);
        }
        Ok(all)
    })
}

fn of_many_publishers_of_one_version_exactly_one_wins(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    let attempts = publish_from_many_clients(&admin)?;
    assert_eq!(attempts.len(), PUBLISHES);
    let mut winners: BTreeMap<(String, String), Vec<Digest>> = BTreeMap::new();
    for attempt in &attempts {
        ensure!(
            [201, 409].contains(&attempt.status),
            "{} {}: {}",
            attempt.chart,
            attempt.version,
            attempt.status
        );
        let winners = winners.entry((attempt.chart.clone(), attempt.version.clone())).or_default();
        winners.extend((attempt.status == 201).then(|| attempt.digest.clone()));
    }
    assert_eq!(winners.len(), CHARTS * VERSIONS);
    let index = admin.index("busy")?;
    for ((chart, version), winners) in winners {
        ensure!(winners.len() == 1, "{} winners of {chart} {version}", winners.len());
        let winner = winners.first().context("no winner")?;
        let listed: Vec<&str> = index["entries"][&chart]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["version"] == version.as_str())
            .filter_map(|entry| entry["digest"].as_str())
            .collect();
        assert_eq!(listed, [winner.hex()], "{chart} {version}");
        let served = admin.get(&format!("/busy/charts/{chart}-{version}.tgz"))?.expect_status(200)?;
        assert_eq!(served.digest(), *winner);
    }
    Ok(())
}

fn the_same_bytes_from_many_publishers_are_all_welcome(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    let archive = marked_chart("same", "1.0.0", "all alike");
    let publish = || admin.publish("busy", &archive)?.expect_status(201);
    thread::scope(|scope| -> Result<()> {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(publish)).collect();
        for client in clients {
            client.join().map_err(|_| anyhow!("a client panicked"))??;
        }
        Ok(())
    })?;
    let index = admin.index("busy")?;
    assert_eq!(index["entries"]["same"].as_array().map(Vec::len), Some(1));
    Ok(())
}

fn whoever_got_201_finds_the_version_in_the_next_index(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    let publish_and_look = |client: usize| -> Result<()> {
        for number in 0..8 {
            let version = format!("{client}.{number}.0");
            admin.publish("busy", &marked_chart("seen", &version, "x"))?.expect_status(201)?;
            let index = admin.index("busy")?;
            let versions = index["entries"]["seen"].as_array().context("the chart is not listed")?;
            ensure!(
                versions.iter().any(|entry| entry["version"] == version.as_str()),
                "{version} is not listed"
            );
        }
        Ok(())
    };
    thread::scope(|scope| -> Result<()> {
        let clients: Vec<_> = (0..4).map(|client| scope.spawn(move || publish_and_look(client))).collect();
        for client in clients {
            client.join().map_err(|_| anyhow!("a client panicked"))??;
        }
        Ok(())
    })
}
