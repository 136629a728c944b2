//! The flags of `chartpack sign`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::Output;

const EXAMPLES: &str = "\
Examples:
  gpg --export-secret-keys platform@example.org > signing.key
  chartpack sign dist/*.tgz --key signing.key --passphrase-file passphrase
      write dist/….tgz.prov beside each archive, as `helm package --sign` would
  chartpack sign --check dist/*.tgz --key signing.pub
      check that each archive has a provenance file that one of these keys signed

An archive whose provenance file is good already is left alone. The passphrase is taken from the file, else from
CHARTPACK_SIGNING_PASSPHRASE. `helm verify` and `helm pull --verify` want RSA keys; see the documentation.";

/// Flags of `sign`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SignArguments {
    /// Chart archives
    #[arg(required = true, value_name = "ARCHIVE", value_hint = ValueHint::FilePath)]
    pub(crate) archives: Vec<PathBuf>,
    /// The OpenPGP secret key to sign with; with --check, the public keys
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,
    /// File with the key's passphrase
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "check")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Folder to write the provenance files to [default: beside the archives]
    #[arg(short, long = "out-dir", value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// Write nothing: check the provenance files that are there
    #[arg(long)]
    pub(crate) check: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
