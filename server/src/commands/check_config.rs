//! `chartroom check-config`: the settings in effect and where each came from.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::config::{self, Flags};

/// Prints the settings, or every setting there is with its default.
pub(super) fn run(
    flags: &Flags,
    environment: &BTreeMap<String, String>,
    defaults: bool,
) -> anyhow::Result<()> {
    let text = if defaults { config::describe_defaults() } else { config::describe(flags, environment)? };
    write!(io::stdout().lock(), "{text}")?;
    Ok(())
}
