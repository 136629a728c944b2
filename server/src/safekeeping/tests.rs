//! What must hold of a check, a backup and a move, whichever database the catalog stands on.

mod backups;
mod checks;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use chart::Timestamp;
use futures_util::stream;
use oci::Digest;

use super::Stores;
use super::progress::Progress;
use super::transcript::{Part, Transcript};
use crate::blobs::{BlobKey, Blobs, Layout};
use crate::catalog::{
    BlobToRecord, Catalog, Holds, LinkedBlob, NewLink, NewManifest, NewVersion, PutManifest, Recorded,
    Removal, Removed, RepositorySettings, VersionLimits,
};
use crate::repository_path::RepositoryPath;

/// Makes each check a test on the embedded database and one on Postgres.
macro_rules! on_each_database {
    ($($check:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $check() {
                super::$check(crate::safekeeping::tests::Place::embedded().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $check() {
                if let Some(place) = crate::safekeeping::tests::Place::postgres().await {
                    super::$check(place).await;
                }
            })+
        }
    };
}
use on_each_database;

fn now() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000)
}

/// A catalog on one of the databases, a folder of bytes, and room for other files.
struct Place {
    stores: Stores,
    folder: tempfile::TempDir,
    server: Option<Arc<stories::postgres::Postgres>>,
}

