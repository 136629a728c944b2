//! All words that commands say about what they did: lines for people, JSON for programs.
//!
//! Reports go to standard output; a refusal of the whole command goes to standard error by `main`.

mod bump;
mod diff;
mod gate;
mod image;
mod images;
mod lock;
mod pack;
mod push;
mod relocate;
mod sign;
mod vault;

pub(crate) use self::bump::{BumpedRecipe, write_bumped};
pub(crate) use self::diff::{write_difference, write_lock_difference};
pub(crate) use self::gate::{write_passed, write_verdicts};
pub(crate) use self::image::{write_built_image, write_checked_image, write_locked_image};
pub(crate) use self::images::{ImageList, write_images, write_rendering, write_why};
pub(crate) use self::lock::write_locked;
pub(crate) use self::pack::{write_edits, write_packed};
pub(crate) use self::push::{exit_code_of, write_deliveries};
pub(crate) use self::relocate::{write_proofs, write_values_diff};
pub(crate) use self::sign::{Signed, SignedState, write_signed};
pub(crate) use self::vault::{write_collected, write_kept, write_verified};

use std::io::{self, Write};
use std::path::Path;

use chart::{ChartName, ChartVersion};

use crate::cli::CompletionArguments;
use crate::scaffold::Kind;

/// Says what was scaffolded and what to do next.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_scaffolded(out: &mut dyn Write, folder: &Path, kind: Kind) -> io::Result<()> {
    let folder = folder.display();
    writeln!(out, "created {folder}: a {} and its recipe", kind.as_kubernetes())?;
    writeln!(out, "next: edit {folder}/values.yaml and {folder}/recipe.yaml, then run")?;
    writeln!(out, "  chartpack pack {folder} --dry-run")
}

/// Says which recipe was written and what to do next.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_recipe(
    out: &mut dyn Write,
    folder: &Path,
    name: &ChartName,
    version: &ChartVersion,
) -> io::Result<()> {
    let folder = folder.display();
    writeln!(out, "created {folder}/recipe.yaml: {name} {version} with its digest")?;
    writeln!(out, "next: add `{folder}` to the recipes of your catalogue file, then run")?;
    writeln!(out, "  chartpack lock")
}

/// Writes the completion script.
pub(crate) fn write_completion(
    out: &mut dyn Write,
    arguments: &CompletionArguments,
    command: &mut clap::Command,
) {
    clap_complete::generate(arguments.shell, command, "chartpack", out);
}
