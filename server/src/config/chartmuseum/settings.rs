//! ChartMuseum's settings as types.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use super::error::DropInError;
use super::given::GivenOptions;
use super::storage::ArchiveStore;
use crate::config::value::FromText;
use crate::config::{ByteSize, ContextPath, HeaderText, HttpUrl, Secret, TlsFiles};

/// What a ChartMuseum was started with, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChartMuseumSettings {
    /// `--listen-host`, default `0.0.0.0`.
    pub(crate) listen_host: String,
    /// `--port`, default 8080.
    pub(crate) listen_port: u16,
    /// `--tls-cert`, `--tls-key`, `--tls-ca-cert`; default none.
    pub(crate) tls: Option<TlsFiles>,
    /// `--storage` and what belongs to it: where the archives are.
    pub(crate) archives: ArchiveStore,
    /// `--depth`, `--depth-dynamic`; default 0.
    pub(crate) depth: TenantDepth,
    /// `--allow-overwrite`, `--disable-force-overwrite`; default [`OverwriteRule::WhenForced`].
    pub(crate) overwrite: OverwriteRule,
    /// Whether `/api` is served: not `--disable-api`.
    pub(crate) serves_api: bool,
    /// Whether `DELETE` is: not `--disable-delete`.
    pub(crate) serves_delete: bool,
    /// Who may write, and read unless `anonymous_get`.
    pub(crate) login: Login,
    /// `--auth-anonymous-get`: whether reading needs no credential where writing does.
    pub(crate) anonymous_get: bool,
    /// `--max-upload-size`, default 20 MiB.
    pub(crate) max_upload_bytes: ByteSize,
    /// `--max-storage-objects`; default no limit.
    pub(crate) objects_per_tenant: Option<NonZeroU64>,
    /// `--per-chart-limit`; default no limit.
    pub(crate) versions_per_chart: Option<NonZeroU64>,
    /// `--chart-post-form-field-name`, beside `chart`.
    pub(crate) chart_field: String,
    /// `--prov-post-form-field-name`, beside `prov`.
    pub(crate) provenance_field: String,
    /// `--json-index`: whether `index.yaml` is JSON.
    pub(crate) json_index: bool,
    /// `--chart-url`; default relative URLs.
    pub(crate) chart_url: Option<HttpUrl>,
    /// `--context-path`; default none.
    pub(crate) context_path: ContextPath,
    /// `--cors-alloworigin`; default no header.
    pub(crate) cors_allow_origin: Option<HeaderText>,
    /// `--artifact-hub-repo-id`, by tenant; the default repository's key is empty.
    pub(crate) artifact_hub: BTreeMap<String, String>,
    /// `--cache-interval`: how often files copied in by hand are looked for, default 5 minutes; `None` is never.
    pub(crate) rescan_interval: Option<Duration>,
    /// `--storage-timestamp-tolerance`: how much later a file's time must be to count as changed, default 0.
    pub(crate) timestamp_tolerance: Duration,
    /// `--read-timeout`, default 30 s.
    pub(crate) read_timeout: Duration,
    /// `--gen-index`: print the index and end.
    pub(crate) prints_index: bool,
    /// `--enable-metrics` without `--disable-metrics`.
    pub(crate) serves_metrics: bool,
    /// `--log-json`.
    pub(crate) logs_json: bool,
    /// `--debug`.
    pub(crate) logs_debug: bool,
    /// `--log-health`.
    pub(crate) logs_health: bool,
}

/// How many segments a tenant's path has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TenantDepth {
    /// Always so many; 0 is one repository at the root.
    Fixed(usize),
    /// Any number, told from the address.
    Dynamic,
}

/// When an upload may take the place of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverwriteRule {
    /// Always.
    Always,
    /// When the request says `?force`.
    WhenForced,
    /// Never.
    Never,
}

/// Who may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// Nobody is asked: anyone may.
    Nobody,
    /// One user with a password.
    Basic {
        /// `--basic-auth-user`.
        user: String,
        /// `--basic-auth-pass`.
        password: Secret,
    },
    /// Who has a token that the token service signed for the tenant.
    Bearer {
        /// `--auth-realm`: the URL of the token service.
        realm: String,
        /// `--auth-service`: this service's name there.
        service: String,
        /// `--auth-cert-path`: a PEM file with the service's public RSA key.
        public_key: PathBuf,
    },
}

