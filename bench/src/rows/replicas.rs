//! Publish rate of one replica and of several on the same database and bucket, and what one sees of another.

use std::time::Instant;

use anyhow::{Result, bail};

use super::listed::lists;
use crate::bench::Bench;
use crate::corpus::newer;
use crate::figures::{float, rate, seconds, versions as shown};
use crate::publish::publish_spread;
use crate::report::{Bar, Line, Section};
use crate::server::{INDEX, Repository, Server};
use crate::site::Site;
use crate::statistics::{median, median_ratio};

const REPLICAS: [usize; 3] = [1, 2, 3];
const VERSIONS: usize = 1_000;
const PUBLISHES: usize = 240;
const LOOKS: usize = 40;
const TEAMS: [&str; 8] = ["team-1", "team-2", "team-3", "team-4", "team-5", "team-6", "team-7", "team-8"];

/// How many clients publish, and to what.
#[derive(Debug, Clone, Copy)]
struct Load {
    clients: usize,
    is_spread: bool,
}

const LOADS: [Load; 4] = [
    Load { clients: 8, is_spread: false },
    Load { clients: 24, is_spread: false },
    Load { clients: 8, is_spread: true },
    Load { clients: 24, is_spread: true },
];

/// Publishes to one, two and three replicas in turns.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let site = bench.site(VERSIONS)?;
    let mut contest = Contest { site: &site, published: 0, rates: <_>::default() };
    contest.make_repositories().await?;
    for round in 0..bench.effort.rounds {
        bench.progress.say(&format!("replicas: turn {} of {}", round + 1, bench.effort.rounds));
        for replicas in REPLICAS {
            contest.take_turn(replicas).await?;
        }
    }
    let mut lines = contest.lines();
    lines.extend(contest.look_from_another_replica().await?);
    Ok(Section {
        title: "Publishing to several replicas",
        method: format!(
            "{PUBLISHES} archives of about 1 kB a turn, {} turns, to so many replicas on one database and one bucket, \
             each client keeping to one of them; to one repository of {} versions, or to {} small ones. The ratio \
             is to one replica in the same turn. Replicas, Postgres, MinIO and clients share the machine's cores: this \
             shows what replicas cost each other, not what more machines would bring.",
            bench.effort.rounds,
            shown(VERSIONS),
            TEAMS.len(),
        ),
        published: "none",
        peer: "one replica",
        lines,
    })
}

struct Contest<'a> {
    site: &'a Site,
    published: usize,
    /// Of each load, for each number of replicas.
    rates: [[Vec<f64>; REPLICAS.len()]; LOADS.len()],
}

impl Contest<'_> {
    fn archives(&mut self, count: usize) -> Vec<Vec<u8>> {
        self.published += count;
        let samples = newer(VERSIONS, self.published - count, count);
        samples.into_iter().map(|sample| sample.archive).collect()
    }

    fn start(&self, replicas: usize) -> Result<Vec<Server>> {
        (0..replicas).map(|number| Server::chartroom(&self.site.replica(number))).collect()
    }

    async fn make_repositories(&mut self) -> Result<()> {
        let archives = self.archives(TEAMS.len());
        publish_spread(&self.start(1)?, &TEAMS.map(Repository::At), &archives, 1).await?;
        Ok(())
    }

    async fn take_turn(&mut self, replicas: usize) -> Result<()> {
        let servers = self.start(replicas)?;
        for (position, load) in LOADS.iter().enumerate() {
            let archives = self.archives(PUBLISHES);
            let elapsed = if load.is_spread {
                publish_spread(&servers, &TEAMS.map(Repository::At), &archives, load.clients).await?
            } else {
                publish_spread(&servers, &[Repository::Default], &archives, load.clients).await?
            };
            let rates = self.rates.get_mut(position).and_then(|rates| rates.get_mut(replicas - 1));
            rates.into_iter().for_each(|rates| rates.push(float(PUBLISHES as u64) / elapsed));
        }
        Ok(())
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (load, [one, two, three]) in LOADS.iter().zip(&self.rates) {
            for (replicas, rates) in REPLICAS.iter().zip([one, two, three]) {
                let repositories = if load.is_spread { TEAMS.len() } else { 1 };
                let what =
                    format!("clients: {}, repositories: {repositories}, replicas: {replicas}", load.clients);
                lines.push(
                    Line::new(what, rate(median(rates)))
                        .beside(rate(median(one)))
                        .judged(median_ratio(rates, one), Bar::None),
                );
            }
        }
        lines
    }

    /// Publishes to one replica and reads the index of the next right after the 201.
    async fn look_from_another_replica(&mut self) -> Result<[Line; 2]> {
        let servers = self.start(2)?;
        let ([writer, reader], mut missing, mut until_read) = (&*servers, 0, Vec::new()) else {
            bail!("two replicas were to be started");
        };
        let (mut writing, mut reading) = (writer.connect().await?, reader.connect().await?);
        let samples = newer(VERSIONS, self.published, LOOKS);
        self.published += LOOKS;
        for sample in samples {
            writer.publish_over(&mut writing, Repository::Default, &sample.archive).await?;
            let acknowledged = Instant::now();
            let index = reader.fetch_over(&mut reading, INDEX).await?;
            until_read.push(index.ended.duration_since(acknowledged).as_secs_f64());
            missing += u32::from(!lists(&index.body, &sample)?);
        }
        Ok([
            Line::new("missing in another replica's index after the 201", format!("{missing} of {LOOKS}"))
                .judged(f64::from(missing), Bar::AtMost(0.0)),
            Line::new("from the 201 to having read another replica's index", seconds(median(&until_read))),
        ])
    }
}
