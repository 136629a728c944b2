//! The packager over a folder of charts: what it finds and moves in each, and how long that takes.
//! Rule: each chart begins with an empty cache of its own; "again" is the same command with what it left there.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::environment;
use crate::machine::{commit, cpu, date, load, said};

/// Where images are moved to.
const SITE: &str = "registry.local.cloud:5000";

/// What the relocation of one chart may take, in seconds: the first time, and again.
const BARS: [(&str, f64, f64); 2] = [("gitlab-6", 300.0, 20.0), ("kube-prometheus-stack-", 120.0, 20.0)];
const ANY_BAR: (f64, f64) = (20.0, 20.0);

/// What `chartpack relocate --output json` says, as far as it is counted here.
#[derive(Debug, Deserialize)]
struct Proof {
    edits: Vec<serde_json::Value>,
    views: Vec<View>,
    left: Vec<Left>,
    broken: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct View {
    references: usize,
    foreign: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Left {
    image: String,
    only_tests: bool,
}

/// What `chartpack images --output json` says, as far as it is counted here.
#[derive(Debug, Deserialize)]
struct Images {
    images: Vec<serde_json::Value>,
    toggles: usize,
}

/// The figures of one chart.
#[derive(Debug)]
struct Row {
    chart: String,
    images: usize,
    toggles: usize,
    kept: Proof,
    stripped: Proof,
    first: Cost,
    again: Cost,
}

/// What a command took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Seconds on the clock.
    seconds: f64,
    /// Seconds of processors, of the command and of what it started.
    processor_seconds: f64,
}

/// Runs the packager over the archives of a folder and writes the table to `report`, after each chart anew.
///
/// # Errors
/// When a chart is refused, or the packager is not built.
pub(crate) fn measure(folder: &Path, report: &Path) -> Result<()> {
    let packager = Packager { program: environment::chartpack()?, helm: environment::tool("helm4")? };
    let mut archives: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        archives.push(entry?.path());
    }
    archives.retain(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    archives.sort();
    ensure!(!archives.is_empty(), "`{}` holds no charts", folder.display());
    let head = head(&packager)?;
    let mut rows = Vec::new();
    for archive in archives {
        rows.push(packager.row(&archive)?);
        fs::write(report, format!("{head}{}", to_markdown(&rows)))
            .with_context(|| format!("cannot write `{}`", report.display()))?;
    }
    Ok(())
}

struct Packager {
    program: PathBuf,
    helm: PathBuf,
}

impl Packager {
    fn row(&self, archive: &Path) -> Result<Row> {
        let cache = tempfile::tempdir().context("cannot make a temporary folder")?;
        let keep = ["relocate", "--to", SITE, "--path-policy", "keep-host"];
        let strip = ["relocate", "--to", SITE, "--path-policy", "strip-host"];
        let (first, kept): (Cost, Vec<Proof>) = self.run(&keep, archive, cache.path())?;
        let (again, _): (Cost, Vec<Proof>) = self.run(&keep, archive, cache.path())?;
        let (_, stripped): (Cost, Vec<Proof>) = self.run(&strip, archive, cache.path())?;
        let (_, images): (Cost, Vec<Images>) = self.run(&["images"], archive, cache.path())?;
        let name = archive.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let one = "the packager says nothing of the chart";
        let Images { images, toggles } = images.into_iter().next().context(one)?;
        Ok(Row {
            chart: name,
            images: images.len(),
            toggles,
            kept: kept.into_iter().next().context(one)?,
            stripped: stripped.into_iter().next().context(one)?,
            first,
            again,
        })
    }

    /// Runs a command on one chart; an exit code of 1 says that references are left, which is counted.
    fn run<T: for<'de> Deserialize<'de>>(
        &self,
        arguments: &[&str],
        archive: &Path,
        cache: &Path,
    ) -> Result<(Cost, T)> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg(archive).args(["--output", "json"]);
        command.env("CHARTPACK_HELM", &self.helm).env("CHARTPACK_CACHE", cache);
        let (start, before) = (Instant::now(), children_seconds()?);
        let output =
            command.output().with_context(|| format!("cannot start `{}`", self.program.display()))?;
        let cost =
            Cost { seconds: start.elapsed().as_secs_f64(), processor_seconds: children_seconds()? - before };
        if output.stdout.is_empty() {
            bail!("`{}`: {}", archive.display(), String::from_utf8_lossy(&output.stderr).trim());
        }
        let said = serde_json::from_slice(&output.stdout).context("the packager's report cannot be read")?;
        Ok((cost, said))
    }
}

