//! The record of truth: repositories, versions, blobs, tokens and the order of every change.
//!
//! All SQL of the server lives below this module, one text for both databases wherever it can be. A look-up that finds
//! nothing is an `Option`; an error here always means that the database did not do its work, never that something
//! does not exist.

mod blob_links;
mod blobs;
mod changes;
mod chart_manifests;
mod connection;
mod delete_manifest;
mod dump;
mod error;
mod events;
mod garbage;
mod hint;
mod inspect;
mod inspect_manifests;
mod load;
mod manifests;
mod oci_names;
mod put_manifest;
mod record_version;
mod registry_catalog;
mod registry_events;
mod registry_lookups;
mod remove_version;
mod removed_versions;
mod repositories;
mod restore_version;
mod schema;
mod server_state;
mod signing_keys;
mod store;
mod table;
mod tokens;
mod untagged_manifests;
mod uploads;
mod versions;
mod writer;

use std::path::Path;

pub(crate) use blob_links::{
    BlobPlace, BlobRemoval, FoundBlob, LinkedBlob, NewLink, NoRoom, RemovedLink, ServedBlob,
};
pub(crate) use blobs::{BlobRow, BlobToRecord};
pub(crate) use changes::{IndexChange, IndexRow};
use connection::Connection;
pub(crate) use delete_manifest::{ManifestRemoval, RemovedManifest};
pub(crate) use dump::{DumpError, Dumped};
pub(crate) use error::CatalogError;
pub(crate) use events::ChangeRow;
pub(crate) use hint::{Hint, Hints};
pub(crate) use inspect::{InspectedVersion, RepositoryCount};
pub(crate) use inspect_manifests::{InspectedManifest, InspectedMint};
pub(crate) use load::LoadError;
pub(crate) use manifests::{ManifestPlace, ManifestRow};
pub(crate) use oci_names::{Holds, OciNameRow};
pub(crate) use put_manifest::{ManifestOfChart, NewManifest, PutManifest};
pub(crate) use record_version::{NewVersion, Recorded, VersionLimits};
pub(crate) use registry_catalog::{NamesPage, Readable};
pub(crate) use registry_events::RegistryChangeRow;
pub(crate) use remove_version::{Removal, Removed};
pub(crate) use removed_versions::RemovedVersionRow;
pub(crate) use repositories::{
    IndexDetail, IndexFormat, Overwrite, RepositoryRow, RepositorySettings, SettingsChange, Visibility,
};
pub(crate) use restore_version::{Restoration, Restored};
pub(crate) use signing_keys::SigningKeyRow;
use store::Store;
pub(crate) use table::{Cell, TABLES, Table};
pub(crate) use tokens::{NewToken, TokenRow};
pub(crate) use uploads::{Claim, Claimed, EndedUpload, UploadProgress, UploadState};
pub(crate) use versions::{FlatFile, VersionRow};
use writer::Writer;

/// The catalog on the database it was opened with; clones share its connections.
#[derive(Clone)]
pub(crate) struct Catalog {
    store: Store,
    writer: Writer,
    hints: Hints,
}

impl Catalog {
    /// Opens the embedded database at `path`, making it and bringing its tables up to date where needed.
    ///
    /// # Errors
    /// [`CatalogError::UnknownSchema`] for a database of a newer program, else what SQLite says.
    pub(crate) async fn open_embedded(path: &Path) -> Result<Self, CatalogError> {
        let store = Store::embedded(path).await?;
        schema::migrate(&store).await?;
        Ok(Self::on(store))
    }

    /// Connects to the Postgres at `url` with at most so many connections; its tables must be those of this version.
    ///
    /// # Errors
    /// [`CatalogError::NotMigrated`] or [`CatalogError::UnknownSchema`] for other tables, else why it does not answer.
    pub(crate) async fn open_shared(url: &str, connections: u32) -> Result<Self, CatalogError> {
        let store = Store::postgres(url, connections).await?;
        schema::check(&store).await?;
        Ok(Self::on(store))
    }

    /// As [`Self::open_shared`], bringing the tables up to date first. Several may do so at once.
    ///
    /// # Errors
    /// [`CatalogError::UnknownSchema`] for a database of a newer program, else why it does not answer.
    pub(crate) async fn migrate_shared(url: &str, connections: u32) -> Result<Self, CatalogError> {
        let store = Store::postgres(url, connections).await?;
        schema::migrate(&store).await?;
        Ok(Self::on(store))
    }

    fn on(store: Store) -> Self {
        Self { writer: Writer::start(&store), hints: Hints::start(&store), store }
    }

    /// Tells whether other servers may change this catalog too.
    pub(crate) fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    /// Waits for the last commit and gives the connections back; the embedded database folds its log into its file.
    pub(crate) async fn close(&self) {
        self.writer.stop().await;
        self.store.close().await;
    }

    async fn reader(&self) -> Result<Connection, CatalogError> {
        self.store.reader().await
    }
}

#[cfg(test)]
mod tests;
