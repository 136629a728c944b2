//! The flags of `chartpack image`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{Output, VaultFolder};

const LOCK_EXAMPLES: &str = "\
Examples:
  chartpack image lock seed-charts/keepalived/image
      keep what was locked, fetch what the vault lacks of it, and build once
  chartpack image lock seed-charts/keepalived/image --update
      take the packages that the distribution has now
  chartpack image lock image --mirror 'http://mirror.example/archive/debian/{snapshot}'
      from an archive that keeps the past, at the recipe's `snapshot`

Without `--mirror` the packages come from where this machine's apt has them from.";

const BUILD_EXAMPLES: &str = "\
Examples:
  chartpack image build seed-charts/keepalived/image -o dist/images
      build from lock and vault, and write an OCI layout
  chartpack image build seed-charts/keepalived/image --check
      build twice, and show what differs first; write nothing

No network is used, not even by the Containerfile's `RUN`. Root is not needed where the user has user namespaces and
lines in /etc/subuid and /etc/subgid.";

/// Flags of `image`.
#[derive(Debug, Args)]
pub(crate) struct ImageArguments {
    /// What to do
    #[command(subcommand)]
    pub(crate) action: ImageAction,
}

/// What to do with an image recipe.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageAction {
    /// Resolve an image recipe to digests, and keep everything it names
    Lock(LockImageArguments),
    /// Build the image of a lock into an OCI layout, without any network
    Build(BuildImageArguments),
}

/// Flags of `image lock`.
#[derive(Debug, Args)]
#[command(after_help = LOCK_EXAMPLES)]
pub(crate) struct LockImageArguments {
    /// The image recipe, or its folder
    #[arg(value_name = "RECIPE", value_hint = ValueHint::AnyPath)]
    pub(crate) recipe: PathBuf,
    /// Look the base up anew, also when the recipe asks for the same one
    #[arg(long)]
    pub(crate) update: bool,
    /// Write nothing; exit with 1 when the lock would change
    #[arg(long)]
    pub(crate) check: bool,
    /// The distribution's archive; `{snapshot}` stands for the recipe's
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) mirror: Option<String>,
    /// The file of keys that must have signed the archive [default: the distribution's on this machine]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) keyring: Option<PathBuf>,
    /// Where everything is kept that was ever locked
    #[command(flatten)]
    pub(crate) vault: VaultFolder,
    /// PEM file with certificate authorities to trust besides the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// Flags of `image build`.
#[derive(Debug, Args)]
#[command(after_help = BUILD_EXAMPLES)]
pub(crate) struct BuildImageArguments {
    /// The image recipe, or its folder
    #[arg(value_name = "RECIPE", value_hint = ValueHint::AnyPath)]
    pub(crate) recipe: PathBuf,
    /// OCI layout to write to, made if need be
    #[arg(short, long = "out-layout", value_name = "FOLDER", default_value = "images", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Build twice and show the first difference; write nothing
    #[arg(long)]
    pub(crate) check: bool,
    /// Build, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where everything is kept that was ever locked
    #[command(flatten)]
    pub(crate) vault: VaultFolder,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
