//! Why an image was not locked or not built.

use std::io;
use std::path::{Path, PathBuf};

use oci::client::Failure;
use oci::layout::LayoutError;
use oci::{Digest, Platform};

use super::containerfile::InvalidContainerfile;
use super::lock::InvalidImageLock;
use super::package_index::InvalidIndex;
use crate::located::LocatedProblem;
use crate::source::SourceError;
use crate::upstream::UpstreamError;
use crate::vault::VaultError;

/// Why an image was not locked or not built; nothing was written then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageBuildRefusal {
    /// A file or folder cannot be used.
    #[error("cannot use `{path}`: {reason}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// The recipe or a file beside it cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The recipe is malformed.
    #[error("`{path}`, {problem}")]
    Recipe {
        /// The recipe.
        path: PathBuf,
        /// What is wrong, and where.
        #[source]
        problem: LocatedProblem,
    },
    /// The Containerfile reaches out, or is none.
    #[error("`{path}`: {problem}")]
    Containerfile {
        /// The Containerfile.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: InvalidContainerfile,
    },
    /// There is no lock.
    #[error("there is no `{0}`: run `chartpack image lock` where the base can be reached")]
    NoLock(PathBuf),
    /// The lock cannot be read.
    #[error("`{path}`: {problem}")]
    Lock {
        /// The lock.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: InvalidImageLock,
    },
    /// The recipe is not the one that was locked.
    #[error("`{lock}` is of another recipe:{}\nrun `chartpack image lock`", .changed.iter().map(|one| format!("\n  {one}")).collect::<String>())]
    Unlocked {
        /// The lock.
        lock: PathBuf,
        /// What changed.
        changed: Vec<String>,
    },
    /// The vault cannot give or take.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What an upstream gave is not what was asked for.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// A registry did not give the base.
    #[error("the base `{image}`: {failure}")]
    Registry {
        /// The image.
        image: String,
        /// What went wrong.
        #[source]
        failure: Box<Failure>,
    },
    /// A file is not the one meant.
    #[error(
        "`{what}` is {found}, not {expected}: correct the recipe, or look into what was changed on the way"
    )]
    WrongDigest {
        /// The file.
        what: String,
        /// What it should be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// A layout does not list the base.
    #[error("the layout `{layout}` has no image {digest}: correct the recipe's base")]
    NotInLayout {
        /// The layout.
        layout: PathBuf,
        /// The image.
        digest: Digest,
    },
    /// The base has nothing for a platform.
    #[error("the base has no image for `{0}`: take the platform out of the recipe, or choose another base")]
    NoPlatform(Platform),
    /// This machine cannot run programs of a platform.
    #[error("this machine cannot run programs for `{platform}`, which building for it takes: {remedy}")]
    ForeignPlatform {
        /// The platform.
        platform: Platform,
        /// What to do.
        remedy: String,
    },
    /// Nothing says where packages are.
    #[error("{0}")]
    NoArchive(String),
    /// The package index cannot be used.
    #[error(transparent)]
    PackageIndex(#[from] InvalidIndex),
    /// The archive no longer has what was locked.
    #[error(
        "the archive no longer has {0} as it was locked: lock anew with `--update`, or name an archive that keeps old versions with `--mirror`"
    )]
    PackageGone(String),
    /// A program is not there.
    #[error("cannot run `{program}`: {reason}; install it, as with `scripts/install-tools image`")]
    NotStarted {
        /// The program.
        program: String,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// A program failed.
    #[error("`{program}` failed while {doing}:\n{said}")]
    Failed {
        /// The program.
        program: String,
        /// What it was to do.
        doing: String,
        /// The end of what it said.
        said: String,
    },
    /// An ordinary user without user namespaces.
    #[error("cannot build without being root here: {0}")]
    NotRootless(String),
    /// Ctrl-C, or an end asked for from outside.
    #[error("interrupted; nothing was written")]
    Interrupted,
    /// A layout cannot be read or written.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A layer is no tar archive that is understood here.
    #[error("a layer of the image cannot be read: {0}")]
    Layer(String),
    /// What buildah made does not stand on the base it was given.
    #[error(
        "buildah built upon another base than the one it was given; look for a `FROM` that names it differently"
    )]
    NotOnBase,
    /// A manifest or configuration is not what it should be.
    #[error("{what} cannot be read: {reason}")]
    Json {
        /// What.
        what: String,
        /// Why.
        #[source]
        reason: serde_json::Error,
    },
    /// The image came out otherwise than it was locked.
    #[error(transparent)]
    OtherImage(#[from] Box<OtherImage>),
}

/// An image that came out otherwise than it was locked.
#[derive(Debug, thiserror::Error)]
#[error(
    "the image came out as {built}, and `{lock}` says {locked}{}; run `chartpack image lock` to take the new one",
    other_builders(.others)
)]
pub(crate) struct OtherImage {
    /// The lock.
    pub(crate) lock: PathBuf,
    /// What the lock says.
    pub(crate) locked: Digest,
    /// What came out.
    pub(crate) built: Digest,
    /// The builders whose versions differ: name, version then, version now.
    pub(crate) others: Vec<(String, String, String)>,
}

impl ImageBuildRefusal {
    /// Returns the refusal of a file or folder, for `map_err`.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self::File { path, reason }
    }

    /// Returns the refusal of some JSON, for `map_err`.
    pub(super) fn json(what: impl Into<String>) -> impl FnOnce(serde_json::Error) -> Self {
        let what = what.into();
        move |reason| Self::Json { what, reason }
    }

    /// Returns whether a server was not reached or did not answer.
    pub(crate) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Upstream(problem) => problem.is_of_the_network(),
            Self::Failed { doing, .. } => doing == super::apt::ASKING,
            Self::File { .. }
            | Self::Source(_)
            | Self::Recipe { .. }
            | Self::Containerfile { .. }
            | Self::NoLock(_)
            | Self::Lock { .. }
            | Self::Unlocked { .. }
            | Self::Vault(_)
            | Self::Registry { .. }
            | Self::WrongDigest { .. }
            | Self::NotInLayout { .. }
            | Self::NoPlatform(_)
            | Self::ForeignPlatform { .. }
            | Self::NoArchive(_)
            | Self::PackageIndex(_)
            | Self::PackageGone(_)
            | Self::NotStarted { .. }
            | Self::NotRootless(_)
            | Self::Interrupted
            | Self::Layout(_)
            | Self::Layer(_)
            | Self::NotOnBase
            | Self::Json { .. }
            | Self::OtherImage(_) => false,
        }
    }
}

fn other_builders(others: &[(String, String, String)]) -> String {
    let told = others
        .iter()
        .map(|(name, then, now)| format!("; it was built with {name} {then}, and here is {now}"));
    told.collect()
}
