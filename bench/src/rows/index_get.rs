//! Index GET: Chartroom from memory, nginx from a file with the same bytes.

use anyhow::Result;

use crate::bench::{Bench, whole_index};
use crate::comparison::{Bars, Contest};
use crate::figures::{bytes, versions as shown};
use crate::load::Load;
use crate::place::Place;
use crate::report::{Line, Section};
use crate::server::{INDEX, Server};

const CONNECTIONS: [usize; 3] = [1, 16, 100];
const BARS: Bars = Bars { rate: 0.95, processor: Some(1.3) };

/// Measures every size with every number of connections.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let mut lines = Vec::new();
    for versions in bench.effort.index_sizes {
        lines.extend(measure_size(bench, *versions).await?);
    }
    Ok(Section {
        title: "Index GET",
        method: format!(
            "`index.yaml` from memory beside nginx (2 workers, sendfile) with the same bytes in a file; \
             neither logs requests. \
             Rates and the server's CPU (user and system, all its processes) are counted over {} ms, {} turns each; \
             the ratio is the median of the turns' ratios. The client is one thread that drops what it reads.",
            bench.effort.window.as_millis(),
            bench.effort.rounds
        ),
        published: "nginx and ChartMuseum alike are bound by copying (about 2 GB/s); ChartMuseum spends 3 × nginx's CPU",
        peer: "nginx",
        lines,
    })
}

async fn measure_size(bench: &Bench, versions: usize) -> Result<Vec<Line>> {
    let ours = bench.chartroom(versions)?;
    let index = whole_index(&ours, versions).await?;
    let place = Place::new()?;
    place.put("index.yaml", &index)?;
    let contest = Contest { ours, nginx: Server::nginx(&place)?, chartmuseum: bench.chartmuseum(versions)? };
    let paths = [INDEX.to_owned()];
    let mut lines = Vec::new();
    for connections in CONNECTIONS {
        let size = index.len() as u64;
        let what = format!("{} ({}), {connections} conn.", shown(versions), bytes(size));
        bench.progress.say(&format!("index GET: {what}"));
        let load = Load { paths: &paths, body_bytes: size, connections, window: bench.effort.window };
        lines.extend(contest.measure(&what, &load, &bench.effort, BARS).await?);
    }
    Ok(lines)
}
