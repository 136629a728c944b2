//! The read-only switch: one command stops writing on every server, reading goes on, another lets it go on.

use anyhow::{Result, ensure};
use stories::backend::{POSTGRES_MINIO, tell};
use stories::command_line;
use stories::site::Site;
use stories::synthetic::plain_chart;

use crate::lifecycle::with_charts;

stories::on_each_backend! {
    while_read_only_writers_hear_why_and_readers_notice_nothing,
}

fn while_read_only_writers_hear_why_and_readers_notice_nothing(site: &Site) -> Result<()> {
    let server = with_charts(site)?;
    let (admin, reader) = (server.admin()?, server.anonymous()?);
    let before = reader.get("/shelf/index.yaml")?.expect_status(200)?;
    site.run(&command_line::read_only_on("moving until 14:00"))?.success()?;

    let refused = admin.publish("shelf", &plain_chart("kept", "2.0.0"))?.expect_status(503)?;
    ensure!(!refused.header("retry-after").is_empty(), "when to come back is not told");
    ensure!(refused.error_text()?.contains("moving until 14:00"), "{}", refused.text());
    admin.delete("/api/shelf/charts/kept/1.0.0")?.expect_status(503)?;
    admin.publish("fresh", &plain_chart("kept", "1.0.0"))?.expect_status(503)?;

    let after = reader.get("/shelf/index.yaml")?.expect_status(200)?;
    ensure!(before.body == after.body, "the index changed");
    reader.get("/shelf/charts/kept-1.0.0.tgz")?.expect_status(200)?;
    assert_eq!(reader.get("/ready")?.expect_status(200)?.json()?["writes"], "read-only");
    reader.get("/ready?for=writes")?.expect_status(503)?;
    let status = reader.get("/catalog/v1/status")?.expect_status(200)?.json()?;
    assert_eq!((&status["writes"], &status["reason"]), (&"read-only".into(), &"moving until 14:00".into()));
    let told = site.run(&command_line::read_only_status())?.success()?;
    ensure!(told.contains("\"readOnly\":true") && told.contains("moving until 14:00"), "{told}");

    site.run(&command_line::read_only_off())?.success()?;
    admin.publish("shelf", &plain_chart("kept", "2.0.0"))?.expect_status(201)?;
    Ok(())
}

#[test]
fn the_switch_holds_on_every_replica() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let replicas = site.replicas(2)?;
        site.run(&command_line::read_only_on("an exercise"))?.success()?;
        for replica in &replicas {
            replica.admin()?.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(503)?;
        }
        site.run(&command_line::read_only_off())?.success()?;
        for replica in &replicas {
            replica.admin()?.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
        }
        Ok(())
    })
}
