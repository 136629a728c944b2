//! What a registry client asks a token for, and what it got (Docker's token authentication, "Requesting a token").
//!
//! Rights decide what is granted; what is granted only takes away from rights.

use std::fmt;
use std::str::FromStr;

use oci::OciName;
use serde::{Deserialize, Serialize};

/// One thing done with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// Read manifests, blobs, tags and referrers.
    Pull,
    /// Upload blobs, put manifests and tags.
    Push,
    /// Take manifests, tags and blobs away.
    Delete,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `repository:{name}:{action},…`
    Name {
        /// The name.
        name: OciName,
        /// What is to be done with it; those unknown here are left out, `*` stands for all.
        actions: Vec<Action>,
    },
    /// `registry:catalog:*`: the list of names.
    Names,
    /// Something that no registry of ours has; nothing is granted for it, which is no error.
    Other,
}

/// The text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope: write `repository:NAME:pull,push` or `registry:catalog:*`")]
pub(crate) struct InvalidScope(String);

/// What a registry token is good for, as its claim `access` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Grants(Vec<Grant>);

/// One entry of the claim. The words are those of the specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Grant {
    Repository { name: String, actions: Vec<Action> },
    Registry { name: String, actions: Vec<String> },
}

impl Action {
    const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    /// Returns the word that stands for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let invalid = || InvalidScope(text.chars().take(300).collect());
        let (kind, rest) = text.split_once(':').ok_or_else(invalid)?;
        // A name may carry a port, so its end is the last colon.
        let (name, actions) = rest.rsplit_once(':').ok_or_else(invalid)?;
        match (kind, name) {
            ("registry", "catalog") => Ok(Self::Names),
            // `repository(plugin)` and the like: what they hold is kept as anything else.
            (kind, name) if kind == "repository" || kind.starts_with("repository(") => {
                Ok(name.parse().map_or(Self::Other, |name| Self::Name { name, actions: read(actions) }))
            }
            _ => Ok(Self::Other),
        }
    }
}

fn read(actions: &str) -> Vec<Action> {
    let given: Vec<&str> = actions.split(',').collect();
    let is_given = |action: &Action| given.contains(&action.word()) || given.contains(&"*");
    Action::ALL.into_iter().filter(is_given).collect()
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, actions } => {
                let words: Vec<&str> = actions.iter().map(|action| action.word()).collect();
                write!(formatter, "repository:{name}:{}", words.join(","))
            }
            Self::Names => formatter.write_str("registry:catalog:*"),
            Self::Other => Ok(()),
        }
    }
}

impl Grants {
    /// Adds a right to do something with a name.
    pub(crate) fn add(&mut self, name: &OciName, action: Action) {
        let found = self.0.iter_mut().find_map(|grant| match grant {
            Grant::Repository { name: granted, actions } if granted == name.as_str() => Some(actions),
            Grant::Repository { .. } | Grant::Registry { .. } => None,
        });
        match found {
            Some(actions) if actions.contains(&action) => {}
            Some(actions) => actions.push(action),
            None => {
                self.0.push(Grant::Repository { name: name.as_str().to_owned(), actions: vec![action] });
            }
        }
    }

    /// Adds the right to list names.
    pub(crate) fn add_names(&mut self) {
        if !self.allow_names() {
            self.0.push(Grant::Registry { name: "catalog".to_owned(), actions: vec!["*".to_owned()] });
        }
    }

    /// Tells whether that may be done with the name.
    pub(crate) fn allow(&self, name: &OciName, action: Action) -> bool {
        self.0.iter().any(|grant| match grant {
            Grant::Repository { name: granted, actions } => {
                granted == name.as_str() && actions.contains(&action)
            }
            Grant::Registry { .. } => false,
        })
    }

    /// Tells whether the names may be listed.
    pub(crate) fn allow_names(&self) -> bool {
        self.0.iter().any(|grant| matches!(grant, Grant::Registry { name, .. } if name == "catalog"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_clients_write_them() {
        use Action::{Delete, Pull, Push};
        let name = |name: &str, actions: &[Action]| Scope::Name {
            name: name.parse().unwrap(),
            actions: actions.to_vec(),
        };
        for (text, scope) in [
            ("repository:a/b:pull", name("a/b", &[Pull])),
            ("repository:a/b:push,pull", name("a/b", &[Pull, Push])),
            ("repository:a:*", name("a", &[Pull, Push, Delete])),
            ("repository:a:delete", name("a", &[Delete])),
            ("repository(plugin):a:pull", name("a", &[Pull])),
            ("repository:a:", name("a", &[])),
            ("repository:a:fly", name("a", &[])),
            ("registry:catalog:*", Scope::Names),
            ("repository:host:5000/a:pull", Scope::Other),
            ("repository:A:pull", Scope::Other),
            ("registry:stars:*", Scope::Other),
        ] {
            assert_eq!(text.parse(), Ok(scope), "{text}");
        }
        for text in ["", "repository", "repository:a", "a b"] {
            assert_eq!(text.parse::<Scope>(), Err(InvalidScope(text.to_owned())));
        }
        assert_eq!(name("a/b", &[Pull, Delete]).to_string(), "repository:a/b:pull,delete");
    }

    #[test]
    fn a_grant_is_for_one_name_and_its_actions() {
        let [a, b]: [OciName; 2] = ["a", "a/b"].map(|name| name.parse().unwrap());
        let mut grants = Grants::default();
        assert!(!grants.allow(&a, Action::Pull) && !grants.allow_names());
        grants.add(&a, Action::Pull);
        grants.add(&a, Action::Push);
        grants.add(&a, Action::Push);
        grants.add_names();
        assert!(grants.allow(&a, Action::Pull) && grants.allow(&a, Action::Push) && grants.allow_names());
        assert!(!grants.allow(&a, Action::Delete) && !grants.allow(&b, Action::Pull));
        assert_eq!(
            serde_json::to_value(&grants).unwrap(),
            serde_json::json!([
                { "type": "repository", "name": "a", "actions": ["pull", "push"] },
                { "type": "registry", "name": "catalog", "actions": ["*"] },
            ])
        );
    }
}
