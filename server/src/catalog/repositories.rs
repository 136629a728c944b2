//! Repositories and their settings.

use chart::Timestamp;
use sqlx::FromRow;

use super::connection::{Connection, on, read};
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError};
use crate::repository_path::RepositoryPath;

/// Declares a setting kept as one word in the catalog, with its two directions.
macro_rules! word_setting {
    ($(#[$doc:meta])* $name:ident, $column:literal, { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Returns the word that stands for the setting in the catalog and in JSON.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word back.
            pub(super) fn from_word(word: &str) -> Result<Self, CatalogError> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(CatalogError::Corrupt { what: $column, value: word.to_owned() }),
                }
            }
        }
    };
}

word_setting!(
    /// Who may read a repository.
    Visibility, "visibility", {
        /// Anybody, without credentials.
        Public = "public",
        /// Holders of a token that covers it.
        Private = "private",
    }
);
word_setting!(
    /// Whether other bytes may take the place of a published version.
    Overwrite, "overwrite policy", {
        /// Never: versions are immutable.
        Refused = "refused",
        /// Only when the request says `?force`.
        Forced = "forced",
        /// Always.
        Allowed = "allowed",
    }
);
word_setting!(
    /// The text form of `index.yaml`.
    IndexFormat, "index format", {
        /// Compact JSON, which every Helm reads and Helm 3.13 and later read several times faster.
        Json = "json",
        /// Block YAML.
        Yaml = "yaml",
    }
);
word_setting!(
    /// How much of each version the index shows.
    IndexDetail, "index detail", {
        /// Everything.
        Full = "full",
        /// Everything for the newest versions, what clients need to choose and fetch for the others.
        Lean = "lean",
    }
);

impl Overwrite {
    /// Tells whether a request that does or does not say `?force` may replace what is there.
    pub(crate) const fn permits(self, force: bool) -> bool {
        match self {
            Self::Refused => false,
            Self::Forced => force,
            Self::Allowed => true,
        }
    }
}

/// What an administrator decides about a repository.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RepositorySettings {
    pub(crate) visibility: Visibility,
    pub(crate) overwrite: Overwrite,
    pub(crate) index_format: IndexFormat,
    pub(crate) index_detail: IndexDetail,
    /// The repository's id at Artifact Hub, served as `artifacthub-repo.yml`.
    pub(crate) artifact_hub_id: Option<String>,
    /// How many versions it may hold; `None` for no limit.
    pub(crate) most_versions: Option<u64>,
    /// How many bytes of archives and provenance files it may hold; `None` for no limit.
    pub(crate) most_bytes: Option<u64>,
    /// For how many days a manifest stays that no tag, index or subject keeps; `None` for ever.
    pub(crate) keep_untagged_days: Option<u64>,
}

impl Default for RepositorySettings {
    fn default() -> Self {
        Self {
            visibility: Visibility::Public,
            overwrite: Overwrite::Refused,
            index_format: IndexFormat::Json,
            index_detail: IndexDetail::Full,
            artifact_hub_id: None,
            most_versions: None,
            most_bytes: None,
            keep_untagged_days: None,
        }
    }
}

/// The settings to change; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SettingsChange {
    pub(crate) visibility: Option<Visibility>,
    pub(crate) overwrite: Option<Overwrite>,
    pub(crate) index_format: Option<IndexFormat>,
    pub(crate) index_detail: Option<IndexDetail>,
    pub(crate) artifact_hub_id: Option<String>,
    /// 0 takes the limit away.
    pub(crate) most_versions: Option<u64>,
    /// 0 takes the limit away.
    pub(crate) most_bytes: Option<u64>,
    /// 0 keeps them for ever.
    pub(crate) keep_untagged_days: Option<u64>,
}

impl SettingsChange {
    /// Returns `settings` with this change made.
    pub(crate) fn apply_to(&self, settings: &RepositorySettings) -> RepositorySettings {
        RepositorySettings {
            visibility: self.visibility.unwrap_or(settings.visibility),
            overwrite: self.overwrite.unwrap_or(settings.overwrite),
            index_format: self.index_format.unwrap_or(settings.index_format),
            index_detail: self.index_detail.unwrap_or(settings.index_detail),
            // An empty text takes the id away, since `null` and "not named" look alike in JSON.
            artifact_hub_id: match self.artifact_hub_id.as_deref() {
                None => settings.artifact_hub_id.clone(),
                Some("") => None,
                Some(id) => Some(id.to_owned()),
            },
            most_versions: changed_limit(self.most_versions, settings.most_versions),
            most_bytes: changed_limit(self.most_bytes, settings.most_bytes),
            keep_untagged_days: changed_limit(self.keep_untagged_days, settings.keep_untagged_days),
        }
    }
}

