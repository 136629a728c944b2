//! The help of the drop-in: ChartMuseum's options, and what becomes of those that are different here.

use super::options::{ChartMuseumOption, Kind, OPTIONS, Support};

/// Returns the whole help.
pub(super) fn text() -> String {
    let mut text = String::from(
        "Serves in place of ChartMuseum, with its flags, variables and configuration file.\n\n\
         Usage: chartmuseum --storage local --storage-local-rootdir DIR [--port 8080] [OPTIONS]\n\n\
         Flags take one dash or two; each can also be set by the variable beside it or in the file of --config.\n\n\
         Options:\n",
    );
    for option in OPTIONS.iter().filter(|option| !matches!(option.support, Support::OfBackend(_))) {
        text.push_str(&line(option));
    }
    text.push_str(
        "\nThe --storage-* options of other backends are accepted and have no effect. Settings that ChartMuseum does not\n\
         have, such as trusted proxies, are CHARTROOM_ variables: see `chartroom check-config --defaults`.\n",
    );
    text
}

fn line(option: &ChartMuseumOption) -> String {
    let value = match option.kind {
        Kind::Switch => "",
        Kind::Number => " N",
        Kind::Text => " TEXT",
        Kind::Time => " TIME",
        Kind::Pairs => " [TENANT=]ID",
    };
    let default = match (option.kind, option.default) {
        (Kind::Switch, _) | (_, "") => String::new(),
        (_, default) => format!(" [default: {default}]"),
    };
    let note = match option.support {
        Support::Honoured | Support::OfBackend(_) => "",
        Support::Idle(_) => " (no effect)",
        Support::Refused(_) => " (not served)",
    };
    let flag = format!("--{}{value}", option.flag);
    format!("  {flag:<38} {}{default}{note} [{}]\n", option.summary, option.variable)
}
