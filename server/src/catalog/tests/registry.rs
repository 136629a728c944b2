//! What every catalog must do for the registry's names and keys.

use sqlx::AssertSqlSafe;

use super::{Place, is_done, now};
use crate::catalog::connection::on;
use crate::catalog::{Catalog, NamesPage, Readable, RepositorySettings, Visibility};
use chart::Timestamp;

/// Writes rows that no operation makes by itself.
async fn write(catalog: &Catalog, statements: &str) {
    let mut connection = catalog.reader().await.unwrap();
    on!(&mut connection, |database| sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(database)
        .await
        .map(drop))
    .unwrap();
}

async fn names(catalog: &Catalog, readable: Readable, after: &str, limit: u32) -> Vec<String> {
    catalog.list_registry_names(NamesPage { readable: &readable, after, limit }).await.unwrap()
}

pub(super) async fn the_registry_lists_names_in_byte_order_by_right(place: Place) {
    let catalog = &place.catalog;
    let mut ids = Vec::new();
    for (path, visibility) in [
        ("team", Visibility::Public),
        ("team-a", Visibility::Private),
        ("team/b", Visibility::Private),
        ("teams", Visibility::Private),
    ] {
        let settings = RepositorySettings { visibility, ..RepositorySettings::default() };
        let (row, _) = catalog.create_repository(&path.parse().unwrap(), settings, now()).await.unwrap();
        ids.push(row.id);
    }
    let [team, team_a, team_b, teams] = ids.try_into().unwrap();
    for (repository_id, chart, version) in [
        (place.repository, "web", "1.0.0"),
        (team, "web", "1.0.0"),
        (team, "web", "2.0.0"),
        (team_a, "web", "1.0.0"),
        (team_b, "web", "1.0.0"),
        (teams, "Web", "1.0.0"),
    ] {
        let version = place.version(chart, version, &format!("{repository_id}{version}"));
        let version = crate::catalog::NewVersion { repository_id, ..version };
        assert!(is_done(&place.record(version).await));
    }
    write(
        catalog,
        &format!(
            "INSERT INTO oci_name (id, name, repository_id, content, created_at) VALUES \
             (1, 'team/image', {team}, 'images', 1), (2, 'team/empty', {team}, 'images', 1), \
             (3, 'team/gone', {team}, 'images', 1), (4, 'team/web', {team}, 'charts', 1), \
             (5, 'teams/image', {teams}, NULL, 1); \
             INSERT INTO manifest (name_id, digest, media_type, content, removed_at, created_at) VALUES \
             (1, 'd', 'm', 'c', NULL, 1), (3, 'd', 'm', 'c', 1, 1), (4, 'd', 'm', 'c', NULL, 1), \
             (5, 'd', 'm', 'c', NULL, 1)"
        ),
    )
    .await;
    let all = ["team-a/web", "team/b/web", "team/image", "team/web", "teams/Web", "teams/image", "web"];
    let public = ["team/image", "team/web", "web"];
    let within = |path: &str| Readable::PublicAndWithin(path.parse().unwrap());
    for (readable, expected) in [
        (Readable::All, &all[..]),
        (Readable::Public, &public),
        (within("team"), &["team/b/web", "team/image", "team/web", "web"]),
        (within("teams"), &["team/image", "team/web", "teams/Web", "teams/image", "web"]),
        (within("team/b/c"), &public),
        (Readable::PublicAndWithin(crate::repository_path::RepositoryPath::root()), &all),
    ] {
        assert_eq!(names(catalog, readable.clone(), "", 100).await, expected, "{readable:?}");
    }
    assert_eq!(names(catalog, Readable::All, "team/b/web", 2).await, ["team/image", "team/web"]);
    assert_eq!(names(catalog, Readable::All, "teams", 1).await, ["teams/Web"]);
    assert!(names(catalog, Readable::All, "web", 5).await.is_empty());
    assert!(catalog.has_public_repository().await.unwrap());
    write(catalog, "UPDATE version SET state = 'candidate' WHERE chart = 'web'").await;
    let pushed = ["team/image", "team/web", "teams/Web", "teams/image"];
    assert_eq!(
        names(catalog, Readable::All, "", 100).await,
        pushed,
        "what no index shows is no chart's name"
    );
    write(catalog, "UPDATE repository SET visibility = 'private'").await;
    assert!(!catalog.has_public_repository().await.unwrap());
}

pub(super) async fn a_signing_key_gives_way_to_a_new_one(place: Place) {
    let catalog = &place.catalog;
    let at = Timestamp::from_micros;
    let secrets = || async {
        let keys = catalog.list_signing_keys().await.unwrap();
        keys.iter().map(|key| key.secret[0]).collect::<Vec<u8>>()
    };
    let rotate = |secret: u8, now, signing_since, verifying_since| {
        catalog.rotate_signing_keys([secret; 32], at(now), at(signing_since), at(verifying_since))
    };
    rotate(1, 100, 90, 0).await.unwrap();
    assert_eq!(secrets().await, [1], "where there is none, one is made");
    rotate(2, 110, 99, 0).await.unwrap();
    assert_eq!(secrets().await, [1], "it is young enough");
    rotate(2, 120, 100, 0).await.unwrap();
    assert_eq!(secrets().await, [2, 1], "the newest comes first");
    rotate(3, 130, 110, 120).await.unwrap();
    assert_eq!(secrets().await, [2, 1], "the old one signed until its successor was made");
    rotate(3, 130, 110, 121).await.unwrap();
    assert_eq!(secrets().await, [2]);
    rotate(3, 1_000, 900, 900).await.unwrap();
    assert_eq!(secrets().await, [3, 2], "a key is never forgotten with its successor's birth");
}
