//! What every catalog must do, whatever database it stands on. Each check begins with an empty catalog.

mod damage;
mod manifests;
mod registry;
mod schemas;
mod tables;
mod tls;

use std::sync::Arc;

use chart::Timestamp;
use oci::Digest;

use manifests::{
    a_manifest_is_found_by_tag_and_digest_until_it_is_deleted, a_name_holds_charts_or_images,
    a_superseded_manifest_can_still_be_pulled, a_tag_moves_only_where_it_may,
    manifests_that_nothing_keeps_are_listed_after_their_days, referrers_are_listed_with_what_they_say,
    what_a_manifest_names_must_be_under_its_name,
};
use registry::{a_signing_key_gives_way_to_a_new_one, the_registry_lists_names_in_byte_order_by_right};

use super::{
    BlobToRecord, Catalog, CatalogError, IndexRow, NewVersion, Recorded, Removal, Removed,
    RepositorySettings, Restoration, Restored, SettingsChange, VersionLimits,
};
use crate::blobs::BlobKey;
use crate::repository_path::RepositoryPath;

/// Makes each check a test on the embedded database and one on Postgres.
macro_rules! on_each_database {
    ($($check:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $check() {
                super::$check(super::Place::embedded().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $check() {
                if let Some(place) = super::Place::postgres().await {
                    super::$check(place).await;
                }
            })+
        }
    };
}

on_each_database![
    revisions_count_every_change_without_gaps,
    a_refused_version_leaves_no_trace,
    of_many_publishers_of_one_version_exactly_one_wins,
    publishers_of_many_repositories_do_not_lose_a_revision,
    replacing_a_version_releases_its_bytes_and_its_provenance,
    limits_hold_inside_the_transaction,
    quotas_count_what_is_there,
    only_old_bytes_that_nobody_refers_to_are_forgotten,
    a_publisher_and_the_collector_at_the_same_bytes_lose_nothing,
    a_removed_version_can_be_brought_back_until_it_is_forgotten,
    nothing_is_written_while_the_server_is_read_only,
    a_database_of_a_newer_program_is_refused,
    a_flat_file_with_other_bytes_is_seen_as_changed,
    settings_changed_at_once_are_all_kept,
    tokens_of_one_name_live_once,
    names_come_in_byte_order,
    the_registry_lists_names_in_byte_order_by_right,
    a_signing_key_gives_way_to_a_new_one,
    a_manifest_is_found_by_tag_and_digest_until_it_is_deleted,
    a_tag_moves_only_where_it_may,
    a_name_holds_charts_or_images,
    what_a_manifest_names_must_be_under_its_name,
    a_superseded_manifest_can_still_be_pulled,
    manifests_that_nothing_keeps_are_listed_after_their_days,
    referrers_are_listed_with_what_they_say,
];

fn now() -> Timestamp {
    Timestamp::from_micros(1_000_000)
}

struct Place {
    catalog: Catalog,
    repository: i64,
    kept: Kept,
}

/// What holds the database for as long as the check runs.
enum Kept {
    Folder(tempfile::TempDir),
    Postgres { url: String, server: Arc<stories::postgres::Postgres> },
}

impl Place {
    async fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open_embedded(&folder.path().join("catalog.db")).await.unwrap();
        Self::on(catalog, Kept::Folder(folder)).await
    }

    /// Returns a place on a fresh database, or `None` where Postgres is not installed and need not be.
    async fn postgres() -> Option<Self> {
        let server = stories::postgres::shared().unwrap()?;
        let url = server.url(&server.create_database().unwrap());
        let refused = Catalog::open_shared(&url, 8).await;
        let refused = refused.err().expect("an empty database is not served");
        assert!(matches!(refused, CatalogError::NotMigrated), "{refused:?}");
        let catalog = Catalog::migrate_shared(&url, 8).await.unwrap();
        Some(Self::on(catalog, Kept::Postgres { url, server }).await)
    }

    async fn on(catalog: Catalog, kept: Kept) -> Self {
        let (row, created) = catalog
            .create_repository(&RepositoryPath::root(), RepositorySettings::default(), now())
            .await
            .unwrap();
        assert!(created);
        Self { catalog, repository: row.id, kept }
    }

    /// Opens the same database again, as another replica would.
    async fn open_again(&self) -> Result<Catalog, CatalogError> {
        match &self.kept {
            Kept::Folder(folder) => Catalog::open_embedded(&folder.path().join("catalog.db")).await,
            Kept::Postgres { url, .. } => Catalog::open_shared(url, 8).await,
        }
    }

    fn removal(&self, chart: &str, version: &str) -> Removal {
        Removal {
            repository_id: self.repository,
            chart: chart.to_owned(),
            version: version.to_owned(),
            actor: "tester".to_owned(),
            may_return: true,
        }
    }

    async fn remove(&self, chart: &str, version: &str) -> Removed {
        self.catalog.remove_version(self.removal(chart, version), now()).await.unwrap()
    }

    fn version(&self, chart: &str, version: &str, content: &str) -> NewVersion {
        NewVersion {
            repository_id: self.repository,
            chart: chart.parse().unwrap(),
            version: version.parse().unwrap(),
            file_name: format!("{chart}-{version}.tgz"),
            archive: kept(content),
            provenance: None,
            entry: Arc::new(|created| format!("{{\"created\":\"{created}\"}}").into_bytes()),
            minted: minted(chart, version, content).into(),
            oci_name: chart.parse().ok(),
            may_overwrite: false,
            must_exist: false,
            created_at: None,
            actor: "tester".to_owned(),
            limits: VersionLimits::default(),
            keeps_replaced: true,
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

/// Mints for a chart of which nothing but its name and version is known.
fn minted(chart: &str, version: &str, content: &str) -> chart::artifact::Minted {
    let text = format!("apiVersion: v2\nname: {chart}\nversion: {version}\n");
    let metadata = chart::ChartMetadata::parse(text.as_bytes(), None).unwrap();
    chart::artifact::Minted::new(&metadata, (&Digest::sha256(content.as_bytes()), content.len() as u64), None)
}

fn is_done(recorded: &Recorded) -> bool {
    matches!(recorded, Recorded::Done { .. })
}

async fn revisions_count_every_change_without_gaps(place: Place) {
    for (number, version) in ["1.0.0", "2.0.0", "3.0.0"].iter().enumerate() {
        let recorded = place.record(place.version("a", version, version)).await;
        let Recorded::Done { revision, released, change } = recorded else { panic!("{recorded:?}") };
        assert_eq!((revision, released), (number as i64 + 1, Vec::new()));
        let read = place.catalog.changes_after(place.repository, revision - 1).await.unwrap();
        assert_eq!([*change.unwrap()], *read, "what is told is what is read");
    }
    let removed = place.remove("a", "2.0.0").await;
    assert!(matches!(removed, Removed::Done { revision: 4, .. }));
    let changes = place.catalog.changes_after(place.repository, 1).await.unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.revision, change.shown.is_some())).collect();
    assert_eq!(told, [(2, false), (3, true), (4, false)], "each change shows the version as it is now");
    assert!(changes.windows(2).all(|pair| pair[0].at < pair[1].at), "times never stand still");
    assert_eq!(place.shown().await, ["a-1.0.0", "a-3.0.0"]);
}

async fn a_refused_version_leaves_no_trace(place: Place) {
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

async fn of_many_publishers_of_one_version_exactly_one_wins(place: Place) {
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

async fn replacing_a_version_releases_its_bytes_and_its_provenance(place: Place) {
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

async fn limits_hold_inside_the_transaction(place: Place) {
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

async fn only_old_bytes_that_nobody_refers_to_are_forgotten(place: Place) {
    place.record(place.version("a", "1.0.0", "kept")).await;
    let gone = place.version("a", "2.0.0", "gone");
    let key = gone.archive.key().clone();
    place.record(gone).await;
    place.remove("a", "2.0.0").await;
    let at = |micros| Timestamp::from_micros(micros);
    assert!(
        place.catalog.forget_unreferenced_blobs(at(2_000_000), 10).await.unwrap().is_empty(),
        "may return"
    );
    assert_eq!(place.catalog.forget_removed_versions(at(2_000_000), 10).await.unwrap(), 1);
    assert!(place.catalog.forget_unreferenced_blobs(at(0), 10).await.unwrap().is_empty(), "too young");
    assert_eq!(place.catalog.forget_unreferenced_blobs(at(2_000_000), 10).await.unwrap(), [key]);
    assert!(place.catalog.forget_unreferenced_blobs(at(2_000_000), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_answered_is_there_after_the_catalog_was_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let first = Catalog::open_embedded(&path).await.unwrap();
    first.create_repository(&RepositoryPath::root(), RepositorySettings::default(), now()).await.unwrap();
    first.close().await;
    let second = Catalog::open_embedded(&path).await.unwrap();
    assert!(second.find_repository(&RepositoryPath::root()).await.unwrap().is_some());
}

async fn a_database_of_a_newer_program_is_refused(place: Place) {
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'of the future', true, '\\x00', 0)";
    let mut connection = place.catalog.reader().await.unwrap();
    super::connection::on!(&mut connection, |database| sqlx::query(newer).execute(database).await.map(drop))
        .unwrap();
    assert!(matches!(place.open_again().await, Err(CatalogError::UnknownSchema(_))));
}

async fn publishers_of_many_repositories_do_not_lose_a_revision(place: Place) {
    let other = place.open_again().await.unwrap();
    let mut repositories = vec![place.repository];
    for name in ["b", "c", "d", "e", "f"] {
        let path: RepositoryPath = name.parse().unwrap();
        let (row, _) = other.create_repository(&path, RepositorySettings::default(), now()).await.unwrap();
        repositories.push(row.id);
    }
    let attempts: Vec<_> = (0..120)
        .map(|number: usize| {
            let repository_id = repositories[number % repositories.len()];
            let text = format!("{number}.0.0");
            let version = NewVersion { repository_id, ..place.version("a", &text, &text) };
            // Two replicas, as it were: the lanes of one do not know those of the other.
            let catalog = if number % 4 < 2 { place.catalog.clone() } else { other.clone() };
            tokio::spawn(async move { catalog.record_version(version, now()).await.unwrap() })
        })
        .collect();
    for attempt in attempts {
        assert!(is_done(&attempt.await.unwrap()));
    }
    for repository in repositories {
        let changes = place.catalog.list_changes(repository, 0, 1_000).await.unwrap();
        let revisions: Vec<i64> = changes.iter().map(|change| change.revision).collect();
        assert_eq!(revisions, (1..=20).collect::<Vec<i64>>());
        assert!(changes.windows(2).all(|pair| pair[0].at < pair[1].at));
    }
}

async fn quotas_count_what_is_there(place: Place) {
    let limit = |versions, bytes| SettingsChange {
        most_versions: Some(versions),
        most_bytes: Some(bytes),
        ..SettingsChange::default()
    };
    place.catalog.change_settings(place.repository, limit(2, 100)).await.unwrap().unwrap();
    assert!(is_done(&place.record(place.version("a", "1.0.0", "0123456789")).await));
    let provenance = NewVersion {
        provenance: Some(kept("01234")),
        must_exist: true,
        archive: BlobToRecord::Known(
            place.catalog.find_blob(&Digest::sha256(b"0123456789")).await.unwrap().unwrap(),
        ),
        ..place.version("a", "1.0.0", "0123456789")
    };
    assert!(is_done(&place.record(provenance).await));
    let holds = async || {
        let row = place.catalog.find_repository(&RepositoryPath::root()).await.unwrap().unwrap();
        (row.version_count, row.stored_bytes)
    };
    assert_eq!(holds().await, (1, 15));
    let other = NewVersion { may_overwrite: true, ..place.version("a", "1.0.0", "012") };
    assert!(is_done(&place.record(other).await));
    assert_eq!(holds().await, (1, 3), "the provenance went with the bytes it vouched for");
    let large = "x".repeat(98);
    let refused = place.record(place.version("b", "1.0.0", &large)).await;
    assert_eq!(refused, Recorded::TooManyBytes { most: 100 });
    assert!(is_done(&place.record(place.version("b", "1.0.0", "b")).await));
    let refused = place.record(place.version("c", "1.0.0", "c")).await;
    assert_eq!(refused, Recorded::TooManyVersions { most: 2 });
    assert_eq!(holds().await, (2, 4));
    place.remove("b", "1.0.0").await;
    assert_eq!(holds().await, (1, 3));
    place.catalog.change_settings(place.repository, limit(0, 0)).await.unwrap().unwrap();
    assert!(is_done(&place.record(place.version("d", "1.0.0", &large)).await), "0 takes a limit away");
}

async fn a_publisher_and_the_collector_at_the_same_bytes_lose_nothing(place: Place) {
    let other = place.open_again().await.unwrap();
    for round in 0..20 {
        let content = format!("shared {round}");
        place.record(place.version("old", &format!("{round}.0.0"), &content)).await;
        let row = place.catalog.find_blob(&Digest::sha256(content.as_bytes())).await.unwrap().unwrap();
        let removal = Removal { may_return: false, ..place.removal("old", &format!("{round}.0.0")) };
        place.catalog.remove_version(removal, now()).await.unwrap();
        let publisher = {
            let version = NewVersion {
                archive: BlobToRecord::Known(row.clone()),
                ..place.version("new", &format!("{round}.0.0"), &content)
            };
            let catalog = other.clone();
            tokio::spawn(async move { catalog.record_version(version, now()).await.unwrap() })
        };
        let forgotten =
            place.catalog.forget_unreferenced_blobs(Timestamp::from_micros(i64::MAX), 100).await.unwrap();
        match publisher.await.unwrap() {
            Recorded::Done { .. } => {
                assert!(forgotten.is_empty(), "bytes of a version were forgotten");
                assert!(place.catalog.find_blob(&row.digest).await.unwrap().is_some());
            }
            Recorded::BlobGone => assert_eq!(forgotten, [row.key]),
            outcome => panic!("{outcome:?}"),
        }
    }
}

async fn a_removed_version_can_be_brought_back_until_it_is_forgotten(place: Place) {
    let restoration = |version: &str| Restoration {
        repository_id: place.repository,
        chart: "a".to_owned(),
        version: version.to_owned(),
        actor: "tester".to_owned(),
    };
    let restore =
        async |version: &str| place.catalog.restore_version(restoration(version), now()).await.unwrap();
    let first = NewVersion { provenance: Some(kept("vouches")), ..place.version("a", "1.0.0", "first") };
    place.record(first).await;
    assert_eq!(restore("1.0.0").await, Restored::Unknown, "nothing was removed");
    let before = place.catalog.find_version(place.repository, "a", "1.0.0").await.unwrap().unwrap();
    place.remove("a", "1.0.0").await;
    let listed = place.catalog.list_removed_versions(place.repository, 10).await.unwrap();
    assert_eq!((listed.len(), &*listed[0].version, &*listed[0].removed_by), (1, "1.0.0", "tester"));
    assert_eq!(restore("1.0.0").await, Restored::Done { revision: 3 });
    let after = place.catalog.find_version(place.repository, "a", "1.0.0").await.unwrap().unwrap();
    assert_eq!(
        (after.entry, after.created_at, after.archive),
        (before.entry, before.created_at, before.archive)
    );
    assert!(place.catalog.list_removed_versions(place.repository, 10).await.unwrap().is_empty());
    let told = place.catalog.changes_after(place.repository, 2).await.unwrap();
    assert!(told[0].shown.as_ref().unwrap().provenance.is_some());
    place.remove("a", "1.0.0").await;
    place.record(place.version("a", "1.0.0", "second")).await;
    assert_eq!(restore("1.0.0").await, Restored::Exists);
    place.remove("a", "1.0.0").await;
    assert_eq!(place.catalog.forget_removed_versions(Timestamp::from_micros(i64::MAX), 10).await.unwrap(), 2);
    assert_eq!(restore("1.0.0").await, Restored::Unknown);
}

async fn nothing_is_written_while_the_server_is_read_only(place: Place) {
    place.record(place.version("a", "1.0.0", "first")).await;
    let reason = "moving house".to_owned();
    place.catalog.set_read_only(Some(reason.clone())).await.unwrap();
    assert_eq!(place.catalog.read_only_reason().await.unwrap(), Some(reason.clone()));
    let refused = place.record(place.version("a", "2.0.0", "second")).await;
    assert_eq!(refused, Recorded::ReadOnly { reason: reason.clone() });
    assert_eq!(place.remove("a", "1.0.0").await, Removed::ReadOnly { reason });
    assert_eq!(place.revision().await, 1);
    place.catalog.set_read_only(None).await.unwrap();
    assert!(is_done(&place.record(place.version("a", "2.0.0", "second")).await));
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_not_taken_for_a_healthy_one() {
    let Some(place) = Place::postgres().await else { return };
    let Kept::Postgres { url, server } = &place.kept else { panic!("not on Postgres") };
    let name = url.rsplit('/').next().unwrap();
    server.query(name, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).unwrap();
    let other = place.open_again().await.unwrap();
    let reason = other.read_only_reason().await.unwrap();
    assert_eq!(reason.as_deref(), Some("the database takes no writes"));
    let refused = other.record_version(place.version("a", "1.0.0", "a"), now()).await;
    assert!(refused.is_err(), "{refused:?}");
}

async fn settings_changed_at_once_are_all_kept(place: Place) {
    let other = place.open_again().await.unwrap();
    let versions = SettingsChange { most_versions: Some(7), ..SettingsChange::default() };
    let bytes = SettingsChange { most_bytes: Some(9), ..SettingsChange::default() };
    let (one, two) = tokio::join!(
        place.catalog.change_settings(place.repository, versions),
        other.change_settings(place.repository, bytes)
    );
    assert!(one.unwrap().is_some() && two.unwrap().is_some());
    let row = place.catalog.find_repository(&RepositoryPath::root()).await.unwrap().unwrap();
    assert_eq!((row.settings.most_versions, row.settings.most_bytes), (Some(7), Some(9)));
    assert_eq!(row.settings_revision, 2);
}

async fn tokens_of_one_name_live_once(place: Place) {
    let token = |secret: &[u8]| super::NewToken {
        name: "ci".to_owned(),
        secret_digest: Digest::sha256(secret),
        role: crate::access::Role::Publisher,
        repository: None,
        expires_at: None,
    };
    assert!(place.catalog.create_token(token(b"one"), now()).await.unwrap());
    assert!(!place.catalog.create_token(token(b"two"), now()).await.unwrap(), "the name is taken");
    assert!(!place.catalog.create_token(token(b"one"), now()).await.unwrap(), "so is the secret");
    assert_eq!(place.catalog.revoke_tokens("ci", now()).await.unwrap(), 1);
    assert!(place.catalog.create_token(token(b"two"), now()).await.unwrap());
    assert!(place.catalog.find_token(&Digest::sha256(b"one")).await.unwrap().unwrap().revoked_at.is_some());
    assert_eq!(place.catalog.list_tokens().await.unwrap().len(), 2);
}

async fn names_come_in_byte_order(place: Place) {
    for chart in ["a.b", "Zebra", "ab", "a-b", "a", "B"] {
        assert!(is_done(&place.record(place.version(chart, "1.0.0", chart)).await));
    }
    let expected = ["B-1.0.0", "Zebra-1.0.0", "a-1.0.0", "a-b-1.0.0", "a.b-1.0.0", "ab-1.0.0"];
    assert_eq!(place.shown().await, expected);
    let listed = place.catalog.list_charts(place.repository, 1, Some(3)).await.unwrap();
    let names: Vec<&str> = listed.iter().map(|row| row.chart.as_str()).collect();
    assert_eq!(names, ["Zebra", "a", "a-b"]);
    assert_eq!(place.catalog.list_charts(place.repository, 0, None).await.unwrap().len(), 6);
}

async fn a_flat_file_with_other_bytes_is_seen_as_changed(place: Place) {
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
