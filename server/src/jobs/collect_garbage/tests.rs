//! The collector against real stores: it takes what is waste, and nothing that a publisher counts on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chart::testing::ChartBuilder;
use futures_util::stream;
use tokio::sync::Semaphore;

use super::*;
use crate::access::{Caller, Role, Signer, Verifier};
use crate::app::{Clock, Rules};
use crate::blobs::Blobs;
use crate::catalog::Catalog;
use crate::operations::delete_version::delete_version;
use crate::operations::publish::{Publication, PublishError, Terms, publish};
use crate::registry::Registry;
use crate::repositories::{Addresses, Repositories};
use crate::repository_path::RepositoryPath;

const NO_GRACE: Duration = Duration::ZERO;

/// Stores of this test's own; several servers can be opened on them.
struct Place {
    folder: tempfile::TempDir,
    postgres: Option<(Arc<stories::postgres::Postgres>, String)>,
}

impl Place {
    fn embedded() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), postgres: None }
    }

    /// Returns a place on a fresh database, or `None` where Postgres is not installed and need not be.
    async fn postgres() -> Option<Self> {
        let server = stories::postgres::shared().unwrap()?;
        let url = server.url(&server.create_database().unwrap());
        Catalog::migrate_shared(&url, 2).await.unwrap().close().await;
        Some(Self { folder: tempfile::tempdir().unwrap(), postgres: Some((server, url)) })
    }

    async fn open(&self) -> App {
        let root = self.folder.path().to_owned();
        let catalog = match &self.postgres {
            None => Catalog::open_embedded(&root.join("catalog.db")).await.unwrap(),
            Some((_, url)) => Catalog::open_shared(url, 8).await.unwrap(),
        };
        let repositories = Repositories::new(catalog.clone(), Addresses::default());
        App {
            registry: Registry::new(catalog.clone(), repositories.clone()),
            repositories,
            verifier: Verifier::new(catalog.clone(), false, None),
            signer: Signer::new(catalog.clone()),
            catalog,
            blobs: Blobs::beside(root, Layout::Addressed).unwrap(),
            clock: Clock::System,
            rules: Rules::default().into(),
            checking: Arc::new(Semaphore::new(4)),
        }
    }

    fn files(&self) -> usize {
        let fans = std::fs::read_dir(self.folder.path().join("blobs/sha256")).unwrap();
        fans.map(|fan| std::fs::read_dir(fan.unwrap().path()).unwrap().count()).sum()
    }
}

fn admin() -> Caller {
    Caller::Known { name: "tester".to_owned(), role: Role::Admin, repository: None }
}

fn path(text: &str) -> RepositoryPath {
    text.parse().unwrap()
}

async fn publish_in(app: &App, repository: &str, version: &str) -> Result<(), PublishError> {
    let archive = ChartBuilder::new("a", version).build();
    let body = stream::iter([Ok::<_, std::io::Error>(archive.into())]);
    let archive = app.blobs.staging().receive(body, 1 << 20).await.unwrap();
    let (repository, terms) = (path(repository), Terms::Upload { force: false });
    let publication =
        Publication { repository, archive: archive.into(), provenance: None, terms, caller: admin() };
    publish(app, publication).await.map(drop)
}

#[tokio::test]
async fn waste_is_counted_by_a_dry_run_and_then_taken() {
    for place in [Some(Place::embedded()), Place::postgres().await].into_iter().flatten() {
        let app = place.open().await;
        for version in ["1.0.0", "1.1.0", "1.2.0"] {
            publish_in(&app, "shelf", version).await.unwrap();
        }
        delete_version(&app, &path("shelf"), "a", "1.0.0", &admin()).await.unwrap();
        let digest = oci::Digest::sha256(b"orphan");
        let orphan = format!("blobs/sha256/{}/{}-0000000000000001", &digest.hex()[..2], digest.hex());
        std::fs::write(place.folder.path().join(orphan), b"orphan").unwrap();

        let kept = collect(&app, Collection::new(Duration::from_secs(3_600))).await.unwrap();
        assert_eq!(kept, Collected { unfinished_uploads: Some(0), ..Collected::default() });
        let all = Collection::new(NO_GRACE).while_nobody_publishes();
        let counted = collect(&app, all.dry_run()).await.unwrap();
        let expected = Collected {
            dry_run: true,
            removed_versions: 1,
            unreferenced: 1,
            orphans: 1,
            untagged_manifests: 0,
            unfinished_uploads: None,
        };
        assert_eq!((counted, place.files()), (expected, 4));
        let taken = collect(&app, all).await.unwrap();
        let expected = Collected { dry_run: false, unfinished_uploads: Some(0), ..expected };
        assert_eq!((taken, place.files()), (expected, 2));
        let again = collect(&app, all).await.unwrap();
        assert_eq!(again, Collected { unfinished_uploads: Some(0), ..Collected::default() });
    }
}

