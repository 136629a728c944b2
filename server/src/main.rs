//! `chartroom`: a private Helm chart repository with a curated catalogue, in one program.

mod access;
mod app;
mod blobs;
mod catalog;
mod cli;
mod commands;
mod config;
mod faults;
mod http;
mod import_source;
mod index;
mod jobs;
mod operations;
mod registry;
mod repositories;
mod repository_path;
mod safekeeping;
mod start;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Invocation::parse(config::process_arguments()) {
        Ok(invocation) => commands::run(invocation),
        // Prints the help, the version or what is wrong, and ends with 0 or 2.
        Err(error) => error.exit(),
    }
}
