//! A version deleted by mistake comes back as it was, through HTTP and by command, until the collector takes it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stories::command_line;
use stories::site::Site;
use stories::synthetic::marked_chart;
use stories::wait::wait_for;

use crate::lifecycle::with_charts;

stories::on_each_backend! {
    a_deleted_version_comes_back_through_http_as_it_was,
    a_deleted_version_comes_back_by_command_beside_the_server,
    what_was_replaced_comes_back_once_its_place_is_free,
    what_was_collected_does_not_come_back,
}

fn a_deleted_version_comes_back_through_http_as_it_was(site: &Site) -> Result<()> {
    let server = with_charts(site)?;
    let admin = server.admin()?;
    let before = admin.index("shelf")?["entries"].clone();
    let bytes = admin.get("/shelf/charts/kept-1.1.0.tgz")?.expect_status(200)?.body;
    admin.delete("/api/shelf/charts/kept/1.1.0")?.expect_status(200)?;
    admin.get("/shelf/charts/kept-1.1.0.tgz")?.expect_status(404)?;

    let listed = admin.get("/catalog/v1/repositories/shelf/removed")?.expect_status(200)?.json()?;
    let removed = &listed["removed"][0];
    assert_eq!((&removed["version"], &removed["removedBy"]), (&json!("1.1.0"), &json!("admin")));
    ensure!(removed["keptUntil"].as_str() > removed["removed"].as_str(), "{listed}");

    let path = "/catalog/v1/repositories/shelf/removed/kept/1.1.0/restore";
    server.anonymous()?.post(path, "")?.expect_status(401)?;
    admin.post(path, "")?.expect_status(200)?;
    assert_eq!(admin.index("shelf")?["entries"], before, "listed before the answer, as it was");
    assert_eq!(admin.get("/shelf/charts/kept-1.1.0.tgz")?.body, bytes);
    admin.post(path, "")?.expect_status(404)?;
    Ok(())
}

fn a_deleted_version_comes_back_by_command_beside_the_server(site: &Site) -> Result<()> {
    let server = with_charts(site)?;
    server.admin()?.delete("/api/shelf/charts/kept/1.1.0")?.expect_status(200)?;
    let listed: Value = serde_json::from_str(&site.run(&command_line::list_removed("shelf"))?.success()?)?;
    assert_eq!(listed[0]["version"], "1.1.0");
    site.run(&command_line::undelete("kept", "1.1.0", "shelf"))?.success()?;
    wait_for("the running server to show it", Duration::from_secs(10), || {
        Ok((server.anonymous()?.get("/shelf/charts/kept-1.1.0.tgz")?.status == 200).then_some(()))
    })?;
    let again = site.run(&command_line::undelete("kept", "1.1.0", "shelf"))?.failure()?;
    ensure!(again.contains("no removed `kept` `1.1.0` is kept in `shelf`"), "{again}");
    Ok(())
}

fn what_was_replaced_comes_back_once_its_place_is_free(site: &Site) -> Result<()> {
    let overwrite = command_line::Overwrite::Forced;
    let settings = command_line::RepositorySettings { overwrite, ..Default::default() };
    site.create_repository("shelf", &settings)?;
    let server = site.start()?;
    let admin = server.admin()?;
    let (first, second) = (marked_chart("kept", "1.0.0", "first"), marked_chart("kept", "1.0.0", "second"));
    admin.publish("shelf", &first)?.expect_status(201)?;
    admin.post("/api/shelf/charts?force", second)?.expect_status(201)?;
    let path = "/catalog/v1/repositories/shelf/removed/kept/1.0.0/restore";
    let refusal = admin.post(path, "")?.expect_status(409)?.error_text()?;
    ensure!(refusal.contains("delete that first"), "{refusal}");
    admin.delete("/api/shelf/charts/kept/1.0.0")?.expect_status(200)?;
    // The last one removed comes first; once it is there, it stands in the way of the one before.
    admin.post(path, "")?.expect_status(200)?;
    let listed = admin.get("/catalog/v1/repositories/shelf/removed")?.json()?;
    assert_eq!(listed["removed"].as_array().context("no list")?.len(), 1);
    Ok(())
}

fn what_was_collected_does_not_come_back(site: &Site) -> Result<()> {
    let server = with_charts(site)?;
    let admin = server.admin()?;
    admin.delete("/api/shelf/charts/kept/1.1.0")?.expect_status(200)?;
    site.run(&command_line::collect_garbage())?.success()?;
    assert_eq!(site.blobs()?.len(), 2, "the collector took what is published, or left what is not");
    let path = "/catalog/v1/repositories/shelf/removed/kept/1.1.0/restore";
    admin.post(path, "")?.expect_status(404)?;
    admin.get("/shelf/charts/kept-1.2.0.tgz")?.expect_status(200)?;
    Ok(())
}
