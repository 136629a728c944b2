//! OCI formats shared by the server and the packager, and the packager's client of registries. No SQL, no clock, and
//! without the feature `client` no network.

#[cfg(feature = "client")]
pub mod client;
mod descriptor;
mod digest;
mod error_code;
mod image_reference;
pub mod layout;
mod manifest;
pub mod media_type;
mod name;
mod reference;
mod tag;

pub use descriptor::{Descriptor, InvalidPlatform, Platform};
pub use digest::{Algorithm, Digest, Digester, InvalidDigest};
pub use error_code::ErrorCode;
pub use image_reference::{ImageReference, InvalidImageReference, InvalidRegistryHost, RegistryHost};
pub use manifest::{Content, InvalidManifest, Manifest};
pub use name::{InvalidOciName, OciName, is_name_component};
pub use reference::{InvalidReference, Reference};
pub use tag::{InvalidTag, Tag};
