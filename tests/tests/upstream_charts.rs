//! Community charts as they are: taken byte for byte, listed as helm itself lists them, judged as helm judges.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use oci::Digest;
use serde_json::Value;
use stories::client::{Client, Upload, repository_path};
use stories::helm::Helm;
use stories::site::Site;
use stories::upstream::{self, file_name};
use stories::{command_line, packager};

use crate::odd_archives::{OddArchive, odd_archives};

stories::on_each_backend! {
    community_charts_are_listed_as_helm_lists_them_whichever_way_they_came,
    an_archive_is_taken_exactly_when_helm_loads_it,
    a_push_without_a_token_is_refused_with_a_reason,
}

/// What `helm repo index` writes for a folder of archives, without times.
fn index_by_helm(helm: &Helm, archives: &[PathBuf]) -> Result<Value> {
    let folder = helm.home().join("repository");
    fs::create_dir_all(&folder)?;
    for archive in archives {
        fs::copy(archive, folder.join(file_name(archive)?))?;
    }
    helm.ok(&["repo", "index", "repository", "--json", "--url", "charts"])?;
    let index = serde_json::from_slice(&fs::read(folder.join("index.yaml"))?)?;
    Ok(without_times(index))
}

/// Entries with the moment of publishing taken out, which cannot be equal.
fn without_times(mut index: Value) -> Value {
    let mut entries = index["entries"].take();
    let charts = entries.as_object_mut().into_iter().flat_map(|charts| charts.values_mut());
    for version in charts.filter_map(Value::as_array_mut).flatten() {
        version.as_object_mut().map(|version| version.remove("created"));
    }
    entries
}

fn publish_raw(client: &Client, archives: &[PathBuf]) -> Result<()> {
    for archive in archives {
        client.publish("raw", &fs::read(archive)?)?.expect_status(201)?;
    }
    Ok(())
}

fn publish_as_form(client: &Client, archives: &[PathBuf]) -> Result<()> {
    for archive in archives {
        let upload = Upload { archive: Some(fs::read(archive)?), provenance: None };
        client.publish_form("form", &upload)?.expect_status(201)?;
    }
    Ok(())
}

fn community_charts_are_listed_as_helm_lists_them_whichever_way_they_came(site: &Site) -> Result<()> {
    let (Some(archives), Some(helm)) = (upstream::charts()?, Helm::find("helm3")?) else { return Ok(()) };
    let server = site.start()?;
    let admin = server.admin()?;
    publish_raw(&admin, &archives)?;
    publish_as_form(&admin, &archives)?;
    let paths: Vec<&Path> = archives.iter().map(PathBuf::as_path).collect();
    packager::push(&paths, &format!("{}/packed", server.url()), &server.admin_token()?)?.success()?;
    let expected = index_by_helm(&helm, &archives)?;
    for repository in ["raw", "form", "packed"] {
        let listed = without_times(admin.index(repository)?);
        assert_entries_equal(&listed, &expected).with_context(|| format!("in `{repository}`"))?;
        for archive in &archives {
            let path = repository_path(repository, &format!("charts/{}", file_name(archive)?));
            let served = admin.get(&path)?.expect_status(200)?;
            ensure!(served.digest() == Digest::sha256(&fs::read(archive)?), "other bytes at {path}");
        }
    }
    Ok(())
}

/// Compares chart by chart, so that a failure shows one entry and not a megabyte.
fn assert_entries_equal(listed: &Value, expected: &Value) -> Result<()> {
    let names = |entries: &Value| -> Vec<String> {
        entries.as_object().into_iter().flat_map(|charts| charts.keys().cloned()).collect::<Vec<_>>()
    };
    let (mut ours, mut theirs) = (names(listed), names(expected));
    ours.sort();
    theirs.sort();
    ensure!(ours == theirs, "charts {ours:?} instead of {theirs:?}");
    for name in ours {
        let count = |entries: &Value| entries[&name].as_array().map_or(0, Vec::len);
        ensure!(count(listed) == count(expected), "{} versions of {name}", count(listed));
        for number in 0..count(expected) {
            let (ours, theirs) = (&listed[&name][number], &expected[&name][number]);
            ensure!(ours == theirs, "{name}:\n{ours:#}\ninstead of\n{theirs:#}");
        }
    }
    Ok(())
}

/// Whether helm loads an archive, and what it says.
fn judge_by_helm(helm: &Helm, name: &str, archive: &[u8]) -> Result<(bool, String)> {
    let file = helm.home().join(format!("{name}.tgz"));
    fs::write(&file, archive)?;
    let outcome = helm.run(&["show", "chart", &file.display().to_string()])?;
    fs::remove_file(&file)?;
    Ok((outcome.status.success(), outcome.complaint()))
}

/// Every archive at hand: good, broken by its project, and odd on purpose.
fn archives_to_judge() -> Result<Vec<OddArchive>> {
    let mut all = odd_archives()?;
    for archive in [upstream::charts()?, upstream::broken_charts()?].into_iter().flatten().flatten() {
        all.push(OddArchive::judged_alike(file_name(&archive)?, fs::read(&archive)?));
    }
    Ok(all)
}

fn an_archive_is_taken_exactly_when_helm_loads_it(site: &Site) -> Result<()> {
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    let server = site.start()?;
    let admin = server.admin()?;
    let mut disagreements = Vec::new();
    for (number, odd) in archives_to_judge()?.into_iter().enumerate() {
        let (loads, complaint) = judge_by_helm(&helm, &number.to_string(), &odd.bytes)?;
        // A repository each: an odd archive may carry the same name and version as the one before.
        let answer = admin.publish(&format!("judged-{number}"), &odd.bytes)?;
        let expected = if loads && odd.ours_is_stricter.is_none() { 201 } else { 400 };
        if answer.status != expected {
            disagreements.push(format!(
                "{}: {} {}; helm: {complaint}",
                odd.name,
                answer.status,
                answer.text()
            ));
        }
    }
    ensure!(disagreements.is_empty(), "{}", disagreements.join("\n"));
    Ok(())
}

fn a_push_without_a_token_is_refused_with_a_reason(site: &Site) -> Result<()> {
    let Some(archives) = upstream::charts()? else { return Ok(()) };
    let server = site.start()?;
    let one = archives.first().context("no chart")?;
    let line = command_line::push(&[one.as_path()], &format!("{}/packed", server.url()));
    let refusal = packager::run_packager(site.folder(), &line)?.failure()?;
    ensure!(refusal.contains("CHARTPACK_TOKEN") || refusal.contains("401"), "{refusal}");
    Ok(())
}
