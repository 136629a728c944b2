//! `chartpack vault`: lists, verifies and collects what was ever locked.

use std::collections::BTreeSet;
use std::io::Write;

use super::CommandRefusal;
use super::fetch::vault_folder;
use crate::cli::{VaultAction, VaultArguments};
use crate::config::Config;
use crate::image_build::needed_by;
use crate::lock::{LockRefusal, read_lock};
use crate::report;
use crate::vault::Vault;

/// Does what the flags name.
pub(super) fn run(
    arguments: VaultArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let VaultArguments { action, vault, output } = arguments;
    let folder = vault_folder(vault, config)?;
    match action {
        VaultAction::List => {
            report::write_kept(out, &Vault::open(&folder)?.list()?, output)?;
            Ok(0)
        }
        VaultAction::Verify => {
            let vault = Vault::open(&folder)?;
            let damaged = vault.damaged()?;
            report::write_verified(out, vault.list()?.len(), &damaged, output)?;
            Ok(u8::from(!damaged.is_empty()))
        }
        VaultAction::Collect { keep, dry_run } => {
            let mut needed = BTreeSet::new();
            for path in keep {
                // A lock that cannot be read names nothing, and everything would go.
                match needed_by(&path)? {
                    Some(of_image) => needed.extend(of_image),
                    None => needed.extend(read_lock(&path)?.ok_or(LockRefusal::NoLock(path))?.needed()),
                }
            }
            let collected = Vault::collect(&folder, &needed, dry_run)?;
            report::write_collected(out, &collected, dry_run, output)?;
            Ok(0)
        }
    }
}
