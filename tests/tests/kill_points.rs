//! The process ends between every two steps of what changes something, each time beside a second publisher of the same
//! bytes: what was acknowledged is there and whole, what was not is whole or absent, and no waste is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use oci::Digest;
use reqwest::Method;
use serde_json::json;
use stories::blob_upload::BlobUpload;
use stories::client::Client;
use stories::command_line::{
    Overwrite, RepositorySettings, back_up as back_up_to, check_backup, collect_garbage_after, verify,
};
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::marked_chart;
use stories::wait::wait_for;

/// The server's own list: a step that this file does not treat does not build.
#[path = "../../server/src/faults/step.rs"]
mod step;
use step::Step;

stories::on_each_backend! {
    a_process_that_ends_between_two_steps_loses_nothing_and_leaves_no_waste,
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const FAULT: &str = "CHARTROOM_FAULT";
/// How long a collector may go on without coming to its step.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than any publish here takes: younger bytes may be about to be named.
const GRACE: &str = "1s";

/// What changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Publish,
    Overwrite,
    Delete,
    PushBlob,
    PushManifest,
    DeleteManifest,
    Collect,
    BackUp,
}

/// Returns the operations that come to the step.
fn operations_at(step: Step) -> &'static [Operation] {
    match step {
        Step::ArchiveChecked => &[Operation::Publish, Operation::Overwrite],
        Step::FileSynced | Step::FileRenamed | Step::BytesKept => {
            &[Operation::Publish, Operation::Overwrite, Operation::PushBlob]
        }
        Step::ChangesMade | Step::ChangesCommitted => &[
            Operation::Publish,
            Operation::Overwrite,
            Operation::Delete,
            Operation::PushBlob,
            Operation::PushManifest,
            Operation::DeleteManifest,
        ],
        Step::ChangeListed => &[Operation::Publish, Operation::Overwrite, Operation::Delete],
        Step::RemovedForgotten | Step::RowsForgotten | Step::BytesRemoved | Step::OrphanFound => {
            &[Operation::Collect]
        }
        Step::CatalogReadForBackup | Step::BlobBackedUp | Step::PartsBackedUp | Step::BackupNamed => {
            &[Operation::BackUp]
        }
    }
}

/// Tells whether only a folder has the step.
fn is_of_files(step: Step) -> bool {
    match step {
        Step::FileSynced | Step::FileRenamed => true,
        Step::ArchiveChecked
        | Step::BytesKept
        | Step::ChangesMade
        | Step::ChangesCommitted
        | Step::ChangeListed
        | Step::RemovedForgotten
        | Step::RowsForgotten
        | Step::BytesRemoved
        | Step::OrphanFound
        | Step::CatalogReadForBackup
        | Step::BlobBackedUp
        | Step::PartsBackedUp
        | Step::BackupNamed => false,
    }
}

/// What is under each path: one of these digests, or nothing where `None` is among them.
#[derive(Default)]
struct Ledger(BTreeMap<String, BTreeSet<Option<Digest>>>);

impl Ledger {
    /// Notes what an answer promises of a path that was `before` and is to be `after`.
    fn note(&mut self, path: String, answer: Result<u16>, before: Option<Digest>, after: Option<Digest>) {
        let may_be = match answer {
            Ok(status) if status < 300 => BTreeSet::from([after]),
            Ok(_) => BTreeSet::from([before]),
            // Nobody can tell which of the two a cut connection means.
            Err(_) => BTreeSet::from([before, after]),
        };
        self.0.insert(path, may_be);
    }

    /// Checks each path against what was promised, and returns the digests of the blobs that the registry serves.
    fn check(&self, client: &Client) -> Result<BTreeSet<Digest>> {
        let mut blobs = BTreeSet::new();
        for (path, may_be) in &self.0 {
            let answer = client.get(path)?;
            let found = match answer.status {
                404 => None,
                _ => Some(answer.expect_status(200)?.digest()),
            };
            ensure!(may_be.contains(&found), "{path} is {found:?}, may be {may_be:?}");
            blobs.extend(found.filter(|_| path.contains("/blobs/")));
        }
        Ok(blobs)
    }
}

/// Returns where a version's archive is.
fn archive_of(repository: &str, version: &str) -> String {
    format!("/{repository}/charts/same-{version}.tgz")
}

