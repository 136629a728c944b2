//! Time to the first byte of a large index, alone and while others publish.

use std::time::Instant;

use anyhow::{Result, bail};
use futures_util::future::try_join_all;

use crate::bench::Bench;
use crate::corpus::newer;
use crate::figures::{seconds, versions as shown};
use crate::http::get;
use crate::report::{Bar, Line, Section};
use crate::server::{INDEX, Repository, Server};
use crate::statistics::percentile;

const PUBLISHERS: [usize; 2] = [1, 8];
const READS: usize = 40;
/// More than a publisher can get rid of in one turn.
const ARCHIVES: usize = 4_000;
const BAR: f64 = 2.0;

/// Measures the largest index with few and with many publishers.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let versions = bench.effort.large;
    let ours = bench.chartroom(versions)?;
    let chartmuseum = bench.chartmuseum(versions)?;
    let mut lines = Vec::new();
    let mut published = 0;
    for publishers in PUBLISHERS {
        bench.progress.say(&format!("index latency: {versions} versions, {publishers} publishers"));
        let latencies = Latencies::of(&ours, bench, publishers, &mut published).await?;
        let theirs = match &chartmuseum {
            Some(server) => Some(Latencies::of(server, bench, publishers, &mut published).await?),
            None => None,
        };
        for (name, percent) in [("median", 50), ("p99", 99)] {
            let (busy, idle) = (percentile(&latencies.busy, percent), percentile(&latencies.idle, percent));
            let shown_of = |latencies: &Latencies| {
                let [busy, idle] =
                    [&latencies.busy, &latencies.idle].map(|sample| seconds(percentile(sample, percent)));
                format!("{busy} (idle {idle})")
            };
            let what = format!("{}, {publishers} publishing, {name}", shown(versions));
            lines.push(
                Line::new(what, shown_of(&latencies))
                    .chartmuseum(theirs.as_ref().map(shown_of))
                    .judged(busy / idle, bench.effort.at_full_size(Bar::AtMost(BAR))),
            );
        }
    }
    Ok(Section {
        title: "Index time to first byte while others publish",
        method: format!(
            "One reader gets the index again and again, {READS} times a turn, {} turns alone and as many while others \
             publish as fast as they can on the same cores; the ratio is busy to idle.",
            bench.effort.rounds
        ),
        published: "ChartMuseum 8 s (YAML), 0.3 s (JSON)",
        peer: "–",
        lines,
    })
}

#[derive(Default)]
struct Latencies {
    idle: Vec<f64>,
    busy: Vec<f64>,
}

impl Latencies {
    async fn of(server: &Server, bench: &Bench, publishers: usize, published: &mut usize) -> Result<Self> {
        let mut latencies = Self::default();
        for _ in 0..bench.effort.rounds {
            latencies.idle.extend(read(server).await?);
            let archives: Vec<Vec<u8>> = newer(bench.effort.large, *published, ARCHIVES)
                .into_iter()
                .map(|sample| sample.archive)
                .collect();
            *published += ARCHIVES;
            let busy = tokio::select! {
                busy = read(server) => busy?,
                ended = publish_for_ever(server, publishers, &archives) => match ended {
                    Ok(_) => bail!("the publishers had nothing left to publish"),
                    Err(error) => return Err(error),
                },
            };
            latencies.busy.extend(busy);
        }
        Ok(latencies)
    }
}

async fn read(server: &Server) -> Result<Vec<f64>> {
    let mut connection = server.connect().await?;
    let request = get(server.address(), INDEX);
    let mut latencies = Vec::new();
    for _ in 0..READS {
        let begun = Instant::now();
        let answer = connection.exchange(&request, |_| {}).await?;
        latencies.push(answer.first_byte.duration_since(begun).as_secs_f64());
    }
    Ok(latencies)
}

async fn publish_for_ever(server: &Server, publishers: usize, archives: &[Vec<u8>]) -> Result<Vec<()>> {
    let share = archives.len().div_ceil(publishers).max(1);
    try_join_all(archives.chunks(share).map(async |archives| {
        let mut connection = server.connect().await?;
        for archive in archives {
            server.publish_over(&mut connection, Repository::Default, archive).await?;
        }
        Ok(())
    }))
    .await
}
