//! Whether a published version may be replaced is the repository's setting, and never happens by chance.

use anyhow::{Result, ensure};
use stories::client::Client;
use stories::command_line::{Overwrite, RepositorySettings};
use stories::site::Site;
use stories::synthetic::marked_chart;

stories::on_each_backend! {
    a_version_is_replaced_only_where_the_repository_says_so,
    replaced_bytes_take_their_provenance_with_them,
    a_deleted_version_is_gone_from_every_view,
}

/// Publishes other bytes for `kept 1.0.0`, plainly and with `?force`, and returns both statuses.
fn replace(admin: &Client, repository: &str) -> Result<(u16, u16)> {
    admin.publish(repository, &marked_chart("kept", "1.0.0", "first"))?.expect_status(201)?;
    let plainly = admin.publish(repository, &marked_chart("kept", "1.0.0", "second"))?.status;
    let path = format!("/api/{repository}/charts?force");
    let forced = admin.post(&path, marked_chart("kept", "1.0.0", "third"))?.status;
    Ok((plainly, forced))
}

fn a_version_is_replaced_only_where_the_repository_says_so(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for (repository, overwrite, expected, left) in [
        ("fixed", Overwrite::Refused, (409, 409), "first"),
        ("asked", Overwrite::Forced, (409, 201), "third"),
        ("loose", Overwrite::Allowed, (201, 201), "third"),
    ] {
        site.create_repository(
            repository,
            &RepositorySettings { overwrite, ..RepositorySettings::default() },
        )?;
        assert_eq!(replace(&admin, repository)?, expected, "{repository}");
        let archive = marked_chart("kept", "1.0.0", left);
        let served = admin.get(&format!("/{repository}/charts/kept-1.0.0.tgz"))?.expect_status(200)?;
        ensure!(served.body == archive, "{repository}: other bytes are served");
        let entries = admin.index(repository)?["entries"]["kept"].take();
        assert_eq!(entries.as_array().map(Vec::len), Some(1), "{repository}");
        assert_eq!(entries[0]["digest"], served.digest().hex(), "{repository}");
    }
    Ok(())
}

fn replaced_bytes_take_their_provenance_with_them(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    let settings = RepositorySettings { overwrite: Overwrite::Allowed, ..RepositorySettings::default() };
    site.create_repository("loose", &settings)?;
    let archive = marked_chart("kept", "1.0.0", "first");
    admin.publish("loose", &archive)?.expect_status(201)?;
    let provenance = chart::testing::provenance_text("kept", "1.0.0", "kept-1.0.0.tgz", &archive);
    admin.post("/api/loose/prov", provenance)?.expect_status(201)?;
    admin.get("/loose/charts/kept-1.0.0.tgz.prov")?.expect_status(200)?;
    admin.publish("loose", &marked_chart("kept", "1.0.0", "second"))?.expect_status(201)?;
    // What is signed there are the bytes that are gone.
    admin.get("/loose/charts/kept-1.0.0.tgz.prov")?.expect_status(404)?;
    Ok(())
}

fn a_deleted_version_is_gone_from_every_view(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for version in ["1.0.0", "1.1.0"] {
        admin.publish("shelf", &marked_chart("kept", version, ""))?.expect_status(201)?;
    }
    admin.delete("/api/shelf/charts/kept/1.1.0")?.expect_status(200)?;
    for path in ["/shelf/charts/kept-1.1.0.tgz", "/api/shelf/charts/kept/1.1.0"] {
        admin.get(path)?.expect_status(404)?;
    }
    assert_eq!(admin.get("/api/shelf/charts/kept/latest")?.json()?["version"], "1.0.0");
    assert_eq!(admin.index("shelf")?["entries"]["kept"].as_array().map(Vec::len), Some(1));
    admin.delete("/api/shelf/charts/kept/1.0.0")?.expect_status(200)?;
    ensure!(admin.index("shelf")?["entries"].get("kept").is_none(), "a chart without versions is listed");
    Ok(())
}
