//! What a request needs to be allowed (Docker's token authentication, "Token Scope").

use std::fmt;

use crate::name::OciName;

/// A right, as token services write it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// To read a name.
    Pull(OciName),
    /// To read and write it.
    Push(OciName),
    /// To delete in it.
    Delete(OciName),
    /// To list all names.
    Catalog,
}

impl Scope {
    /// Returns the name it is about.
    pub(super) fn name(&self) -> Option<&OciName> {
        match self {
            Self::Pull(name) | Self::Push(name) | Self::Delete(name) => Some(name),
            Self::Catalog => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull(name) => write!(formatter, "repository:{name}:pull"),
            Self::Push(name) => write!(formatter, "repository:{name}:pull,push"),
            Self::Delete(name) => write!(formatter, "repository:{name}:pull,push,delete"),
            Self::Catalog => write!(formatter, "registry:catalog:*"),
        }
    }
}
