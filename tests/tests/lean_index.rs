//! The lean index: a good third of the bytes, and every client still finds, chooses and fetches every version.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stories::command_line::{IndexForm, RepositorySettings};
use stories::helm::Helm;
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::detailed_chart;

stories::on_each_backend! {
    a_lean_index_is_small_and_complete_for_choosing,
}

const CHARTS: usize = 12;
const VERSIONS: usize = 25;

/// The share of the full index's bytes that the lean one may have.
const MOST_PERCENT: usize = 40;

fn chart_names() -> Vec<String> {
    (0..CHARTS).map(|number| format!("component-{number}")).collect()
}

fn versions() -> Vec<String> {
    (0..VERSIONS).map(|number| format!("1.{number}.3")).collect()
}

/// Publishes the same charts into a full and a lean repository.
fn publish_corpus(server: &Server) -> Result<()> {
    let admin = server.admin()?;
    for name in chart_names() {
        for version in versions() {
            let archive = detailed_chart(&name, &version);
            for repository in ["full", "lean"] {
                admin.publish(repository, &archive)?.expect_status(201)?;
            }
        }
    }
    Ok(())
}

fn prepared(site: &Site) -> Result<Server> {
    let server = site.start()?;
    site.create_repository("full", &RepositorySettings::default())?;
    site.create_repository(
        "lean",
        &RepositorySettings { index: IndexForm::Lean, ..RepositorySettings::default() },
    )?;
    publish_corpus(&server)?;
    Ok(server)
}

/// The fields by which clients choose and fetch a version.
const CHOOSING_FIELDS: [&str; 10] = [
    "name",
    "version",
    "appVersion",
    "apiVersion",
    "type",
    "kubeVersion",
    "deprecated",
    "digest",
    "urls",
    "description",
];

fn assert_nothing_dropped_from_view(full: &Value, lean: &Value) -> Result<()> {
    for name in chart_names() {
        let of = |index: &Value| index["entries"][&name].as_array().cloned().unwrap_or_default();
        let (full, lean) = (of(full), of(lean));
        assert_eq!((full.len(), lean.len()), (VERSIONS, VERSIONS), "{name}");
        for (number, (full, lean)) in full.iter().zip(&lean).enumerate() {
            for field in CHOOSING_FIELDS {
                ensure!(full[field] == lean[field], "{name} {}: other `{field}`", full["version"]);
            }
            let annotations = lean["annotations"].as_object().context("no annotations")?;
            let ranchers = |name: &&String| name.starts_with("catalog.cattle.io/");
            assert_eq!(annotations.keys().filter(ranchers).count(), 1, "{name}");
            if number == 0 {
                ensure!(
                    without_created(full) == without_created(lean),
                    "{name}: the newest version is not complete"
                );
            }
        }
    }
    Ok(())
}

fn without_created(entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry.as_object_mut().map(|entry| entry.remove("created"));
    entry
}

fn a_lean_index_is_small_and_complete_for_choosing(site: &Site) -> Result<()> {
    let server = prepared(site)?;
    let client = server.anonymous()?;
    let bytes = |repository: &str| {
        Ok::<_, anyhow::Error>(client.get(&format!("/{repository}/index.yaml"))?.body.len())
    };
    let (full, lean) = (bytes("full")?, bytes("lean")?);
    ensure!(lean * 100 <= full * MOST_PERCENT, "{lean} bytes of {full}: {} %", lean * 100 / full);
    assert_nothing_dropped_from_view(&client.index("full")?, &client.index("lean")?)?;
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    for repository in ["full", "lean"] {
        helm.add_repository(repository, &format!("{}/{repository}", server.url()))?;
    }
    helms_see_the_same(&helm)?;
    every_version_is_pulled(&helm)?;
    dependencies_resolve(&helm, server.url())
}

fn helms_see_the_same(helm: &Helm) -> Result<()> {
    let rows = |repository: &str, more: &[&str]| -> Result<Vec<[String; 4]>> {
        let rows = helm.search(&[&[repository], more].concat())?;
        let plain = |name: String| name.replace(repository, "");
        Ok(rows.into_iter().map(|[name, version, app, text]| [plain(name), version, app, text]).collect())
    };
    for more in [&[][..], &["--versions"], &["--version", "~1.7.0"]] {
        let (full, lean) = (rows("full/", more)?, rows("lean/", more)?);
        ensure!(!full.is_empty(), "no rows for {more:?}");
        assert_eq!(full, lean, "{more:?}");
    }
    assert_eq!(rows("full/", &["--versions"])?.len(), CHARTS * VERSIONS);
    Ok(())
}

fn every_version_is_pulled(helm: &Helm) -> Result<()> {
    for version in versions() {
        helm.ok(&["pull", "lean/component-3", "--version", &version])?;
        let pulled = std::fs::read(helm.home().join(format!("component-3-{version}.tgz")))?;
        ensure!(pulled == detailed_chart("component-3", &version), "other bytes for {version}");
    }
    Ok(())
}

fn dependencies_resolve(helm: &Helm, url: &str) -> Result<()> {
    let folder = helm.home().join("parent");
    std::fs::create_dir(&folder)?;
    let chart_file = format!(
        "apiVersion: v2\nname: parent\nversion: 0.1.0\ndependencies:\n\
         - {{name: component-1, version: '~1.7.0', repository: {url}/lean}}\n"
    );
    std::fs::write(folder.join("Chart.yaml"), chart_file)?;
    helm.ok(&["dependency", "update", "parent"])?;
    ensure!(folder.join("charts/component-1-1.7.3.tgz").is_file(), "another version was chosen");
    Ok(())
}
