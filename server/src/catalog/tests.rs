//! What every catalog must do, whatever database it stands on. Each check begins with an empty catalog.

use chart::Timestamp;
use oci::Digest;

use super::{
    BlobToRecord, Catalog, IndexRow, NewVersion, Recorded, Removed, RepositorySettings, VersionLimits,
};
use crate::blobs::BlobKey;
use crate::repository_path::RepositoryPath;

fn now() -> Timestamp {
    Timestamp::from_micros(1_000_000)
}

struct Place {
    catalog: Catalog,
    repository: i64,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(&folder.path().join("catalog.db")).await.unwrap();
        let (row, created) = catalog
            .create_repository(&RepositoryPath::root(), RepositorySettings::default(), now())
            .await
            .unwrap();
        assert!(created);
        Self { catalog, repository: row.id, _folder: folder }
    }

    fn version(&self, chart: &str, version: &str, content: &str) -> NewVersion {
        NewVersion {
            repository_id: self.repository,
            chart: chart.parse().unwrap(),
            version: version.parse().unwrap(),
            file_name: format!("{chart}-{version}.tgz"),
            archive: kept(content),
            provenance: None,
            entry: Box::new(|created| format!("{{\"created\":\"{created}\"}}").into_bytes()),
            may_overwrite: false,
            must_exist: false,
            created_at: None,
            actor: "tester".to_owned(),
            limits: VersionLimits::default(),
        }
    }

    async fn record(&self, version: NewVersion) -> Recorded {
        self.catalog.record_version(version, now()).await.unwrap()
    }

    async fn shown(&self) -> Vec<String> {
        let mut shown = Vec::new();
        let each = |row: IndexRow| shown.push(format!("{}-{}", row.chart, row.version));
        self.catalog.read_index(self.repository, each).await.unwrap().unwrap();
        shown
    }

    async fn revision(&self) -> i64 {
        self.catalog.find_repository(&RepositoryPath::root()).await.unwrap().unwrap().revision
    }
}

fn kept(content: &str) -> BlobToRecord {
    let digest = Digest::sha256(content.as_bytes());
    let key = BlobKey::fresh(&digest, rand::random());
    BlobToRecord::Kept { digest, size_bytes: content.len() as u64, key }
}

fn is_done(recorded: &Recorded) -> bool {
    matches!(recorded, Recorded::Done { .. })
}

#[tokio::test]
async fn revisions_count_every_change_without_gaps() {
    let place = Place::new().await;
    for (number, version) in ["1.0.0", "2.0.0", "3.0.0"].iter().enumerate() {
        let recorded = place.record(place.version("a", version, version)).await;
        let Recorded::Done { revision, released, change } = recorded else { panic!("{recorded:?}") };
        assert_eq!((revision, released), (number as i64 + 1, Vec::new()));
        let read = place.catalog.changes_after(place.repository, revision - 1).await.unwrap();
        assert_eq!([*change.unwrap()], *read, "what is told is what is read");
    }
    let removed =
        place.catalog.remove_version(place.repository, "a", "2.0.0", "tester", now()).await.unwrap();
    assert!(matches!(removed, Removed::Done { revision: 4, .. }));
    let changes = place.catalog.changes_after(place.repository, 1).await.unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.revision, change.shown.is_some())).collect();
    assert_eq!(told, [(2, false), (3, true), (4, false)], "each change shows the version as it is now");
    assert!(changes.windows(2).all(|pair| pair[0].at < pair[1].at), "times never stand still");
    assert_eq!(place.shown().await, ["a-1.0.0", "a-3.0.0"]);
}

#[tokio::test]
async fn a_refused_version_leaves_no_trace() {
    let place = Place::new().await;
    assert!(is_done(&place.record(place.version("a", "1.0.0", "first")).await));
    let (digest, same) = (Digest::sha256(b"first"), Recorded::Unchanged { revision: 1 });
    assert_eq!(place.record(place.version("a", "1.0.0", "first")).await, same);
    assert_eq!(place.record(place.version("a", "1.0.0", "other")).await, Recorded::Exists { digest });
    let clash = NewVersion { file_name: "a-1.0.0.tgz".into(), ..place.version("a-1.0", "0", "third") };
    let taken = Recorded::FileNameTaken { chart: "a".into(), version: "1.0.0".into() };
    assert_eq!(place.record(clash).await, taken);
    let absent = NewVersion { must_exist: true, ..place.version("b", "1.0.0", "b") };
    assert_eq!(place.record(absent).await, Recorded::VersionUnknown);
    assert_eq!(place.revision().await, 1);
    assert!(place.catalog.find_blob(&Digest::sha256(b"other")).await.unwrap().is_none());
}

