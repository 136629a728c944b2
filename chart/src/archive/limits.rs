//! Limits on one archive, and what has been used of them.
//!
//! One count runs through an archive and all archives nested in it, so that nesting multiplies nothing.

use super::ArchiveError;

/// How much of extended headers (PAX records, GNU long names) one archive may hold: they carry names, not content.
const EXTENSION_BYTES: u64 = 16 * 1024 * 1024;

/// How much YAML (`Chart.yaml`, `values.yaml`, lock files of all levels) is read of one archive: parsing is the
/// dearest part of a check, at some 5 MB a second. The largest charts seen have a third of a megabyte.
const YAML_BYTES: u64 = 8 * 1024 * 1024;

/// How many subcharts one archive may hold, at all levels: each costs up to five parsed files.
const SUBCHARTS: u64 = 250;

/// What an archive may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the `.tgz` itself.
    pub compressed_bytes: u64,
    /// Bytes of all files together must stay below this, nested archives included.
    pub unpacked_bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Tar entries of every type, nested archives included.
    pub entries: u64,
    /// Levels of subcharts below the chart, as folders or as nested archives.
    pub depth: usize,
}

impl Default for Limits {
    /// Returns Helm 3's limits (100 MiB unpacked, 5 MiB a file) and caps of our own for what Helm does not bound.
    fn default() -> Self {
        Self {
            compressed_bytes: 100 * 1024 * 1024,
            unpacked_bytes: 100 * 1024 * 1024,
            file_bytes: 5 * 1024 * 1024,
            entries: 20_000,
            depth: 10,
        }
    }
}

/// What reading an archive has used of its limits so far.
#[derive(Debug)]
pub(super) struct Usage<'l> {
    pub(super) limits: &'l Limits,
    entries: u64,
    unpacked_bytes: u64,
    extension_bytes: u64,
    yaml_bytes: u64,
    subcharts: u64,
}

impl<'l> Usage<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { limits, entries: 0, unpacked_bytes: 0, extension_bytes: 0, yaml_bytes: 0, subcharts: 0 }
    }

    pub(super) fn add_entry(&mut self) -> Result<(), ArchiveError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(ArchiveError::TooManyEntries { limit: self.limits.entries });
        }
        Ok(())
    }

    /// Counts one file's declared size before any of it is unpacked.
    pub(super) fn add_file(&mut self, entry: &str, bytes: u64) -> Result<(), ArchiveError> {
        // Saturating: the size is the attacker's number.
        self.unpacked_bytes = self.unpacked_bytes.saturating_add(bytes);
        if self.unpacked_bytes >= self.limits.unpacked_bytes {
            let limit = self.limits.unpacked_bytes;
            return Err(ArchiveError::UnpackedTooLarge { entry: entry.to_owned(), limit });
        }
        if bytes > self.limits.file_bytes {
            let limit = self.limits.file_bytes;
            return Err(ArchiveError::FileTooLarge { entry: entry.to_owned(), bytes, limit });
        }
        Ok(())
    }

    pub(super) fn add_extension(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        self.extension_bytes = self.extension_bytes.saturating_add(bytes);
        if self.extension_bytes > EXTENSION_BYTES {
            return Err(ArchiveError::ExtensionTooLarge { limit: EXTENSION_BYTES });
        }
        Ok(())
    }

    pub(super) fn add_yaml(&mut self, entry: &str, bytes: usize) -> Result<(), ArchiveError> {
        self.yaml_bytes = self.yaml_bytes.saturating_add(bytes as u64);
        if self.yaml_bytes > YAML_BYTES {
            return Err(ArchiveError::TooMuchYaml { entry: entry.to_owned(), limit: YAML_BYTES });
        }
        Ok(())
    }

    /// Counts a subchart that has `depth` charts around it.
    pub(super) fn add_subchart(&mut self, path: &str, depth: usize) -> Result<(), ArchiveError> {
        self.subcharts += 1;
        if self.subcharts > SUBCHARTS {
            return Err(ArchiveError::TooManySubcharts { limit: SUBCHARTS });
        }
        if depth > self.limits.depth {
            return Err(ArchiveError::TooDeep { path: path.to_owned(), limit: self.limits.depth });
        }
        Ok(())
    }
}
