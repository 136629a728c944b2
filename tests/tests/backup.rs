//! Backups: taken beside publishers, they show one moment of each repository; what is not whole is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use stories::client::{Client, api_path, repository_path};
use stories::command_line;
use stories::process::kill;
use stories::site::Site;
use stories::synthetic::{marked_chart, plain_chart};
use stories::wait::wait_for;

stories::on_each_backend! {
    a_backup_taken_while_others_publish_is_one_revision_of_each_repository,
    the_next_backup_copies_only_what_is_new,
    only_an_empty_place_is_restored_into,
}

/// What a repository's index was at each of its revisions.
type Indexes = BTreeMap<u64, Vec<u8>>;

const REPOSITORIES: [&str; 2] = ["shelf", "team/b"];
const BACKUPS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(20);

/// Publishes, overwrites nothing and deletes every third version until told to stop; returns every index there was.
fn publish_until(stop: &AtomicBool, client: &Client, repository: &str) -> Result<Indexes> {
    let mut indexes = Indexes::new();
    let mut revision = 0;
    let address = repository_path(repository, "index.yaml");
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let version = format!("1.{number}.0");
        let archive = marked_chart("busy", &version, &format!("{repository} {version}"));
        client.publish(repository, &archive)?.expect_status(201)?;
        revision += 1;
        indexes.insert(revision, client.get(&address)?.expect_status(200)?.body.to_vec());
        if number % 3 == 2 {
            let gone = format!("charts/busy/1.{}.0", number - 1);
            client.delete(&api_path(repository, &gone))?.expect_status(200)?;
            revision += 1;
            indexes.insert(revision, client.get(&address)?.expect_status(200)?.body.to_vec());
        }
    }
    Ok(indexes)
}

fn report(said: &str) -> Result<Value> {
    serde_json::from_str(said).with_context(|| format!("no report: {said}"))
}

fn a_backup_taken_while_others_publish_is_one_revision_of_each_repository(site: &Site) -> Result<()> {
    let server = site.start()?;
    let stop = AtomicBool::new(false);
    let admin = server.admin()?;
    let (indexes, backups) = thread::scope(|scope| -> Result<_> {
        let publishers: Vec<_> = REPOSITORIES
            .map(|repository| (repository, admin.clone()))
            .into_iter()
            .map(|(repository, client)| {
                let stop = &stop;
                scope.spawn(move || publish_until(stop, &client, repository))
            })
            .collect();
        wait_for("the first publishes", PATIENCE, || {
            let listed = |repository: &&str| admin.get(&repository_path(repository, "index.yaml"));
            let answers: Result<Vec<_>> = REPOSITORIES.iter().map(listed).collect();
            Ok(answers?.iter().all(|answer| answer.text().contains("busy")).then_some(()))
        })?;
        let backups: Result<Vec<Value>> = (0..BACKUPS)
            .map(|_| report(&site.run(&command_line::back_up(site.backups()))?.success()?))
            .collect();
        stop.store(true, Ordering::Relaxed);
        let indexes: Result<Vec<Indexes>> = publishers
            .into_iter()
            .map(|publisher| publisher.join().map_err(|_| anyhow!("a publisher panicked"))?)
            .collect();
        Ok((indexes?, backups?))
    })?;
    server.stop()?;
    for backup in backups {
        let name = backup["name"].as_str().context("a backup without a name")?;
        let target = site.another()?;
        target.run(&command_line::restore_named(site.backups(), name))?.success()?;
        target.run(&command_line::verify("24h"))?.success()?;
        let server = target.start()?;
        let reader = server.anonymous()?;
        for (repository, indexes) in REPOSITORIES.iter().zip(&indexes) {
            let revision = revision_of(&backup, repository);
            let address = repository_path(repository, "index.yaml");
            let served = reader.get(&address)?.expect_status(200)?.body;
            let index = indexes.get(&revision);
            let index = index.with_context(|| format!("{repository} was never at revision {revision}"))?;
            ensure!(served == *index, "{repository} at {revision} differs in backup {name}");
        }
        server.stop()?;
    }
    Ok(())
}

fn revision_of(backup: &Value, repository: &str) -> u64 {
    let rows = backup["repositories"].as_array().into_iter().flatten();
    let mut named = rows.filter(|row| row["path"] == repository);
    named.next().and_then(|row| row["revision"].as_u64()).unwrap_or_default()
}

