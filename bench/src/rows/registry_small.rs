//! Small blobs and manifests: pushed and read over one connection and over many, beside the reference implementation.

use anyhow::Result;

use crate::bench::{Bench, Effort};
use crate::figures::{float, rate, seconds};
use crate::load::{Load, Throughput};
use crate::place::Place;
use crate::registry::{Blob, NAME, push_all, push_image};
use crate::report::{Bar, Line, Section};
use crate::server::Server;
use crate::statistics::{median, median_ratio};

const SIZE: usize = 10 << 10;
const BLOBS: usize = 1_000;
const CONNECTIONS: [usize; 2] = [1, 16];

/// What zot did beside docker-registry on one machine, which is not run here: 724 pushes a second to 198.
const ZOT_PUSHES: f64 = 724.0 / 198.0;
/// And 9,000 blobs read a second to 650, of which 1.2 times as many are asked.
const READS: f64 = 1.2 * 9_000.0 / 650.0;

/// Measures pushes, then reads of what was pushed.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let ours = Server::chartroom(&bench.empty_site()?)?;
    let peer = Server::docker_registry(&Place::new()?)?;
    let rivals = Rivals { ours, peer };
    let mut lines = Vec::new();
    let mut pushed = Vec::new();
    for connections in CONNECTIONS {
        bench.progress.say(&format!("registry: pushes, {connections} connections"));
        let (blobs, pushes) = rivals.pushes(&bench.effort, connections).await?;
        lines.extend(pushes);
        pushed = blobs;
    }
    let blobs: Vec<String> = pushed.iter().map(Blob::path).collect();
    let mut image = None;
    for server in [&rivals.ours, &rivals.peer] {
        // Clients read blobs that a manifest names.
        push_image(server, &pushed, "all").await?;
        image = Some(push_image(server, pushed.get(..2).unwrap_or_default(), "1.0").await?);
    }
    let manifest_bytes = image.map_or(0, |image| image.content.len() as u64);
    let manifests = [format!("/v2/{NAME}/manifests/1.0")];
    for connections in CONNECTIONS {
        bench.progress.say(&format!("registry: reads, {connections} connections"));
        let load = |paths, body_bytes| Load { paths, body_bytes, connections, window: bench.effort.window };
        let read = rivals.reads(&load(&blobs, SIZE as u64), &bench.effort).await?;
        let bar = if connections == 1 { Bar::None } else { Bar::AtLeast(READS) };
        lines.extend(read.lines(&format!("10 KiB blob GET, {connections} conn."), bar));
        let read = rivals.reads(&load(&manifests, manifest_bytes), &bench.effort).await?;
        lines.extend(read.lines(&format!("manifest GET by tag, {connections} conn."), Bar::None));
    }
    Ok(Section {
        title: "Registry: small blobs and manifests",
        method: format!(
            "Each turn pushes {BLOBS} new blobs of 10 KiB by POST and PUT; blobs and one manifest are read as archives are. \
             docker-registry keeps a folder on the same disk and syncs nothing; Chartroom has synced what it answers for."
        ),
        published: "pushed zot 724/s, distribution 198/s (5.7 ms CPU a push); read zot 9,000/s, distribution 650/s; \
                    manifests zot 17,700/s; 16 connections. The bars are the design's, zot's rate carried over by its ratio \
                    to distribution",
        peer: "docker-registry",
        lines,
    })
}

/// Both registries, with the same content.
struct Rivals {
    ours: Server,
    peer: Server,
}

/// What both did, turn by turn.
#[derive(Default)]
struct Turns {
    ours: Vec<Throughput>,
    peer: Vec<Throughput>,
}

impl Rivals {
    /// Pushes new blobs in turns; returns the last of them and the lines.
    async fn pushes(&self, effort: &Effort, connections: usize) -> Result<(Vec<Blob>, [Line; 2])> {
        let mut turns = Turns::default();
        let mut blobs = Vec::new();
        for round in 0..effort.rounds {
            let first = (connections * effort.rounds + round) * BLOBS;
            blobs = (first..first + BLOBS).map(|number| Blob::numbered(number as u64, SIZE)).collect();
            if round % 2 == 0 {
                turns.ours.push(push_turn(&self.ours, &blobs, connections).await?);
                turns.peer.push(push_turn(&self.peer, &blobs, connections).await?);
            } else {
                turns.peer.push(push_turn(&self.peer, &blobs, connections).await?);
                turns.ours.push(push_turn(&self.ours, &blobs, connections).await?);
            }
        }
        let bar = if connections == 1 { Bar::None } else { Bar::AtLeast(ZOT_PUSHES) };
        let lines = turns.lines(&format!("10 KiB blob push, {connections} conn."), bar);
        Ok((blobs, lines))
    }

    async fn reads(&self, load: &Load<'_>, effort: &Effort) -> Result<Turns> {
        let mut turns = Turns::default();
        for round in 0..effort.rounds {
            if round % 2 == 0 {
                turns.ours.push(load.put_on(&self.ours).await?);
                turns.peer.push(load.put_on(&self.peer).await?);
            } else {
                turns.peer.push(load.put_on(&self.peer).await?);
                turns.ours.push(load.put_on(&self.ours).await?);
            }
        }
        Ok(turns)
    }
}

async fn push_turn(server: &Server, blobs: &[Blob], connections: usize) -> Result<Throughput> {
    let before = server.process().processor_time()?;
    let elapsed = push_all(server, blobs, connections).await?;
    let processor = server.process().processor_time()?.saturating_sub(before);
    let pushes = float(blobs.len() as u64);
    Ok(Throughput {
        requests_per_second: pushes / elapsed,
        processor_seconds: processor.as_secs_f64() / pushes,
    })
}

impl Turns {
    /// Returns a line for the rates and one for the processor time.
    fn lines(&self, what: &str, bar: Bar) -> [Line; 2] {
        let rates =
            |turns: &[Throughput]| turns.iter().map(|turn| turn.requests_per_second).collect::<Vec<_>>();
        let times =
            |turns: &[Throughput]| turns.iter().map(|turn| turn.processor_seconds).collect::<Vec<_>>();
        let (our_rates, peer_rates) = (rates(&self.ours), rates(&self.peer));
        let (our_times, peer_times) = (times(&self.ours), times(&self.peer));
        [
            Line::new(format!("{what}: rate"), rate(median(&our_rates)))
                .beside(rate(median(&peer_rates)))
                .judged(median_ratio(&our_rates, &peer_rates), bar),
            Line::new(format!("{what}: server CPU for each"), seconds(median(&our_times)))
                .beside(seconds(median(&peer_times)))
                .judged(median_ratio(&our_times, &peer_times), Bar::None),
        ]
    }
}
