//! A client of registries (distribution specification 1.1, Docker's token authentication).
//!
//! Bytes are believed by their digest only; what is large is streamed; a credential goes to the registry it is for and
//! to the token service which that registry names, and nowhere else.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use oci::client::{Registry, RegistryAddress, Settings};
//!
//! let image: oci::ImageReference = "registry.example:5000/team/app:1.0".parse()?;
//! let registry = Registry::connect(RegistryAddress::of(image.host()), &Settings::default())?;
//! let resolved = registry.resolve(image.name(), &image.reference()).await?;
//! for layer in resolved.manifest()?.blobs() {
//!     let mut blob = registry.pull_blob(image.name(), layer);
//!     while let Some(piece) = blob.next().await? {
//!         // …
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod address;
mod authorization;
mod blob_source;
mod blobs;
mod challenge;
mod credentials;
mod failure;
mod listing;
mod manifests;
mod patience;
mod pull;
mod push;
mod referrers;
mod refusal;
mod registry;
mod request;
mod scope;
mod settings;
#[cfg(test)]
mod tests;
mod token;
mod transport;

pub use address::{InvalidRegistryAddress, RegistryAddress};
pub use blob_source::{BlobSource, BlobStream, LayoutBlob};
pub use credentials::{CredentialFailure, CredentialFiles, CredentialSource, Credentials, Secret};
pub use failure::{Failure, InvalidSettings};
pub use manifests::Resolved;
pub use pull::BlobPull;
pub use push::{OnSent, Pushed};
pub use refusal::{Refusal, RegistryMessage};
pub use registry::Registry;
pub use settings::Settings;
