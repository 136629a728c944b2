//! Flux, Argo CD, Rancher and Artifact Hub read the index by their own rules: in every form, all see the same.

use anyhow::{Context, Result, ensure};
use chart::testing::ChartBuilder;
use stories::command_line::{IndexForm, RepositorySettings};
use stories::index_reader::{IndexReader, SeenVersion};
use stories::server::Server;
use stories::site::Site;

stories::on_each_backend! {
    every_client_sees_every_version_in_every_form_of_the_index,
    the_yaml_for_people_reads_the_same,
    flux_sees_no_new_revision_when_nothing_changed,
}

/// Repositories by the form of their index.
const FORMS: [(&str, IndexForm); 3] =
    [("json", IndexForm::Json), ("yaml", IndexForm::Yaml), ("lean", IndexForm::Lean)];
const KUBERNETES: &str = "1.31.0";

/// What is hard for one reader or another: (name, version, more lines of Chart.yaml).
const HARD: [(&str, &str, &str); 11] = [
    ("plain", "1.2.0", "description: plain\n"),
    ("plain", "1.10.0", "description: plain\n"),
    ("plain", "2.0.0-rc.1", "description: plain\n"),
    ("prefixed", "v0.32.1", "appVersion: v0.32.1\n"),
    ("built", "10.4.0+2288", "appVersion: '1.10'\n"),
    ("built", "10.4.0+up1.2.3", "appVersion: '010'\n"),
    ("spoken", "1.0.0", "description: \"차트 — 🚢 \\\"quoted\\\" \\\\ back: slash # not a comment\"\n"),
    (
        "spoken",
        "1.1.0",
        "description: \"two\\nlines and a tab\\tand / a slash \\u007f \\u2028\"\nhome: 'https://a.test/?b=c&d=<e>'\n",
    ),
    (
        "typed",
        "1.0.0",
        "appVersion: 'true'\nannotations: {a: 'yes', b: '1', c: 'null', d: '0x1f', e: '2001-01-01', f: ''}\n",
    ),
    (
        "fitting",
        "1.0.0",
        "kubeVersion: '>=1.22.0-0'\nannotations: {catalog.cattle.io/kube-version: '<1.25.0-0'}\n",
    ),
    (
        "fitting",
        "1.1.0",
        "kubeVersion: '>=1.22.0-0'\ndeprecated: true\nannotations: {catalog.cattle.io/kube-version: 'no constraint'}\n",
    ),
];

fn publish_into(server: &Server, repository: &str) -> Result<()> {
    for (name, version, more) in HARD {
        let chart_file = format!("apiVersion: v2\nname: {name}\nversion: {version}\n{more}");
        let archive = ChartBuilder::new(name, version).chart_yaml(chart_file).build();
        server.admin()?.publish(repository, &archive)?.expect_status(201)?;
    }
    Ok(())
}

fn publish_everywhere(site: &Site, server: &Server) -> Result<()> {
    for (name, index) in FORMS {
        site.create_repository(name, &RepositorySettings { index, ..RepositorySettings::default() })?;
        publish_into(server, name)?;
    }
    Ok(())
}

/// Charts in order, each newest first; equal precedence by the later publish.
const EXPECTED: [(&str, &str, &str); 11] = [
    ("built", "10.4.0+up1.2.3", "010"),
    ("built", "10.4.0+2288", "1.10"),
    ("fitting", "1.1.0", ""),
    ("fitting", "1.0.0", ""),
    ("plain", "2.0.0-rc.1", ""),
    ("plain", "1.10.0", ""),
    ("plain", "1.2.0", ""),
    ("prefixed", "v0.32.1", "v0.32.1"),
    ("spoken", "1.1.0", ""),
    ("spoken", "1.0.0", ""),
    ("typed", "1.0.0", "true"),
];

fn assert_seen(client: &str, seen: &[SeenVersion]) -> Result<()> {
    let fits = |&&(name, version, _): &&(&str, &str, &str)| {
        client != "rancher" || (name, version) != ("fitting", "1.0.0")
    };
    let expected: Vec<_> = EXPECTED.iter().filter(fits).collect();
    assert_eq!(seen.len(), expected.len(), "{seen:#?}");
    for (seen, (name, version, application)) in seen.iter().zip(expected) {
        assert_eq!((seen.chart.as_str(), seen.version.as_str()), (*name, *version));
        ensure!(!seen.created.starts_with("0001"), "{name} {version} has no time of publishing");
        if client != "argo" {
            assert_eq!(seen.app_version, *application, "{name} {version}");
            assert_eq!(seen.url, format!("charts/{name}-{version}.tgz"));
            assert_eq!(seen.digest.len(), 64, "{name} {version}");
        }
    }
    Ok(())
}

fn every_client_sees_every_version_in_every_form_of_the_index(site: &Site) -> Result<()> {
    let Some(reader) = IndexReader::find()? else { return Ok(()) };
    let server = site.start()?;
    publish_everywhere(site, &server)?;
    for (form, _) in FORMS {
        let index = server.anonymous()?.get(&format!("/{form}/index.yaml"))?.expect_status(200)?.body;
        for client in ["artifacthub", "flux", "argo", "rancher"] {
            let whom = || format!("{client} on the {form} index");
            let seen = reader.read(client, &index, KUBERNETES).with_context(whom)?;
            assert_seen(client, &seen.rows).with_context(whom)?;
        }
    }
    Ok(())
}

fn the_yaml_for_people_reads_the_same(site: &Site) -> Result<()> {
    let Some(reader) = IndexReader::find()? else { return Ok(()) };
    let server = site.start()?;
    publish_into(&server, "json")?;
    let index = server.anonymous()?.get("/json/index.yaml?format=yaml")?.expect_status(200)?.body;
    ensure!(!index.starts_with(b"{"), "that is no YAML for people");
    assert_seen("artifacthub", &reader.read("artifacthub", &index, KUBERNETES)?.rows)
}

fn flux_sees_no_new_revision_when_nothing_changed(site: &Site) -> Result<()> {
    let Some(reader) = IndexReader::find()? else { return Ok(()) };
    let server = site.start()?;
    publish_everywhere(site, &server)?;
    let revisions = |server: &Server| -> Result<Vec<String>> {
        let read = |(form, _): &(&str, IndexForm)| {
            let index = server.anonymous()?.get(&format!("/{form}/index.yaml"))?.expect_status(200)?.body;
            Ok(reader.read("flux", &index, KUBERNETES)?.revision)
        };
        FORMS.iter().map(read).collect()
    };
    let before = revisions(&server)?;
    assert_eq!(revisions(&server)?, before);
    server.stop()?;
    let server = site.start()?;
    assert_eq!(revisions(&server)?, before, "after a stop");
    server.kill()?;
    let server = site.start()?;
    assert_eq!(revisions(&server)?, before, "after a kill");
    publish_into(&server, "json")?;
    assert_eq!(revisions(&server)?, before, "after the same bytes again");
    Ok(())
}