/// Returns the limit after a change; a limit of 0 would be a read-only repository, so 0 means none.
fn changed_limit(change: Option<u64>, limit: Option<u64>) -> Option<u64> {
    change.map_or(limit, |change| (change > 0).then_some(change))
}

/// One repository as the catalog holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepositoryRow {
    pub(crate) id: i64,
    pub(crate) path: RepositoryPath,
    pub(crate) settings: RepositorySettings,
    /// Counts every change of its content.
    pub(crate) revision: i64,
    /// Counts every change of what its OCI names hold.
    pub(crate) registry_revision: i64,
    /// Counts every change of its settings.
    pub(crate) settings_revision: i64,
    /// How many versions it holds.
    pub(crate) version_count: u64,
    /// How many bytes its archives and provenance files have, each version's counted for itself.
    pub(crate) stored_bytes: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) changed_at: Timestamp,
}

#[derive(FromRow)]
struct RawRepository {
    id: i64,
    path: String,
    visibility: String,
    overwrite: String,
    index_format: String,
    index_detail: String,
    artifact_hub_id: Option<String>,
    most_versions: Option<i64>,
    most_bytes: Option<i64>,
    keep_untagged_days: Option<i64>,
    version_count: i64,
    stored_bytes: i64,
    revision: i64,
    registry_revision: i64,
    settings_revision: i64,
    created_at: i64,
    changed_at: i64,
}

impl TryFrom<RawRepository> for RepositoryRow {
    type Error = CatalogError;

    fn try_from(raw: RawRepository) -> Result<Self, CatalogError> {
        Ok(Self {
            id: raw.id,
            path: RepositoryPath::from_catalog(raw.path),
            settings: RepositorySettings {
                visibility: Visibility::from_word(&raw.visibility)?,
                overwrite: Overwrite::from_word(&raw.overwrite)?,
                index_format: IndexFormat::from_word(&raw.index_format)?,
                index_detail: IndexDetail::from_word(&raw.index_detail)?,
                artifact_hub_id: raw.artifact_hub_id,
                most_versions: raw.most_versions.map(i64::unsigned_abs),
                most_bytes: raw.most_bytes.map(i64::unsigned_abs),
                keep_untagged_days: raw.keep_untagged_days.map(i64::unsigned_abs),
            },
            version_count: raw.version_count.unsigned_abs(),
            stored_bytes: raw.stored_bytes.unsigned_abs(),
            revision: raw.revision,
            registry_revision: raw.registry_revision,
            settings_revision: raw.settings_revision,
            created_at: Timestamp::from_micros(raw.created_at),
            changed_at: Timestamp::from_micros(raw.changed_at),
        })
    }
}

impl Catalog {
    /// Returns the repository at `path`.
    pub(crate) async fn find_repository(
        &self,
        path: &RepositoryPath,
    ) -> Result<Option<RepositoryRow>, CatalogError> {
        let raw: Option<RawRepository> =
            read!(self, |database| sqlx::query_as("SELECT * FROM repository WHERE path = $1")
                .bind(path.as_str())
                .fetch_optional(database)
                .await)?;
        raw.map(RepositoryRow::try_from).transpose()
    }

    /// Returns every repository in the order of its path.
    pub(crate) async fn list_repositories(&self) -> Result<Vec<RepositoryRow>, CatalogError> {
        let raw: Vec<RawRepository> =
            read!(self, |database| sqlx::query_as("SELECT * FROM repository ORDER BY path")
                .fetch_all(database)
                .await)?;
        raw.into_iter().map(RepositoryRow::try_from).collect()
    }

    /// Creates the repository at `path`; returns it and whether it is new, for it may exist already.
    pub(crate) async fn create_repository(
        &self,
        path: &RepositoryPath,
        settings: RepositorySettings,
        now: Timestamp,
    ) -> Result<(RepositoryRow, bool), CatalogError> {
        self.make(CreateRepository { path: path.clone(), settings, now }).await
    }

