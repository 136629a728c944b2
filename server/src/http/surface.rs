//! How the surfaces look: Chartroom's own way, or ChartMuseum's for those who come from it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::route::Tenancy;
use crate::config::{MetricsAccess, Proxies, ProxyHeaders};
use crate::index::Format;

/// What differs between the two, and what the operator may name.
#[derive(Debug, Clone)]
pub(crate) struct Surface {
    pub(crate) tenancy: Tenancy,
    /// The path below which everything lives, such as `/charts`; `None` at the root.
    pub(crate) context_path: Option<String>,
    /// Whether a repository that does not exist looks like one without charts.
    pub(crate) unknown_is_empty: bool,
    /// Whether a wrong verb is "not found" instead of "method not allowed".
    pub(crate) wrong_verb_is_unknown: bool,
    /// Whether `/api` is served.
    pub(crate) api: bool,
    /// Whether the OCI registry is served under `/v2`.
    pub(crate) registry: bool,
    /// Whether versions may be deleted through `/api`.
    pub(crate) deletes: bool,
    /// The content type of `index.yaml`.
    pub(crate) index_type: &'static str,
    /// The content type of archives.
    pub(crate) archive_type: &'static str,
    /// The format of an index that belongs to no repository.
    pub(crate) empty_format: Format,
    /// The form field of the archive, beside `chart`.
    pub(crate) chart_field: String,
    /// The form field of the provenance, beside `prov`.
    pub(crate) provenance_field: String,
    /// `Access-Control-Allow-Origin` of `/api`.
    pub(crate) cors_allow_origin: Option<String>,
    /// Ids at Artifact Hub by repository path, from the configuration.
    pub(crate) artifact_hub_ids: BTreeMap<String, String>,
    /// Who may read `/metrics`.
    pub(crate) metrics: MetricsAccess,
    /// Whether probes are logged.
    pub(crate) logs_health: bool,
    /// Which proxies are believed about who the client is.
    pub(crate) proxies: Proxies,
    /// The address clients use, context path left out; unless set, the one they used.
    pub(crate) public_url: Option<String>,
    /// How long a body may pause before the request is given up.
    pub(crate) body_idle_timeout: Duration,
}

impl Default for Surface {
    fn default() -> Self {
        Self {
            tenancy: Tenancy::Paths,
            context_path: None,
            unknown_is_empty: false,
            wrong_verb_is_unknown: false,
            api: true,
            registry: true,
            deletes: true,
            index_type: "application/yaml",
            archive_type: "application/gzip",
            empty_format: Format::Json,
            chart_field: "chart".to_owned(),
            provenance_field: "prov".to_owned(),
            cors_allow_origin: None,
            artifact_hub_ids: BTreeMap::new(),
            metrics: MetricsAccess::Anyone,
            logs_health: false,
            proxies: Proxies { trusted: Vec::new(), headers: ProxyHeaders::XForwarded },
            public_url: None,
            body_idle_timeout: Duration::from_secs(30),
        }
    }
}