impl ChartMuseumSettings {
    pub(super) fn read(options: &GivenOptions, archives: ArchiveStore) -> Result<Self, DropInError> {
        let path = |flag| options.some_text(flag).map(PathBuf::from);
        Ok(Self {
            listen_host: options.text("listen-host"),
            listen_port: u16::try_from(options.number("port")).map_err(|_| {
                invalid(options, "port", options.number("port"), "write a port from 0 to 65535")
            })?,
            tls: TlsFiles::from_paths(
                path("tls-cert"),
                path("tls-key"),
                path("tls-ca-cert"),
                ["--tls-cert", "--tls-key", "--tls-ca-cert"],
            )?,
            archives,
            depth: depth(options)?,
            overwrite: overwrite(options),
            serves_api: !options.switch("disable-api"),
            serves_delete: !options.switch("disable-delete"),
            login: login(options)?,
            anonymous_get: options.switch("auth-anonymous-get"),
            max_upload_bytes: ByteSize::from_bytes(options.positive("max-upload-size").unwrap_or(0)),
            objects_per_tenant: options.positive("max-storage-objects").and_then(NonZeroU64::new),
            versions_per_chart: options.positive("per-chart-limit").and_then(NonZeroU64::new),
            chart_field: options.text("chart-post-form-field-name"),
            provenance_field: options.text("prov-post-form-field-name"),
            json_index: options.switch("json-index"),
            chart_url: typed(options, "chart-url")?,
            context_path: typed(options, "context-path")?.unwrap_or_default(),
            cors_allow_origin: typed(options, "cors-alloworigin")?,
            artifact_hub: options.pairs("artifact-hub-repo-id"),
            rescan_interval: Some(options.time("cache-interval")).filter(|interval| !interval.is_zero()),
            timestamp_tolerance: options.time("storage-timestamp-tolerance"),
            read_timeout: Duration::from_secs(options.positive("read-timeout").unwrap_or(30)),
            prints_index: options.switch("gen-index"),
            serves_metrics: options.switch("enable-metrics") && !options.switch("disable-metrics"),
            logs_json: options.switch("log-json"),
            logs_debug: options.switch("debug"),
            logs_health: options.switch("log-health"),
        })
    }

    /// Returns a warning if anyone may write.
    pub(super) fn open_warning(&self) -> Option<String> {
        (self.login == Login::Nobody).then(|| {
            "anyone may publish and delete, as with ChartMuseum: set `--basic-auth-user` and `--basic-auth-pass`".to_owned()
        })
    }
}

fn depth(options: &GivenOptions) -> Result<TenantDepth, DropInError> {
    if options.switch("depth-dynamic") {
        return Ok(TenantDepth::Dynamic);
    }
    let number = options.number("depth");
    let depth = usize::try_from(number).map_err(|_| invalid(options, "depth", number, "write 0 or more"))?;
    Ok(TenantDepth::Fixed(depth))
}

fn overwrite(options: &GivenOptions) -> OverwriteRule {
    match (options.switch("allow-overwrite"), options.switch("disable-force-overwrite")) {
        (true, _) => OverwriteRule::Always,
        (false, false) => OverwriteRule::WhenForced,
        (false, true) => OverwriteRule::Never,
    }
}

/// Bearer tokens come before the one user, as there. ChartMuseum takes half a user for none and lets anyone write; here
/// that stops the start.
fn login(options: &GivenOptions) -> Result<Login, DropInError> {
    if options.switch("bearer-auth") {
        return Ok(Login::Bearer {
            realm: options.some_text("auth-realm").ok_or(DropInError::MissingAuthRealm)?,
            service: options.some_text("auth-service").ok_or(DropInError::MissingAuthService)?,
            public_key: options.some_text("auth-cert-path").ok_or(DropInError::MissingAuthCertPath)?.into(),
        });
    }
    let (user, password) = ("basic-auth-user", "basic-auth-pass");
    match (options.some_text(user), options.some_text(password)) {
        (Some(user), Some(password)) => Ok(Login::Basic { user, password: Secret::new(password) }),
        (Some(_), None) => Err(DropInError::HalfLogin { given: user, missing: password }),
        (None, Some(_)) => Err(DropInError::HalfLogin { given: password, missing: user }),
        (None, None) => Ok(Login::Nobody),
    }
}

fn typed<T: FromText>(options: &GivenOptions, flag: &'static str) -> Result<Option<T>, DropInError> {
    let Some(text) = options.some_text(flag) else { return Ok(None) };
    T::from_text(&text).map(Some).map_err(|reason| invalid(options, flag, text, &reason))
}

fn invalid(options: &GivenOptions, flag: &'static str, text: impl ToString, expected: &str) -> DropInError {
    DropInError::InvalidValue {
        named: options.name(flag),
        text: text.to_string(),
        expected: expected.to_owned(),
    }
}
