//! Images of our own: a Containerfile over a base of the distribution's packages, or over an image that is there already.
//!
//! Locking asks the network and keeps everything in the vault; building asks nothing but the vault, and the same lock
//! gives the same digest.

mod apt;
mod assemble;
mod base;
mod bill_of_materials;
mod bootstrap;
mod buildah;
mod check;
mod containerfile;
mod context;
mod fetch;
mod layer;
mod lock;
mod locking;
mod package_database;
mod package_index;
mod program;
mod recipe;
mod refusal;
mod workshop;

pub(crate) use self::apt::Archive;
pub(crate) use self::check::{Difference, first_difference};
pub(crate) use self::lock::LockedBase;
pub(crate) use self::locking::{LockImageSettings, LockedImageRecipe, lock_image};
pub(crate) use self::recipe::ImageRecipe;
pub(crate) use self::refusal::{ImageBuildRefusal, OtherImage};
pub(crate) use self::workshop::{BuildImageSettings, Built, build_image, needed_by, read_locked};
