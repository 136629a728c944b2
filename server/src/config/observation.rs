//! What operators see of the running server: its log and its metrics.

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::error::ConfigError;
use super::setting::{AnySetting, Setting};
use super::sources::Settings;
use super::value::FromText;

const LOG_FORMAT: Setting<LogFormat> =
    Setting::with_default("log.format", "text", "`text` for people, `json` for machines");
const LOG_LEVEL: Setting<LogFilter> = Setting::with_default(
    "log.level",
    "info",
    "`error`, `warn`, `info`, `debug`, `trace` or `off`; single parts as `info,chartroom::index=debug`",
);
const LOG_HEALTH: Setting<bool> = Setting::with_default(
    "log.health",
    "false",
    "log the probes of `/live`, `/ready`, `/health` and `/metrics` too",
);
const METRICS_ENABLED: Setting<bool> = Setting::with_default("metrics.enabled", "true", "serve `/metrics`");
const METRICS_ACCESS: Setting<MetricsAccess> = Setting::with_default(
    "metrics.access",
    "anyone",
    "who may read `/metrics`: `anyone`, or `readers` with a credential that may read the default repository",
);

pub(super) const SETTINGS: &[&dyn AnySetting] =
    &[&LOG_FORMAT, &LOG_LEVEL, &LOG_HEALTH, &METRICS_ENABLED, &METRICS_ACCESS];

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Log {
    /// The form of a line: `log.format`, `CHARTROOM_LOG_FORMAT`; default text.
    pub(crate) format: LogFormat,
    /// Which lines: `log.level`, `CHARTROOM_LOG_LEVEL`; default `info`.
    pub(crate) filter: LogFilter,
    /// Whether probes are logged: `log.health`, `CHARTROOM_LOG_HEALTH`; default no.
    pub(crate) logs_health: bool,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which log lines are written, by level and part of the program.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogFilter(Targets);

/// Whether and to whom metrics are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricsAccess {
    /// Not at all: `metrics.enabled`, `CHARTROOM_METRICS_ENABLED` is false.
    Nobody,
    /// To anyone, the default: repositories' names and sizes can be read from them.
    Anyone,
    /// To whom may read the default repository by a credential: `metrics.access`, `CHARTROOM_METRICS_ACCESS`.
    Readers,
}

impl Log {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            format: settings.value(&LOG_FORMAT)?,
            filter: settings.value(&LOG_LEVEL)?,
            logs_health: settings.value(&LOG_HEALTH)?,
        })
    }
}

impl MetricsAccess {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let access = settings.value(&METRICS_ACCESS)?;
        Ok(if settings.value(&METRICS_ENABLED)? { access } else { Self::Nobody })
    }
}

impl LogFilter {
    /// Returns a filter that writes lines of `level` and above, of every part.
    pub(crate) fn of_level(level: LevelFilter) -> Self {
        Self(Targets::new().with_default(level))
    }

    /// Returns the filter in the log library's own type.
    pub(crate) fn targets(&self) -> Targets {
        self.0.clone()
    }
}

impl FromText for LogFormat {
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("`{text}` is neither `text` nor `json`")),
        }
    }
}

impl FromText for LogFilter {
    fn from_text(text: &str) -> Result<Self, String> {
        // The library takes a word that is no level for a part of the program, and then logs nothing else.
        let is_directive = |directive: &str| {
            let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level).trim();
            let is_level = ["off", "error", "warn", "info", "debug", "trace"]
                .iter()
                .any(|name| name.eq_ignore_ascii_case(level));
            is_level && !directive.trim().starts_with('=')
        };
        let refused = || {
            format!(
                "`{text}` is not a log level: write `error`, `warn`, `info`, `debug`, `trace` or `off`, perhaps with `,PART=LEVEL`"
            )
        };
        if !text.split(',').all(is_directive) {
            return Err(refused());
        }
        text.parse().map(Self).map_err(|_| refused())
    }
}

impl FromText for MetricsAccess {
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "anyone" => Ok(Self::Anyone),
            "readers" => Ok(Self::Readers),
            _ => Err(format!("`{text}` is neither `anyone` nor `readers`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{config, refusal};

    #[test]
    fn metrics_are_open_unless_restricted_or_off() {
        for (given, expected) in [
            (&[][..], MetricsAccess::Anyone),
            (&[("CHARTROOM_METRICS_ACCESS", "readers")], MetricsAccess::Readers),
            (
                &[("CHARTROOM_METRICS_ENABLED", "false"), ("CHARTROOM_METRICS_ACCESS", "readers")],
                MetricsAccess::Nobody,
            ),
        ] {
            assert_eq!(config(given).metrics, expected);
        }
        assert_eq!(
            refusal(&[("CHARTROOM_METRICS_ACCESS", "nobody")]),
            "the variable `CHARTROOM_METRICS_ACCESS`: `nobody` is neither `anyone` nor `readers`"
        );
    }

    #[test]
    fn levels_and_parts_are_read_and_misspelt_levels_refused() {
        for text in ["debug", "WARN", "info,chartroom::index=trace", "off"] {
            config(&[("CHARTROOM_LOG_LEVEL", text)]);
        }
        for text in ["inof", "info,chartroom", "=debug", "info,,debug", "chartroom=loud"] {
            assert!(refusal(&[("CHARTROOM_LOG_LEVEL", text)]).contains("is not a log level"), "{text}");
        }
    }
}
