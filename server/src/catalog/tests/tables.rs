//! A copy of the catalog has all of it.

use std::collections::BTreeSet;

use super::Place;
use crate::catalog::TABLES;
use crate::catalog::connection::on;

#[tokio::test]
async fn every_table_belongs_to_a_copy_or_is_known_not_to() {
    let place = Place::embedded().await;
    let mut connection = place.catalog.reader().await.unwrap();
    let query =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    let there: Vec<String> =
        on!(&mut connection, |database| sqlx::query_scalar(query).fetch_all(database).await).unwrap();
    let copied = TABLES.iter().map(|table| table.name.to_owned());
    let known: BTreeSet<String> = copied.chain(["server_state".to_owned()]).collect();
    assert_eq!(there.into_iter().collect::<BTreeSet<_>>(), known);
}