impl Proof {
    fn references(&self) -> usize {
        self.views.iter().map(|view| view.references).sum()
    }

    fn foreign(&self) -> usize {
        self.views.iter().map(|view| view.foreign).sum()
    }
}

impl Row {
    fn bar(&self) -> (f64, f64) {
        let own = BARS.iter().find(|(name, _, _)| self.chart.starts_with(name));
        own.map_or(ANY_BAR, |(_, first, again)| (*first, *again))
    }

    /// The processors' time is what one idle core would take, however busy this machine is.
    fn is_met(&self) -> bool {
        let (first, again) = self.bar();
        let is_within = |cost: Cost, bar: f64| cost.seconds <= bar || cost.processor_seconds <= bar;
        is_within(self.first, first) && is_within(self.again, again)
    }
}

/// Returns how long processors have worked for the commands that ended so far (proc(5), `cutime` and `cstime`, in ticks
/// of 10 ms).
fn children_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat").context("the system does not say what commands took")?;
    let after_name = text.rsplit_once(") ").map_or(text.as_str(), |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(13).take(2).map(str::parse::<f64>);
    Ok(ticks.collect::<Result<Vec<f64>, _>>()?.iter().sum::<f64>() / 100.0)
}

fn head(packager: &Packager) -> Result<String> {
    let facts = [
        ("date", date()?),
        ("cores", cpu()?),
        ("load before (1, 5, 15 minutes)", load()?),
        ("chartpack", format!("{}, {}", said(&packager.program, &["--version"])?, commit()?)),
        ("helm", said(&packager.helm, &["version", "--short"])?),
    ];
    let mut text =
        "# The packager over community charts\n\nWritten by `cargo run --release -p bench -- packager`.\n\n\
                    | fact | value |\n|---|---|\n"
            .to_owned();
    for (fact, value) in facts {
        let _ = writeln!(text, "| {fact} | {value} |");
    }
    text.push_str(
        "\nEach chart is relocated (`chartpack relocate`, every toggle): images are found, references moved, and every \
         view of the edited chart is rendered and compared with what it was. References are counted over all views; \
         foreign ones are those that no value moves, without those of `helm test`. Seconds are of the whole command, with \
         an empty cache and again, beside those of the processors, which tell what one idle core would take. The bars are \
         300 s and 20 s again for gitlab, 120 s for kube-prometheus-stack, 20 s for the others; one is met when either \
         figure is below it.\n\n",
    );
    Ok(text)
}

fn to_markdown(rows: &[Row]) -> String {
    let mut text = "| chart | images | toggles | views | references | edits | foreign, keep-host | foreign, strip-host | else \
                    changed | seconds | processor | again | processor | bar |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n"
        .to_owned();
    for row in rows {
        let Row { chart, images, toggles, kept, stripped, first, again } = row;
        let _ = writeln!(
            text,
            "| {chart} | {images} | {toggles} | {} | {} | {} | {} | {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {} |",
            kept.views.len(),
            kept.references(),
            kept.edits.len(),
            kept.foreign(),
            stripped.foreign(),
            kept.broken.len() + stripped.broken.len(),
            first.seconds,
            first.processor_seconds,
            again.seconds,
            again.processor_seconds,
            if row.is_met() { "met" } else { "**missed**" },
        );
    }
    let left = rows.iter().flat_map(|row| row.kept.left.iter().map(move |left| (&row.chart, left)));
    text.push_str("\nWhat no value moves; the proof of each names template, line and patch:\n\n");
    for (chart, Left { image, only_tests }) in left {
        let note = if *only_tests { " (only `helm test`)" } else { "" };
        let _ = writeln!(text, "- {chart}: `{image}`{note}");
    }
    text
}
