//! The machine and the programs a report is about.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::environment;
use crate::figures::number;

/// What a reader needs to judge the figures.
#[derive(Debug)]
pub(crate) struct Machine {
    facts: Vec<(&'static str, String)>,
    cores: usize,
    load_before: f64,
}

/// A load below this is what an idle machine has.
const IDLE: f64 = 0.5;

impl Machine {
    /// Looks at the machine and asks the programs for their versions.
    ///
    /// # Errors
    /// When the system does not say, or a program that is measured does not run.
    pub(crate) fn inspect() -> Result<Self> {
        let cores = std::thread::available_parallelism().context("the number of cores is not known")?;
        let target = environment::target_folder()?;
        let chartmuseum = match environment::chartmuseum() {
            Some(program) => said(&program, &["--version"])?,
            None => "not run: no binary on the machine".to_owned(),
        };
        let facts = vec![
            ("date", date()?),
            ("cores", cpu()?),
            ("memory", memory()?),
            ("kernel", fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned()),
            ("file system of Chartroom", file_system(&target)?),
            ("file system of Postgres and MinIO", file_system(&environment::temporary_folder())?),
            ("load before (1, 5, 15 minutes)", load()?),
            ("Chartroom", format!("{}, {}", said(&environment::chartroom()?, &["--version"])?, commit()?)),
            ("nginx", said(&environment::tool("nginx")?, &["-v"])?),
            ("helm", said(&environment::tool("helm3")?, &["version", "--short"])?),
            ("ChartMuseum", chartmuseum),
        ];
        let load_before = load()?.split(',').next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN);
        Ok(Self { facts, cores: cores.get(), load_before })
    }

    /// Adds a fact that was not known before.
    pub(crate) fn note(&mut self, fact: &'static str, value: String) {
        self.facts.push((fact, value));
    }

    /// Returns a warning for the reader when others used the machine as the run began.
    pub(crate) fn warning(&self) -> Option<String> {
        let others = self.load_before;
        (others > IDLE).then(|| {
            let (load, cores) = (number(others), self.cores);
            format!(
                "**The machine was not idle**: a load of {load} on {cores} cores before the run began, which was other \
                 work; it took its share of cores and disk from everything below, peers included."
            )
        })
    }

    /// Returns the facts as a Markdown table.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = String::from("| fact | value |\n|---|---|\n");
        for (fact, value) in &self.facts {
            let _ = writeln!(text, "| {fact} | {value} |");
        }
        text
    }
}

/// Returns how many cores there are, and of which kind.
///
/// # Errors
/// When the system does not say.
pub(crate) fn cpu() -> Result<String> {
    let cores = std::thread::available_parallelism().context("the number of cores is not known")?;
    Ok(format!("{cores} × {}", proc_field("/proc/cpuinfo", "model name")?))
}

/// Returns the date and time.
///
/// # Errors
/// When there is no `date`.
pub(crate) fn date() -> Result<String> {
    said(Path::new("date"), &["-u", "+%Y-%m-%d %H:%M UTC"])
}

/// Returns the commit of the sources, and whether they have changed since.
///
/// # Errors
/// When there is no `git`.
pub(crate) fn commit() -> Result<String> {
    let root = environment::repository_root().display().to_string();
    said(Path::new("git"), &["-C", &root, "describe", "--always", "--dirty", "--exclude", "*"])
}

fn memory() -> Result<String> {
    let text = proc_field("/proc/meminfo", "MemTotal")?;
    let kibibytes: u64 =
        text.trim_end_matches("kB").trim().parse().context("the memory's size is no number")?;
    Ok(format!("{} GiB", (kibibytes + (1 << 19)) >> 20))
}

/// Returns the load over 1, 5 and 15 minutes.
///
/// # Errors
/// When the system does not say.
pub(crate) fn load() -> Result<String> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split_whitespace().take(3).collect::<Vec<_>>().join(", "))
}

fn file_system(folder: &Path) -> Result<String> {
    let folder = folder.display().to_string();
    let output =
        Command::new("df").args(["--output=fstype", &folder]).output().context("cannot start `df`")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().last().unwrap_or_default().trim().to_owned())
}

fn proc_field(file: &str, name: &str) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    Ok(line.unwrap_or("not known").trim().to_owned())
}

/// Returns how long processors have worked for the commands that ended so far, in seconds (proc(5), `cutime` and
/// `cstime`, in ticks of 10 ms).
///
/// # Errors
/// When the system does not say.
pub(crate) fn children_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat").context("the system does not say what commands took")?;
    let after_name = text.rsplit_once(") ").map_or(text.as_str(), |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(13).take(2).map(str::parse::<f64>);
    Ok(ticks.collect::<Result<Vec<f64>, _>>()?.iter().sum::<f64>() / 100.0)
}

/// Returns the first line a program says about itself, on whichever stream.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn said(program: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot start `{}`", program.display()))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned())
}
