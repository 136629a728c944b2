//! What the flags of commands mean that ask upstreams: who asks, and where the answers are kept.

use std::path::PathBuf;

use super::CommandRefusal;
use crate::cli::{FetchArguments, VaultFolder};
use crate::config::Config;
use crate::upstream::{Fetcher, FetcherSettings, Mirror, Mirrors};
use crate::vault::Vault;

/// How often a server that is busy is asked again where no flag says it.
pub(super) const RETRIES: u32 = 4;

/// Returns who asks upstreams as the flags say.
pub(super) fn fetcher_of(arguments: &FetchArguments, config: &Config) -> Result<Fetcher, CommandRefusal> {
    let FetchArguments { mirror, retries, ca_file, .. } = arguments;
    fetcher(ca_file.clone(), *retries, mirror, config)
}

/// Returns who asks upstreams; the mirrors of the environment come after those given.
pub(super) fn fetcher(
    ca_file: Option<PathBuf>,
    retries: u32,
    mirrors: &[Mirror],
    config: &Config,
) -> Result<Fetcher, CommandRefusal> {
    Ok(Fetcher::new(&FetcherSettings {
        retries,
        authorities: read_authorities(ca_file)?,
        credentials: config.credentials.clone(),
        mirrors: Mirrors::new(mirrors.iter().chain(&config.mirrors).cloned()),
    })?)
}

/// Returns the certificates in the file of `--ca-file`, if there is one.
pub(super) fn read_authorities(path: Option<PathBuf>) -> Result<Option<Vec<u8>>, CommandRefusal> {
    let read = |path: PathBuf| std::fs::read(&path).map_err(|reason| CommandRefusal::File { path, reason });
    path.map(read).transpose()
}

/// Returns the folder of the vault: the flag's, else the environment's, else the user's.
pub(super) fn vault_folder(flag: Option<PathBuf>, config: &Config) -> Result<PathBuf, CommandRefusal> {
    flag.or_else(|| config.vault.clone()).ok_or(CommandRefusal::NoVault)
}

/// Opens the vault in the folder that the flag names.
pub(super) fn open_vault(flag: &VaultFolder, config: &Config) -> Result<Vault, CommandRefusal> {
    Ok(Vault::open(&vault_folder(flag.vault.clone(), config)?)?)
}
