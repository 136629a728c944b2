//! Roles and what each grants. A role grants what the one below it grants, and one thing more.

use std::fmt;
use std::str::FromStr;

/// What a credential may do in the repositories it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Reads private repositories.
    Reader,
    /// Publishes versions and provenance.
    Publisher,
    /// Deletes versions.
    Curator,
    /// Creates repositories, changes their settings, makes tokens.
    Admin,
}

/// One thing a request needs to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// See what a private repository holds.
    Read,
    /// Publish a version, or provenance for one.
    Publish,
    /// Take a version away.
    Delete,
    /// Create a repository or change its settings.
    Administer,
}

/// The text is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role: use `reader`, `publisher`, `curator` or `admin`")]
pub(crate) struct UnknownRole(String);

impl Role {
    /// Returns the word that stands for the role.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Publisher => "publisher",
            Self::Curator => "curator",
            Self::Admin => "admin",
        }
    }

    /// Tells whether the role grants `permission`.
    pub(crate) fn grants(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }
}

impl Permission {
    /// Returns the lowest role that grants it.
    pub(crate) const fn least_role(self) -> Role {
        match self {
            Self::Read => Role::Reader,
            Self::Publish => Role::Publisher,
            Self::Delete => Role::Curator,
            Self::Administer => Role::Admin,
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Reader, Self::Publisher, Self::Curator, Self::Admin]
            .into_iter()
            .find(|role| role.word() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_grants_what_it_should_and_no_more() {
        use Permission::{Administer, Delete, Publish, Read};
        let all = [Read, Publish, Delete, Administer];
        for (role, granted) in [(Role::Reader, 1), (Role::Publisher, 2), (Role::Curator, 3), (Role::Admin, 4)]
        {
            let grants = all.iter().filter(|permission| role.grants(**permission)).count();
            assert_eq!(grants, granted, "{role}");
        }
    }

    #[test]
    fn words_read_back() {
        for word in ["reader", "publisher", "curator", "admin"] {
            assert_eq!(word.parse::<Role>().unwrap().word(), word);
        }
        assert!("root".parse::<Role>().is_err());
    }
}
