//! What a repository may hold: a limit of versions and of bytes, also while many publish at once.

use std::thread;

use anyhow::{Result, anyhow, ensure};
use stories::command_line::{self, Overwrite, RepositorySettings};
use stories::site::Site;
use stories::synthetic::{marked_chart, plain_chart};

stories::on_each_backend! {
    a_repository_takes_no_more_versions_than_it_may,
    a_repository_takes_no_more_bytes_than_it_may,
}

fn a_repository_takes_no_more_versions_than_it_may(site: &Site) -> Result<()> {
    site.create_repository("shelf", &RepositorySettings::default())?;
    site.run(&command_line::limit_repository("shelf", 5, "0"))?.success()?;
    let server = site.start()?;
    let admin = server.admin()?;
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let publish = |minor: usize| {
            let admin = admin.clone();
            scope
                .spawn(move || Ok(admin.publish("shelf", &plain_chart("a", &format!("1.{minor}.0")))?.status))
        };
        let publishers: Vec<_> = (0..12).map(publish).collect();
        publishers
            .into_iter()
            .map(|one| one.join().map_err(|_| anyhow!("a publisher panicked"))?)
            .collect::<Result<_>>()
    })?;
    statuses.sort_unstable();
    assert_eq!(statuses, [[201; 5].as_slice(), &[507; 7]].concat());
    let refused = admin.publish("shelf", &plain_chart("b", "1.0.0"))?.expect_status(507)?.error_text()?;
    ensure!(refused.contains("may hold 5 version(s)") && refused.contains("`mostVersions`"), "{refused}");

    let shown = admin.get("/catalog/v1/repositories/shelf")?.expect_status(200)?.json()?;
    assert_eq!((&shown["versions"], &shown["mostVersions"]), (&5.into(), &5.into()));
    assert_eq!(site.blobs()?.len(), 5, "refused bytes were kept");
    let listed = admin.index("shelf")?["entries"]["a"][0]["version"].as_str().unwrap_or_default().to_owned();
    admin.delete(&format!("/api/shelf/charts/a/{listed}"))?.expect_status(200)?;
    admin.publish("shelf", &plain_chart("b", "1.0.0"))?.expect_status(201)?;
    Ok(())
}

fn a_repository_takes_no_more_bytes_than_it_may(site: &Site) -> Result<()> {
    let archive = plain_chart("a", "1.0.0");
    let overwrite = Overwrite::Forced;
    site.create_repository("shelf", &RepositorySettings { overwrite, ..Default::default() })?;
    let most = archive.len() + archive.len() / 2;
    site.run(&command_line::limit_repository("shelf", 0, &most.to_string()))?.success()?;
    let server = site.start()?;
    let admin = server.admin()?;
    admin.publish("shelf", &archive)?.expect_status(201)?;
    // The same bytes again take no more room.
    admin.publish("shelf", &archive)?.expect_status(201)?;
    let refused = admin.publish("shelf", &plain_chart("b", "1.0.0"))?.expect_status(507)?.error_text()?;
    ensure!(refused.contains("`mostBytes`"), "{refused}");
    // Nor may a version grow in its place.
    let noise: String = (0..2_000).map(|number| format!("{:x}", number * 7_919)).collect();
    let grown = admin.post("/api/shelf/charts?force", marked_chart("a", "1.0.0", &noise))?;
    ensure!(grown.expect_status(507)?.error_text()?.contains("`mostBytes`"));
    assert_eq!(admin.get("/shelf/charts/a-1.0.0.tgz")?.body, archive);
    Ok(())
}
