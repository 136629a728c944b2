//! Measures Chartroom beside its peers on the same work and writes the report.
//! Rule: servers take turns on the same machine, so that what disturbs one disturbs all.

mod bench;
mod circumstances;
mod cli;
mod comparison;
mod corpus;
mod counting_proxy;
mod disk;
mod environment;
mod figures;
mod http;
mod load;
mod machine;
mod measured;
mod packager;
mod place;
mod process;
mod progress;
mod publish;
mod registry;
mod report;
mod rows;
mod server;
mod site;
mod statistics;
mod stores;

use std::fs;
use std::io::Write;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use crate::bench::{Bench, Effort};
use crate::cli::{Cli, Work};
use crate::machine::Machine;
use crate::measured::Measured;
use crate::report::Report;

// One thread for all clients: the servers get the other cores, and as many of them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    if cfg!(debug_assertions) {
        bail!("a debug build measures nothing: run `make bench`, or add `--release`");
    }
    let tasks = LocalSet::new();
    // Stopped in between, the run is dropped like any value, and with it the servers it started.
    tokio::select! {
        done = tasks.run_until(run(cli)) => done,
        signal = stopped() => match signal {
            Ok(()) => bail!("stopped before everything was measured"),
            Err(error) => Err(error).context("cannot watch for signals"),
        },
    }
}

/// Waits until somebody wants the run to end.
async fn stopped() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

async fn run(cli: Cli) -> Result<()> {
    if cli.work == Work::Packager {
        let root = environment::repository_root();
        let charts = cli.charts.unwrap_or_else(|| root.with_file_name("shared").join("upstream/charts"));
        return packager::measure(&charts, &cli.report.unwrap_or_else(|| root.join("bench/PACKAGER.md")));
    }
    let effort = if cli.quick { Effort::QUICK } else { Effort::FULL };
    let mut report = Report::new(Machine::inspect()?, effort.coverage(), repeat(&cli));
    let path = match cli.quick {
        false => environment::repository_root().join("bench/REPORT.md"),
        true => environment::target_folder()?.join("bench-quick.md"),
    };
    let path = cli.report.clone().unwrap_or(path);
    for stores in cli.stores() {
        let rows = cli.work.rows_on(stores);
        if rows.is_empty() {
            continue;
        }
        let bench = Bench::new(effort, stores)?;
        bench.prepare().await?;
        report.begin(stores, &bench)?;
        for row in rows {
            let measured = Measured::of(row, &bench).await?;
            if cli.work != Work::All {
                std::io::stdout().write_all(measured.to_markdown(stores).as_bytes())?;
            }
            report.add(measured);
            // After each row, so that a run that is stopped leaves what it has.
            if cli.work == Work::All || cli.report.is_some() {
                fs::write(&path, report.to_markdown())
                    .with_context(|| format!("cannot write `{}`", path.display()))?;
            }
        }
    }
    report.expect_all_measured()
}

/// Returns the command that does the same again.
fn repeat(cli: &Cli) -> String {
    let mut words = vec!["cargo run --release -p bench --".to_owned()];
    words.extend(
        cli.work.to_possible_value().filter(|_| cli.work != Work::All).map(|word| word.get_name().to_owned()),
    );
    words.extend(cli.quick.then(|| "--quick".to_owned()));
    let stores = cli.stores.and_then(|stores| stores.to_possible_value());
    words.extend(stores.map(|word| format!("--stores {}", word.get_name())));
    if words.len() == 1 { "make bench".to_owned() } else { words.join(" ") }
}
