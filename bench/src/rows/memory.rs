//! Resident memory with a large index, before and after it is read.

use anyhow::Result;

use crate::bench::{Bench, whole_index};
use crate::figures::{bytes, float, versions as shown};
use crate::process::Memory;
use crate::report::{Bar, Line, Section};
use crate::server::{INDEX, Server};

const READS: usize = 100;
const AT_ONCE: usize = 10;
const BAR: f64 = 2.5;

/// Looks at the memory after one read and after many.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let versions = bench.effort.large;
    bench.progress.say(&format!("memory: {versions} versions"));
    let ours = bench.chartroom(versions)?;
    let index = whole_index(&ours, versions).await?.len() as u64;
    let looks = look(&ours).await?;
    let theirs = match bench.chartmuseum(versions)? {
        Some(server) => {
            server.fetch(INDEX).await?;
            Some(look(&server).await?)
        }
        None => None,
    };
    let names = ["after 1 read".to_owned(), format!("after {READS} reads, {AT_ONCE} at once")];
    let mut lines = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let Some(look) = looks.get(position) else { continue };
        let figure = theirs.as_ref().and_then(|looks| looks.get(position));
        lines.push(
            Line::new(format!("{}, {name}", shown(versions)), bytes(look.resident))
                .beside(bytes(index))
                .chartmuseum(figure.map(|look| bytes(look.resident)))
                .judged(float(look.resident) / float(index), bench.effort.at_full_size(Bar::AtMost(BAR))),
        );
    }
    if let Some(look) = looks.last() {
        let ratio = float(look.highest) / float(index);
        let what = format!("{}, at its highest since the start", shown(versions));
        lines.push(Line::new(what, bytes(look.highest)).beside(bytes(index)).judged(ratio, Bar::None));
    }
    Ok(Section {
        title: "Resident memory",
        method: "VmRSS of the server; the ratio is to the bytes of the index it serves.".to_owned(),
        published: "ChartMuseum 2.8 GB (YAML), 0.5 GB (JSON) at 50k versions",
        peer: "index",
        lines,
    })
}

async fn look(server: &Server) -> Result<[Memory; 2]> {
    let first = server.process().memory()?;
    for _ in 0..READS / AT_ONCE {
        // Whole bodies are dropped as they come: the client's own memory must not grow with the server's.
        let mut connections = Vec::new();
        for _ in 0..AT_ONCE {
            connections.push(server.connect().await?);
        }
        let request = crate::http::get(server.address(), INDEX);
        let reads = connections.iter_mut().map(|connection| connection.exchange(&request, |_| {}));
        futures_util::future::try_join_all(reads).await?;
    }
    Ok([first, server.process().memory()?])
}
