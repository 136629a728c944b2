//! chartpack: packs charts for closed networks and publishes them.

mod build;
mod bump;
mod catalogue;
mod cli;
mod commands;
mod config;
mod diff;
mod edit;
mod gate;
mod image_build;
mod images;
mod located;
mod lock;
mod pack;
mod patch;
mod profile;
mod progress;
mod push;
mod recipe;
mod relocate;
mod render;
mod report;
mod scaffold;
mod sign;
mod source;
mod steps;
mod target;
mod toggle;
mod upstream;
mod vault;
mod vendor;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::config::Config;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::stdout().lock();
    let (refusal, code): (Box<dyn std::error::Error>, u8) = match Config::from_environment() {
        Ok(config) => match commands::run(cli.command, &config, &mut out) {
            Ok(code) => return ExitCode::from(code),
            Err(refusal) => {
                let code = refusal.exit_code();
                (refusal.into(), code)
            }
        },
        Err(refusal) => (refusal.into(), 1),
    };
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "chartpack: {refusal}");
    ExitCode::from(code)
}
