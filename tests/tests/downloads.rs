//! What is downloaded: whole, in part, compressed, or not at all when it is there already.

use std::io::Read;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use stories::process::run;
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::tool::find_tool;
use stories::wire::WireRequest;

use crate::bad_input::unchanged_by;
use crate::lifecycle::with_charts;

stories::on_each_backend! {
    nothing_is_sent_again_to_who_has_it_already,
    the_index_is_compressed_only_for_who_asks_and_as_one_member,
    head_tells_what_get_would_send,
    ranges_of_an_archive_are_served_and_impossible_ones_refused,
}

fn nothing_is_sent_again_to_who_has_it_already(site: &Site) -> Result<()> {
    let server = with_charts(site)?;
    let ask = |path: &str, name: &str, value: &str| {
        WireRequest::new("GET", path).header(name, value).send(server.address())
    };
    for path in ["/shelf/index.yaml", "/shelf/charts/kept-1.0.0.tgz"] {
        let whole = server.anonymous()?.get(path)?.expect_status(200)?;
        let tag = whole.header("etag").to_owned();
        ensure!(tag.starts_with('"') && tag.ends_with('"'), "{path}: `{tag}` is no strong tag");
        for condition in [tag.clone(), "*".to_owned(), format!("\"other\", {tag}"), format!("W/{tag}")] {
            let answer = ask(path, "if-none-match", &condition)?.expect_status(304)?;
            ensure!(answer.body.is_empty() && answer.header("etag") == tag, "{path}: {condition}");
        }
        ask(path, "if-none-match", "\"other\"")?.expect_status(200)?;
    }
    let index = || server.anonymous()?.get("/shelf/index.yaml");
    let modified = index()?.header("last-modified").to_owned();
    ask("/shelf/index.yaml", "if-modified-since", &modified)?.expect_status(304)?;
    let before = index()?.header("etag").to_owned();
    server.admin()?.publish("shelf", &plain_chart("kept", "1.3.0"))?.expect_status(201)?;
    ensure!(index()?.header("etag") != before, "the tag did not change with the content");
    ask("/shelf/index.yaml", "if-none-match", &before)?.expect_status(200)?;
    Ok(())
}

fn the_index_is_compressed_only_for_who_asks_and_as_one_member(site: &Site) -> Result<()> {
    let server = with_charts(site)?;
    let get = |path: &str, accepted: &str| {
        WireRequest::new("GET", path).header("accept-encoding", accepted).send(server.address())
    };
    let plain = server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?;
    ensure!(plain.header("content-encoding").is_empty(), "compressed unasked");
    assert_eq!(plain.header("content-length"), plain.body.len().to_string());
    for accepted in ["gzip", "br, gzip;q=0.5", "*"] {
        let packed = get("/shelf/index.yaml", accepted)?.expect_status(200)?;
        assert_eq!(packed.header("content-encoding"), "gzip", "{accepted}");
        ensure!(packed.header("vary").to_lowercase().contains("accept-encoding"), "no Vary");
        ensure!(packed.header("etag") != plain.header("etag"), "one tag for two encodings");
        // This decoder stops after the first member: what it yields must be all.
        let mut unpacked = Vec::new();
        let mut decoder = GzDecoder::new(packed.body.as_slice());
        decoder.read_to_end(&mut unpacked)?;
        ensure!(unpacked == plain.body, "{accepted}: other bytes when unpacked");
        ensure!(decoder.into_inner().is_empty(), "{accepted}: something follows the first member");
    }
    for refused in ["identity", "gzip;q=0", "br"] {
        let answer = get("/shelf/index.yaml", refused)?.expect_status(200)?;
        ensure!(answer.header("content-encoding").is_empty(), "compressed for `{refused}`");
    }
    let archive = get("/shelf/charts/kept-1.0.0.tgz", "gzip")?.expect_status(200)?;
    ensure!(archive.header("content-encoding").is_empty(), "an archive was encoded");
    let Some(curl) = find_tool("curl")? else { return Ok(()) };
    let url = format!("{}/shelf/index.yaml", server.url());
    let outcome =
        run(Command::new(curl).args(["--noproxy", "*", "--silent", "--fail", "--compressed", &url]))?;
    ensure!(outcome.stdout == plain.body, "curl unpacked other bytes");
    Ok(())
}

fn head_tells_what_get_would_send(site: &Site) -> Result<()> {
    unchanged_by(site, |_, admin| {
        for path in
            ["/shelf/index.yaml", "/shelf/charts/kept-1.0.0.tgz", "/api/shelf/charts", "/health", "/info"]
        {
            let (get, head) = (admin.get(path)?, admin.head(path)?);
            assert_eq!(head.status, get.status, "{path}");
            ensure!(head.body.is_empty(), "{path}: HEAD has a body");
            for header in ["content-type", "content-length", "etag", "accept-ranges", "cache-control"] {
                assert_eq!(head.header(header), get.header(header), "{path}: {header}");
            }
        }
        Ok(())
    })
}

fn ranges_of_an_archive_are_served_and_impossible_ones_refused(site: &Site) -> Result<()> {
    unchanged_by(site, |server, admin| {
        let whole = admin.get("/shelf/charts/kept-1.0.0.tgz")?.expect_status(200)?.body;
        let last = whole.len() - 1;
        let get = |range: &str| {
            let request = WireRequest::new("GET", "/shelf/charts/kept-1.0.0.tgz").header("range", range);
            request.send(server.address())
        };
        for (range, from, to) in [
            ("bytes=0-9".to_owned(), 0, 9),
            ("bytes=10-".to_owned(), 10, last),
            ("bytes=-5".to_owned(), last - 4, last),
            (format!("bytes=5-{}", last + 1000), 5, last),
        ] {
            let answer = get(&range)?.expect_status(206)?;
            assert_eq!(Some(answer.body.as_slice()), whole.get(from..=to), "{range}");
            assert_eq!(answer.header("content-range"), format!("bytes {from}-{to}/{}", whole.len()));
        }
        let beyond = get(&format!("bytes={}-", whole.len()))?.expect_status(416)?;
        assert_eq!(beyond.header("content-range"), format!("bytes */{}", whole.len()));
        for odd in ["bytes=9-0", "bytes=a-b", "lines=0-1", "bytes"] {
            // RFC 9110 section 14.2 lets a server ignore or refuse a range that is none.
            let answer = get(odd)?;
            let ignored = answer.status == 200 && answer.body == whole;
            ensure!(ignored || answer.status == 416, "{odd}: {} {}", answer.status, answer.text());
        }
        let stale = WireRequest::new("GET", "/shelf/charts/kept-1.0.0.tgz").header("range", "bytes=0-9");
        let stale = stale.header("if-range", "\"another\"").send(server.address())?.expect_status(200)?;
        stale.body.first().context("an empty body")?;
        Ok(())
    })
}
