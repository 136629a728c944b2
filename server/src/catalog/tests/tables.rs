//! A copy of the catalog has all of it.

use std::collections::BTreeSet;

use super::Place;
use crate::catalog::TABLES;
use crate::catalog::connection::on;

/// What is said of a server and not of what it holds, and what lives for minutes or hours.
const NOT_COPIED: [&str; 5] = ["server_state", "upload", "upload_tail", "blob_link", "signing_key"];

#[tokio::test]
async fn every_table_belongs_to_a_copy_or_is_known_not_to() {
    let place = Place::embedded().await;
    let mut connection = place.catalog.reader().await.unwrap();
    let query =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    let there: Vec<String> =
        on!(&mut connection, |database| sqlx::query_scalar(query).fetch_all(database).await).unwrap();
    let copied = TABLES.iter().map(|table| table.name.to_owned());
    let known: BTreeSet<String> = copied.chain(NOT_COPIED.map(str::to_owned)).collect();
    assert_eq!(there.into_iter().collect::<BTreeSet<_>>(), known);
}
