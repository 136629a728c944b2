//! From starting the program to having read the whole first index.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::bench::{Bench, archives};
use crate::environment;
use crate::figures::{duration, seconds, versions as shown};
use crate::report::{Bar, Line, Section};
use crate::server::{INDEX, Server};
use crate::site::Site;
use crate::statistics::{median, percentile};

const STARTS: usize = 7;
const BAR_SECONDS: f64 = 0.2;

/// What a server keeps in its data folder for its next start, and which may be removed.
const KEPT_INDEXES: &str = "index";

/// Starts on the largest corpus several times.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let versions = bench.effort.large;
    bench.progress.say(&format!("start to first index: {versions} versions"));
    let site = bench.site(versions)?;
    // The first start only fills the page cache; its stop leaves the index for the next one.
    start(&site).await?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start(&site).await?);
    }
    let to_listening: Vec<f64> = starts.iter().map(|start| start.to_listening).collect();
    let to_index: Vec<f64> = starts.iter().map(|start| start.to_index).collect();
    fs::remove_dir_all(site.data().join(KEPT_INDEXES)).context("no index was kept")?;
    let without = start(&site).await?.to_index;
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
        Line::new(format!("{what}: the same, once, without the kept index"), seconds(without)),
    ];
    Ok(Section {
        title: "Start to first index",
        method: "From starting the process to the last byte of its first index, after a clean stop and with the files \
                 in the page cache. The server before kept its index in a file, as ChartMuseum its state file; without \
                 it, as on a new machine, every version is read from the catalog."
            .to_owned(),
        published: "ChartMuseum 27 s, with its state file 6.9 s (YAML), 0.96 s (JSON), at 50k",
        peer: "–",
        lines,
    })
}

/// Seconds from starting the process.
struct Start {
    to_listening: f64,
    to_index: f64,
}

/// Starts, reads the index and stops.
async fn start(site: &Site) -> Result<Start> {
    let begun = Instant::now();
    let server = Server::chartroom(site)?;
    let to_listening = begun.elapsed().as_secs_f64();
    let index = server.fetch(INDEX).await?;
    Ok(Start { to_listening, to_index: index.ended.duration_since(begun).as_secs_f64() })
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
