//! Community charts as a delivery: fetched from our own server, edited, locked, built twice, and taken by helm.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, ensure};
use chart::archive::{ChartArchive, Limits};
use stories::delivery::Delivery;
use stories::helm::Helm;
use stories::site::Site;
use stories::upstream::{self, file_name};

#[test]
fn community_charts_are_locked_and_built_the_same_twice() -> Result<()> {
    let Some(archives) = upstream::charts()? else { return Ok(()) };
    let site = Site::new()?;
    let server = site.launch().open().start()?;
    let client = server.anonymous()?;
    let mut recipes = Vec::new();
    for path in &archives {
        let bytes = fs::read(path)?;
        client.publish("upstream", &bytes)?.expect_status(201)?;
        let metadata = ChartArchive::inspect(bytes.as_slice(), &Limits::default())?;
        let mut text = String::new();
        writeln!(
            text,
            "upstream: {{repository: '{}/upstream', chart: {}, version: '{}'}}",
            server.url(),
            metadata.name,
            metadata.version
        )?;
        writeln!(
            text,
            "revision: 1\nmetadata:\n  keywordsFirst: [story]\n  annotations: {{catalog.cattle.io/certified: playcekube}}"
        )?;
        recipes.push((file_name(path)?.trim_end_matches(".tgz").to_owned(), text));
    }
    let listed: Vec<(&str, &str)> =
        recipes.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (one, other) = (Delivery::new(&listed)?, Delivery::new(&listed)?);
    one.lock(&[])?.success()?;
    other.lock(&[])?.success()?;
    ensure!(one.lock_text() == other.lock_text(), "two locks of the same");
    server.stop()?;
    let built = one.build("dist")?;
    ensure!(built == other.build("dist")?, "two builds of the same");
    ensure!(built.len() == archives.len(), "{} archives", built.len());
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    for name in built.keys() {
        let path = one.path("dist").join(name);
        let shown = helm.ok(&["show", "chart", &path.display().to_string()]).with_context(|| name.clone())?;
        ensure!(shown.contains("- story"), "{name}: {shown}");
    }
    Ok(())
}
