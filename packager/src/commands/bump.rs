//! `chartpack bump`: says what newer upstreams mean for recipes, and writes the versions when asked to.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use chart::ChartVersion;

use super::fetch::{fetcher_of, open_vault};
use super::{CommandRefusal, helm_renderer};
use crate::bump::{Bump, BumpRecipe, BumpSettings, Bumped, Outcome, bump, image_settings, rewritten};
use crate::cli::{BumpArguments, Output};
use crate::config::Config;
use crate::diff::{ChartDifference, ImageChanges, render_both};
use crate::lock::{LockRefusal, path_beside, read_catalogue, read_lock};
use crate::progress::Progress;
use crate::recipe;
use crate::render::Renderer;
use crate::report::{self, BumpedRecipe};
use crate::steps::Steps;
use crate::target::Staged;

/// Bumps what the flags name.
pub(super) fn run(
    arguments: BumpArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let BumpArguments { source, only, to, offline, write, fetch, helm, output } = arguments;
    let (recipes, mut kubernetes) = recipes_at(&source, &only)?;
    if to.is_some() && recipes.len() != 1 {
        return Err(CommandRefusal::NotOneRecipe(recipes.len()));
    }
    let renderer = helm_renderer(&helm, config)?;
    let fetcher = if offline { None } else { Some(fetcher_of(&fetch, config)?) };
    let vault = open_vault(&fetch.vault, config)?;
    let settings = BumpSettings {
        fetcher: fetcher.as_ref(),
        vault: &vault,
        to,
        kubernetes: kubernetes.clone(),
        jobs: usize::from(fetch.jobs),
    };
    let progress = Progress::new("looked at", config.shows_progress, output == Output::Text);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bumped = runtime.block_on(bump(recipes, &settings, &progress));
    progress.finish();
    let bumped = bumped?;
    kubernetes.extend(helm.kubernetes_version);
    let steps = Steps::new(config.shows_progress);
    let mut reported = Vec::new();
    for Bumped { name, result } in bumped {
        steps.name(&name);
        let images = match &result {
            Ok(Outcome::Newer(bump)) => Some(images_of(bump, renderer.as_ref(), &kubernetes, &steps)),
            Ok(Outcome::Current(_) | Outcome::Asks(_)) | Err(_) => None,
        };
        reported.push(BumpedRecipe { name, result, images, is_written: false });
    }
    steps.finish();
    if write {
        write_recipes(&mut reported)?;
    }
    report::write_bumped(out, &reported, output)?;
    Ok(reported.iter().map(BumpedRecipe::exit_code).max_by_key(|code| severity(*code)).unwrap_or_default())
}

/// What people have to look at weighs more than a server that is away.
fn severity(code: u8) -> u8 {
    match code {
        0 => 0,
        3 => 1,
        _ => 2,
    }
}

/// Returns the recipes that a catalogue file lists, or the one recipe, and the Kubernetes versions they are for.
fn recipes_at(
    source: &Path,
    only: &[String],
) -> Result<(Vec<BumpRecipe>, Vec<ChartVersion>), CommandRefusal> {
    let is_recipe = source.is_dir() || source.file_name().is_some_and(|name| name == recipe::FILE_NAME);
    if is_recipe {
        let path = if source.is_dir() { source.join(recipe::FILE_NAME) } else { source.to_owned() };
        let folder = path.canonicalize().unwrap_or_else(|_| path.clone());
        let name = folder.parent().and_then(Path::file_name).unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        if let Some(other) = only.iter().find(|other| **other != name) {
            return Err(LockRefusal::NoSuchRecipe(other.clone()).into());
        }
        return Ok((vec![BumpRecipe { name, path, locked: None }], Vec::new()));
    }
    let (catalogue, _) = read_catalogue(source)?;
    let members = |name: &String| catalogue.groups.get(name).cloned().unwrap_or_else(|| vec![name.clone()]);
    let wanted: BTreeSet<String> = only.iter().flat_map(members).collect();
    let is_known = |name: &&String| catalogue.recipes.iter().any(|recipe| recipe.name == **name);
    if let Some(unknown) = wanted.iter().find(|name| !is_known(name)) {
        return Err(LockRefusal::NoSuchRecipe(unknown.clone()).into());
    }
    let mut lock = read_lock(&path_beside(source))?;
    let around = source.parent().unwrap_or(Path::new(""));
    let recipes =
        catalogue.recipes.iter().filter(|recipe| wanted.is_empty() || wanted.contains(&recipe.name));
    let recipes = recipes.map(|place| BumpRecipe {
        name: place.name.clone(),
        path: around.join(&place.folder).join(recipe::FILE_NAME),
        locked: lock.as_mut().and_then(|lock| lock.charts.remove(&place.name)),
    });
    Ok((recipes.collect(), catalogue.kubernetes.clone()))
}

/// Returns how the images differ once the recipe's edits are made on both upstreams: by rendering where that can be done,
/// else by what the values name. One chart that does not render must not hide what was found for all others.
fn images_of(
    bump: &Bump,
    renderer: Option<&Renderer>,
    kubernetes: &[ChartVersion],
    steps: &Steps,
) -> ImageChanges {
    let (old, new) = (bump.files.0.as_slice(), bump.files.1.as_slice());
    let Ok(mut difference) = ChartDifference::of(old, new) else {
        return bump.upstream_difference.images.clone();
    };
    let by_values = difference.images.clone();
    let settings = image_settings(&bump.recipe.recipe.images, kubernetes);
    let rendered = renderer.map(|renderer| {
        render_both(&mut difference, renderer, (old, new), (&settings, &settings), false, steps)
    });
    match rendered {
        Some(Ok(())) | None => difference.images,
        Some(Err(_)) => by_values,
    }
}

/// Writes the recipes of which something newer was found: first all of them under other names, then under their own.
fn write_recipes(reported: &mut [BumpedRecipe]) -> Result<(), CommandRefusal> {
    let failed = |path: &Path, reason| CommandRefusal::File { path: path.to_owned(), reason };
    let mut staged: Vec<(PathBuf, Staged)> = Vec::new();
    for BumpedRecipe { result, is_written, .. } in reported {
        let Ok(Outcome::Newer(bump)) = result else { continue };
        let path = &bump.recipe.path;
        let file = Staged::write(path, rewritten(bump)?.as_bytes()).map_err(|reason| failed(path, reason))?;
        *is_written = file.is_some();
        staged.extend(file.map(|file| (path.clone(), file)));
    }
    for (path, file) in staged {
        file.reveal(&path).map_err(|reason| failed(&path, reason))?;
    }
    Ok(())
}
