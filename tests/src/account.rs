//! The account that a program runs as which refuses to run as root.
//! Rule: as anybody else than root, we are that account ourselves.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Accounts without rights on files of others, the better one first.
const NAMES: [&str; 2] = ["postgres", "nobody"];

/// An account of this system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// Returns our own account, or as root one without root's rights.
    ///
    /// # Errors
    /// When we are root and there is no such account.
    pub fn without_rights() -> Result<Self> {
        let own = fs::metadata("/proc/self").context("cannot tell who we are")?;
        if own.uid() != 0 {
            return Ok(Self { user: own.uid(), group: own.gid() });
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read the accounts")?;
        NAMES.iter().find_map(|name| account(&accounts, name)).context("no account but root to run it as")
    }

    /// Returns the account's number.
    pub fn user(self) -> u32 {
        self.user
    }

    /// Gives a file or folder to the account.
    ///
    /// # Errors
    /// When it is not ours to give.
    pub fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.user), Some(self.group))
            .with_context(|| format!("cannot give `{}` to account {}", path.display(), self.user))
    }

    /// Lets a command run as the account.
    pub fn run_as(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}

fn account(accounts: &str, name: &str) -> Option<Account> {
    let fields: Vec<&str> = accounts
        .lines()
        .map(|line| line.split(':').collect())
        .find(|fields: &Vec<_>| fields.first() == Some(&name))?;
    Some(Account { user: fields.get(2)?.parse().ok()?, group: fields.get(3)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\npostgres2:x:7:7::/:/bin/sh\npostgres:x:101:104:,,,:/:/bin/sh\n";
        assert_eq!(account(accounts, "postgres"), Some(Account { user: 101, group: 104 }));
        assert_eq!(account(accounts, "nobody"), None);
    }
}
