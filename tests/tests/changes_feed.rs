//! The feed of changes: whoever follows it from any point knows everything, in order, and once.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use stories::backend::{POSTGRES_MINIO, tell};
use stories::client::Client;
use stories::site::Site;
use stories::synthetic::plain_chart;

stories::on_each_backend! {
    a_follower_sees_every_change_of_many_publishers_once_and_in_order,
    a_waiting_follower_hears_of_a_change_at_once,
    the_feed_goes_on_where_it_was_after_a_restart,
    manifests_and_tags_have_a_feed_of_their_own,
}

const FEED: &str = "/catalog/v1/repositories/shelf/changes";

/// Returns all changes after `after`, page by page of `limit`.
fn follow(client: &Client, mut after: i64, limit: u32) -> Result<Vec<Value>> {
    let mut changes = Vec::new();
    loop {
        let page = client.get(&format!("{FEED}?after={after}&limit={limit}"))?.expect_status(200)?.json()?;
        let listed = page["changes"].as_array().context("no changes")?;
        if listed.is_empty() {
            assert_eq!(page["next"], after);
            return Ok(changes);
        }
        changes.extend(listed.iter().cloned());
        after = page["next"].as_i64().context("no next")?;
    }
}

fn revisions(changes: &[Value]) -> Vec<i64> {
    changes.iter().filter_map(|change| change["revision"].as_i64()).collect()
}

fn a_follower_sees_every_change_of_many_publishers_once_and_in_order(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    admin.publish("shelf", &plain_chart("first", "1.0.0"))?.expect_status(201)?;
    thread::scope(|scope| {
        let publish = |number: usize| {
            let admin = admin.clone();
            scope.spawn(move || -> Result<()> {
                for minor in 0..8 {
                    let chart = plain_chart(&format!("p{number}"), &format!("1.{minor}.0"));
                    admin.publish("shelf", &chart)?.expect_status(201)?;
                }
                admin.delete(&format!("/api/shelf/charts/p{number}/1.0.0"))?.expect_status(200)?;
                Ok(())
            })
        };
        let publishers: Vec<_> = (0..4).map(publish).collect();
        publishers.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("panicked"))?)
    })?;
    let changes = follow(&server.anonymous()?, 0, 7)?;
    assert_eq!(revisions(&changes), (1..=37).collect::<Vec<_>>());
    let times: Vec<_> = changes.iter().filter_map(|change| change["at"].as_str()).collect();
    ensure!(times.iter().collect::<BTreeSet<_>>().len() == 37, "two changes at one time");
    for middle in [0, 1, 20, 37] {
        assert_eq!(
            revisions(&follow(&server.anonymous()?, middle, 1000)?),
            (middle + 1..=37).collect::<Vec<_>>()
        );
    }
    Ok(())
}

fn a_waiting_follower_hears_of_a_change_at_once(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    admin.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    let (page, took) = thread::scope(|scope| -> Result<_> {
        let client = server.anonymous()?;
        let waiting = scope.spawn(move || -> Result<_> {
            let begun = Instant::now();
            let page = client.get(&format!("{FEED}?after=1&wait=20"))?.expect_status(200)?.json()?;
            Ok((page, begun.elapsed()))
        });
        admin.publish("shelf", &plain_chart("kept", "1.1.0"))?.expect_status(201)?;
        waiting.join().map_err(|_| anyhow!("the follower panicked"))?
    })?;
    assert_eq!(page["changes"][0]["version"], "1.1.0");
    ensure!(took < Duration::from_secs(10), "heard of it after {took:?}");
    let begun = Instant::now();
    let empty = server.anonymous()?.get(&format!("{FEED}?after=2&wait=1"))?.expect_status(200)?.json()?;
    ensure!(begun.elapsed() >= Duration::from_secs(1), "it did not wait");
    assert_eq!((empty["changes"].as_array().map(Vec::len), &empty["next"]), (Some(0), &2.into()));
    Ok(())
}

fn the_feed_goes_on_where_it_was_after_a_restart(site: &Site) -> Result<()> {
    let server = site.start()?;
    server.admin()?.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    let before = follow(&server.anonymous()?, 0, 10)?;
    server.kill()?;
    let server = site.start()?;
    server.admin()?.publish("shelf", &plain_chart("kept", "1.1.0"))?.expect_status(201)?;
    let after = follow(&server.anonymous()?, 0, 10)?;
    ensure!(after.starts_with(&before) && after.len() == 2, "{before:?} {after:?}");
    Ok(())
}

fn manifests_and_tags_have_a_feed_of_their_own(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    admin.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    let feed = "/catalog/v1/repositories/shelf/changes/registry";
    let kind = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": kind, "manifests": []}).to_string();
    let page = thread::scope(|scope| -> Result<_> {
        let client = server.anonymous()?;
        let waiting =
            scope.spawn(move || client.get(&format!("{feed}?after=0&wait=20"))?.expect_status(200)?.json());
        let put = admin.request(reqwest::Method::PUT, "/v2/shelf/web/manifests/1.0");
        admin.send(put.header("content-type", kind).body(index.clone()))?.expect_status(201)?;
        waiting.join().map_err(|_| anyhow!("the follower panicked"))?
    })?;
    let digest = oci::Digest::sha256(index.as_bytes()).to_string();
    assert_eq!(page["changes"][0]["kind"], "pushed");
    for reference in ["1.0", &digest] {
        admin.delete(&format!("/v2/shelf/web/manifests/{reference}"))?.expect_status(202)?;
    }
    let page = server.anonymous()?.get(feed)?.expect_status(200)?.json()?;
    let told: Vec<_> = page["changes"].as_array().into_iter().flatten().collect();
    let kinds: Vec<_> = told.iter().filter_map(|change| change["kind"].as_str()).collect();
    assert_eq!(kinds, ["pushed", "tagged", "untagged", "deleted"]);
    for change in &told {
        let tag = (change["kind"] == "tagged" || change["kind"] == "untagged").then_some("1.0");
        assert_eq!((change["name"].as_str(), change["tag"].as_str()), (Some("shelf/web"), tag));
        assert_eq!(change["digest"], digest);
    }
    assert_eq!((&page["next"], &page["revision"]), (&4.into(), &4.into()));
    let beyond = server.anonymous()?.get(&format!("{feed}?after=5"))?;
    assert_eq!(beyond.status, 409, "{}", beyond.text());
    Ok(())
}

#[test]
fn a_follower_of_one_replica_hears_of_changes_made_on_another() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let replicas = site.replicas(2)?;
        let (here, there) = (replicas[0].admin()?, replicas[1].anonymous()?);
        here.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
        for minor in 1..5 {
            here.publish("shelf", &plain_chart("kept", &format!("1.{minor}.0")))?.expect_status(201)?;
            let page = there.get(&format!("{FEED}?after={minor}&wait=20"))?.expect_status(200)?.json()?;
            assert_eq!(page["changes"][0]["version"], format!("1.{minor}.0"));
        }
        Ok(())
    })
}
