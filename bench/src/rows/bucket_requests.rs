//! What a publish asks of the bucket: how many requests, and how much of its time they take.

use anyhow::Result;

use crate::bench::Bench;
use crate::corpus::newer;
use crate::counting_proxy::CountingProxy;
use crate::figures::{float, seconds, versions as shown};
use crate::publish::publish_spread;
use crate::report::{Bar, Line, Section};
use crate::server::{Repository, Server};

const VERSIONS: usize = 1_000;
const PUBLISHES: usize = 200;
const AT_ONCE: usize = 8;
const BAR: f64 = 2.0;

/// Counts the requests of some hundred publishes of each kind.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    bench.progress.say("requests to the bucket");
    let proxy = CountingProxy::start(&bench.production()?.bucket_address())?;
    let server = Server::chartroom(&bench.site(VERSIONS)?.with_bucket_at(&proxy.address()))?;
    let archives: Vec<Vec<u8>> =
        newer(VERSIONS, 0, 2 * PUBLISHES).into_iter().map(|sample| sample.archive).collect();
    let (first, rest) = archives.split_at(PUBLISHES);
    let mut lines = Vec::new();
    for (what, repository, archives, connections) in [
        ("new archives, one by one", Repository::Default, first, 1),
        ("new archives, 8 at once", Repository::Default, rest, AT_ONCE),
        ("archives that another repository has", Repository::At("team"), first, 1),
    ] {
        proxy.take_counts();
        let elapsed =
            publish_spread(std::slice::from_ref(&server), &[repository], archives, connections).await?;
        let (counts, publishes) = (proxy.take_counts(), float(archives.len() as u64));
        let methods: Vec<String> =
            counts.by_method.iter().map(|(method, count)| format!("{method} {count}")).collect();
        let asked = if methods.is_empty() { "none".to_owned() } else { methods.join(", ") };
        let shown = format!("{asked} for {} publishes", archives.len());
        let each = float(counts.total()) / publishes;
        lines.push(Line::new(format!("{what}: requests for each"), shown).judged(each, Bar::AtMost(BAR)));
        if connections == 1 {
            let waited = counts.waited.as_secs_f64();
            lines.push(
                Line::new(format!("{what}: time until the bucket answers"), seconds(waited / publishes))
                    .beside(seconds(elapsed / publishes))
                    .judged(waited / elapsed, Bar::None),
            );
        }
    }
    Ok(Section {
        title: "Requests to the bucket for each publish",
        method: format!(
            "Charts without provenance, to a repository of {} versions, counted by a proxy before MinIO that \
             reads the heads of requests; what the server asks by itself meanwhile is counted too. The time holds the \
             proxy's own.",
            shown(VERSIONS)
        ),
        published: "none",
        peer: "whole publish",
        lines,
    })
}
