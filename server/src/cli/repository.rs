//! `chartroom repository`: repositories and their settings.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::Output;
use crate::catalog::{IndexDetail, IndexFormat, Overwrite, SettingsChange, Visibility};
use crate::config::ByteSize;
use crate::repository_path::RepositoryPath;

/// What can be done with repositories; the path of the default one is `/`.
#[derive(Debug, Subcommand)]
pub(crate) enum RepositoryCommand {
    /// Create a repository; settings not given are: public, overwrite refused, full JSON index
    #[command(after_help = "\
Examples:
  chartroom repository create playcekube
  chartroom repository create team/a --visibility private --index lean")]
    Create {
        /// Its path: segments of lower-case letters and digits, joined by `/`
        path: RepositoryPath,
        #[command(flatten)]
        settings: RepositorySettingFlags,
    },
    /// List repositories
    List {
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Change settings; those not given stay as they are
    #[command(
        group = clap::ArgGroup::new("setting").required(true).multiple(true)
            .args([
                "visibility",
                "overwrite",
                "index_format",
                "index_detail",
                "artifact_hub_id",
                "most_versions",
                "most_bytes",
                "keep_untagged_days",
            ]),
        after_help = "\
Examples:
  chartroom repository set team/a --visibility public
  chartroom repository set team/a --most-versions 5000 --most-bytes 10GiB
  chartroom repository set / --index-format yaml
  chartroom repository set images --overwrite allowed --keep-untagged-days 30"
    )]
    Set {
        /// Its path
        path: RepositoryPath,
        #[command(flatten)]
        settings: RepositorySettingFlags,
    },
    /// Show a repository's settings and what it holds
    Show {
        /// Its path
        path: RepositoryPath,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

/// A repository's settings, each of which may be left out.
#[derive(Debug, Args)]
pub(crate) struct RepositorySettingFlags {
    /// Who may read it: anyone, or holders of a token
    #[arg(long, value_parser = words([Visibility::Public, Visibility::Private], Visibility::word))]
    visibility: Option<Visibility>,
    /// Whether a published version may be replaced: never, when the request says `?force`, always
    #[arg(long, value_parser = words([Overwrite::Refused, Overwrite::Forced, Overwrite::Allowed], Overwrite::word))]
    overwrite: Option<Overwrite>,
    /// The form of `index.yaml`; every Helm reads both, JSON several times faster
    #[arg(long, value_parser = words([IndexFormat::Json, IndexFormat::Yaml], IndexFormat::word))]
    index_format: Option<IndexFormat>,
    /// How much the index says of versions that are not the newest; lean is about a third of the bytes
    #[arg(long, visible_alias = "index", value_parser = words([IndexDetail::Full, IndexDetail::Lean], IndexDetail::word))]
    index_detail: Option<IndexDetail>,
    /// The repository's id at Artifact Hub; an empty text takes it away
    #[arg(long, value_name = "ID")]
    artifact_hub_id: Option<String>,
    /// How many versions it may hold; 0 for no limit
    #[arg(long, value_name = "NUMBER")]
    most_versions: Option<u64>,
    /// How many bytes of archives and provenance files it may hold, as `10GiB`; 0 for no limit
    #[arg(long, value_name = "SIZE", value_parser = ByteSize::parse)]
    most_bytes: Option<ByteSize>,
    /// After how many days the collector takes a manifest that no tag, index or subject keeps; 0 for never
    #[arg(long, value_name = "DAYS")]
    keep_untagged_days: Option<u64>,
}

impl RepositorySettingFlags {
    /// Returns the settings that were given, as a change.
    pub(crate) fn change(&self) -> SettingsChange {
        SettingsChange {
            visibility: self.visibility,
            overwrite: self.overwrite,
            index_format: self.index_format,
            index_detail: self.index_detail,
            artifact_hub_id: self.artifact_hub_id.clone(),
            most_versions: self.most_versions,
            most_bytes: self.most_bytes.map(ByteSize::bytes),
            keep_untagged_days: self.keep_untagged_days,
        }
    }
}

/// Returns a parser of the words that stand for `values`, which help and errors then list.
fn words<T, const N: usize>(values: [T; N], word: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(values.map(word)).try_map(move |text| {
        values
            .into_iter()
            .find(|value| word(*value) == text)
            .ok_or_else(|| format!("`{text}` is not a word known here"))
    })
}