    /// Changes the settings of a repository and returns it as it then is, or `None` when it is gone.
    pub(crate) async fn change_settings(
        &self,
        id: i64,
        change: SettingsChange,
    ) -> Result<Option<RepositoryRow>, CatalogError> {
        self.make(ChangeSettings { id, change }).await
    }
}

struct CreateRepository {
    path: RepositoryPath,
    settings: RepositorySettings,
    now: Timestamp,
}

impl Change for CreateRepository {
    type Answer = (RepositoryRow, bool);

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<Self::Answer>, CatalogError> {
        let created = insert(connection, &self.path, &self.settings, self.now).await?;
        let raw: RawRepository =
            on!(connection, |database| sqlx::query_as("SELECT * FROM repository WHERE path = $1")
                .bind(self.path.as_str())
                .fetch_one(database)
                .await)?;
        Ok(Outcome::Commit((RepositoryRow::try_from(raw)?, created)))
    }
}

struct ChangeSettings {
    id: i64,
    change: SettingsChange,
}

impl Change for ChangeSettings {
    type Answer = Option<RepositoryRow>;

    fn repository_id(&self) -> Option<i64> {
        Some(self.id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<Self::Answer>, CatalogError> {
        // The number first: it locks the row, so that two changes at once do not undo each other.
        let raw: Option<RawRepository> = on!(connection, |database| sqlx::query_as(
            "UPDATE repository SET settings_revision = settings_revision + 1 WHERE id = $1 RETURNING *"
        )
        .bind(self.id)
        .fetch_optional(database)
        .await)?;
        let Some(raw) = raw else { return Ok(Outcome::Discard(None)) };
        let mut row = RepositoryRow::try_from(raw)?;
        row.settings = self.change.apply_to(&row.settings);
        update_settings(connection, row.id, &row.settings).await?;
        Ok(Outcome::Commit(Some(row)))
    }
}

/// Returns the repository with this id, inside a view that other queries share.
pub(super) async fn find_by_id(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<RepositoryRow>, CatalogError> {
    let raw: Option<RawRepository> =
        on!(connection, |database| sqlx::query_as("SELECT * FROM repository WHERE id = $1")
            .bind(id)
            .fetch_optional(database)
            .await)?;
    raw.map(RepositoryRow::try_from).transpose()
}

async fn insert(
    connection: &mut Connection,
    path: &RepositoryPath,
    settings: &RepositorySettings,
    now: Timestamp,
) -> Result<bool, CatalogError> {
    let inserted = on!(connection, |database| {
        sqlx::query(
        "INSERT INTO repository (path, visibility, overwrite, index_format, index_detail, artifact_hub_id, \
         most_versions, most_bytes, keep_untagged_days, revision, settings_revision, created_at, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $10) ON CONFLICT (path) DO NOTHING",
    )
    .bind(path.as_str())
    .bind(settings.visibility.word())
    .bind(settings.overwrite.word())
    .bind(settings.index_format.word())
    .bind(settings.index_detail.word())
    .bind(settings.artifact_hub_id.as_deref())
    .bind(column(settings.most_versions))
    .bind(column(settings.most_bytes))
    .bind(column(settings.keep_untagged_days))
    .bind(now.micros())
    .execute(database)
    .await
    .map(|done| done.rows_affected())
    })?;
    Ok(inserted == 1)
}

async fn update_settings(
    connection: &mut Connection,
    id: i64,
    settings: &RepositorySettings,
) -> Result<(), CatalogError> {
    on!(connection, |database| sqlx::query(
        "UPDATE repository SET visibility = $2, overwrite = $3, index_format = $4, index_detail = $5, \
         artifact_hub_id = $6, most_versions = $7, most_bytes = $8, keep_untagged_days = $9 \
         WHERE id = $1",
    )
    .bind(id)
    .bind(settings.visibility.word())
    .bind(settings.overwrite.word())
    .bind(settings.index_format.word())
    .bind(settings.index_detail.word())
    .bind(settings.artifact_hub_id.as_deref())
    .bind(column(settings.most_versions))
    .bind(column(settings.most_bytes))
    .bind(column(settings.keep_untagged_days))
    .execute(database)
    .await
    .map(drop))
}

/// Returns a limit as its column holds it.
fn column(limit: Option<u64>) -> Option<i64> {
    limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX))
}
