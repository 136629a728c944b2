//! Who may write before anyone is known: the admin token given from outside, and open mode.

use super::error::ConfigError;
use super::secret::Secret;
use super::setting::{AnySetting, Setting};
use super::sources::Settings;

const OPEN: Setting<bool> =
    Setting::with_default("open", "false", "let anyone write without a credential; for trials only");
const ADMIN_TOKEN: Setting<Option<Secret>> = Setting::new(
    "admin_token",
    "the first admin token; better `admin_token_file`; unless set, one is made at first start",
);

pub(super) const SETTINGS: &[&dyn AnySetting] = &[&OPEN, &ADMIN_TOKEN];

/// Who may write from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    /// Whether writing needs no credential: `open`, `CHARTROOM_OPEN`, `--open`; default no.
    pub(crate) is_open: bool,
    /// The first admin token: `admin_token_file`, `CHARTROOM_ADMIN_TOKEN_FILE`, or the token itself in `admin_token`,
    /// `CHARTROOM_ADMIN_TOKEN`; default none, then the first start makes one.
    pub(crate) admin_token: Option<Secret>,
}

impl Access {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self { is_open: settings.value(&OPEN)?, admin_token: settings.value(&ADMIN_TOKEN)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{config, refusal};

    #[test]
    fn the_admin_token_comes_from_a_file_without_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "hunter2\r\n").unwrap();
        let access = config(&[("CHARTROOM_ADMIN_TOKEN_FILE", path.to_str().unwrap())]).access;
        assert_eq!(access.admin_token, Some(Secret::new("hunter2")));
        assert!(!format!("{access:?}").contains("hunter2"));
    }

    #[test]
    fn a_token_file_that_is_not_there_or_empty_is_refused() {
        assert!(
            refusal(&[("CHARTROOM_ADMIN_TOKEN_FILE", "/nowhere/token")])
                .starts_with("the variable `CHARTROOM_ADMIN_TOKEN_FILE`: cannot read `/nowhere/token`: ")
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "\n").unwrap();
        assert_eq!(
            refusal(&[("CHARTROOM_ADMIN_TOKEN_FILE", path.to_str().unwrap())]),
            format!(
                "the variable `CHARTROOM_ADMIN_TOKEN_FILE`: cannot read `{}`: the file is empty",
                path.display()
            )
        );
    }

    #[test]
    fn a_token_given_twice_in_one_place_is_refused() {
        assert_eq!(
            refusal(&[("CHARTROOM_ADMIN_TOKEN", "a"), ("CHARTROOM_ADMIN_TOKEN_FILE", "b")]),
            "the variable `CHARTROOM_ADMIN_TOKEN` and the variable `CHARTROOM_ADMIN_TOKEN_FILE` both give the same setting: remove one"
        );
    }
}
