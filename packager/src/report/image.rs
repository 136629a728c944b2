//! What `image` says.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::Output;
use crate::image_build::{Built, Difference, ImageRecipe, LockedBase, LockedImageRecipe};

/// Says what an image recipe was locked to.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_locked_image(
    out: &mut dyn Write,
    locked: &LockedImageRecipe,
    is_check: bool,
    output: Output,
) -> io::Result<()> {
    let LockedImageRecipe { recipe, lock, path, before, built } = locked;
    let has_moved = before.as_ref() != Some(lock);
    match output {
        Output::Json => {
            let mut report = described(recipe, built);
            report["lock"] = json!(path.display().to_string());
            report["written"] = json!(!is_check);
            report["moved"] = json!(has_moved);
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)
        }
        Output::Text => {
            for (platform, base) in &lock.bases {
                match base {
                    LockedBase::Packages(packages) => {
                        writeln!(out, "{platform}: upon {} packages", packages.packages.len())?;
                    }
                    LockedBase::Image(manifest) => writeln!(out, "{platform}: upon {}", manifest.manifest)?,
                }
            }
            let verb = match (is_check, has_moved) {
                (true, true) => "would move",
                (true, false) => "is as locked",
                (false, _) => "locked",
            };
            writeln!(out, "{} {verb} as {} in {}", recipe.title(), built.index.digest, path.display())
        }
    }
}

/// Says what was built and where it was written.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_built_image(
    out: &mut dyn Write,
    folder: &Path,
    recipe: &ImageRecipe,
    built: &Built,
    is_written: bool,
    output: Output,
) -> io::Result<()> {
    match output {
        Output::Json => {
            let mut report = described(recipe, built);
            report["layout"] = json!(folder.display().to_string());
            report["written"] = json!(is_written);
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)
        }
        Output::Text => {
            let verb = if is_written { "built" } else { "would be built" };
            writeln!(out, "{} {verb} into {}: {}", recipe.title(), folder.display(), built.index.digest)
        }
    }
}

/// Says whether two builds were the same, and what differs first.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_checked_image(
    out: &mut dyn Write,
    recipe: &ImageRecipe,
    built: &Built,
    difference: Option<&Difference>,
    output: Output,
) -> io::Result<()> {
    match (output, difference) {
        (Output::Json, difference) => {
            let mut report = described(recipe, built);
            report["reproducible"] = json!(difference.is_none());
            report["difference"] = json!(difference);
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)
        }
        (Output::Text, None) => writeln!(out, "{} is the same twice: {}", recipe.title(), built.index.digest),
        (Output::Text, Some(difference)) => {
            writeln!(out, "{} is another each time: {difference}", recipe.title())
        }
    }
}

fn described(recipe: &ImageRecipe, built: &Built) -> Value {
    let platforms = built.manifests.iter().map(|manifest| {
        json!({"platform": manifest.platform.as_ref().map(ToString::to_string), "digest": manifest.digest})
    });
    json!({
        "name": recipe.name.as_str(), "tag": recipe.tag.as_str(), "digest": built.index.digest,
        "platforms": platforms.collect::<Vec<_>>(), "builders": built.builders,
    })
}
