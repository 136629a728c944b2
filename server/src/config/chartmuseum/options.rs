//! ChartMuseum's 86 options (its `pkg/config/vars.go`, release 0.16.5): names, kinds, defaults, and what becomes of each.

use Kind::{Number, Pairs, Switch, Text, Time};
use Support::{Honoured, Idle, OfBackend, Refused};

/// One option under its three names.
#[derive(Debug)]
pub(super) struct ChartMuseumOption {
    /// The flag without its dashes.
    pub(super) flag: &'static str,
    /// The environment variable.
    pub(super) variable: &'static str,
    /// The key in the configuration file, sections before dots; empty for the option that names the file.
    pub(super) key: &'static str,
    /// What its value is.
    pub(super) kind: Kind,
    /// Its value when nobody gives one.
    pub(super) default: &'static str,
    /// What becomes of it here.
    pub(super) support: Support,
    /// A line for `--help`.
    pub(super) summary: &'static str,
}

/// What an option's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Switch,
    Number,
    Text,
    Time,
    Pairs,
}

/// What becomes of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Support {
    /// It does what it does in ChartMuseum.
    Honoured,
    /// It is accepted and has no effect, for this reason.
    Idle(&'static str),
    /// The server does not start with it; this is what to do instead.
    Refused(&'static str),
    /// It belongs to a storage backend, and has no effect with another.
    OfBackend(&'static str),
}

/// Every option, in ChartMuseum's order.
#[rustfmt::skip]
pub(super) const OPTIONS: [ChartMuseumOption; 86] = [
    option("config", "CONFIG", "", Text, "", Honoured, "YAML file with these settings"),
    option("gen-index", "GEN_INDEX", "genindex", Switch, "false", Honoured, "print the index of the folder and end"),
    option("debug", "DEBUG", "debug", Switch, "false", Honoured, "log at the level debug"),
    option("log-json", "LOG_JSON", "logjson", Switch, "false", Honoured, "log JSON objects"),
    option("log-health", "LOG_HEALTH", "loghealth", Switch, "false", Honoured, "log requests to /health too"),
    option("log-latency-integer", "LOG_LATENCY_INTEGER", "loglatencyinteger", Switch, "false", Idle("latencies are always logged in milliseconds"), "log latencies as integers"),
    option("disable-metrics", "DISABLE_METRICS", "disablemetrics", Switch, "false", Honoured, "serve no /metrics, even with --enable-metrics; deprecated"),
    option("enable-metrics", "ENABLE_METRICS", "enablemetrics", Switch, "false", Honoured, "serve /metrics"),
    option("disable-api", "DISABLE_API", "disableapi", Switch, "false", Honoured, "serve nothing below /api"),
    option("disable-delete", "DISABLE_DELETE", "disabledelete", Switch, "false", Honoured, "refuse to delete through /api"),
    option("disable-statefiles", "DISABLE_STATEFILES", "disablestatefiles", Switch, "false", Idle("no `index-cache.yaml` is read or written"), "do not use index-cache.yaml"),
    option("json-index", "JSON_INDEX", "json-index", Switch, "false", Honoured, "send index.yaml as JSON"),
    option("allow-overwrite", "ALLOW_OVERWRITE", "allowoverwrite", Switch, "false", Honoured, "let uploads replace versions"),
    option("disable-force-overwrite", "DISABLE_FORCE_OVERWRITE", "disableforceoverwrite", Switch, "false", Honoured, "do not let uploads replace versions even with ?force"),
    option("port", "PORT", "port", Number, "8080", Honoured, "port to listen on"),
    option("read-timeout", "READ_TIMEOUT", "readtimeout", Number, "30", Honoured, "seconds that an upload may send nothing"),
    option("write-timeout", "WRITE_TIMEOUT", "writetimeout", Number, "30", Idle("answers take as long as the client needs"), "seconds that an answer may take"),
    option("chart-url", "CHART_URL", "charturl", Text, "", Honoured, "base of absolute archive URLs in the index"),
    option("basic-auth-user", "BASIC_AUTH_USER", "basicauth.user", Text, "", Honoured, "the one user"),
    option("basic-auth-pass", "BASIC_AUTH_PASS", "basicauth.pass", Text, "", Honoured, "the password of that user"),
    option("auth-anonymous-get", "AUTH_ANONYMOUS_GET", "authanonymousget", Switch, "false", Honoured, "let anyone read, though writing needs credentials"),
    option("tls-cert", "TLS_CERT", "tls.cert", Text, "", Honoured, "PEM file with the certificate chain"),
    option("tls-key", "TLS_KEY", "tls.key", Text, "", Honoured, "PEM file with the private key"),
    option("tls-ca-cert", "TLS_CA_CERT", "tls.cacert", Text, "", Honoured, "PEM file with authorities; clients must then show a certificate"),
    option("cache", "CACHE", "cache.store", Text, "", Honoured, "store of the index cache; none is needed"),
    option("cache-redis-addr", "CACHE_REDIS_ADDR", "cache.redis.addr", Text, "", Idle("the index is kept in memory, and nothing else is needed"), "address of Redis"),
    option("cache-redis-password", "CACHE_REDIS_PASSWORD", "cache.redis.password", Text, "", Idle("the index is kept in memory, and nothing else is needed"), "password of Redis"),
    option("cache-redis-db", "CACHE_REDIS_DB", "cache.redis.db", Number, "0", Idle("the index is kept in memory, and nothing else is needed"), "database of Redis"),
    option("storage", "STORAGE", "storage.backend", Text, "", Honoured, "where archives are kept: local or amazon"),
    option("storage-timestamp-tolerance", "STORAGE_TIMESTAMP_TOLERANCE", "storage.timestamptolerance", Time, "0", Honoured, "differences of file times that count as none"),
    option("storage-local-rootdir", "STORAGE_LOCAL_ROOTDIR", "storage.local.rootdir", Text, "", Honoured, "folder of the archives"),
    option("storage-amazon-bucket", "STORAGE_AMAZON_BUCKET", "storage.amazon.bucket", Text, "", OfBackend("amazon"), "bucket of the archives"),
    option("storage-amazon-prefix", "STORAGE_AMAZON_PREFIX", "storage.amazon.prefix", Text, "", OfBackend("amazon"), "what the names of all archives in the bucket begin with"),
    option("storage-amazon-region", "STORAGE_AMAZON_REGION", "storage.amazon.region", Text, "", OfBackend("amazon"), "region of the bucket"),
    option("storage-amazon-endpoint", "STORAGE_AMAZON_ENDPOINT", "storage.amazon.endpoint", Text, "", OfBackend("amazon"), "address of an S3 service that is not AWS"),
    option("storage-amazon-sse", "STORAGE_AMAZON_SSE", "storage.amazon.sse", Text, "", OfBackend("amazon"), "encryption to ask for: AES256 or aws:kms"),
    option("storage-amazon-force-path-style", "STORAGE_AMAZON_FORCE_PATH_STYLE", "storage.amazon.forcepathstyle", Switch, "true", OfBackend("amazon"), "address the bucket by path, not by host"),
    option("storage-google-bucket", "STORAGE_GOOGLE_BUCKET", "storage.google.bucket", Text, "", OfBackend("google"), "storage google"),
    option("storage-google-prefix", "STORAGE_GOOGLE_PREFIX", "storage.google.prefix", Text, "", OfBackend("google"), "storage google"),
    option("storage-oracle-bucket", "STORAGE_ORACLE_BUCKET", "storage.oracle.bucket", Text, "", OfBackend("oracle"), "storage oracle"),
    option("storage-oracle-prefix", "STORAGE_ORACLE_PREFIX", "storage.oracle.prefix", Text, "", OfBackend("oracle"), "storage oracle"),
    option("storage-oracle-region", "STORAGE_ORACLE_REGION", "storage.oracle.region", Text, "", OfBackend("oracle"), "storage oracle"),
    option("storage-oracle-compartmentid", "STORAGE_ORACLE_COMPARTMENTID", "storage.oracle.compartmentid", Text, "", OfBackend("oracle"), "storage oracle"),
    option("storage-microsoft-container", "STORAGE_MICROSOFT_CONTAINER", "storage.microsoft.container", Text, "", OfBackend("microsoft"), "storage microsoft"),
    option("storage-microsoft-prefix", "STORAGE_MICROSOFT_PREFIX", "storage.microsoft.prefix", Text, "", OfBackend("microsoft"), "storage microsoft"),
    option("storage-alibaba-bucket", "STORAGE_ALIBABA_BUCKET", "storage.alibaba.bucket", Text, "", OfBackend("alibaba"), "storage alibaba"),
    option("storage-alibaba-prefix", "STORAGE_ALIBABA_PREFIX", "storage.alibaba.prefix", Text, "", OfBackend("alibaba"), "storage alibaba"),
    option("storage-alibaba-endpoint", "STORAGE_ALIBABA_ENDPOINT", "storage.alibaba.endpoint", Text, "", OfBackend("alibaba"), "storage alibaba"),
    option("storage-alibaba-sse", "STORAGE_ALIBABA_SSE", "storage.alibaba.sse", Text, "", OfBackend("alibaba"), "storage alibaba"),
    option("storage-openstack-container", "STORAGE_OPENSTACK_CONTAINER", "storage.openstack.container", Text, "", OfBackend("openstack"), "storage openstack"),
    option("storage-openstack-prefix", "STORAGE_OPENSTACK_PREFIX", "storage.openstack.prefix", Text, "", OfBackend("openstack"), "storage openstack"),
    option("storage-openstack-region", "STORAGE_OPENSTACK_REGION", "storage.openstack.region", Text, "", OfBackend("openstack"), "storage openstack"),
    option("storage-openstack-cacert", "STORAGE_OPENSTACK_CACERT", "storage.openstack.cacert", Text, "", OfBackend("openstack"), "storage openstack"),
    option("storage-openstack-auth", "STORAGE_OPENSTACK_AUTH", "storage.openstack.auth", Text, "auto", OfBackend("openstack"), "storage openstack"),
    option("storage-baidu-prefix", "STORAGE_BAIDU_PREFIX", "storage.baidu.prefix", Text, "", OfBackend("baidu"), "storage baidu"),
    option("storage-baidu-bucket", "STORAGE_BAIDU_BUCKET", "storage.baidu.bucket", Text, "", OfBackend("baidu"), "storage baidu"),
    option("storage-baidu-endpoint", "STORAGE_BAIDU_ENDPOINT", "storage.baidu.endpoint", Text, "", OfBackend("baidu"), "storage baidu"),
    option("storage-etcd-endpoint", "STORAGE_ETCD_ENDPOINT", "storage.etcd.endpoint", Text, "http://localhost:2379", OfBackend("etcd"), "storage etcd"),
    option("storage-etcd-cafile", "STORAGE_ETCD_CAFILE", "storage.etcd.cafile", Text, "", OfBackend("etcd"), "storage etcd"),
    option("storage-etcd-certfile", "STORAGE_ETCD_CERTFILE", "storage.etcd.certfile", Text, "", OfBackend("etcd"), "storage etcd"),
    option("storage-etcd-keyfile", "STORAGE_ETCD_KEYFILE", "storage.etcd.keyfile", Text, "", OfBackend("etcd"), "storage etcd"),
    option("storage-etcd-prefix", "STORAGE_ETCD_PREFIX", "storage.etcd.prefix", Text, "", OfBackend("etcd"), "storage etcd"),
    option("storage-tencent-bucket", "STORAGE_TENCENT_BUCKET", "storage.tencent.bucket", Text, "", OfBackend("tencent"), "storage tencent"),
    option("storage-tencent-prefix", "STORAGE_TENCENT_PREFIX", "storage.tencent.prefix", Text, "", OfBackend("tencent"), "storage tencent"),
    option("storage-tencent-endpoint", "STORAGE_TENCENT_ENDPOINT", "storage.tencent.endpoint", Text, "", OfBackend("tencent"), "storage tencent"),
    option("chart-post-form-field-name", "CHART_POST_FORM_FIELD_NAME", "chartpostformfieldname", Text, "chart", Honoured, "form field of the archive"),
    option("prov-post-form-field-name", "PROV_POST_FORM_FIELD_NAME", "provpostformfieldname", Text, "prov", Honoured, "form field of the provenance file"),
    option("max-storage-objects", "MAX_STORAGE_OBJECTS", "maxstorageobjects", Number, "0", Honoured, "most archives and provenance files of a tenant; 0 is no limit"),
    option("max-upload-size", "MAX_UPLOAD_SIZE", "maxuploadsize", Number, "20971520", Honoured, "largest upload in bytes"),
    option("index-limit", "INDEX_LIMIT", "indexlimit", Number, "0", Idle("archives are read a few at a time, whatever their number"), "archives read at once"),
    option("context-path", "CONTEXT_PATH", "contextpath", Text, "", Honoured, "path before every path"),
    option("depth", "DEPTH", "depth", Number, "0", Honoured, "segments of a tenant's path"),
    option("bearer-auth", "BEARER_AUTH", "bearerauth", Switch, "false", Honoured, "ask for bearer tokens"),
    option("auth-realm", "AUTH_REALM", "authrealm", Text, "", Honoured, "URL of the token service"),
    option("auth-service", "AUTH_SERVICE", "authservice", Text, "", Honoured, "name of this service at the token service"),
    option("auth-cert-path", "AUTH_CERT_PATH", "authcertpath", Text, "", Honoured, "PEM file with the public key of the token service"),
    option("auth-actions-search-path", "AUTH_ACTIONS_SEARCH_PATH", "authactionssearchpath", Text, "", Refused("give the tokens the claim `access` of the registry token format, which needs no search path"), "where tokens name the allowed actions"),
    option("depth-dynamic", "DEPTH_DYNAMIC", "depthdynamic", Switch, "false", Honoured, "tenants of any depth"),
    option("cors-alloworigin", "CORS_ALLOW_ORIGIN", "cors.alloworigin", Text, "", Honoured, "value of Access-Control-Allow-Origin on /api answers"),
    option("enforce-semver2", "ENFORCE_SEMVER2", "enforce-semver2", Switch, "false", Idle("ChartMuseum ignores it too"), "deprecated"),
    option("cache-interval", "CACHE_INTERVAL", "cacheinterval", Time, "5m", Honoured, "how often files copied in by hand are looked for; 0 is never"),
    option("listen-host", "LISTEN_HOST", "listen.host", Text, "0.0.0.0", Honoured, "address to listen on"),
    option("per-chart-limit", "PER_CHART_LIMIT", "per-chart-limit", Number, "0", Honoured, "versions kept of a chart; 0 keeps all"),
    option("web-template-path", "WEB_TEMPLATE_PATH", "web-template-path", Text, "", Idle("the welcome page is this server's own"), "folder with a welcome page"),
    option("artifact-hub-repo-id", "ARTIFACT_HUB_REPO_ID", "artifact-hub-repo-id", Pairs, "", Honoured, "id at Artifact Hub, as ID or TENANT=ID; may be repeated"),
    option("always-regenerate-chart-index", "ALWAYS_REGENERATE_CHART_INDEX", "always-regenerate-chart-index", Switch, "false", Idle("the index is always current"), "make the index anew at each request"),
];

impl ChartMuseumOption {
    /// Returns the option whose flag is `name`, a short name included.
    pub(super) fn of_flag(name: &str) -> Option<&'static Self> {
        let name = if name == "c" { "config" } else { name };
        OPTIONS.iter().find(|option| option.flag == name)
    }
}

const fn option(
    flag: &'static str,
    variable: &'static str,
    key: &'static str,
    kind: Kind,
    default: &'static str,
    support: Support,
    summary: &'static str,
) -> ChartMuseumOption {
    ChartMuseumOption { flag, variable, key, kind, default, support, summary }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_one_pattern_and_are_unique() {
        for names in [
            OPTIONS.iter().map(|option| option.flag).collect::<std::collections::BTreeSet<_>>(),
            OPTIONS.iter().map(|option| option.variable).collect(),
            OPTIONS.iter().map(|option| option.key).collect(),
        ] {
            assert_eq!(names.len(), OPTIONS.len());
        }
        for option in &OPTIONS {
            let pattern =
                option.flag.replace("alloworigin", "allow-origin").replace('-', "_").to_ascii_uppercase();
            assert_eq!(option.variable, pattern);
            assert_eq!(option.key, option.key.to_ascii_lowercase(), "keys are compared in lower case");
        }
    }

    #[test]
    fn defaults_are_of_their_kind() {
        for option in &OPTIONS {
            assert!(
                super::super::option_value::OptionValue::parse(option.default, option.kind).is_ok(),
                "{}",
                option.flag
            );
        }
    }
}
