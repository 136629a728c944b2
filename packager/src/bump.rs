//! Looks for newer upstream versions of recipes and makes each recipe's edits again on them.
//!
//! Everything that does not hold any more is found, not only the first thing; nothing is written here.

mod dependencies;
mod finding;
mod images;
mod moved_paths;
mod newer;
mod reapply;
mod rewrite;
mod shelf;
mod taken;
mod values;

use std::path::{Path, PathBuf};

use chart::archive::ArchiveFile;
use chart::{ChartVersion, InvalidMetadata};
use futures_util::{StreamExt, stream};

use self::dependencies::Vendoring;
pub(crate) use self::finding::Finding;
use self::finding::{NEWER, OLDER};
pub(crate) use self::images::image_settings;
pub(crate) use self::newer::Target;
pub(crate) use self::rewrite::{RewriteRefusal, rewritten};
use self::shelf::Shelves;
use self::taken::{Found, Taker};
use crate::diff::ChartDifference;
use crate::lock::LockedChart;
use crate::progress::Progress;
use crate::recipe::Upstream;
use crate::source::{RecipeFiles, SourceError};
use crate::upstream::{Fetcher, UpstreamError};
use crate::vault::{InvalidSnapshot, Vault, VaultError, read_chart};
use crate::vendor::read_metadata;

/// A recipe to look at.
#[derive(Debug)]
pub(crate) struct BumpRecipe {
    /// Its name.
    pub(crate) name: String,
    /// Its file.
    pub(crate) path: PathBuf,
    /// What it was locked as, if it was.
    pub(crate) locked: Option<LockedChart>,
}

/// How recipes are looked at.
#[derive(Debug)]
pub(crate) struct BumpSettings<'run> {
    /// Who fetches; nobody when only the vault is asked.
    pub(crate) fetcher: Option<&'run Fetcher>,
    /// What was fetched before.
    pub(crate) vault: &'run Vault,
    /// The version or commit to go to; the newest when none is named.
    pub(crate) to: Option<Target>,
    /// The Kubernetes versions that charts must be for.
    pub(crate) kubernetes: Vec<ChartVersion>,
    /// How many upstreams are asked at once.
    pub(crate) jobs: usize,
}

/// What became of one recipe.
#[derive(Debug)]
pub(crate) struct Bumped {
    /// The recipe's name.
    pub(crate) name: String,
    /// The outcome, or why there is none.
    pub(crate) result: Result<Outcome, BumpRefusal>,
}

/// What was found for one recipe.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// There is nothing newer than this version.
    Current(ChartVersion),
    /// Only people can say what is newer.
    Asks(&'static str),
    /// Something newer is there.
    Newer(Box<Bump>),
}

/// A newer upstream, and the recipe's edits on it.
#[derive(Debug)]
pub(crate) struct Bump {
    /// The recipe with what lies beside it.
    pub(crate) recipe: RecipeFiles,
    /// The upstream to write into the recipe.
    pub(crate) upstream: Upstream,
    /// The version the recipe is of.
    pub(crate) before: ChartVersion,
    /// The version found.
    pub(crate) after: ChartVersion,
    /// Whether the version was found in the vault by the chart's name alone.
    pub(crate) is_by_name: bool,
    /// What does not hold any more, and what is worth knowing.
    pub(crate) findings: Vec<Finding>,
    /// What differs between the two upstreams.
    pub(crate) upstream_difference: ChartDifference,
    /// The files before and after, as far as the edits can be made.
    pub(crate) files: (Vec<ArchiveFile>, Vec<ArchiveFile>),
}

impl Bump {
    /// Returns whether somebody has to change the recipe before it can be locked again.
    pub(crate) fn needs_a_hand(&self) -> bool {
        self.findings.iter().any(Finding::needs_a_hand)
    }
}