impl Place {
    async fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open_embedded(&folder.path().join("catalog.db")).await.unwrap();
        Self::on(catalog, folder, None)
    }

    async fn postgres() -> Option<Self> {
        let server = stories::postgres::shared().unwrap()?;
        let url = server.url(&server.create_database().unwrap());
        let catalog = Catalog::migrate_shared(&url, 4).await.unwrap();
        Some(Self::on(catalog, tempfile::tempdir().unwrap(), Some(server)))
    }

    fn on(
        catalog: Catalog,
        folder: tempfile::TempDir,
        server: Option<Arc<stories::postgres::Postgres>>,
    ) -> Self {
        let root = folder.path().join("store");
        let blobs = Blobs::open(root, folder.path().join("staging"), Layout::Addressed).unwrap();
        Self { stores: Stores { catalog, blobs }, folder, server }
    }

    /// Returns an empty place on the same kind of database.
    async fn another(&self) -> Self {
        match &self.server {
            None => Self::embedded().await,
            Some(_) => Self::postgres().await.unwrap(),
        }
    }

    /// Returns an empty place on the other kind of database, where there is one.
    async fn other_kind(&self) -> Option<Self> {
        match &self.server {
            None => Self::postgres().await,
            Some(_) => Some(Self::embedded().await),
        }
    }

    fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    fn path_of(&self, key: &BlobKey) -> PathBuf {
        self.folder.path().join("store").join(key.as_str())
    }

    async fn repository(&self, path: &str) -> i64 {
        let path = if path.is_empty() { RepositoryPath::root() } else { path.parse().unwrap() };
        let made = self.stores.catalog.create_repository(&path, RepositorySettings::default(), now()).await;
        made.unwrap().0.id
    }

    async fn keep(&self, content: &str) -> BlobToRecord {
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(content.to_owned()))]);
        let staged = self.stores.blobs.staging().receive(body, u64::MAX).await.unwrap();
        let (digest, size_bytes) = (staged.digest().clone(), staged.size_bytes());
        let key = BlobKey::fresh(&digest, rand::random());
        self.stores.blobs.keep(staged, key.clone()).await.unwrap();
        BlobToRecord::Kept { digest, size_bytes, key }
    }

    /// Publishes a version whose archive is this text, and returns the key of its bytes.
    async fn publish(&self, repository: &str, chart: &str, version: &str, content: &str) -> BlobKey {
        let archive = self.keep(content).await;
        let key = archive.key().clone();
        let provenance = Some(self.keep(&format!("vouches for {content}")).await);
        let hex = Digest::sha256(content.as_bytes()).hex().to_owned();
        let (name, text) = (chart.to_owned(), version.to_owned());
        let entry = move |created: Timestamp| {
            serde_json::json!({"name": name, "version": text, "digest": hex, "created": created.to_string()})
                .to_string()
                .into_bytes()
        };
        let yaml = format!("apiVersion: v2\nname: {chart}\nversion: {version}\n");
        let metadata = chart::ChartMetadata::parse(yaml.as_bytes(), None).unwrap();
        let new = NewVersion {
            minted: crate::operations::publish::mint(&metadata, &archive, provenance.as_ref()).into(),
            oci_name: crate::registry::name_of(&repository.parse().unwrap(), &metadata.name),
            repository_id: self.repository(repository).await,
            chart: chart.parse().unwrap(),
            version: version.parse().unwrap(),
            file_name: format!("{chart}-{version}.tgz"),
            archive,
            provenance,
            entry: Arc::new(entry),
            may_overwrite: true,
            must_exist: false,
            created_at: None,
            actor: "tester".to_owned(),
            limits: VersionLimits::default(),
            keeps_replaced: true,
        };
        let recorded = self.stores.catalog.record_version(new, now()).await.unwrap();
        assert!(matches!(recorded, Recorded::Done { .. }), "{recorded:?}");
        key
    }

    /// Pushes an image whose only blob is its configuration, under a name of the default repository.
    async fn push_image(&self, name: &str, config: &str) -> BlobKey {
        let (repository_id, name) = (self.repository("").await, name.parse::<oci::OciName>().unwrap());
        let blob = self.keep(config).await;
        let (key, digest) = (blob.key().clone(), Digest::sha256(config.as_bytes()));
        let held_until = Timestamp::from_micros(now().micros() + 1);
        let link = NewLink { repository_id, name: name.clone(), blob, held_until, upload: None };
        assert!(matches!(
            self.stores.catalog.link_blob(link, now()).await.unwrap(),
            LinkedBlob::Linked { .. }
        ));
        let descriptor = serde_json::json!({
            "mediaType": oci::media_type::IMAGE_CONFIG, "digest": digest.to_string(), "size": config.len(),
        });
        let content = serde_json::json!({"schemaVersion": 2, "config": descriptor, "layers": []}).to_string();
        let manifest = NewManifest {
            repository_id,
            name,
            holds: Holds::Images,
            digest: Digest::sha256(content.as_bytes()),
            media_type: oci::media_type::IMAGE_MANIFEST.to_owned(),
            content: content.into(),
            subject: None,
            artifact_type: None,
            chart: None,
            blobs: vec![digest],
            children: Vec::new(),
            tags: vec!["1.0".parse().unwrap()],
            may_move_tags: false,
            actor: "tester".to_owned(),
        };
        let put = self.stores.catalog.put_manifest(manifest, now()).await.unwrap();
        assert!(matches!(put, PutManifest::Done { .. }), "{put:?}");
        key
    }

    async fn delete(&self, repository: &str, chart: &str, version: &str) {
        let removal = Removal {
            repository_id: self.repository(repository).await,
            chart: chart.to_owned(),
            version: version.to_owned(),
            actor: "tester".to_owned(),
            may_return: true,
        };
        let removed = self.stores.catalog.remove_version(removal, now()).await.unwrap();
        assert!(matches!(removed, Removed::Done { .. }), "{removed:?}");
    }

    /// Fills the place with two repositories, a version that was deleted and one that was overwritten, and an image.
    async fn furnish(&self) {
        self.publish("", "a", "1.0.0", "first").await;
        self.publish("", "a", "2.0.0", "second").await;
        self.publish("", "b", "1.0.0", "third").await;
        self.publish("team/b", "a", "1.0.0", "fourth").await;
        self.publish("team/b", "a", "1.0.0", "fourth, anew").await;
        self.delete("", "a", "1.0.0").await;
        self.push_image("web", "an image's configuration").await;
    }

    /// Returns the tables of the catalog as files, which are equal when the tables are.
    async fn parts(&self) -> Vec<Part> {
        Transcript::write(&self.stores.catalog, &self.spool()).await.unwrap().parts().to_vec()
    }

    async fn is_empty(&self) -> bool {
        self.stores.catalog.find_content().await.unwrap().is_none()
            && files_below(&self.folder.path().join("store")).is_empty()
    }
}

fn progress() -> Progress {
    Progress::hidden()
}

/// Returns the paths of all files below a folder, sorted.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}