/// Something that was asked of a server: where it shows, what was and what is to be there, and the answer.
struct Deed {
    path: String,
    before: Option<Digest>,
    after: Option<Digest>,
    answer: Result<u16>,
}

/// One round: what is done, on which version, and the bytes of it.
struct Round {
    operation: Operation,
    version: String,
    old: Vec<u8>,
    new: Vec<u8>,
    image: Image,
}

/// An image of a round: its configuration, which is its only blob, and its manifest.
struct Image {
    config: Vec<u8>,
    manifest: Vec<u8>,
    version: String,
}

impl Image {
    fn new(version: &str) -> Self {
        let config = json!({"architecture": "amd64", "os": "linux", "author": version}).to_string();
        let descriptor = json!({
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": Digest::sha256(config.as_bytes()).to_string(),
            "size": config.len(),
        });
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor, "layers": []});
        let (config, manifest) = (config.into_bytes(), manifest.to_string().into_bytes());
        Self { config, manifest, version: version.to_owned() }
    }

    fn blob(&self) -> Digest {
        Digest::sha256(&self.config)
    }

    fn blob_path(&self, name: &str) -> String {
        format!("/v2/{name}/blobs/{}", self.blob())
    }

    fn manifest_path(&self) -> String {
        format!("/v2/shelf/web/manifests/{}", self.version)
    }

    fn push_blob(&self, client: &Client, name: &str) -> Result<u16> {
        let upload = BlobUpload::begin(client, name)?;
        Ok(upload.finish(client, &self.blob(), &self.config)?.status)
    }

    fn push_manifest(&self, client: &Client) -> Result<u16> {
        let request = client.request(Method::PUT, &self.manifest_path()).header("content-type", MANIFEST);
        Ok(client.send(request.body(self.manifest.clone()))?.status)
    }
}

impl Round {
    fn new(number: usize, operation: Operation) -> Self {
        let version = format!("1.{number}.0");
        let old = marked_chart("same", &version, "old");
        let new = marked_chart("same", &version, "new");
        let image = Image::new(&version);
        Self { operation, version, old, new, image }
    }

    /// Brings the repositories to where the operation begins.
    fn prepare(&self, server: &Server, ledger: &mut Ledger) -> Result<()> {
        let admin = server.admin()?;
        match self.operation {
            Operation::Publish | Operation::PushBlob => {}
            Operation::PushManifest => self.prepare_blob(&admin, ledger)?,
            Operation::DeleteManifest => {
                self.prepare_blob(&admin, ledger)?;
                ensure!(self.image.push_manifest(&admin)? == 201, "a manifest was refused");
            }
            Operation::Overwrite | Operation::Delete | Operation::BackUp => {
                admin.publish("shelf", &self.old)?.expect_status(201)?;
            }
            // What a collector comes for: versions that were removed and that were replaced.
            Operation::Collect => {
                for mark in ["gone", "gone as well"] {
                    let archive = marked_chart("same", &self.version, mark);
                    admin.publish("shelf", &archive)?.expect_status(201)?;
                    self.delete(&admin)?.expect_status(200)?;
                }
                admin.publish("shelf", &self.old)?.expect_status(201)?;
                let after = Some(Digest::sha256(&self.old));
                ledger.note(archive_of("shelf", &self.version), Ok(201), None, after);
            }
        }
        Ok(())
    }

    fn delete(&self, client: &Client) -> Result<stories::answer::Answer> {
        client.delete(&format!("/api/shelf/charts/same/{}", self.version))
    }

    /// Pushes the image's only blob, which its name then holds.
    fn prepare_blob(&self, admin: &Client, ledger: &mut Ledger) -> Result<()> {
        let answer = self.image.push_blob(admin, "shelf/web")?;
        ensure!(answer == 201, "a blob was refused with {answer}");
        ledger.note(self.image.blob_path("shelf/web"), Ok(answer), None, Some(self.image.blob()));
        Ok(())
    }

    /// Does the operation on a server that ends during it, beside a publisher of the same bytes.
    fn run(&self, mut server: Server, ledger: &mut Ledger) -> Result<()> {
        let (admin, other) = (server.admin()?, server.admin()?);
        std::thread::scope(|scope| {
            let beside = scope.spawn(|| self.beside(&other));
            let deed = self.do_on(&admin)?;
            ledger.note(deed.path, deed.answer, deed.before, deed.after);
            let beside = beside.join().map_err(|_| anyhow!("the second publisher panicked"))?;
            ledger.note(beside.path, beside.answer, beside.before, beside.after);
            Ok::<_, anyhow::Error>(())
        })?;
        let status = server.wait()?;
        ensure!(!status.success(), "the server did not come to the step");
        Ok(())
    }