#[tokio::test]
async fn a_file_that_was_just_written_is_nobody_s_waste_while_somebody_may_publish() {
    let place = Place::embedded();
    let app = place.open().await;
    let digest = oci::Digest::sha256(b"in progress");
    let key = format!("blobs/sha256/{}/{}-0000000000000001", &digest.hex()[..2], digest.hex());
    std::fs::write(place.folder.path().join(key), b"in progress").unwrap();
    let collected = collect(&app, Collection::new(NO_GRACE)).await.unwrap();
    assert_eq!((collected.orphans, place.files()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_collectors_beside_publishers_of_the_same_bytes_lose_nothing_embedded() {
    race(&Place::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_collectors_beside_publishers_of_the_same_bytes_lose_nothing_on_postgres() {
    if let Some(place) = Place::postgres().await {
        race(&place).await;
    }
}

/// Publishers share their bytes between repositories and delete them again and again, which makes them waste and wanted
/// in turn; collectors without any grace run beside them, each with connections of its own.
async fn race(place: &Place) {
    const ROUNDS: usize = 12;
    let ended = Arc::new(AtomicBool::new(false));
    let mut collectors = Vec::new();
    for _ in 0..2 {
        let (app, ended) = (place.open().await, Arc::clone(&ended));
        collectors.push(tokio::spawn(async move {
            let mut removed = 0;
            while !ended.load(Ordering::Relaxed) {
                removed += collect(&app, Collection::new(NO_GRACE)).await.unwrap().unreferenced;
            }
            removed
        }));
    }
    let mut publishers = Vec::new();
    for number in 0..4 {
        let app = place.open().await;
        publishers.push(tokio::spawn(async move {
            let shelf = format!("shelf-{number}");
            for round in 0..ROUNDS {
                let version = format!("1.{}.0", round % 3);
                publish_patiently(&app, &shelf, &version).await;
                if round + 3 < ROUNDS {
                    delete_version(&app, &path(&shelf), "a", &version, &admin()).await.unwrap();
                }
            }
        }));
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    ended.store(true, Ordering::Relaxed);
    let mut removed = 0;
    for collector in collectors {
        removed += collector.await.unwrap();
    }
    assert!(removed > 0, "the collectors had nothing to do");
    check_all_there(place).await;
}

/// Publishes as a client that tries again when it is told to.
async fn publish_patiently(app: &App, shelf: &str, version: &str) {
    loop {
        match publish_in(app, shelf, version).await {
            Ok(()) => return,
            Err(PublishError::Overtaken | PublishError::Catalog(CatalogError::Contended(_))) => {}
            Err(error) => panic!("{shelf} {version}: {error}"),
        }
    }
}

async fn check_all_there(place: &Place) {
    let app = place.open().await;
    collect(&app, Collection::new(NO_GRACE)).await.unwrap();
    let mut keys = std::collections::BTreeSet::new();
    for number in 0..4 {
        let row = app.catalog.find_repository(&path(&format!("shelf-{number}"))).await.unwrap().unwrap();
        let versions = app.catalog.list_versions(row.id, "a").await.unwrap();
        assert_eq!(versions.len(), 3);
        for version in versions {
            let bytes = app.blobs.open_reader(&version.archive, None).await.unwrap();
            let bytes = bytes.whole().cloned().unwrap();
            assert_eq!(oci::Digest::sha256(&bytes), version.archive_digest);
            keys.insert(version.archive);
        }
    }
    assert_eq!(place.files(), keys.len(), "waste was left, or several rows name one file");
}
