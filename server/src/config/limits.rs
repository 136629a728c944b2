//! How much the server takes from one client, one repository and all at once.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use super::byte_size::ByteSize;
use super::error::ConfigError;
use super::setting::{AnySetting, Setting};
use super::sources::Settings;

const MAX_CHART_BYTES: Setting<ByteSize> = Setting::with_default(
    "limits.max_chart_bytes",
    "20MiB",
    "largest upload of a chart archive or its provenance",
);
const HEADER_TIMEOUT: Setting<Duration> = Setting::with_default(
    "limits.header_timeout",
    "75s",
    "how long a connection may take to send a request's head, and may stay idle; longer than the proxy's own idle time",
);
const BODY_IDLE_TIMEOUT: Setting<Duration> =
    Setting::with_default("limits.body_idle_timeout", "30s", "how long an upload may send nothing");
const WRITE_IDLE_TIMEOUT: Setting<Duration> = Setting::with_default(
    "limits.write_idle_timeout",
    "30s",
    "how long a client may take nothing of the answer it is sent",
);
const CONNECTIONS: Setting<NonZeroUsize> = Setting::with_default(
    "limits.connections",
    "10000",
    "connections open at once; more are closed when they come. Each takes a file descriptor",
);
const CONCURRENT_REQUESTS: Setting<NonZeroUsize> =
    Setting::with_default("limits.concurrent_requests", "1024", "requests handled at once; more wait");
const VERSIONS_PER_CHART: Setting<u64> = Setting::with_default(
    "limits.versions_per_chart",
    "0",
    "versions kept of a chart, the oldest go when more are published; 0 keeps all",
);
const OBJECTS_PER_REPOSITORY: Setting<u64> = Setting::with_default(
    "limits.objects_per_repository",
    "0",
    "archives and provenance files a repository may hold; 0 is no limit",
);

pub(super) const SETTINGS: &[&dyn AnySetting] = &[
    &MAX_CHART_BYTES,
    &HEADER_TIMEOUT,
    &BODY_IDLE_TIMEOUT,
    &WRITE_IDLE_TIMEOUT,
    &CONNECTIONS,
    &CONCURRENT_REQUESTS,
    &VERSIONS_PER_CHART,
    &OBJECTS_PER_REPOSITORY,
];

/// The server's limits. Each is `limits.NAME` in the file and `CHARTROOM_LIMITS_NAME` in the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The largest upload of a chart: `limits.max_chart_bytes`, `CHARTROOM_LIMITS_MAX_CHART_BYTES`; default 20 MiB.
    pub(crate) max_chart_bytes: ByteSize,
    /// How long a connection may take to send a request's head, and stay idle between two: `limits.header_timeout`,
    /// `CHARTROOM_LIMITS_HEADER_TIMEOUT`; default 75 s, since nginx keeps idle connections to a server for 60 s and a
    /// server that closes first makes it answer 502.
    pub(crate) header_timeout: Duration,
    /// How long a request body may send nothing: `limits.body_idle_timeout`, `CHARTROOM_LIMITS_BODY_IDLE_TIMEOUT`;
    /// default 30 s.
    pub(crate) body_idle_timeout: Duration,
    /// How long a client may take nothing of an answer: `limits.write_idle_timeout`,
    /// `CHARTROOM_LIMITS_WRITE_IDLE_TIMEOUT`; default 30 s.
    pub(crate) write_idle_timeout: Duration,
    /// How many connections are open at once, on all listeners together: `limits.connections`,
    /// `CHARTROOM_LIMITS_CONNECTIONS`; default 10,000.
    pub(crate) connections: NonZeroUsize,
    /// How many requests are handled at once: `limits.concurrent_requests`, `CHARTROOM_LIMITS_CONCURRENT_REQUESTS`;
    /// default 1024.
    pub(crate) concurrent_requests: NonZeroUsize,
    /// How many versions of a chart are kept: `limits.versions_per_chart`, `CHARTROOM_LIMITS_VERSIONS_PER_CHART`;
    /// default all.
    pub(crate) versions_per_chart: Option<NonZeroU64>,
    /// How many archives and provenance files a repository may hold: `limits.objects_per_repository`,
    /// `CHARTROOM_LIMITS_OBJECTS_PER_REPOSITORY`; default no limit.
    pub(crate) objects_per_repository: Option<NonZeroU64>,
}

impl Limits {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            max_chart_bytes: settings.value(&MAX_CHART_BYTES)?,
            header_timeout: settings.value(&HEADER_TIMEOUT)?,
            body_idle_timeout: settings.value(&BODY_IDLE_TIMEOUT)?,
            write_idle_timeout: settings.value(&WRITE_IDLE_TIMEOUT)?,
            connections: settings.value(&CONNECTIONS)?,
            concurrent_requests: settings.value(&CONCURRENT_REQUESTS)?,
            versions_per_chart: NonZeroU64::new(settings.value(&VERSIONS_PER_CHART)?),
            objects_per_repository: NonZeroU64::new(settings.value(&OBJECTS_PER_REPOSITORY)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::config;

    #[test]
    fn unset_limits_have_their_documented_defaults_and_zero_is_none() {
        let limits = config(&[]).limits;
        assert_eq!(limits.max_chart_bytes.bytes(), 20 << 20);
        assert_eq!(limits.header_timeout, Duration::from_secs(75));
        assert_eq!((limits.versions_per_chart, limits.objects_per_repository), (None, None));
        let given = config(&[("CHARTROOM_LIMITS_VERSIONS_PER_CHART", "3")]).limits;
        assert_eq!(given.versions_per_chart, NonZeroU64::new(3));
    }
}
