//! What a publish asks of its stores: how many requests, and how much of its time goes into waiting for them.

use anyhow::Result;

use crate::bench::Bench;
use crate::corpus::newer;
use crate::counting_proxy::{CountingProxy, Counts, Protocol};
use crate::figures::{float, number, seconds, versions as shown};
use crate::publish::publish_spread;
use crate::report::{Bar, Line, Section};
use crate::server::{Repository, Server};

const VERSIONS: usize = 1_000;
const PUBLISHES: usize = 200;
const AT_ONCE: usize = 8;
const BAR: f64 = 2.0;

/// Counts the requests of some hundred publishes of each kind.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    bench.progress.say("requests to the stores");
    let (bucket_address, database_address) =
        (bench.production()?.bucket_address(), bench.production()?.database_address());
    let bucket = CountingProxy::start(Protocol::Http, &bucket_address)?;
    let database = CountingProxy::start(Protocol::RoundTrips, &database_address)?;
    let site = bench.site(VERSIONS)?.through(&bucket.address(), &bucket_address);
    let server = Server::chartroom(&site.through(&database.address(), &database_address))?;
    let archives: Vec<Vec<u8>> =
        newer(VERSIONS, 0, 2 * PUBLISHES).into_iter().map(|sample| sample.archive).collect();
    let (first, rest) = archives.split_at(PUBLISHES);
    let mut lines = Vec::new();
    for (what, repository, archives, connections) in [
        ("new, one by one", Repository::Default, first, 1),
        ("new, 8 at once", Repository::Default, rest, AT_ONCE),
        ("known from another repository, one by one", Repository::At("team"), first, 1),
    ] {
        bucket.take_counts();
        database.take_counts();
        let elapsed =
            publish_spread(std::slice::from_ref(&server), &[repository], archives, connections).await?;
        let asked = Asked { bucket: bucket.take_counts(), database: database.take_counts() };
        lines.extend(asked.lines(what, elapsed, connections));
    }
    Ok(Section {
        title: "What a publish asks of its stores",
        method: format!(
            "{PUBLISHES} charts without provenance, to a repository of {} versions, counted by proxies: before MinIO the \
             heads of HTTP requests, before Postgres the round trips. What the server asks by itself meanwhile is counted \
             too. Waiting lasts from a request to the first byte of its answer and holds the proxy's own time; requests \
             that wait at the same time both count.",
            shown(VERSIONS)
        ),
        published: "none",
        peer: "whole publish",
        lines,
    })
}

/// What all publishes of one kind asked.
struct Asked {
    bucket: Counts,
    database: Counts,
}

impl Asked {
    fn lines(&self, what: &str, elapsed: f64, connections: usize) -> Vec<Line> {
        let publishes = float(PUBLISHES as u64);
        let each = float(self.bucket.total()) / publishes;
        let round_trips = number(float(self.database.total()) / publishes);
        let mut lines = vec![
            Line::new(format!("{what}: requests to the bucket for each"), by_method(&self.bucket))
                .judged(each, Bar::AtMost(BAR)),
            Line::new(format!("{what}: round trips to the database for each"), round_trips),
        ];
        // Several at once wait for each other's, which is no share of a publish.
        if connections == 1 {
            for (store, counts) in [("bucket", &self.bucket), ("database", &self.database)] {
                let waited = counts.waited.as_secs_f64();
                let name = format!("{what}: waiting for the {store}");
                let line = Line::new(name, seconds(waited / publishes)).beside(seconds(elapsed / publishes));
                lines.push(line.judged(waited / elapsed, Bar::None));
            }
        }
        lines
    }
}

fn by_method(counts: &Counts) -> String {
    let methods: Vec<String> =
        counts.by_method.iter().map(|(method, count)| format!("{method} {count}")).collect();
    let methods = if methods.is_empty() { "none".to_owned() } else { methods.join(", ") };
    format!("{methods} for {PUBLISHES} publishes")
}
