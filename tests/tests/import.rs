//! Charts that were published elsewhere: they come in as they were, once, and what may not come in is named.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use chart::testing::provenance_text;
use oci::Digest;
use serde_json::{Value, json};
use stories::backend::{POSTGRES_MINIO, tell};
use stories::client::Upload;
use stories::command_line::{self, Overwrite, RepositorySettings, TokenRequest};
use stories::object_store::shared_minio;
use stories::process::{Outcome, kill};
use stories::site::Site;
use stories::synthetic::{marked_chart, plain_chart};
use stories::wait::wait_for;
use stories::web_server::{Prepared, WebServer};

use crate::listeners::{configuration, write_certificate};

stories::on_each_backend! {
    files_of_chartmuseum_come_in_with_their_times_and_provenance,
    an_index_comes_in_once_and_its_faults_are_named,
    an_import_that_was_killed_goes_on,
    a_private_repository_comes_in_with_its_credential_only,
    nothing_published_is_replaced_unasked,
}

const EVERYTHING: i32 = 0;
const SOME_REFUSED: i32 = 1;
const UNFINISHED: i32 = 3;

/// Imports and returns the report, after checking how it ended.
fn import(site: &Site, source: &str, into: &str, more: &[String], code: i32) -> Result<Value> {
    let outcome = site.run(&[command_line::import(source, into), more.to_vec()].concat())?;
    report(&outcome, code)
}

fn report(outcome: &Outcome, code: i32) -> Result<Value> {
    let (text, complaint) = (outcome.text(), outcome.complaint());
    ensure!(outcome.status.code() == Some(code), "{}: {text}{complaint}", outcome.status);
    serde_json::from_str(&text).with_context(|| format!("no report: {text}{complaint}"))
}

fn counts(report: &Value) -> [u64; 4] {
    let length = |name: &str| report[name].as_array().map_or(0, |list| list.len() as u64);
    let count = |name: &str| report[name].as_u64().unwrap_or(u64::MAX);
    [count("imported"), count("present"), length("refused"), length("unfetched")]
}