    /// Does what the round is about.
    fn do_on(&self, admin: &Client) -> Result<Deed> {
        let (old, new) = (Digest::sha256(&self.old), Digest::sha256(&self.new));
        let (blob, manifest) = (self.image.blob(), Digest::sha256(&self.image.manifest));
        let archive = || archive_of("shelf", &self.version);
        let status = |answer: Result<stories::answer::Answer>| answer.map(|answer| answer.status);
        let (path, before, after, answer) = match self.operation {
            Operation::Publish => (archive(), None, Some(new), status(admin.publish("shelf", &self.new))),
            Operation::Overwrite => {
                let answer = admin.post("/api/shelf/charts?force", self.new.clone());
                (archive(), Some(old), Some(new), status(answer))
            }
            Operation::Delete => (archive(), Some(old), None, status(self.delete(admin))),
            Operation::PushBlob => {
                let answer = self.image.push_blob(admin, "shelf/web");
                (self.image.blob_path("shelf/web"), None, Some(blob), answer)
            }
            Operation::PushManifest => {
                (self.image.manifest_path(), None, Some(manifest), self.image.push_manifest(admin))
            }
            Operation::DeleteManifest => {
                let path = self.image.manifest_path();
                let answer = status(admin.delete(&path));
                (path, Some(manifest), None, answer)
            }
            Operation::Collect | Operation::BackUp => return Err(anyhow!("a process of its own")),
        };
        Ok(Deed { path, before, after, answer })
    }

    /// Brings the same bytes under another name.
    fn beside(&self, other: &Client) -> Deed {
        let (path, after, answer) = match self.operation {
            Operation::PushBlob | Operation::PushManifest | Operation::DeleteManifest => {
                let answer = self.image.push_blob(other, "other/web");
                (self.image.blob_path("other/web"), self.image.blob(), answer)
            }
            Operation::Publish
            | Operation::Overwrite
            | Operation::Delete
            | Operation::Collect
            | Operation::BackUp => {
                let answer = other.publish("other", &self.new).map(|answer| answer.status);
                (archive_of("other", &self.version), Digest::sha256(&self.new), answer)
            }
        };
        Deed { path, before: None, after: Some(after), answer }
    }

    /// Collects until the collector ends at the step, beside a server whose publishers bring the same bytes again.
    fn collect(&self, site: &Site, server: &Server, step: Step, ledger: &mut Ledger) -> Result<()> {
        let admin = server.admin()?;
        let mut again = 0;
        wait_for("the collector to end at its step", PATIENCE, || {
            // The bytes the collector is after, under another name.
            let gone = marked_chart("same", &self.version, "gone");
            let version = format!("{}-beside.{again}", self.version);
            let archive = marked_chart("same", &version, "gone");
            again += 1;
            for bytes in [&gone, &archive] {
                let answer = admin.publish("other", bytes)?.expect_status(201);
                answer.context("a publish beside the collector")?;
            }
            let other = |version| archive_of("other", version);
            ledger.note(other(&self.version), Ok(201), None, Some(Digest::sha256(&gone)));
            ledger.note(other(&version), Ok(201), None, Some(Digest::sha256(&archive)));
            let collected = site.run_with(&[(FAULT, step.name())], &collect_garbage_after(GRACE))?;
            Ok((!collected.status.success()).then_some(()))
        })
    }
}

/// Ends a backup at the step, beside a publisher of bytes that are in it, and lets the next one go on from there.
fn back_up(site: &Site, server: &Server, round: &Round, step: Step, ledger: &mut Ledger) -> Result<()> {
    let (admin, place) = (server.admin()?, site.folder().join(format!("backups-{}", round.version)));
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| admin.publish("other", &round.old).map(|answer| answer.status));
        let backup = site.run_with(&[(FAULT, step.name())], &back_up_to(&place))?;
        ensure!(!backup.status.success(), "the backup did not come to the step");
        let beside = beside.join().map_err(|_| anyhow!("the publisher beside panicked"))?;
        ledger.note(archive_of("other", &round.version), beside, None, Some(Digest::sha256(&round.old)));
        Ok(())
    })?;
    ledger.note(archive_of("shelf", &round.version), Ok(201), None, Some(Digest::sha256(&round.old)));
    let is_whole = site.run(&check_backup(&place))?.status.success();
    ensure!(
        is_whole == (step == Step::BackupNamed),
        "a backup that was cut off is taken for one: {is_whole}"
    );
    site.run(&back_up_to(&place))?.success().context("the next backup")?;
    site.run(&check_backup(&place))?.success().context("the check of the next backup")?;
    Ok(())
}

