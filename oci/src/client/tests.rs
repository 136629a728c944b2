//! The client before a registry of prepared answers, for what real registries do only on their bad days.

mod prepared;
mod pulling;
mod pushing;
mod who_asks;

use super::*;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::name::OciName;
use crate::reference::Reference;
use prepared::{Prepared, PreparedRegistry};

fn name() -> OciName {
    "team/app".parse().unwrap()
}

fn tag(text: &str) -> Reference {
    Reference::Tag(text.parse().unwrap())
}

fn blob_of(bytes: &[u8]) -> Descriptor {
    Descriptor::new("application/octet-stream", Digest::sha256(bytes), bytes.len() as u64)
}

fn blob_path(blob: &Descriptor) -> String {
    format!("/v2/team/app/blobs/{}", blob.digest)
}