fn reasons(report: &Value) -> Vec<(String, String)> {
    let refused = report["refused"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    refused.iter().map(|remark| (text(&remark["chart"]), text(&remark["reason"]))).collect()
}

/// A folder of archives as ChartMuseum keeps it.
struct Folder(PathBuf);

impl Folder {
    fn new(site: &Site) -> Result<Self> {
        let path = site.folder().join("chartmuseum");
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn put(&self, path: &str, content: &[u8], written: SystemTime) -> Result<()> {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(&path, content)?;
        File::options().write(true).open(&path)?.set_modified(written)?;
        Ok(())
    }

    fn source(&self) -> String {
        format!("file:{}", self.0.display())
    }
}

/// 2020-09-13T12:26:40Z, and so many days later.
fn days_later(days: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + days * 86_400)
}

fn files_of_chartmuseum_come_in_with_their_times_and_provenance(site: &Site) -> Result<()> {
    let server = site.start()?;
    let folder = Folder::new(site)?;
    let (first, second) = (plain_chart("kept", "1.0.0"), plain_chart("kept", "1.1.0"));
    let provenance = provenance_text("kept", "1.0.0", "kept-1.0.0.tgz", &first);
    folder.put("kept-1.0.0.tgz", &first, days_later(0))?;
    folder.put("kept-1.0.0.tgz.prov", provenance.as_bytes(), days_later(0))?;
    folder.put("kept-1.1.0.tgz", &second, days_later(1))?;
    folder.put("broken-1.0.0.tgz", b"not an archive", days_later(2))?;
    folder.put("index-cache.yaml", b"apiVersion: v1\n", days_later(2))?;

    let foreseen =
        import(site, &folder.source(), "shelf", &[command_line::DRY_RUN.to_owned()], SOME_REFUSED)?;
    assert_eq!(counts(&foreseen), [2, 0, 1, 0]);
    server.admin()?.get("/shelf/index.yaml")?.expect_status(404)?;

    let done = import(site, &folder.source(), "shelf", &[], SOME_REFUSED)?;
    assert_eq!(counts(&done), [2, 0, 1, 0], "{done}");
    assert_eq!(reasons(&done)[0].0, "broken-1.0.0.tgz");

    let client = server.anonymous()?;
    let index = wait_for("the running server to show them", Duration::from_secs(10), || {
        let answer = client.get("/shelf/index.yaml")?;
        let index = if answer.status == 200 { answer.json()? } else { Value::Null };
        Ok((index["entries"]["kept"].as_array().map(Vec::len) == Some(2)).then_some(index))
    })?;
    let created: Vec<_> = [0, 1].map(|at| index["entries"]["kept"][at]["created"].clone()).to_vec();
    assert_eq!(created, [json!("2020-09-14T12:26:40Z"), json!("2020-09-13T12:26:40Z")]);
    assert_eq!(client.get("/shelf/charts/kept-1.0.0.tgz")?.body, first);
    assert_eq!(client.get("/shelf/charts/kept-1.0.0.tgz.prov")?.body, provenance.as_bytes());
    client.get("/shelf/charts/kept-1.1.0.tgz.prov")?.expect_status(404)?;

    let again = import(site, &folder.source(), "shelf", &[], SOME_REFUSED)?;
    assert_eq!(counts(&again), [0, 2, 1, 0]);
    let feed = client.get("/catalog/v1/repositories/shelf/changes")?.expect_status(200)?.json()?;
    assert_eq!((&feed["revision"], &feed["changes"][0]["actor"]), (&json!(2), &json!("import")));
    Ok(())
}

/// An index entry, with a digest of the archive where one is given.
fn entry(name: &str, version: &str, url: &str, archive: Option<&[u8]>) -> Value {
    let mut entry = json!({
        "apiVersion": "v2", "name": name, "version": version, "urls": [url], "created": "2021-02-03T04:05:06Z",
    });
    if let Some(archive) = archive {
        entry["digest"] = json!(Digest::sha256(archive).hex());
    }
    entry
}

fn index_of(entries: Vec<Value>) -> Prepared {
    let mut charts = serde_json::Map::new();
    for entry in entries {
        let name = entry["name"].as_str().unwrap_or_default().to_owned();
        if let Some(versions) = charts.entry(name).or_insert_with(|| json!([])).as_array_mut() {
            versions.push(entry);
        }
    }
    Prepared::File(json!({"apiVersion": "v1", "entries": charts}).to_string().into_bytes())
}

fn an_index_comes_in_once_and_its_faults_are_named(site: &Site) -> Result<()> {
    let (web, other) = (WebServer::start()?, WebServer::start()?);
    let good = plain_chart("good", "1.0.0");
    let (busy, moved, half) = ["busy", "moved", "half"].map(|name| plain_chart(name, "1.0.0")).into();
    let provenance = provenance_text("good", "1.0.0", "good-1.0.0.tgz", &good);
    web.put("/team/charts/good-1.0.0.tgz", [Prepared::File(good.clone())]);
    web.put("/team/charts/good-1.0.0.tgz.prov", [Prepared::File(provenance.clone().into_bytes())]);
    web.put("/busy.tgz", [Prepared::Status(503), Prepared::Status(500), Prepared::File(busy.clone())]);
    web.put("/half.tgz", [Prepared::Half(half.clone()), Prepared::File(half.clone())]);
    web.put("/half.tgz.prov", [Prepared::File(b"<html>sign in</html>".to_vec())]);
    web.put("/moved.tgz", [Prepared::Redirect(other.url("/elsewhere.tgz"))]);
    other.put("/elsewhere.tgz", [Prepared::File(moved.clone())]);
    other.put("/forged.tgz", [Prepared::File(plain_chart("forged", "1.0.0"))]);
    other.put("/named.tgz", [Prepared::File(plain_chart("honest", "1.0.0"))]);
    let faults = vec![
        entry("forged", "1.0.0", &other.url("/forged.tgz"), Some(&good)),
        entry("absent", "1.0.0", "absent-1.0.0.tgz", None),
        entry("named", "1.0.0", &other.url("/named.tgz"), None),
        entry("registry", "1.0.0", "oci://registry.example.test/charts/registry:1.0.0", None),
        entry("wrong", "one", "wrong-one.tgz", None),
    ];
    let sound = vec![
        entry("good", "1.0.0", "charts/good-1.0.0.tgz", Some(&good)),
        entry("busy", "1.0.0", "/busy.tgz", Some(&busy)),
        entry("half", "1.0.0", &web.url("/half.tgz"), Some(&half)),
        entry("moved", "1.0.0", "/moved.tgz", Some(&moved)),
    ];
    web.put("/team/index.yaml", [index_of([sound, faults].concat())]);

    let done = import(site, &web.url("/team"), "shelf", &[], SOME_REFUSED)?;
    assert_eq!(counts(&done), [4, 0, 5, 0], "{done}");
    let reasons = reasons(&done);
    for (chart, reason) in [
        ("absent", "there is no such file"),
        ("forged", "the index gives the digest"),
        ("named", "the archive is `honest` `1.0.0`"),
        ("registry", "OCI registry"),
        ("wrong", "Helm would skip the entry"),
    ] {
        ensure!(
            reasons.iter().any(|(name, why)| name == chart && why.contains(reason)),
            "{chart}: {reasons:?}"
        );
    }
    ensure!(done["notes"][0]["reason"].to_string().contains("without its provenance"), "{done}");

    let server = site.start()?;
    let index = server.anonymous()?.index("shelf")?;
    assert_eq!(index["entries"].as_object().map(serde_json::Map::len), Some(4));
    assert_eq!(index["entries"]["busy"][0]["created"], "2021-02-03T04:05:06Z");
    let kept = server.anonymous()?.get("/shelf/charts/good-1.0.0.tgz.prov")?;
    assert_eq!(kept.body, provenance.as_bytes());

    web.take_received();
    let again = import(site, &web.url("/team"), "shelf", &[], SOME_REFUSED)?;
    assert_eq!(counts(&again), [0, 4, 5, 0]);
    let asked: Vec<_> = web.take_received().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/team/index.yaml", "/team/absent-1.0.0.tgz"], "fetched what was there");
    Ok(())
}

fn an_import_that_was_killed_goes_on(site: &Site) -> Result<()> {
    let web = WebServer::start()?;
    let mut entries = Vec::new();
    for number in 0..10 {
        let (name, path) = (format!("kept-{number}"), format!("/{number}.tgz"));
        let archive = plain_chart(&name, "1.0.0");
        entries.push(entry(&name, "1.0.0", &path, Some(&archive)));
        web.put(&path, [Prepared::File(archive)]);
    }
    let stuck = plain_chart("kept-5", "1.0.0");
    web.put("/5.tgz", [Prepared::Silence, Prepared::File(stuck)]);
    web.put("/index.yaml", [index_of(entries)]);

    let line = [command_line::import(&web.url("/index.yaml"), "shelf"), command_line::jobs(1)].concat();
    let mut running = site.command(&line)?.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let stopped = wait_for("the import to come to the sixth", Duration::from_secs(30), || {
        Ok(web.was_asked_for("/5.tgz").then_some(()))
    });
    kill(&mut running)?;
    stopped?;

    web.take_received();
    let done = import(site, &web.url("/"), "shelf", &[], EVERYTHING)?;
    assert_eq!(counts(&done), [5, 5, 0, 0]);
    let again: Vec<_> = web.take_received().into_iter().map(|request| request.path).collect();
    ensure!(!again.contains(&"/4.tgz".to_owned()), "fetched what was there: {again:?}");
    let server = site.start()?;
    let index = server.anonymous()?.index("shelf")?;
    assert_eq!(index["entries"].as_object().map(serde_json::Map::len), Some(10));
    Ok(())
}

fn a_private_repository_comes_in_with_its_credential_only(site: &Site) -> Result<()> {
    let elsewhere = site.another()?;
    elsewhere
        .create_repository("team", &RepositorySettings { private: true, ..RepositorySettings::default() })?;
    let source = elsewhere.start()?;
    let archive = plain_chart("kept", "1.0.0");
    let provenance = provenance_text("kept", "1.0.0", "kept-1.0.0.tgz", &archive).into_bytes();
    let upload = Upload { archive: Some(archive.clone()), provenance: Some(provenance) };
    source.admin()?.publish_form("team", &upload)?.expect_status(201)?;
    let request = TokenRequest { name: "mirror", role: "reader", repository: Some("team"), expires: None };
    let secret = site.folder().join("secret");
    fs::write(&secret, elsewhere.create_token(&request)? + "\n")?;

    let url = format!("{}/team", source.url());
    let refused = site.run(&command_line::import(&url, "shelf"))?;
    assert_eq!(refused.status.code(), Some(UNFINISHED));
    ensure!(refused.complaint().contains("--token-file"), "{}", refused.complaint());

    for login in [command_line::token_file(&secret), command_line::password_file("any", &secret)] {
        let into = format!("shelf-{}", login.len());
        let done = import(site, &url, &into, &login, EVERYTHING)?;
        assert_eq!((counts(&done), done["notes"].as_array().map(Vec::len)), ([1, 0, 0, 0], Some(0)));
    }

    let (web, stranger) = (WebServer::start()?, WebServer::start()?);
    stranger.put("/kept.tgz", [Prepared::File(archive)]);
    let moved = plain_chart("moved", "1.0.0");
    stranger.put("/moved.tgz", [Prepared::File(moved)]);
    web.put("/moved.tgz", [Prepared::Redirect(stranger.url("/moved.tgz"))]);
    web.put(
        "/index.yaml",
        [index_of(vec![
            entry("kept", "1.0.0", &stranger.url("/kept.tgz"), None),
            entry("moved", "1.0.0", "moved.tgz", None),
        ])],
    );
    let done = import(site, &web.url("/"), "fresh", &command_line::token_file(&secret), EVERYTHING)?;
    assert_eq!(counts(&done), [2, 0, 0, 0]);
    ensure!(web.take_received().iter().all(|request| request.authorization.starts_with("Bearer ")));
    ensure!(
        stranger.take_received().iter().all(|request| request.authorization.is_empty()),
        "a stranger was given the credential"
    );
    Ok(())
}

fn nothing_published_is_replaced_unasked(site: &Site) -> Result<()> {
    let folder = Folder::new(site)?;
    folder.put("kept-1.0.0.tgz", &marked_chart("kept", "1.0.0", "from elsewhere"), days_later(0))?;
    let server = site.start()?;
    let own = marked_chart("kept", "1.0.0", "our own");
    for (repository, overwrite) in [("firm", Overwrite::Refused), ("loose", Overwrite::Allowed)] {
        site.create_repository(
            repository,
            &RepositorySettings { overwrite, ..RepositorySettings::default() },
        )?;
        server.admin()?.publish(repository, &own)?.expect_status(201)?;
        let report = import(site, &folder.source(), repository, &[], SOME_REFUSED)?;
        ensure!(reasons(&report)[0].1.contains("already published with other bytes"), "{report}");
        assert_eq!(server.anonymous()?.get(&format!("/{repository}/charts/kept-1.0.0.tgz"))?.body, own);
    }
    let overwrite = [command_line::OVERWRITE.to_owned()];
    let refused = site.run(&[command_line::import(&folder.source(), "firm"), overwrite.to_vec()].concat())?;
    ensure!(refused.failure()?.contains("never replaces"));
    let done = import(site, &folder.source(), "loose", &overwrite, EVERYTHING)?;
    assert_eq!(counts(&done), [1, 0, 0, 0]);
    Ok(())
}

#[test]
fn tenants_become_repositories_before_any_server_ran() -> Result<()> {
    let site = Site::new()?;
    let folder = Folder::new(&site)?;
    for (path, name) in [("org/team/a-1.0.0.tgz", "a"), ("org/b/c-1.0.0.tgz", "c"), ("d-1.0.0.tgz", "d")] {
        folder.put(path, &plain_chart(name, "1.0.0"), days_later(0))?;
    }
    folder.put("Org/team/e-1.0.0.tgz", &plain_chart("e", "1.0.0"), days_later(0))?;
    let done = import(&site, &folder.source(), "old", &command_line::depth(2), SOME_REFUSED)?;
    assert_eq!(counts(&done), [2, 0, 1, 0], "{done}");
    ensure!(reasons(&done)[0].1.contains("`Org` cannot be part of a repository path"), "{done}");
    let server = site.start()?;
    for path in ["/old/org/team/charts/a-1.0.0.tgz", "/old/org/b/charts/c-1.0.0.tgz"] {
        server.anonymous()?.get(path)?.expect_status(200)?;
    }
    Ok(())
}

#[test]
fn a_source_that_is_none_says_so_and_changes_nothing() -> Result<()> {
    let site = Site::new()?;
    let web = WebServer::start()?;
    web.put("/page/index.yaml", [Prepared::File(b"<html>sign in</html>".to_vec())]);
    for (source, code, expected) in [
        (web.url("/page"), UNFINISHED, "is no index of charts"),
        (web.url("/nowhere"), UNFINISHED, "there is no such file"),
        ("/nowhere/at/all".to_owned(), UNFINISHED, "cannot read the folder"),
        ("oci://registry.example.test/x".to_owned(), 2, "is not a source"),
    ] {
        let outcome = site.run(&command_line::import(&source, "shelf"))?;
        assert_eq!(outcome.status.code(), Some(code), "{source}: {}", outcome.complaint());
        ensure!(outcome.complaint().contains(expected), "{source}: {}", outcome.complaint());
    }
    Ok(())
}

#[test]
fn a_bucket_of_chartmuseum_comes_in() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let Some(store) = shared_minio()? else { return Ok(()) };
        let bucket = store.create_bucket()?;
        let archive = plain_chart("kept", "1.0.0");
        let provenance = provenance_text("kept", "1.0.0", "kept-1.0.0.tgz", &archive);
        store.put(&bucket, "old/kept-1.0.0.tgz", &archive)?;
        store.put(&bucket, "old/kept-1.0.0.tgz.prov", provenance.as_bytes())?;
        store.put(&bucket, "old/deeper/other-1.0.0.tgz", &plain_chart("other", "1.0.0"))?;
        store.put(&bucket, "elsewhere-1.0.0.tgz", &plain_chart("elsewhere", "1.0.0"))?;
        let source = format!("s3://{bucket}/old");
        let foreseen = import(site, &source, "shelf", &[command_line::DRY_RUN.to_owned()], EVERYTHING)?;
        assert_eq!(counts(&foreseen), [1, 0, 0, 0]);
        let done = import(site, &source, "shelf", &[], EVERYTHING)?;
        assert_eq!((counts(&done), done["notes"].as_array().map(Vec::len)), ([1, 0, 0, 0], Some(0)));
        let server = site.start()?;
        assert_eq!(server.anonymous()?.get("/shelf/charts/kept-1.0.0.tgz")?.body, archive);
        server.anonymous()?.get("/shelf/charts/kept-1.0.0.tgz.prov")?.expect_status(200)?;
        let again = import(site, &source, "shelf", &[], EVERYTHING)?;
        assert_eq!(counts(&again), [0, 1, 0, 0]);
        Ok(())
    })
}

