//! `chartroom verify`, `backup`, `restore` and `copy`: what is done with everything at once.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Output;
use crate::config::{BlobsUrl, ByteSize, parse_duration};

/// Flags of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyFlags {
    /// Repair what can be repaired safely: counts, waste, lost bytes of which the store has another copy
    #[arg(long)]
    pub(crate) repair: bool,
    /// Read at most so many bytes a second, as `20MiB` [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = ByteSize::parse)]
    pub(crate) rate: Option<ByteSize>,
    /// Ignore bytes that nobody refers to and that are younger than this [default: collection.grace, 24h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) grace: Option<Duration>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Flags of `backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupFlags {
    /// Where backups lie: a folder or `s3://BUCKET/PREFIX`, reached by the settings of `s3`
    #[arg(long, value_name = "PLACE", value_parser = place)]
    pub(crate) to: BlobsUrl,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Flags of `restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreFlags {
    /// Where backups lie: a folder or `s3://BUCKET/PREFIX`, reached by the settings of `s3`
    #[arg(long, value_name = "PLACE", value_parser = place)]
    pub(crate) from: BlobsUrl,
    /// The backup to restore [default: the newest]
    #[arg(long, value_name = "NAME")]
    pub(crate) backup: Option<String>,
    /// Read and check all of it, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Flags of `copy`.
#[derive(Debug, Args)]
pub(crate) struct CopyFlags {
    /// The stores to read: a configuration file, or the data folder of an embedded server [default: those of this configuration]
    #[arg(long, value_name = "FILE|DIR", required_unless_present = "to")]
    pub(crate) from: Option<PathBuf>,
    /// The stores to fill, which must be empty [default: those of this configuration]
    #[arg(long, value_name = "FILE|DIR", required_unless_present = "from")]
    pub(crate) to: Option<PathBuf>,
    /// Stop all writing to the source first; it stays stopped when everything has been copied
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Read and check everything, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

pub(super) const VERIFY_EXAMPLES: &str = "\
Examples:
  chartroom verify                          read everything once
  chartroom verify --rate 20MiB             without getting in anybody's way
  chartroom verify --repair --output json

It works beside running servers. It ends with 0 when all is well, with 1 when something was found that still stands, and \
with 3 when catalog or store did not answer, so that nothing can be said.";

pub(super) const BACKUP_EXAMPLES: &str = "\
Examples:
  chartroom backup --to /mnt/backups
  chartroom backup --to s3://backups/chartroom

It works beside running servers and shows one moment of the catalog. Backups in the same place share their bytes, so the \
next one copies only what is new. Tokens are in it as digests, the file `admin-token` is not.";

pub(super) const RESTORE_EXAMPLES: &str = "\
Examples:
  chartroom restore --from /mnt/backups --dry-run      is the newest backup whole?
  chartroom restore --from /mnt/backups --data /srv/chartroom
  chartroom restore --from s3://backups/chartroom --backup 20261122T093000.000000Z

Every byte of the backup is checked before the first is written. The catalog to fill must be empty, and no server may run \
on it. The tokens are then those of the backup; `chartroom token create` makes another.";

pub(super) const COPY_EXAMPLES: &str = "\
Examples:
  chartroom copy --from chartroom-data --to production.toml --dry-run
  chartroom copy --from chartroom-data --to production.toml      to Postgres and S3
  chartroom copy --from production.toml --to chartroom-data --read-only      and back

A configuration file names stores by `catalog_url`, `blobs_url` and the settings of `s3`. Nobody may write to the source \
meanwhile: stop its servers, or give --read-only. A copy that was cut off goes on when it is started again.";

/// Reads where backups lie.
fn place(text: &str) -> Result<BlobsUrl, String> {
    if text.starts_with("s3://") || text.starts_with("file:") {
        return BlobsUrl::parse(text);
    }
    if text.is_empty() || text.contains("://") {
        return Err(format!("`{text}` is neither a folder nor `s3://BUCKET/PREFIX`"));
    }
    Ok(BlobsUrl::Folder(text.into()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::CommandLine;
    use super::*;

    #[test]
    fn a_move_names_one_of_its_two_places_at_least() {
        for (line, is_one) in [
            ("chartroom copy --from a --to b", true),
            ("chartroom copy --from a", true),
            ("chartroom copy --to b --dry-run", true),
            ("chartroom copy --dry-run", false),
            ("chartroom copy", false),
        ] {
            assert_eq!(CommandLine::try_parse_from(line.split(' ')).is_ok(), is_one, "{line}");
        }
    }

    #[test]
    fn backups_lie_in_a_folder_or_a_bucket() {
        let bucket = |prefix: &str| BlobsUrl::S3 { bucket: "b".to_owned(), prefix: prefix.to_owned() };
        for (text, expected) in [
            ("/mnt/backups", Some(BlobsUrl::Folder("/mnt/backups".into()))),
            ("file:x", Some(BlobsUrl::Folder("x".into()))),
            ("s3://b/p/", Some(bucket("p"))),
            ("s3://b", Some(bucket(""))),
            ("s3://", None),
            ("https://b/p", None),
            ("", None),
        ] {
            assert_eq!(place(text).ok(), expected, "{text}");
        }
    }
}