fn the_next_backup_copies_only_what_is_new(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    admin.publish("shelf", &plain_chart("first", "1.0.0"))?.expect_status(201)?;
    admin.publish("shelf", &plain_chart("second", "1.0.0"))?.expect_status(201)?;
    let copied = || -> Result<u64> {
        let made = report(&site.run(&command_line::back_up(site.backups()))?.success()?)?;
        made["copied"]["count"].as_u64().context("no count")
    };
    assert_eq!(copied()?, 2);
    assert_eq!(copied()?, 0);
    admin.publish("shelf", &plain_chart("third", "1.0.0"))?.expect_status(201)?;
    admin.publish("other", &plain_chart("third", "1.0.0"))?.expect_status(201)?;
    assert_eq!(copied()?, 1, "the same bytes in two repositories are one blob");
    server.stop()
}

fn only_an_empty_place_is_restored_into(site: &Site) -> Result<()> {
    let server = site.start()?;
    server.admin()?.publish("shelf", &plain_chart("first", "1.0.0"))?.expect_status(201)?;
    site.run(&command_line::back_up(site.backups()))?.success()?;
    let refusal = site.run(&command_line::restore(site.backups()))?.failure()?;
    ensure!(refusal.contains("another server runs") || refusal.contains("holds versions"), "{refusal}");
    server.stop()?;
    let refusal = site.run(&command_line::restore(site.backups()))?.failure()?;
    ensure!(refusal.contains("holds versions already"), "{refusal}");
    Ok(())
}

/// Returns all files below a folder; none when it is absent.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    Ok(files)
}

/// Returns one file of each kind that a backup in a folder consists of.
fn kinds_of_files(backups: &Path) -> Result<Vec<PathBuf>> {
    let files = files_in(backups)?;
    let named = |part: &str| {
        let mut found = files.iter().filter(|file| file.to_string_lossy().contains(part));
        found.next().cloned().with_context(|| format!("no file of a backup is called {part}"))
    };
    ["manifest.json", "/version.jsonl.gz", "/event.jsonl.gz", "/blobs/sha256/"]
        .into_iter()
        .map(named)
        .collect()
}

#[test]
fn a_damaged_backup_is_refused_before_anything_is_written() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    server.admin()?.publish("shelf", &plain_chart("first", "1.0.0"))?.expect_status(201)?;
    server.stop()?;
    site.run(&command_line::back_up(site.backups()))?.success()?;
    for file in kinds_of_files(Path::new(&site.backups()))? {
        let sound = fs::read(&file)?;
        let mut flipped = sound.clone();
        let middle = flipped.len() / 2;
        *flipped.get_mut(middle).context("an empty file")? ^= 1;
        for damaged in [Some(flipped.as_slice()), sound.get(1..), None] {
            match damaged {
                Some(content) => fs::write(&file, content)?,
                None => fs::remove_file(&file)?,
            }
            let target = site.another()?;
            target.run(&command_line::restore(site.backups()))?.failure()?;
            target.run(&command_line::check_backup(site.backups()))?.failure()?;
            let left: Vec<PathBuf> = target.files_in("")?;
            ensure!(left == [target.data().join("lock")], "{}: {left:?}", file.display());
        }
        fs::write(&file, sound)?;
    }
    site.run(&command_line::check_backup(site.backups()))?.success()?;
    Ok(())
}

/// Starts a backup and kills it once so many files of it are there, if it is not done by then.
fn kill_backup(site: &Site, files: usize) -> Result<()> {
    let mut command = site.command(&command_line::back_up(site.backups()))?;
    let mut backup = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    wait_for("some of the backup", PATIENCE, || {
        let is_over = backup.try_wait()?.is_some();
        Ok((is_over || files_in(Path::new(&site.backups()))?.len() >= files).then_some(()))
    })?;
    kill(&mut backup)?;
    Ok(())
}

#[test]
fn a_backup_that_was_killed_is_none_and_the_next_one_goes_on() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    let admin = server.admin()?;
    for number in 0..60 {
        admin.publish("shelf", &plain_chart("many", &format!("1.{number}.0")))?.expect_status(201)?;
    }
    for files in [1, 10, 40, 63] {
        kill_backup(&site, files)?;
        let outcome = site.run(&command_line::check_backup(site.backups()))?;
        if !outcome.status.success() {
            let complaint = outcome.failure()?;
            ensure!(complaint.contains("no whole backup") || complaint.contains("no backups"), "{complaint}");
        }
    }
    let made = report(&site.run(&command_line::back_up(site.backups()))?.success()?)?;
    ensure!(made["copied"]["count"].as_u64() < Some(60), "nothing was used again: {made}");
    server.stop()?;
    let target = site.another()?;
    target.run(&command_line::restore(site.backups()))?.success()?;
    target.run(&command_line::verify("24h"))?.success()?;
    Ok(())
}
