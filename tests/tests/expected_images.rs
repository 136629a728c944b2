//! What the packager finds in community charts, against lists that people made by reading the charts' upstreams.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stories::expected_images::{Expected, read_missed};
use stories::helm::KUBERNETES_VERSION;
use stories::packager::run_packager_within;
use stories::skip::skip;
use stories::tool::find_tool;
use stories::upstream::{self, file_name};
use stories::{command_line, environment};

/// The part of the listed images that must be found (DESIGN §9).
const BAR: f64 = 0.99;

/// The largest takes two minutes in a debug build on two idle cores.
const PATIENCE: Duration = Duration::from_secs(900);

/// The charts whose discovery takes minutes.
const LONGEST: [&str; 3] = ["gitlab-6.1.1", "harbor-14.0.3", "kube-prometheus-stack-35.3.1"];

fn find(archive: &Path, helm: &Path) -> Result<BTreeSet<String>> {
    let mut line = command_line::images(archive, helm);
    line.extend(["--kube-version".to_owned(), KUBERNETES_VERSION.to_owned()]);
    let said = run_packager_within(archive.parent().context("no folder")?, &line, PATIENCE)?.success()?;
    let lists: Value = serde_json::from_str(&said)?;
    let images = lists[0]["images"].as_array().context("no images")?;
    Ok(images.iter().filter_map(|found| found["image"].as_str()).map(str::to_owned).collect())
}

#[test]
fn community_charts_show_the_images_that_their_upstreams_name() -> Result<()> {
    let (Some(archives), Some(helm)) = (upstream::charts()?, find_tool("helm3")?) else { return Ok(()) };
    let missed = read_missed()?;
    let (mut table, mut problems) = (String::new(), String::new());
    let (mut listed, mut found_of_listed) = (0_u32, 0_u32);
    for archive in &archives {
        let chart = file_name(archive)?.trim_end_matches(".tgz");
        if LONGEST.contains(&chart) && !environment::wants_longest_stories() {
            skip(&format!("`{chart}` takes minutes: run `make test-all`"));
            continue;
        }
        let expected = Expected::of(chart)?;
        let found = find(archive, &helm).with_context(|| chart.to_owned())?;
        let known = missed.get(chart).cloned().unwrap_or_default();
        let missing: BTreeSet<_> = expected.images.difference(&found).cloned().collect();
        let more = found.difference(&expected.images).filter(|image| !expected.by_choice.contains(*image));
        let count = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        listed += count(expected.images.len());
        found_of_listed += count(expected.images.len() - missing.len());
        writeln!(
            table,
            "{chart:<32}{:>4} of {:>3}, {} more",
            expected.images.len() - missing.len(),
            expected.images.len(),
            more.count()
        )?;
        for image in missing.difference(&known) {
            writeln!(problems, "{chart}: {image} is not found, and `missed.txt` gives no reason")?;
        }
        for image in known.difference(&missing) {
            writeln!(problems, "{chart}: {image} is found by now: take it out of `missed.txt`")?;
        }
    }
    let recall = f64::from(found_of_listed) / f64::from(listed);
    writeln!(table, "{:<32}{found_of_listed:>4} of {listed:>3}, {:.1} %", "all", recall * 100.0)?;
    // Written to the stream itself: the table is wanted when the story passes, too.
    io::stderr().write_all(table.as_bytes())?;
    ensure!(problems.is_empty(), "\n{problems}");
    ensure!(recall >= BAR, "{:.1} % of the listed images are found", recall * 100.0);
    Ok(())
}
