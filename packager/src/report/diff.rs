//! What `diff` says.

use std::io::{self, Write};

use serde_json::Value;

use crate::cli::Output;
use crate::diff::{
    ChartDifference, FieldChange, FileChange, FileChanges, ImageChanges, LockDifference, NewTag,
    RenderedChanges, ResourceChange, ValueChange, ValueChanges, ValueMove,
};

/// How much of a value a line shows, in characters.
const SHOWN: usize = 60;

/// Says what differs between two charts; with `is_full` every changed line.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_difference(
    out: &mut dyn Write,
    difference: &ChartDifference,
    is_full: bool,
    output: Output,
) -> io::Result<()> {
    match output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(difference)?),
        Output::Text if difference.is_empty() => writeln!(out, "nothing differs"),
        Output::Text => write_chart(out, difference, is_full, ""),
    }
}

/// Says what differs between two locks.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_lock_difference(
    out: &mut dyn Write,
    difference: &LockDifference,
    is_full: bool,
    output: Output,
) -> io::Result<()> {
    match output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(difference)?),
        Output::Text if difference.is_empty() => writeln!(out, "nothing differs"),
        Output::Text => {
            difference.added.iter().try_for_each(|(recipe, chart)| writeln!(out, "+ {recipe}: {chart}"))?;
            difference.removed.iter().try_for_each(|(recipe, chart)| writeln!(out, "- {recipe}: {chart}"))?;
            for (recipe, chart) in &difference.changed {
                writeln!(out, "~ {recipe}: {} -> {}", chart.before, chart.after)?;
                write_chart(out, &chart.difference, is_full, "  ")?;
            }
            Ok(())
        }
    }
}

fn write_chart(
    out: &mut dyn Write,
    difference: &ChartDifference,
    is_full: bool,
    indent: &str,
) -> io::Result<()> {
    let ChartDifference { metadata, values, files, images, rendered } = difference;
    if !metadata.is_empty() {
        writeln!(out, "{indent}metadata: {} changed", metadata.len())?;
        for FieldChange { field, before, after } in metadata {
            let (before, after) = (before.as_ref().map(shown), after.as_ref().map(shown));
            match (before, after) {
                (Some(before), Some(after)) => writeln!(out, "{indent}  ~ {field}: {before} -> {after}")?,
                (Some(before), None) => writeln!(out, "{indent}  - {field}: {before}")?,
                (None, after) => writeln!(out, "{indent}  + {field}: {}", after.unwrap_or_default())?,
            }
        }
    }
    write_values(out, values, indent)?;
    write_files(out, files, is_full, indent)?;
    write_images(out, images, indent)?;
    match rendered {
        Some(rendered) => write_rendered(out, rendered, is_full, indent),
        None => Ok(()),
    }
}

fn write_values(out: &mut dyn Write, values: &ValueChanges, indent: &str) -> io::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let ValueChanges { added, removed, moved, changed } = values;
    let counts = [
        (added.len(), "added"),
        (removed.len(), "removed"),
        (moved.len(), "moved"),
        (changed.len(), "changed"),
    ];
    writeln!(out, "{indent}values: {}", counted(&counts))?;
    added.iter().try_for_each(|one| writeln!(out, "{indent}  + {}: {}", one.path, shown(&one.value)))?;
    removed.iter().try_for_each(|one| writeln!(out, "{indent}  - {}: {}", one.path, shown(&one.value)))?;
    moved.iter().try_for_each(|ValueMove { from, to }| writeln!(out, "{indent}  > {from} -> {to}"))?;
    changed.iter().try_for_each(|ValueChange { path, before, after }| {
        writeln!(out, "{indent}  ~ {path}: {} -> {}", shown(before), shown(after))
    })
}

fn write_files(out: &mut dyn Write, files: &FileChanges, is_full: bool, indent: &str) -> io::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let FileChanges { added, removed, changed } = files;
    let counts = [(added.len(), "added"), (removed.len(), "removed"), (changed.len(), "changed")];
    writeln!(out, "{indent}files: {}", counted(&counts))?;
    added.iter().try_for_each(|path| writeln!(out, "{indent}  + {path}"))?;
    removed.iter().try_for_each(|path| writeln!(out, "{indent}  - {path}"))?;
    for FileChange { path, lines_added, lines_removed, diff } in changed {
        match diff {
            Some(diff) => {
                writeln!(out, "{indent}  ~ {path} +{lines_added} -{lines_removed}")?;
                if is_full {
                    write!(out, "{diff}")?;
                }
            }
            None => writeln!(out, "{indent}  ~ {path}, which is not text")?,
        }
    }
    Ok(())
}

/// Says how images differ.
///
/// # Errors
/// Those of `out`.
pub(super) fn write_images(out: &mut dyn Write, images: &ImageChanges, indent: &str) -> io::Result<()> {
    if images.is_empty() {
        return Ok(());
    }
    let ImageChanges { added, removed, new_tags, from_values_alone } = images;
    let counts = [(added.len(), "added"), (removed.len(), "removed"), (new_tags.len(), "changed")];
    let source = if *from_values_alone { ", from values alone" } else { "" };
    writeln!(out, "{indent}images: {}{source}", counted(&counts))?;
    added.iter().try_for_each(|image| writeln!(out, "{indent}  + {image}"))?;
    removed.iter().try_for_each(|image| writeln!(out, "{indent}  - {image}"))?;
    new_tags.iter().try_for_each(|NewTag { before, after }| writeln!(out, "{indent}  ~ {before} -> {after}"))
}

fn write_rendered(
    out: &mut dyn Write,
    rendered: &RenderedChanges,
    is_full: bool,
    indent: &str,
) -> io::Result<()> {
    let RenderedChanges { added, removed, changed, refused } = rendered;
    if !refused.is_empty() {
        return refused.iter().try_for_each(|reason| writeln!(out, "{indent}not rendered: {reason}"));
    }
    if rendered.is_empty() {
        return writeln!(out, "{indent}rendered: the same");
    }
    let counts = [(added.len(), "added"), (removed.len(), "removed"), (changed.len(), "changed")];
    writeln!(out, "{indent}rendered: {}", counted(&counts))?;
    added.iter().try_for_each(|resource| writeln!(out, "{indent}  + {resource}"))?;
    removed.iter().try_for_each(|resource| writeln!(out, "{indent}  - {resource}"))?;
    for ResourceChange { resource, lines_added, lines_removed, diff } in changed {
        writeln!(out, "{indent}  ~ {resource} +{lines_added} -{lines_removed}")?;
        if is_full {
            write!(out, "{diff}")?;
        }
    }
    Ok(())
}

/// Returns the counts that are not 0.
fn counted(counts: &[(usize, &str)]) -> String {
    let told: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    told.join(", ")
}

/// Returns a value on one line, cut when it is long.
pub(super) fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), |text| format!("{text:?}"));
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN - 1).chain(['…']).collect()
}