#[tokio::test]
async fn of_many_publishers_of_one_version_exactly_one_wins() {
    let place = Place::new().await;
    let attempts: Vec<_> = (0..50)
        .map(|number| {
            let (catalog, version) =
                (place.catalog.clone(), place.version("a", "1.0.0", &number.to_string()));
            tokio::spawn(async move { catalog.record_version(version, now()).await.unwrap() })
        })
        .collect();
    let mut winners = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Recorded::Done { .. } => winners += 1,
            other => assert!(matches!(other, Recorded::Exists { .. }), "{other:?}"),
        }
    }
    assert_eq!((winners, place.revision().await), (1, 1));
}

#[tokio::test]
async fn replacing_a_version_releases_its_bytes_and_its_provenance() {
    let place = Place::new().await;
    let first = place.version("a", "1.0.0", "first");
    let (archive, provenance) = (first.archive.key().clone(), kept("vouches for first"));
    let provenance_key = provenance.key().clone();
    assert!(is_done(&place.record(NewVersion { provenance: Some(provenance), ..first }).await));
    let second = NewVersion { may_overwrite: true, ..place.version("a", "1.0.0", "second") };
    let expected = Recorded::Done { revision: 2, released: vec![archive, provenance_key], change: None };
    assert_eq!(place.record(second).await, expected);
    let changes = place.catalog.changes_after(place.repository, 1).await.unwrap();
    assert!(changes[0].shown.as_ref().unwrap().provenance.is_none());
}

#[tokio::test]
async fn limits_hold_inside_the_transaction() {
    let place = Place::new().await;
    let objects = VersionLimits { objects: Some(1), versions_per_chart: None };
    assert!(is_done(&place.record(NewVersion { limits: objects, ..place.version("a", "1.0.0", "1") }).await));
    let full = place.record(NewVersion { limits: objects, ..place.version("b", "1.0.0", "2") }).await;
    assert_eq!(full, Recorded::Full { objects: 1 });
    let versions = VersionLimits { objects: None, versions_per_chart: Some(2) };
    for version in ["0.2.0", "0.1.0"] {
        let new = NewVersion { limits: versions, ..place.version("a", version, version) };
        assert!(is_done(&place.record(new).await));
    }
    place.record(place.version("a-service", "1.0.0", "other chart")).await;
    assert_eq!(place.shown().await, ["a-0.1.0", "a-0.2.0", "a-service-1.0.0"], "the oldest published went");
}

#[tokio::test]
async fn only_old_bytes_that_nobody_refers_to_are_forgotten() {
    let place = Place::new().await;
    place.record(place.version("a", "1.0.0", "kept")).await;
    let gone = place.version("a", "2.0.0", "gone");
    let key = gone.archive.key().clone();
    place.record(gone).await;
    place.catalog.remove_version(place.repository, "a", "2.0.0", "tester", now()).await.unwrap();
    let at = |micros| Timestamp::from_micros(micros);
    assert!(place.catalog.forget_unreferenced_blobs(at(0), 10).await.unwrap().is_empty(), "too young");
    assert_eq!(place.catalog.forget_unreferenced_blobs(at(2_000_000), 10).await.unwrap(), [key]);
    assert!(place.catalog.forget_unreferenced_blobs(at(2_000_000), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_answered_is_there_after_the_catalog_was_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let first = Catalog::open(&path).await.unwrap();
    first.create_repository(&RepositoryPath::root(), RepositorySettings::default(), now()).await.unwrap();
    first.close().await;
    let second = Catalog::open(&path).await.unwrap();
    assert!(second.find_repository(&RepositoryPath::root()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = Catalog::open(&path).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'of the future', 1, x'00', 0)";
    sqlx::query(newer).execute(&catalog.readers).await.unwrap();
    catalog.close().await;
    assert!(matches!(Catalog::open(&path).await, Err(super::CatalogError::UnknownSchema(_))));
}

#[tokio::test]
async fn a_flat_file_with_other_bytes_is_seen_as_changed() {
    let place = Place::new().await;
    let key = BlobKey::flat(&RepositoryPath::root(), "a-1.0.0.tgz");
    let flat = |content: &str| NewVersion {
        archive: BlobToRecord::Kept {
            digest: Digest::sha256(content.as_bytes()),
            size_bytes: content.len() as u64,
            key: key.clone(),
        },
        may_overwrite: true,
        ..place.version("a", "1.0.0", content)
    };
    assert!(is_done(&place.record(flat("first")).await));
    let replaced = place.record(flat("second")).await;
    assert!(matches!(replaced, Recorded::Done { revision: 2, .. }), "{replaced:?}");
    let row = place.catalog.find_version(place.repository, "a", "1.0.0").await.unwrap().unwrap();
    assert_eq!(row.archive_digest, Digest::sha256(b"second"));
}
