//! What pushing and reading small blobs and manifests asks of bucket and database.

use anyhow::Result;

use crate::bench::Bench;
use crate::counting_proxy::{CountingProxy, Counts, Protocol};
use crate::figures::{float, number};
use crate::registry::{Blob, NAME, push_all, push_image};
use crate::report::{Bar, Line, Section};
use crate::server::Server;

const SIZE: usize = 10 << 10;
const BLOBS: usize = 200;
const BAR: f64 = 2.0;

/// Counts the requests of some hundred pushes and reads.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    bench.progress.say("registry: requests to the stores");
    let (bucket_address, database_address) =
        (bench.production()?.bucket_address(), bench.production()?.database_address());
    let bucket = CountingProxy::start(Protocol::Http, &bucket_address)?;
    let database = CountingProxy::start(Protocol::RoundTrips, &database_address)?;
    let site = bench.empty_site()?.through(&bucket.address(), &bucket_address);
    let server = Server::chartroom(&site.through(&database.address(), &database_address))?;
    let blobs: Vec<Blob> = (0..BLOBS as u64).map(|number| Blob::numbered(number, SIZE)).collect();
    // The first of all loads what a repository needs in memory.
    push_all(&server, &[Blob::numbered(u64::MAX, SIZE)], 1).await?;
    let take = || Asked { bucket: bucket.take_counts(), database: database.take_counts() };
    take();
    let mut lines: Vec<Line> = Vec::new();
    push_all(&server, &blobs, 1).await?;
    lines.extend(take().lines("10 KiB blob push", Bar::AtMost(BAR)));
    // Blobs are read once a manifest names them.
    push_image(&server, &blobs, "all").await?;
    take();
    let mut connection = server.connect().await?;
    for blob in &blobs {
        server.fetch_over(&mut connection, &blob.path()).await?;
    }
    lines.extend(take().lines("10 KiB blob GET", Bar::AtMost(1.0)));
    push_image(&server, &blobs[..2], "1.0").await?;
    take();
    for _ in 0..BLOBS {
        server.fetch_over(&mut connection, &format!("/v2/{NAME}/manifests/1.0")).await?;
    }
    lines.extend(take().lines("manifest GET", Bar::AtMost(0.0)));
    Ok(Section {
        title: "What the registry asks of its stores",
        method: format!(
            "{BLOBS} of each, one by one, counted by proxies as for publishes. What the server asks by itself meanwhile is \
             counted too."
        ),
        published: "distribution 18 requests to S3 for a 10 kB blob, 6 for a manifest",
        peer: "–",
        lines,
    })
}

/// What all of one kind asked.
struct Asked {
    bucket: Counts,
    database: Counts,
}

impl Asked {
    fn lines(&self, what: &str, bar: Bar) -> [Line; 2] {
        let count = float(BLOBS as u64);
        let each = float(self.bucket.total()) / count;
        let methods: Vec<String> =
            self.bucket.by_method.iter().map(|(method, count)| format!("{method} {count}")).collect();
        let methods = if methods.is_empty() { "none".to_owned() } else { methods.join(", ") };
        [
            Line::new(format!("{what}: requests to the bucket for each"), format!("{methods} for {BLOBS}"))
                .judged(each, bar),
            Line::new(
                format!("{what}: round trips to the database for each"),
                number(float(self.database.total()) / count),
            ),
        ]
    }
}
