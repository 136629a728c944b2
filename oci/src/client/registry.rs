//! One registry. Rule: connecting asks nothing of the network; the first request does.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::address::RegistryAddress;
use super::failure::InvalidSettings;
use super::settings::Settings;
use super::transport::Transport;
use crate::name::OciName;

/// A registry; clones share connections, tokens and limits.
#[derive(Debug, Clone)]
pub struct Registry {
    pub(super) transport: Arc<Transport>,
    // Lists of referrers under a tag are read, changed and written back.
    pub(super) referrers_list: Arc<Mutex<()>>,
}

impl Registry {
    /// Returns the registry at an address.
    ///
    /// # Errors
    /// [`InvalidSettings`] when the certificates cannot be used.
    pub fn connect(address: RegistryAddress, settings: &Settings) -> Result<Self, InvalidSettings> {
        Ok(Self { transport: Arc::new(Transport::new(address, settings)?), referrers_list: Arc::default() })
    }

    /// Returns where it is.
    pub fn address(&self) -> &RegistryAddress {
        self.transport.address()
    }

    /// Names something of this registry in a message.
    pub(super) fn what(&self, kind: &str, name: &OciName, thing: &impl fmt::Display) -> String {
        format!("{kind} `{thing}` of `{}/{name}`", self.address().host())
    }
}
