//! From starting the program to having read the whole first index.

use std::time::Instant;

use anyhow::Result;

use crate::bench::{Bench, archives};
use crate::environment;
use crate::figures::{duration, seconds, versions as shown};
use crate::report::{Bar, Line, Section};
use crate::server::{INDEX, Server};
use crate::statistics::{median, percentile};

const STARTS: usize = 7;
const BAR_SECONDS: f64 = 0.2;

/// Starts on the largest corpus several times.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let versions = bench.effort.large;
    bench.progress.say(&format!("start to first index: {versions} versions"));
    let site = bench.site(versions)?;
    let (mut to_listening, mut to_index) = (Vec::new(), Vec::new());
    for _ in 0..=STARTS {
        let begun = Instant::now();
        let server = Server::chartroom(&site)?;
        to_listening.push(begun.elapsed().as_secs_f64());
        let index = server.fetch(INDEX).await?;
        to_index.push(index.ended.duration_since(begun).as_secs_f64());
    }
    // The first start only fills the page cache.
    to_listening.remove(0);
    to_index.remove(0);
    let chartmuseum = time_chartmuseum(versions).await?;
    let what = shown(versions);
    let lines = vec![
        Line::new(format!("{what}: until it listens"), seconds(median(&to_listening))),
        Line::new(
            format!("{what}: until the first index is read, median of {STARTS}"),
            seconds(median(&to_index)),
        )
        .chartmuseum(chartmuseum)
        .judged(median(&to_index), bench.effort.at_full_size(Bar::Seconds(BAR_SECONDS))),
        Line::new(format!("{what}: the same, slowest"), seconds(percentile(&to_index, 100))),
    ];
    Ok(Section {
        title: "Start to first index",
        method:
            "From starting the process to the last byte of its first index, with the files in the page cache."
                .to_owned(),
        published: "ChartMuseum 27 s, with its state file 6.9 s (YAML), 0.96 s (JSON), at 50k",
        peer: "–",
        lines,
    })
}

async fn time_chartmuseum(versions: usize) -> Result<Option<String>> {
    let Some(program) = environment::chartmuseum() else { return Ok(None) };
    let place = archives(versions)?;
    // The first start writes the state file that the second one uses.
    drop(Server::chartmuseum(&program, &place)?);
    let begun = Instant::now();
    let server = Server::chartmuseum(&program, &place)?;
    let index = server.fetch(INDEX).await?;
    Ok(Some(duration(index.ended.duration_since(begun))))
}
