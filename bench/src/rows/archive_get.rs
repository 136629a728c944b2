//! Archive GET: files of two sizes, streamed by Chartroom, sent by nginx.

use anyhow::Result;

use crate::bench::Bench;
use crate::comparison::{Bars, Contest};
use crate::corpus::{Sample, heavy};
use crate::environment;
use crate::figures::bytes;
use crate::load::Load;
use crate::place::Place;
use crate::report::{Line, Section};
use crate::server::{Repository, Server};

const CONNECTIONS: usize = 16;
const BARS: Bars = Bars { rate: 0.8, processor: None };
/// Bytes of an archive, and how many different ones are asked for.
const SHAPES: [(usize, usize); 2] = [(20 << 10, 64), (1 << 20, 16)];

/// Measures both sizes.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let mut lines = Vec::new();
    for (size, count) in SHAPES {
        lines.extend(measure_size(bench, size, count).await?);
    }
    Ok(Section {
        title: "Archive GET",
        method: format!(
            "Archives that cannot be compressed further, {CONNECTIONS} connections, counted as for the index."
        ),
        published: "nginx 2.6 × ChartMuseum",
        peer: "nginx",
        lines,
    })
}

async fn measure_size(bench: &Bench, size: usize, count: usize) -> Result<[Line; 2]> {
    let samples: Vec<Sample> = (0..count).map(|number| heavy(number, size)).collect();
    let ours = Server::chartroom(&bench.empty_site()?)?;
    let mut connection = ours.connect().await?;
    let (flat, nested) = (Place::new()?, Place::new()?);
    for sample in &samples {
        ours.publish_over(&mut connection, Repository::Default, &sample.archive).await?;
        nested.put(&format!("charts/{}", sample.file_name()), &sample.archive)?;
        flat.put(&sample.file_name(), &sample.archive)?;
    }
    let chartmuseum =
        environment::chartmuseum().map(|program| Server::chartmuseum(&program, &flat)).transpose()?;
    let contest = Contest { ours, nginx: Server::nginx(&nested)?, chartmuseum };
    let paths: Vec<String> = samples.iter().map(|sample| format!("/charts/{}", sample.file_name())).collect();
    let total: usize = samples.iter().map(|sample| sample.archive.len()).sum();
    let body_bytes = (total / count) as u64;
    let what = format!("{}, {CONNECTIONS} conn.", bytes(body_bytes));
    bench.progress.say(&format!("archive GET: {what}"));
    let load = Load { paths: &paths, body_bytes, connections: CONNECTIONS, window: bench.effort.window };
    contest.measure(&what, &load, &bench.effort, BARS).await
}