#[test]
fn a_source_that_goes_away_ends_the_import_and_is_gone_on_with_later() -> Result<()> {
    let site = Site::new()?;
    let web = WebServer::start()?;
    let charts: Vec<_> = (0..30)
        .map(|number| (format!("/{number:02}.tgz"), plain_chart(&format!("kept-{number:02}"), "1.0.0")))
        .collect();
    let entries = charts.iter().map(|(path, archive)| {
        let name = format!("kept-{}", path.trim_start_matches('/').trim_end_matches(".tgz"));
        entry(&name, "1.0.0", path, Some(archive))
    });
    web.put("/index.yaml", [index_of(entries.collect())]);
    for (number, (path, archive)) in charts.iter().enumerate() {
        let answer = if number < 3 { Prepared::File(archive.clone()) } else { Prepared::Status(503) };
        web.put(path, [answer]);
    }
    let away = site.run(&[command_line::import(&web.url("/"), "shelf"), command_line::jobs(1)].concat())?;
    assert_eq!(away.status.code(), Some(UNFINISHED), "{}", away.complaint());
    ensure!(away.complaint().contains("20 times in a row"), "{}", away.complaint());
    for (path, archive) in &charts {
        web.put(path, [Prepared::File(archive.clone())]);
    }
    let done = import(&site, &web.url("/"), "shelf", &[], EVERYTHING)?;
    assert_eq!(counts(&done), [27, 3, 0, 0]);
    Ok(())
}

#[test]
fn a_server_with_a_certificate_of_its_own_is_believed_when_its_authority_is_given() -> Result<()> {
    let elsewhere = Site::new()?;
    write_certificate(elsewhere.folder())?;
    let config = configuration(elsewhere.folder(), &["http://127.0.0.1:0", "https://127.0.0.1:0"])?;
    let source = elsewhere.launch().configured(&config, 2).start()?;
    source.admin()?.publish("", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    let https = source.urls().iter().find(|url| url.starts_with("https://")).context("no https")?;
    let site = Site::new()?;
    let refused = site.run(&command_line::import(https, "shelf"))?;
    assert_eq!(refused.status.code(), Some(UNFINISHED), "{}", refused.complaint());
    ensure!(refused.complaint().contains("certificate"), "{}", refused.complaint());
    let authority = command_line::ca_file(&elsewhere.folder().join("certificate.pem"));
    let done = import(&site, https, "shelf", &authority, EVERYTHING)?;
    assert_eq!(counts(&done), [1, 0, 0, 0]);
    Ok(())
}