/// Leaves bytes that nobody knows, which is what a publisher that ended too early leaves.
fn leave_an_orphan(site: &Site, round: &Round) -> Result<()> {
    let mut server = site.launch().variable(FAULT, Step::BytesKept.name()).start()?;
    let answer = server.admin()?.publish("shelf", &marked_chart("same", &round.version, "orphan"));
    ensure!(answer.is_err(), "the server did not end");
    server.wait()?;
    Ok(())
}

/// Checks, on a server that runs, that nothing is lost; that all goes on; and that no waste stays.
fn check(site: &Site, server: &Server, ledger: &Ledger) -> Result<()> {
    // Strangers are not told of a name that it is not there.
    let client = server.admin()?;
    let blobs = ledger.check(&client)?.len();
    let (mut listed, mut digests) = (0, BTreeSet::new());
    for repository in ["shelf", "other"] {
        let index = client.index(repository)?;
        let entries = index["entries"]["same"].as_array().cloned().unwrap_or_default();
        for entry in entries {
            let (version, digest) = (entry["version"].as_str(), entry["digest"].as_str());
            let (version, digest) = (version.context("no version")?, digest.context("no digest")?);
            let archive =
                client.get(&format!("/{repository}/charts/same-{version}.tgz"))?.expect_status(200)?;
            ensure!(archive.digest().hex() == digest, "{repository} {version} is listed with another digest");
            listed += 1;
            digests.insert(digest.to_owned());
        }
    }
    site.run(&verify("1h"))?.success().context("what is stored is not what the catalog says")?;
    wait_for("all waste to be old enough and collected", PATIENCE, || {
        site.run(&collect_garbage_after(GRACE))?.success()?;
        // Two who publish the same bytes at the same moment may both have kept them.
        Ok((blobs + digests.len()..=blobs + listed).contains(&site.blobs()?.len()).then_some(()))
    })?;
    site.run(&verify("0s"))?.success().context("waste is left")?;
    Ok(())
}

fn a_process_that_ends_between_two_steps_loses_nothing_and_leaves_no_waste(site: &Site) -> Result<()> {
    let mut ledger = Ledger::default();
    let server = site.start()?;
    for path in ["shelf", "other"] {
        let settings = RepositorySettings { overwrite: Overwrite::Forced, ..RepositorySettings::default() };
        site.create_repository(path, &settings)?;
    }
    server.stop()?;
    let mut number = 0;
    for step in Step::ALL {
        if is_of_files(step) && !site.keeps_files() {
            continue;
        }
        for operation in operations_at(step) {
            number += 1;
            let round = Round::new(number, *operation);
            let at = || format!("{operation:?} that ends at {}", step.name());
            match operation {
                Operation::Publish
                | Operation::Overwrite
                | Operation::Delete
                | Operation::PushBlob
                | Operation::PushManifest
                | Operation::DeleteManifest => {
                    let server = site.start()?;
                    round.prepare(&server, &mut ledger)?;
                    server.stop()?;
                    let server = site.launch().variable(FAULT, step.name()).start()?;
                    round.run(server, &mut ledger).with_context(at)?;
                }
                Operation::BackUp => {
                    let server = site.start()?;
                    round.prepare(&server, &mut ledger)?;
                    back_up(site, &server, &round, step, &mut ledger).with_context(at)?;
                    server.stop()?;
                }
                Operation::Collect => {
                    leave_an_orphan(site, &round)?;
                    let server = site.start()?;
                    round.prepare(&server, &mut ledger)?;
                    round.collect(site, &server, step, &mut ledger).with_context(at)?;
                    server.stop()?;
                }
            }
            let server = site.start()?;
            check(site, &server, &ledger).with_context(at)?;
            server.stop()?;
        }
    }
    Ok(())
}
