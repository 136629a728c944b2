//! What a broken disk or a careless hand does to the tables, for the checks that must find it.

use sqlx::AssertSqlSafe;

use crate::blobs::BlobKey;
use crate::catalog::Catalog;
use crate::catalog::connection::on;

impl Catalog {
    async fn damage(&self, statements: String) {
        let mut connection = self.reader().await.unwrap();
        on!(&mut connection, |database| sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(database)
            .await
            .map(drop))
        .unwrap();
    }

    /// Gives every version this index entry.
    pub(crate) async fn set_entries(&self, entry: &[u8]) {
        let mut connection = self.reader().await.unwrap();
        on!(&mut connection, |database| sqlx::query("UPDATE version SET entry = $1")
            .bind(entry)
            .execute(database)
            .await
            .map(drop))
        .unwrap();
    }

    /// Deletes this event of every repository.
    pub(crate) async fn delete_event(&self, revision: i64) {
        self.damage(format!("DELETE FROM event WHERE revision = {revision}")).await;
    }

    /// Deletes a blob's row although versions refer to it.
    pub(crate) async fn delete_row_of_blob(&self, key: &BlobKey) {
        let delete = format!("DELETE FROM blob WHERE storage_key = '{key}'");
        let (off, on) = if self.is_shared() {
            ("SET session_replication_role = replica", "SET session_replication_role = DEFAULT")
        } else {
            ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON")
        };
        self.damage(format!("{off}; {delete}; {on}")).await;
    }

    /// Changes the bytes of every manifest, pushed or minted.
    pub(crate) async fn change_manifests(&self) {
        for table in ["manifest SET content", "version SET manifest"] {
            let mut connection = self.reader().await.unwrap();
            let update = format!("UPDATE {table} = $1");
            on!(&mut connection, |database| sqlx::query(AssertSqlSafe(update.clone()))
                .bind(&b"{}"[..])
                .execute(database)
                .await
                .map(drop))
            .unwrap();
        }
    }

    /// Lets no manifest keep a blob from the collector.
    pub(crate) async fn let_manifests_keep_nothing(&self) {
        self.damage("DELETE FROM manifest_blob".to_owned()).await;
    }

    /// Lets every repository say it holds what it does not.
    pub(crate) async fn miscount(&self) {
        let counts = "version_count = version_count + 1, stored_bytes = stored_bytes - 1";
        self.damage(format!("UPDATE repository SET {counts}")).await;
    }
}
