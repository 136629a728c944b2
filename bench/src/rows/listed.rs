//! Whether a version is in the index once its publish was acknowledged, and how long reading that takes.

use std::time::Instant;

use anyhow::{Result, bail};
use futures_util::future::try_join_all;

use crate::bench::Bench;
use crate::corpus::{Sample, newer};
use crate::figures::{seconds, versions as shown};
use crate::process::PATIENCE;
use crate::report::{Bar, Line, Section};
use crate::server::{INDEX, Repository, Server};
use crate::statistics::median;

const AT_ONCE: [usize; 2] = [1, 8];
const PUBLISHES: usize = 40;

/// Reads the index right after every 201, at every size.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let mut lines = Vec::new();
    for versions in bench.effort.index_sizes {
        let ours = bench.chartroom(*versions)?;
        let chartmuseum = bench.chartmuseum(*versions)?;
        for (turn, at_once) in AT_ONCE.into_iter().enumerate() {
            bench.progress.say(&format!("listed after the 201: {versions} versions, {at_once} at once"));
            let samples = newer(*versions, turn * PUBLISHES, PUBLISHES);
            let seen = look(&ours, &samples, at_once).await?;
            let theirs = match &chartmuseum {
                Some(server) => Some(look(server, &samples, at_once).await?),
                None => None,
            };
            let what = format!("{}, {at_once} at once: missing after the 201", shown(*versions));
            lines.push(
                Line::new(what, format!("{} of {PUBLISHES}", seen.missing))
                    .chartmuseum(theirs.as_ref().map(|seen| format!("{} of {PUBLISHES}", seen.missing)))
                    .judged(f64::from(seen.missing), Bar::AtMost(0.0)),
            );
            let what = format!("{}, {at_once} at once: from the 201 to having read it", shown(*versions));
            let time = |seen: &Seen| seconds(median(&seen.until_read));
            lines.push(Line::new(what, time(&seen)).chartmuseum(theirs.as_ref().map(time)));
        }
    }
    Ok(Section {
        title: "Listed after the 201",
        method: format!(
            "After each of {PUBLISHES} acknowledged publishes the whole index is read at once and searched for the \
             version; the time holds the reading of the whole body."
        ),
        published: "ChartMuseum lists it 0.2 / 1.3 / 8.7 s later (YAML) at 1k / 10k / 50k",
        peer: "–",
        lines,
    })
}

#[derive(Default)]
struct Seen {
    missing: u32,
    until_read: Vec<f64>,
}

async fn look(server: &Server, samples: &[Sample], at_once: usize) -> Result<Seen> {
    let share = samples.len().div_ceil(at_once).max(1);
    let seen = try_join_all(samples.chunks(share).map(|samples| look_one_by_one(server, samples))).await?;
    Ok(seen.into_iter().fold(Seen::default(), |mut all, one| {
        all.missing += one.missing;
        all.until_read.extend(one.until_read);
        all
    }))
}

async fn look_one_by_one(server: &Server, samples: &[Sample]) -> Result<Seen> {
    let mut connection = server.connect().await?;
    let mut seen = Seen::default();
    for sample in samples {
        server.publish_over(&mut connection, Repository::Default, &sample.archive).await?;
        let acknowledged = Instant::now();
        let mut is_first = true;
        loop {
            let index = server.fetch_over(&mut connection, INDEX).await?;
            if lists(&index.body, sample)? {
                seen.until_read.push(index.ended.duration_since(acknowledged).as_secs_f64());
                break;
            }
            seen.missing += u32::from(std::mem::take(&mut is_first));
            if acknowledged.elapsed() > PATIENCE {
                bail!("`{}` was acknowledged and never listed", sample.file_name());
            }
        }
    }
    Ok(seen)
}

/// Returns whether an index lists a version.
///
/// # Errors
/// When it is no text.
pub(super) fn lists(index: &[u8], sample: &Sample) -> Result<bool> {
    Ok(std::str::from_utf8(index)?.contains(&format!("charts/{}\"", sample.file_name())))
}