/// Why a recipe cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BumpRefusal {
    /// The recipe, or what lies beside it, cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The upstream does not give it.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The vault does not give it.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Without a network, the vault lacks the chart.
    #[error("the vault does not hold {0}: leave --offline out, or name the vault that has it with --vault")]
    NotInVault(String),
    /// The version asked for is no version, or the commit none.
    #[error("{0}")]
    Target(String),
    /// The snapshot of a folder cannot be made.
    #[error("cannot read the chart's folder: {0}")]
    Snapshot(#[source] std::io::Error),
    /// What was fetched cannot be taken apart.
    #[error("what {origin} gives cannot be used: {problem}")]
    Kept {
        /// Where it came from.
        origin: String,
        /// What is wrong.
        #[source]
        problem: Box<InvalidSnapshot>,
    },
    /// The chart's metadata is not valid.
    #[error("the chart is not valid: {0}")]
    Metadata(#[from] Box<InvalidMetadata>),
}

impl BumpRefusal {
    /// Returns whether the only trouble is an upstream that does not answer.
    pub(crate) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Upstream(error) => error.is_of_the_network(),
            Self::Source(_)
            | Self::Vault(_)
            | Self::NotInVault(_)
            | Self::Target(_)
            | Self::Snapshot(_)
            | Self::Kept { .. }
            | Self::Metadata(_) => false,
        }
    }
}

/// Looks at each recipe; upstreams are asked several at a time, and the order is that of `recipes`.
///
/// # Errors
/// [`VaultError`] when only the vault is asked, and cannot be read.
pub(crate) async fn bump(
    recipes: Vec<BumpRecipe>,
    settings: &BumpSettings<'_>,
    progress: &Progress,
) -> Result<Vec<Bumped>, VaultError> {
    let shelves = match settings.fetcher {
        Some(_) => Shelves::default(),
        None => Shelves::of(settings.vault)?,
    };
    let shelves = &shelves;
    progress.begin(recipes.len());
    let looked = stream::iter(recipes).map(|recipe| async move {
        let name = recipe.name.clone();
        let result = look_at(recipe, settings, shelves).await;
        match &result {
            Ok(_) => progress.done(&name),
            Err(_) => progress.refused(&name),
        }
        Bumped { name, result }
    });
    Ok(looked.buffered(settings.jobs.max(1)).collect().await)
}

async fn look_at(
    recipe: BumpRecipe,
    settings: &BumpSettings<'_>,
    shelves: &Shelves,
) -> Result<Outcome, BumpRefusal> {
    let files = RecipeFiles::read(&recipe.path)?;
    let taker = Taker { settings, recipe: &files, locked: recipe.locked.as_ref(), shelves };
    let (before, after, upstream, is_by_name) = match taker.find().await? {
        Found::Nothing(version) => return Ok(Outcome::Current(version)),
        Found::Asks(what) => return Ok(Outcome::Asks(what)),
        Found::Newer { before, after, upstream, is_by_name } => (before, after, upstream, is_by_name),
    };
    let (before, after) = (unpacked(&before, &recipe.path)?, unpacked(&after, &recipe.path)?);
    let (old, new) = (read_metadata(&before).map_err(Box::new)?, read_metadata(&after).map_err(Box::new)?);
    let upstream_difference = ChartDifference::of(&before, &after).map_err(Box::new)?;
    let vendoring = Vendoring { settings, recipe: &files, locked: recipe.locked.as_ref(), shelves };
    let dependencies = (
        vendoring.take(OLDER, &before, &files.recipe.upstream).await?,
        vendoring.take(NEWER, &after, &upstream).await?,
    );
    let (findings, before_edited, after_edited) =
        reapply::reapply(&files, (before, &old), (after, &new), &dependencies, &settings.kubernetes);
    Ok(Outcome::Newer(Box::new(Bump {
        recipe: files,
        upstream,
        before: old.version,
        after: new.version,
        is_by_name,
        findings,
        upstream_difference,
        files: (before_edited, after_edited),
    })))
}

fn unpacked(bytes: &[u8], recipe: &Path) -> Result<Vec<ArchiveFile>, BumpRefusal> {
    let origin = format!("the upstream of `{}`", recipe.display());
    read_chart(bytes).map_err(|problem| BumpRefusal::Kept { origin, problem: Box::new(problem) })
}
