//! OCI formats shared by the server and the packager. No HTTP, no SQL, no clock.

mod digest;

pub use digest::{Algorithm, Digest, Digester, InvalidDigest};
