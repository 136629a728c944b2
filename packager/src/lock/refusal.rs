//! Why a catalogue file or one of its recipes is not locked: what it is about, what is wrong, what to do.

use std::fmt::Write;
use std::io;
use std::path::PathBuf;

use chart::ChartName;
use oci::Digest;

use super::{ImageRefusal, InvalidLock, SignerRefusal};
use crate::build::BuildRefusal;
use crate::located::LocatedProblem;
use crate::relocate::{Collision, InvalidSite, RelocationError};
use crate::render::StageError;
use crate::source::SourceError;
use crate::upstream::UpstreamError;
use crate::vault::VaultError;

/// Why a catalogue file is not locked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockRefusal {
    /// The catalogue file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The catalogue file is malformed.
    #[error("`{path}`, {problem}")]
    Catalogue {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<LocatedProblem>,
    },
    /// The lock is malformed.
    #[error("the lock `{path}` is refused: {problem}")]
    Lock {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<InvalidLock>,
    },
    /// There is no lock to check.
    #[error("`{0}` is not there: run `chartpack lock` first")]
    NoLock(PathBuf),
    /// A recipe to update is not in the catalogue.
    #[error("`{0}` is no recipe of the catalogue file: name the last part of its folder")]
    NoSuchRecipe(String),
    /// The catalogue file cannot be kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Some recipes cannot be locked.
    #[error("nothing is locked, since these recipes cannot be:{}", listed(.0))]
    Recipes(Vec<(String, RecipeRefusal)>),
    /// Some images cannot be resolved to digests.
    #[error(
        "nothing is locked, since the digests of these images cannot be had (`--images names` does without):{}",
        listed(.0)
    )]
    Images(Vec<(String, ImageRefusal)>),
    /// Two images would have one name at the site.
    #[error(transparent)]
    Collision(#[from] Collision),
    /// There is nothing to wait for upstreams with.
    #[error("cannot start the runtime: {0}")]
    NoRuntime(#[source] io::Error),
}

/// Why a recipe is not locked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecipeRefusal {
    /// The recipe, or what lies beside it, cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The upstream does not give it.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The archive cannot be made.
    #[error(transparent)]
    Build(#[from] BuildRefusal),
    /// The vault does not take it.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The snapshot of a folder cannot be made.
    #[error("cannot make the snapshot of a folder: {0}")]
    Snapshot(#[source] io::Error),
    /// The upstream gives other bytes for a version that is locked.
    #[error(
        "{origin} was {before} when it was locked and is {now} today: somebody changed a published version; find out why, then run `chartpack lock --update` with the recipe's name"
    )]
    Moved {
        /// Where it comes from.
        origin: String,
        /// The digest in the lock.
        before: Digest,
        /// The digest of today's bytes.
        now: Digest,
    },
    /// The provenance does not speak for the chart.
    #[error("the chart's origin is not proven: {0}")]
    Signer(#[from] SignerRefusal),
    /// The upstream names no icon that can be fetched.
    #[error(
        "`icon: upstream` finds `{0}` in the chart, which is no URL: write `icon: {{url: …}}` or `icon: {{path: …}}`"
    )]
    NoIcon(String),
    /// A dependency comes from nowhere.
    #[error(
        "the dependency `{name}` has the repository `{repository}`, which {problem}: say under `dependencies` where it comes from"
    )]
    Dependency {
        /// Its name.
        name: ChartName,
        /// The repository as written.
        repository: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A dependency is another chart.
    #[error("the dependency `{wanted}` from {origin} is the chart `{found}`: correct where it comes from")]
    OtherDependency {
        /// The name wanted.
        wanted: ChartName,
        /// The name found.
        found: ChartName,
        /// Where it came from.
        origin: String,
    },
    /// A chart depends on itself.
    #[error("the dependencies go in a circle: {trail}; take one of them out")]
    Cycle {
        /// The charts, each depending on the next.
        trail: String,
    },
    /// The chart cannot be laid out for helm.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The site's registry is none.
    #[error("the catalogue file's `target.registry` is no registry: {0}")]
    Site(#[from] InvalidSite),
    /// Its image references cannot be moved.
    #[error("its image references cannot be moved to the site: {0}")]
    Relocation(#[from] RelocationError),
}

fn listed<R: std::fmt::Display>(refusals: &[(String, R)]) -> String {
    refusals.iter().fold(String::new(), |mut text, (name, refusal)| {
        let _ = write!(text, "\n  {name}: {refusal}");
        text
    })
}

impl LockRefusal {
    /// Returns whether the only trouble is upstreams that do not answer.
    pub(crate) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Recipes(refusals) => refusals.iter().all(|(_, refusal)| match refusal {
                RecipeRefusal::Upstream(error) => error.is_of_the_network(),
                RecipeRefusal::Source(_)
                | RecipeRefusal::Build(_)
                | RecipeRefusal::Vault(_)
                | RecipeRefusal::Snapshot(_)
                | RecipeRefusal::Moved { .. }
                | RecipeRefusal::Signer(_)
                | RecipeRefusal::NoIcon(_)
                | RecipeRefusal::Dependency { .. }
                | RecipeRefusal::OtherDependency { .. }
                | RecipeRefusal::Cycle { .. }
                | RecipeRefusal::Stage(_)
                | RecipeRefusal::Site(_)
                | RecipeRefusal::Relocation(_) => false,
            }),
            Self::Images(refusals) => refusals.iter().all(|(_, refusal)| refusal.is_of_the_network()),
            Self::Source(_)
            | Self::Catalogue { .. }
            | Self::Lock { .. }
            | Self::NoLock(_)
            | Self::NoSuchRecipe(_)
            | Self::Collision(_)
            | Self::NoRuntime(_)
            | Self::Vault(_) => false,
        }
    }
}
