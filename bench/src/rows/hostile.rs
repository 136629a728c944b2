//! Hostile `Chart.yaml` files: small to send, dear to those who parse without a budget.

use std::time::Instant;

use anyhow::Result;
use chart::testing::ChartBuilder;

use crate::bench::Bench;
use crate::environment;
use crate::figures::{bytes, float, seconds};
use crate::place::Place;
use crate::report::{Bar, Line, Section};
use crate::server::{Repository, Server};

const BAR_SECONDS: f64 = 0.1;
const BAR_BYTES: f64 = 20e6;

/// Offers each file to a server of its own.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let mut lines = Vec::new();
    for (name, bomb) in bombs() {
        bench.progress.say(&format!("hostile: {name}"));
        let archive = ChartBuilder::new("bomb", "1.0.0").chart_yaml(bomb).build();
        let ours = offer(&Server::chartroom(&bench.empty_site()?)?, &archive).await?;
        let theirs = match environment::chartmuseum() {
            Some(program) => {
                let place = Place::new()?;
                std::fs::create_dir_all(place.files())?;
                Some(offer(&Server::chartmuseum(&program, &place)?, &archive).await?)
            }
            None => None,
        };
        let time = |outcome: &Outcome| format!("{} after {}", outcome.verdict(), seconds(outcome.seconds));
        // An acceptance is no refusal, however quick.
        let judged = if outcome_is_refusal(&ours) { ours.seconds } else { f64::INFINITY };
        lines.push(
            Line::new(name, time(&ours))
                .chartmuseum(theirs.as_ref().map(time))
                .judged(judged, Bar::Seconds(BAR_SECONDS)),
        );
        lines.push(
            Line::new(format!("{name}: memory"), bytes(ours.grown_bytes))
                .chartmuseum(theirs.as_ref().map(|outcome| bytes(outcome.grown_bytes)))
                .judged(float(ours.grown_bytes), Bar::Bytes(BAR_BYTES)),
        );
    }
    Ok(Section {
        title: "Hostile Chart.yaml",
        method: "Each in an archive that is published to a fresh server; the memory is how far its highest resident \
                 size rose above what it was before."
            .to_owned(),
        published: "ChartMuseum 10–15 s and 3.7 GB for 100 kB, then accepts it; serde_yaml 13 s on 100,000 `[`",
        peer: "–",
        lines,
    })
}

struct Outcome {
    status: u16,
    seconds: f64,
    grown_bytes: u64,
}

impl Outcome {
    fn verdict(&self) -> String {
        match self.status {
            201 => "accepted".to_owned(),
            status => format!("refused ({status})"),
        }
    }
}

fn outcome_is_refusal(outcome: &Outcome) -> bool {
    (400..500).contains(&outcome.status)
}

async fn offer(server: &Server, archive: &[u8]) -> Result<Outcome> {
    let mut connection = server.connect().await?;
    // What any first publish allocates is not the bomb's.
    let harmless = ChartBuilder::new("harmless", "1.0.0").build();
    server.publish_over(&mut connection, Repository::Default, &harmless).await?;
    server.process().reset_highest_memory()?;
    let before = server.process().memory()?.resident;
    let begun = Instant::now();
    let (status, _) = server.offer_over(&mut connection, Repository::Default, archive).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let grown_bytes = server.process().memory()?.highest.saturating_sub(before);
    Ok(Outcome { status, seconds, grown_bytes })
}

fn bombs() -> Vec<(&'static str, String)> {
    let chart = |more: String| format!("apiVersion: v2\nname: bomb\nversion: 1.0.0\n{more}\n");
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let before = format!("*a{}", level - 1);
        laughs.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", ")));
    }
    let aliased = format!("a: &a {}\nb: [{}]", "x".repeat(100_000), ["*a"; 5_000].join(","));
    let keys: String = (0..300_000).map(|number| format!("k{number}: \n")).collect();
    let merges: String = (1..800)
        .map(|number| format!("m{number}: &m{number}\n  <<: *m{}\n  k{number}: x\n", number - 1))
        .collect();
    vec![
        ("0.5 kB of aliases to aliases (10⁹ values)", chart(laughs)),
        ("115 kB, 5,000 aliases of a 100 kB string", chart(aliased)),
        ("100 kB of `[`", chart(format!("a: {}", "[".repeat(100_000)))),
        ("100 kB of nested `{a: `", chart(format!("a: {}", "{a: ".repeat(25_000)))),
        ("25 kB of merge keys in a chain", chart(format!("m0: &m0 {{k: x}}\n{merges}"))),
        ("3 MB, 300,000 keys", chart(keys)),
    ]
}
