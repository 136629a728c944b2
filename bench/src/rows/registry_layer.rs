//! One layer of a gibibyte, pushed and pulled over one connection, beside the reference implementation.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::bench::Bench;
use crate::figures::{bytes, float, number, seconds};
use crate::http::get;
use crate::place::Place;
use crate::registry::{Blob, push_blob, push_image};
use crate::report::{Bar, Line, Section};
use crate::server::Server;
use crate::statistics::{median, median_ratio};

const SIZE: usize = 1 << 30;
const TURNS: u64 = 3;

/// Measures both ways in turns.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let ours = Server::chartroom(&bench.empty_site()?)?;
    let peer = Server::docker_registry(&Place::new()?)?;
    // A name is shown to everybody once something is under it.
    for server in [&ours, &peer] {
        push_image(server, &[Blob::numbered(u64::MAX, 1 << 10)], "1.0").await?;
    }
    let (mut we, mut they) = (Turns::default(), Turns::default());
    ours.process().reset_highest_memory()?;
    let before = ours.process().memory()?.resident;
    for turn in 0..TURNS {
        bench.progress.say(&format!("registry: 1 GiB, turn {turn}"));
        let layer = Blob::numbered(turn, SIZE);
        for (server, turns) in [(&ours, &mut we), (&peer, &mut they)] {
            turns.take(server, &layer).await?;
        }
    }
    let grown = ours.process().memory()?.highest.saturating_sub(before);
    let mut lines = Vec::new();
    for (what, ours, peer) in [("push", &we.push, &they.push), ("pull", &we.pull, &they.pull)] {
        let both = |pick: fn(&Pass) -> f64| (values(ours, pick), values(peer, pick));
        let (our_times, peer_times) = both(|pass| pass.elapsed);
        let megabytes = |times: &[f64]| format!("{} MB/s", number(float(SIZE as u64) / 1e6 / median(times)));
        lines.push(
            Line::new(format!("1 GiB {what}: rate"), megabytes(&our_times))
                .beside(megabytes(&peer_times))
                .judged(median_ratio(&peer_times, &our_times), Bar::AtLeast(1.0)),
        );
        let (our_processor, peer_processor) = both(|pass| pass.processor);
        lines.push(
            Line::new(format!("1 GiB {what}: server CPU"), seconds(median(&our_processor)))
                .beside(seconds(median(&peer_processor)))
                .judged(median_ratio(&our_processor, &peer_processor), Bar::AtMost(1.0)),
        );
    }
    lines.push(Line::new("memory grown by all of it, at its highest", bytes(grown)));
    Ok(Section {
        title: "Registry: one layer of a gibibyte",
        method: format!(
            "{TURNS} turns, each with other bytes, pushed by POST and PUT and read back. docker-registry keeps a folder on \
             the same disk and syncs nothing."
        ),
        published: "zot 2.8 s CPU a GiB pushed, distribution 4.7 s, both bound by the client at 150 to 200 MB/s",
        peer: "docker-registry",
        lines,
    })
}

/// One way of one turn, in seconds.
#[derive(Debug, Clone, Copy)]
struct Pass {
    elapsed: f64,
    processor: f64,
}

#[derive(Default)]
struct Turns {
    push: Vec<Pass>,
    pull: Vec<Pass>,
}

fn values(passes: &[Pass], pick: fn(&Pass) -> f64) -> Vec<f64> {
    passes.iter().map(pick).collect()
}

impl Turns {
    async fn take(&mut self, server: &Server, layer: &Blob) -> Result<()> {
        let mut connection = server.connect().await?;
        let (begun, before) = (Instant::now(), server.process().processor_time()?);
        push_blob(server, &mut connection, layer).await?;
        self.push.push(Pass {
            elapsed: begun.elapsed().as_secs_f64(),
            processor: server.process().processor_time()?.saturating_sub(before).as_secs_f64(),
        });
        let (begun, before) = (Instant::now(), server.process().processor_time()?);
        let mut received = 0;
        let request = get(server.address(), &layer.path());
        let answer = connection.exchange(&request, |piece| received += piece.len()).await?;
        ensure!((answer.status, received) == (200, SIZE), "{} bytes came with {}", received, answer.status);
        self.pull.push(Pass {
            elapsed: begun.elapsed().as_secs_f64(),
            processor: server.process().processor_time()?.saturating_sub(before).as_secs_f64(),
        });
        Ok(())
    }
}
