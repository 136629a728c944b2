//! `chartpack build`: builds the charts of a lock from the vault, proves them, then writes all archives or none.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::fetch::open_vault;
use super::gate::{Gate, candidate_of, settings_for};
use super::{CommandRefusal, sign};
use crate::build::{DeliverSettings, Delivered, Packed, deliver, write};
use crate::catalogue::Catalogue;
use crate::cli::{BuildArguments, HelmArguments, Output};
use crate::config::Config;
use crate::gate::Verdict;
use crate::lock::{Lock, LockRefusal, changed_inputs, path_beside, read_catalogue, read_lock};
use crate::progress::Progress;
use crate::report;
use crate::sign::SecretKey;
use crate::target::path_in;
use crate::vault::Vault;

/// Builds what the flags name.
pub(super) fn run(
    arguments: BuildArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let BuildArguments {
        catalogue,
        out: folder,
        only,
        vault,
        jobs,
        no_gate,
        helm,
        dry_run,
        sign_key,
        passphrase_file,
        output,
    } = arguments;
    // A key that does not sign is known before anything is built.
    let key = sign_key.map(|key| sign::read_key(&key, passphrase_file.as_deref(), config)).transpose()?;
    let vault = open_vault(&vault, config)?;
    let Requested { lock, catalogue, only } = requested(&catalogue, &vault, &only)?;
    let settings = DeliverSettings { lock: &lock, vault: &vault, only, jobs: usize::from(jobs) };
    let progress = Progress::new("built", config.shows_progress, output == Output::Text);
    let delivered = deliver(&settings, &progress);
    progress.finish();
    let delivered = delivered?;
    if no_gate {
        // A closed standard error must not stop a build.
        let _ = writeln!(
            io::stderr(),
            "warning: --no-gate: no chart was rendered, so nothing is proven of these archives"
        );
    } else {
        prove(&delivered, catalogue.as_ref(), &helm, config, out, output)?;
    }
    let packed: Vec<_> = delivered.iter().map(|one| &one.packed).collect();
    let mut signed = Vec::new();
    if !dry_run {
        let provenances = key.map(|key| provenances_of(&key, &packed, &folder)).transpose()?;
        write(&delivered, &folder)?;
        signed = sign::write(provenances.unwrap_or_default())?;
    } else if output == Output::Text {
        report::write_edits(out, &packed)?;
    }
    report::write_packed(out, &folder, &packed, !dry_run, output)?;
    if output == Output::Text {
        report::write_signed(out, &signed, output)?;
    }
    Ok(0)
}

/// Judges every chart; what refuses one is reported before the command is refused.
fn prove(
    delivered: &[Delivered],
    catalogue: Option<&Catalogue>,
    helm: &HelmArguments,
    config: &Config,
    out: &mut dyn Write,
    output: Output,
) -> Result<(), CommandRefusal> {
    let mut gate = Gate::open(helm, config, output)?;
    let settings = settings_for(catalogue);
    let judged = delivered.iter().map(|one| gate.judge(&candidate_of(one)?, &settings));
    let verdicts: Vec<Verdict> = judged.collect::<Result<_, CommandRefusal>>()?;
    gate.close();
    let refused = verdicts.iter().filter(|verdict| !verdict.is_passed()).count();
    if refused > 0 {
        report::write_verdicts(out, &verdicts, false, output)?;
        return Err(CommandRefusal::Refused { refused, charts: verdicts.len() });
    }
    if output == Output::Text {
        report::write_passed(out, &verdicts)?;
    }
    Ok(())
}

/// A lock and what of it is asked for.
pub(super) struct Requested {
    /// The lock.
    pub(super) lock: Lock,
    /// The catalogue file it is of, when it can be read.
    pub(super) catalogue: Option<Catalogue>,
    /// The recipes that are asked for; all of them when empty.
    pub(super) only: BTreeSet<String>,
}

/// Reads a lock, or the lock beside a catalogue file after a check that it is of these very recipes.
pub(super) fn requested(path: &Path, vault: &Vault, only: &[String]) -> Result<Requested, CommandRefusal> {
    let (lock, catalogue) = if path.extension().is_some_and(|extension| extension == "lock") {
        let lock = read_lock(path)?.ok_or_else(|| LockRefusal::NoLock(path.to_owned()))?;
        let kept = vault.get(&lock.catalogue.digest)?;
        let kept = str::from_utf8(&kept).ok().and_then(|text| Catalogue::parse(text).ok());
        (lock, kept)
    } else {
        let (lock, catalogue) = of_catalogue(path)?;
        (lock, Some(catalogue))
    };
    let only = members(only, catalogue.as_ref());
    Ok(Requested { lock, catalogue, only })
}

/// Signs the archives that will be written to `folder`.
fn provenances_of(
    key: &SecretKey,
    packed: &[&Packed],
    folder: &Path,
) -> Result<Vec<sign::Made>, CommandRefusal> {
    let paths: Vec<PathBuf> = packed.iter().map(|one| path_in(folder, &one.chart.file_name)).collect();
    let archives: Vec<_> =
        paths.iter().zip(packed).map(|(path, one)| (path.as_path(), one.chart.bytes.as_slice())).collect();
    sign::provenances(key, &archives, &|archive| sign::provenance_of(archive, None))
}

/// Reads the lock beside a catalogue file, after a check that it is of these very recipes.
fn of_catalogue(path: &Path) -> Result<(Lock, Catalogue), CommandRefusal> {
    let (catalogue, bytes) = read_catalogue(path)?;
    let lock_path = path_beside(path);
    let lock = read_lock(&lock_path)?.ok_or_else(|| LockRefusal::NoLock(lock_path.clone()))?;
    let changed = changed_inputs(&lock, path, &bytes);
    if !changed.is_empty() {
        return Err(CommandRefusal::Unlocked { lock: lock_path, changed });
    }
    Ok((lock, catalogue))
}

/// Returns the recipes that names and groups stand for.
fn members(only: &[String], catalogue: Option<&Catalogue>) -> BTreeSet<String> {
    let group = |name: &String| catalogue.and_then(|catalogue| catalogue.groups.get(name));
    only.iter().flat_map(|name| group(name).cloned().unwrap_or_else(|| vec![name.clone()])).collect()
}
