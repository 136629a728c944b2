//! `chartpack lock`: resolves a catalogue file and writes its lock, or says what moved.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::fetch::{fetcher_of, open_vault};
use super::{CommandRefusal, view};
use crate::cli::{LockArguments, Output};
use crate::config::Config;
use crate::lock::{ImageMode, LockSettings, Locked, Look, lock, path_beside};
use crate::progress::Progress;
use crate::report;
use crate::steps::Steps;
use crate::target::write_whole;

/// Locks what the flags name.
pub(super) fn run(
    arguments: LockArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let LockArguments { catalogue, check, update, fetch, images, output, .. } = &arguments;
    let fetcher = fetcher_of(fetch, config)?;
    let vault = open_vault(&fetch.vault, config)?;
    let settings = LockSettings {
        catalogue,
        vault: &vault,
        fetcher: &fetcher,
        update: update.iter().cloned().collect(),
        is_check: *check,
        jobs: usize::from(fetch.jobs),
        modified_seconds: config.modified_seconds,
        asks_registries: *images == ImageMode::Digests,
    };
    let verb = if *check { "checked" } else { "locked" };
    let progress = Progress::new(verb, config.shows_progress, *output == Output::Text);
    let steps = Steps::below(&progress, config.shows_progress);
    // A check looks at no chart: what a chart needs changes only with what it is made of.
    let renderer = match images {
        ImageMode::Digests | ImageMode::Names if !*check => {
            Some(view::open_renderer(&arguments.renderer, config)?)
        }
        ImageMode::Digests | ImageMode::Names | ImageMode::None => None,
    };
    let look = renderer.as_ref().map(|renderer| Look { renderer, steps: &steps });
    let locked = lock(&settings, look.as_ref(), &progress);
    steps.finish();
    progress.finish();
    let locked = locked?;
    let path = path_beside(catalogue);
    if !check {
        write(&path, &locked, arguments.proofs.as_deref())?;
    }
    report::write_locked(out, &path, &locked, *check, *output)?;
    let has_moved = locked.moved.as_ref().is_some_and(|moved| !moved.is_empty());
    Ok(u8::from(*check && has_moved))
}

/// Writes the lock, and the proofs where they are asked for.
fn write(path: &Path, locked: &Locked, proofs: Option<&Path>) -> Result<(), CommandRefusal> {
    let unwritten = |path: &Path, reason| CommandRefusal::File { path: path.to_owned(), reason };
    let text = locked.lock.to_text().map_err(std::io::Error::other)?;
    write_whole(path, text.as_bytes()).map_err(|reason| unwritten(path, reason))?;
    let Some(folder) = proofs else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|reason| unwritten(folder, reason))?;
    for (name, proof) in &locked.proofs {
        let path = folder.join(format!("{name}.txt"));
        write_whole(&path, proof.to_text().as_bytes()).map_err(|reason| unwritten(&path, reason))?;
    }
    Ok(())
}
