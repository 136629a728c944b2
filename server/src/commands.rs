//! What each command does, one file each. Results go to standard output, errors to standard error.
//!
//! Exit codes: 0 done, 1 failed, done in part or with findings, 2 wrong usage or configuration, 3 stopped before the end.

mod backup;
mod chartmuseum;
mod check_config;
mod collect_garbage;
mod copy;
mod import;
mod migrate;
mod read_only;
mod removed;
mod repository;
mod restore;
mod rotate_keys;
mod serve;
mod token;
mod verify;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::cli::{Command, CommandLine, Invocation, write_completion};
use crate::config::{self, Config, ConfigError, DropInError};
use crate::faults;

/// The configuration cannot be used.
const USAGE: u8 = 2;
/// The work stopped before its end and can be begun again.
const UNFINISHED: u8 = 3;

/// Does what the command line asks for and returns the program's exit code.
pub(crate) fn run(invocation: Invocation) -> ExitCode {
    let mut environment = config::process_environment();
    let done = faults::arm(&mut environment).and_then(|()| match invocation {
        Invocation::ChartMuseum(arguments) => chartmuseum::run(&arguments, &environment),
        Invocation::Chartroom(line) => run_command(&line, &environment),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut standard_error = io::stderr().lock();
            // With nowhere left to write, the exit code still tells.
            let _ = writeln!(standard_error, "chartroom: {error:#}");
            exit_code(&error)
        }
    }
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<ConfigError>() || error.is::<DropInError>() || error.is::<import::InvalidFlags>() {
        ExitCode::from(USAGE)
    } else if error.is::<import::Unfinished>() || error.is::<verify::CouldNotLook>() {
        ExitCode::from(UNFINISHED)
    } else {
        ExitCode::FAILURE
    }
}

fn run_command(line: &CommandLine, environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let load = || -> Result<Config, ConfigError> { config::load(&line.flags(), environment) };
    match &line.command {
        Command::Serve(_) => wait_for(serve::run(load()?)),
        Command::CheckConfig { defaults, .. } => check_config::run(&line.flags(), environment, *defaults),
        Command::Migrate => wait_for(migrate::run(load()?)),
        Command::Token(command) => wait_for(token::run(load()?, command)),
        Command::Repository(command) => wait_for(repository::run(load()?, command)),
        Command::Import(flags) => wait_for(import::run(load()?, flags)),
        Command::Removed(flags) => wait_for(removed::list(load()?, flags)),
        Command::Undelete(flags) => wait_for(removed::undelete(load()?, flags)),
        Command::ReadOnly(command) => wait_for(read_only::run(load()?, command)),
        Command::RotateKeys => wait_for(rotate_keys::run(load()?)),
        Command::CollectGarbage(flags) => wait_for(collect_garbage::run(load()?, flags)),
        Command::Verify(flags) => wait_for(verify::run(load()?, flags)),
        Command::Backup(flags) => wait_for(backup::run(load()?, flags)),
        Command::Restore(flags) => wait_for(restore::run(load()?, flags)),
        Command::Copy(flags) => wait_for(copy::run(load()?, flags)),
        Command::Completion { shell } => {
            write_completion(*shell, &mut io::stdout().lock());
            Ok(())
        }
        // The command line turns this word into an invocation of its own before commands are read.
        Command::Chartmuseum { .. } => Ok(()),
    }
}

fn wait_for(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Writes one line of a result.
fn print_line(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{line}")?;
    Ok(())
}

/// Writes rows under their headings, each column as wide as its widest cell.
fn print_table(rows: &[Vec<String>]) -> anyhow::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width_of = |column| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width_of).collect();
    let mut out = io::stdout().lock();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
