//! Measures Chartroom beside its peers on the same work and writes the report.
//! Rule: servers take turns on the same machine, so that what disturbs one disturbs all.

mod bench;
mod cli;
mod comparison;
mod corpus;
mod disk;
mod environment;
mod figures;
mod http;
mod load;
mod machine;
mod place;
mod process;
mod progress;
mod publish;
mod report;
mod rows;
mod server;
mod statistics;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use crate::bench::{Bench, Effort};
use crate::cli::{Cli, Work};
use crate::machine::Machine;

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
    let mut machine = Machine::inspect()?;
    let bench = Bench::new(if cli.quick { Effort::QUICK } else { Effort::FULL })?;
    bench.prepare().await?;
    if cli.work != Work::All {
        let section = rows::measure(cli.work, &bench).await?;
        std::io::stdout().write_all(section.to_markdown().as_bytes())?;
        return Ok(());
    }
    let (path, command) = match cli.quick {
        false => (environment::repository_root().join("bench/REPORT.md"), "make bench"),
        true => {
            (environment::target_folder()?.join("bench-quick.md"), "cargo run --release -p bench -- --quick")
        }
    };
    let path: PathBuf = cli.report.unwrap_or(path);
    let mut sections = Vec::new();
    for row in Work::ROWS {
        sections.push(rows::measure(row, &bench).await.with_context(|| format!("while measuring {row:?}"))?);
        if sections.len() == Work::ROWS.len() {
            machine.note_end()?;
        }
        // After each row, so that a run that is stopped leaves what it has.
        fs::write(&path, report::render(&sections, &machine, command))
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    writeln!(std::io::stdout(), "{}", path.display())?;
    Ok(())
}
