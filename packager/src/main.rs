//! chartpack: packs charts for closed networks and publishes them.

mod cli;
mod commands;
mod config;
mod edit;
mod gate;
mod images;
mod pack;
mod profile;
mod progress;
mod push;
mod recipe;
mod relocate;
mod render;
mod report;
mod scaffold;
mod source;
mod target;
mod toggle;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::config::Config;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::stdout().lock();
    let refusal: Box<dyn std::error::Error> = match Config::from_environment() {
        Ok(config) => match commands::run(cli.command, &config, &mut out) {
            Ok(code) => return ExitCode::from(code),
            Err(refusal) => refusal.into(),
        },
        Err(refusal) => refusal.into(),
    };
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "chartpack: {refusal}");
    ExitCode::FAILURE
}
