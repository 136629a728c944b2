//! The flags of commands that ask upstreams and keep what they get.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::upstream::Mirror;

/// The folder of the vault.
#[derive(Debug, Clone, Args)]
pub(crate) struct VaultFolder {
    /// Folder that keeps everything that was ever locked [default: CHARTPACK_VAULT, else in the user's data folder]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) vault: Option<PathBuf>,
}

/// How upstreams are asked.
#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    /// Where what they give is kept.
    #[command(flatten)]
    pub(crate) vault: VaultFolder,
    /// Fetch what lies below an address from another one; CHARTPACK_MIRRORS has more, with blanks between
    #[arg(long, value_name = "FROM=TO")]
    pub(crate) mirror: Vec<Mirror>,
    /// How many recipes to look at at once
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// How often to try again when a server is busy or away
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    pub(crate) retries: u32,
    /// PEM file with the certificate authorities to trust besides the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
}
