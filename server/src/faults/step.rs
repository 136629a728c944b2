//! The steps after which a process may end. The stories include this file, so that a step without a case there does
//! not build.

/// A step that is done, of an operation that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// An uploaded archive was found good; nothing is kept yet.
    ArchiveChecked,
    /// The bytes are on disk under a staged name.
    FileSynced,
    /// The bytes have their final name, which may not be on disk.
    FileRenamed,
    /// The bytes of a version are stored; nobody knows them.
    BytesKept,
    /// Rows are written in a transaction that is not committed.
    ChangesMade,
    /// The transaction is committed; nobody was answered.
    ChangesCommitted,
    /// The index shows the change; the client was not answered.
    ChangeListed,
    /// The collector forgot versions whose grace is over.
    RemovedForgotten,
    /// The collector forgot rows of bytes that are still there.
    RowsForgotten,
    /// The collector removed bytes, and has more to remove.
    BytesRemoved,
    /// The collector found bytes that nobody knows.
    OrphanFound,
    /// A backup has read the catalog and copied nothing.
    CatalogReadForBackup,
    /// A backup has copied some of the bytes.
    BlobBackedUp,
    /// A backup has everything but the list that makes it one.
    PartsBackedUp,
    /// A backup is whole; nobody was told.
    BackupNamed,
}

impl Step {
    /// Every step, in the order in which they come.
    pub(crate) const ALL: [Self; 15] = [
        Self::ArchiveChecked,
        Self::FileSynced,
        Self::FileRenamed,
        Self::BytesKept,
        Self::ChangesMade,
        Self::ChangesCommitted,
        Self::ChangeListed,
        Self::RemovedForgotten,
        Self::RowsForgotten,
        Self::BytesRemoved,
        Self::OrphanFound,
        Self::CatalogReadForBackup,
        Self::BlobBackedUp,
        Self::PartsBackedUp,
        Self::BackupNamed,
    ];

    /// Returns the name by which a story asks for the step.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ArchiveChecked => "archive-checked",
            Self::FileSynced => "file-synced",
            Self::FileRenamed => "file-renamed",
            Self::BytesKept => "bytes-kept",
            Self::ChangesMade => "changes-made",
            Self::ChangesCommitted => "changes-committed",
            Self::ChangeListed => "change-listed",
            Self::RemovedForgotten => "removed-forgotten",
            Self::RowsForgotten => "rows-forgotten",
            Self::BytesRemoved => "bytes-removed",
            Self::OrphanFound => "orphan-found",
            Self::CatalogReadForBackup => "catalog-read-for-backup",
            Self::BlobBackedUp => "blob-backed-up",
            Self::PartsBackedUp => "parts-backed-up",
            Self::BackupNamed => "backup-named",
        }
    }
}
