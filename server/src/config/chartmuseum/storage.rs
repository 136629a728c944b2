//! Which storage backend the options name, and whether they name all it needs.

use super::error::DropInError;
use super::given::GivenOptions;

/// ChartMuseum's backends and the options each can't do without (its `cmd/chartmuseum/main.go`).
const BACKENDS: [(&str, &[&str]); 10] = [
    ("local", &["storage-local-rootdir"]),
    ("amazon", &["storage-amazon-bucket", "storage-amazon-region"]),
    ("google", &["storage-google-bucket"]),
    ("oracle", &["storage-oracle-bucket", "storage-oracle-compartmentid"]),
    ("microsoft", &["storage-microsoft-container"]),
    ("alibaba", &["storage-alibaba-bucket"]),
    ("openstack", &["storage-openstack-container", "storage-openstack-region"]),
    ("baidu", &["storage-baidu-bucket"]),
    (
        "etcd",
        &["storage-etcd-cafile", "storage-etcd-certfile", "storage-etcd-keyfile", "storage-etcd-prefix"],
    ),
    ("tencent", &["storage-tencent-bucket", "storage-tencent-endpoint"]),
];

/// Checks that the archives are in a local folder, and that the cache is one that exists.
///
/// # Errors
/// ChartMuseum's own for what it would not start with either; [`DropInError::NotServed`] for what it would.
pub(super) fn check(options: &GivenOptions) -> Result<(), DropInError> {
    require(options, &["storage"])?;
    let name = options.text("storage").to_lowercase();
    let (backend, required) = BACKENDS
        .into_iter()
        .find(|(backend, _)| *backend == name)
        .ok_or_else(|| DropInError::UnknownBackend(name.clone()))?;
    // With an endpoint of one's own ChartMuseum assumes a region.
    let has_region = backend == "amazon" && options.some_text("storage-amazon-endpoint").is_some();
    let required: Vec<&str> =
        required.iter().copied().filter(|flag| !(has_region && *flag == "storage-amazon-region")).collect();
    require(options, &required)?;
    if backend != "local" {
        return Err(DropInError::NotServed {
            named: format!("{} {backend}", options.name("storage")),
            instead:
                "copy the archives to a folder and start with `--storage local --storage-local-rootdir DIR`"
                    .to_owned(),
        });
    }
    check_cache(options)
}

fn check_cache(options: &GivenOptions) -> Result<(), DropInError> {
    match options.text("cache").to_lowercase().as_str() {
        "" => Ok(()),
        "redis" => {
            require(options, &["cache-redis-addr"])?;
            Err(DropInError::NotServed {
                named: format!("{} redis", options.name("cache")),
                instead: "leave it out, the index is kept in memory and is always current".to_owned(),
            })
        }
        other => Err(DropInError::UnknownCache(other.to_owned())),
    }
}

fn require(options: &GivenOptions, flags: &[&str]) -> Result<(), DropInError> {
    let missing: Vec<String> = flags
        .iter()
        .filter(|flag| options.some_text(flag).is_none())
        .map(|flag| format!("--{flag}"))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(DropInError::MissingFlags(missing)) }
}
