//! `chartpack image`: locks and builds images of our own.

use std::io::Write;

use super::CommandRefusal;
use super::fetch::{RETRIES, fetcher, open_vault};
use crate::cli::{BuildImageArguments, ImageAction, ImageArguments, LockImageArguments, Output};
use crate::config::Config;
use crate::image_build::{
    Archive, BuildImageSettings, ImageBuildRefusal, LockImageSettings, OtherImage, build_image,
    first_difference, lock_image, read_locked,
};
use crate::progress::Progress;
use crate::report;
use crate::target::write_whole;

/// Does what the flags name.
pub(super) fn run(
    arguments: ImageArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    match arguments.action {
        ImageAction::Lock(arguments) => lock(arguments, config, out),
        ImageAction::Build(arguments) => build(&arguments, config, out),
    }
}

fn lock(arguments: LockImageArguments, config: &Config, out: &mut dyn Write) -> Result<u8, CommandRefusal> {
    let LockImageArguments { recipe, update, check, mirror, keyring, vault, ca_file, output } = arguments;
    let fetcher = fetcher(ca_file, RETRIES, &[], config)?;
    let vault = open_vault(&vault, config)?;
    let progress = Progress::new("finished", config.shows_progress, output == Output::Text);
    let locked = lock_image(&LockImageSettings {
        recipe: &recipe,
        vault: &vault,
        fetcher: &fetcher,
        archive: Archive { mirror, keyring },
        update,
        modified_seconds: config.modified_seconds,
        progress: &progress,
    });
    progress.finish();
    let locked = locked?;
    let has_moved = locked.before.as_ref() != Some(&locked.lock);
    if !check {
        let text = locked.lock.to_text().map_err(std::io::Error::other)?;
        write_whole(&locked.path, text.as_bytes())
            .map_err(|reason| CommandRefusal::File { path: locked.path.clone(), reason })?;
    }
    report::write_locked_image(out, &locked, check, output)?;
    Ok(u8::from(check && has_moved))
}

fn build(
    arguments: &BuildImageArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let BuildImageArguments { recipe, out: folder, check, dry_run, vault, output } = arguments;
    let vault = open_vault(vault, config)?;
    let (recipe, lock, lock_path) = read_locked(recipe)?;
    let progress = Progress::new("finished", config.shows_progress, *output == Output::Text);
    let settings = BuildImageSettings { recipe: &recipe, lock: &lock, vault: &vault, progress: &progress };
    let built = build_image(&settings)?;
    if *check {
        let again = build_image(&settings)?;
        progress.finish();
        let difference = first_difference(&built, &again)?;
        report::write_checked_image(out, &recipe, &built, difference.as_ref(), *output)?;
        return Ok(u8::from(difference.is_some()));
    }
    progress.finish();
    if built.index.digest != lock.image {
        let differing =
            built.builders.iter().filter(|(name, version)| lock.builders.get(*name) != Some(*version));
        let others = differing.map(|(name, version)| {
            let then = lock.builders.get(name).cloned().unwrap_or_else(|| "none".to_owned());
            (name.clone(), then, version.clone())
        });
        let (locked, found) = (lock.image.clone(), built.index.digest.clone());
        let others = others.collect();
        let other = OtherImage { lock: lock_path, locked, built: found, others };
        return Err(ImageBuildRefusal::from(Box::new(other)).into());
    }
    if !dry_run {
        built.write(folder, &recipe)?;
    }
    report::write_built_image(out, folder, &recipe, &built, !dry_run, *output)?;
    Ok(0)
}
