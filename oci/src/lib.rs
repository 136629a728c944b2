//! OCI formats shared by the server and the packager. No SQL, no clock.

mod descriptor;
mod digest;
mod error_code;
mod manifest;
pub mod media_type;
mod name;
mod reference;
mod tag;

pub use descriptor::{Descriptor, Platform};
pub use digest::{Algorithm, Digest, Digester, InvalidDigest};
pub use error_code::ErrorCode;
pub use manifest::{Content, InvalidManifest, Manifest};
pub use name::{InvalidOciName, OciName, is_name_component};
pub use reference::{InvalidReference, Reference};
pub use tag::{InvalidTag, Tag};
