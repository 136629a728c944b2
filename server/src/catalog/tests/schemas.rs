//! Both databases have the same migrations and, once they are applied, the same tables and columns.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use crate::catalog::connection::on;

/// Tables by name, each with its columns and whether they may be NULL.
type Tables = BTreeMap<String, BTreeSet<(String, bool)>>;

async fn tables(place: &Place, query: &'static str) -> Tables {
    let mut connection = place.catalog.reader().await.unwrap();
    let columns: Vec<(String, String, bool)> =
        on!(&mut connection, |database| sqlx::query_as(query).fetch_all(database).await).unwrap();
    let mut tables = Tables::new();
    for (table, column, may_be_null) in columns {
        tables.entry(table).or_default().insert((column, may_be_null));
    }
    tables
}

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let embedded = tables(
        &Place::embedded().await,
        "SELECT m.name, c.name, c.\"notnull\" = 0 AND c.pk = 0 FROM sqlite_master m \
         JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    )
    .await;
    assert!(embedded.len() > 5, "{embedded:?}");
    let Some(place) = Place::postgres().await else { return };
    let shared = tables(
        &place,
        "SELECT table_name::text, column_name::text, is_nullable = 'YES' FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
    )
    .await;
    assert_eq!(embedded, shared);
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |folder: &str| -> BTreeSet<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(folder);
        std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
