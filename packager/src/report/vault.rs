//! What `vault` says.

use std::io::{self, Write};

use oci::Digest;
use serde_json::{Value, json};

use crate::cli::Output;
use crate::vault::{Collected, Kept};

/// Lists what a vault holds.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_kept(out: &mut dyn Write, kept: &[Kept], output: Output) -> io::Result<()> {
    match output {
        Output::Json => write_json(out, &json!(kept.iter().map(json_of).collect::<Vec<_>>())),
        Output::Text => kept.iter().try_for_each(|one| writeln!(out, "{} {}", one.digest, one.size_bytes)),
    }
}

/// Says which files were changed.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_verified(
    out: &mut dyn Write,
    count: usize,
    damaged: &[Digest],
    output: Output,
) -> io::Result<()> {
    match output {
        Output::Json => write_json(out, &json!({"files": count, "damaged": damaged})),
        Output::Text => {
            for digest in damaged {
                writeln!(out, "damaged: {digest} has other bytes than its name says")?;
            }
            writeln!(out, "{} of {count} files are as they were locked", count - damaged.len())
        }
    }
}

/// Says what was removed.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_collected(
    out: &mut dyn Write,
    collected: &Collected,
    is_dry_run: bool,
    output: Output,
) -> io::Result<()> {
    let Collected { removed, kept } = collected;
    match output {
        Output::Json => {
            let removed: Vec<_> = removed.iter().map(json_of).collect();
            write_json(out, &json!({"removed": removed, "kept": kept, "dryRun": is_dry_run}))
        }
        Output::Text => {
            let verb = if is_dry_run { "would remove" } else { "removed" };
            removed.iter().try_for_each(|one| writeln!(out, "{verb} {}", one.digest))?;
            let bytes: u64 = removed.iter().map(|one| one.size_bytes).sum();
            writeln!(out, "{verb} {} files with {bytes} bytes, {kept} stay", removed.len())
        }
    }
}

fn json_of(one: &Kept) -> Value {
    json!({"digest": one.digest, "sizeBytes": one.size_bytes})
}

fn write_json(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string_pretty(value)?)
}
