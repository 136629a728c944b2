//! Which storage backend the options name, whether they name all it needs, and what becomes of it here.

use std::path::PathBuf;

use super::error::DropInError;
use super::given::GivenOptions;
use crate::config::value::FromText;
use crate::config::{BlobsUrl, Encryption, HttpUrl, Storage};

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

/// Where ChartMuseum keeps its archives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArchiveStore {
    /// `--storage local`: the folder of flat archives, tenants as folders in it.
    Folder(PathBuf),
    /// `--storage amazon`: a bucket with the same names in it.
    Bucket(ArchiveBucket),
}

/// A bucket as ChartMuseum's flags tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArchiveBucket {
    /// `--storage-amazon-bucket`.
    bucket: String,
    /// `--storage-amazon-prefix`, without slashes at its ends.
    prefix: String,
    /// `--storage-amazon-endpoint`; default AWS.
    endpoint: Option<HttpUrl>,
    /// `--storage-amazon-region`.
    region: Option<String>,
    /// `--storage-amazon-force-path-style`; default true, as there.
    path_style: bool,
    /// `--storage-amazon-sse`; default what the bucket says.
    encryption: Encryption,
}

impl ArchiveStore {
    /// Returns where the archives are, after a look at the cache, which must be one that exists.
    ///
    /// # Errors
    /// ChartMuseum's own for what it would not start with either; [`DropInError::NotServed`] for what it would.
    pub(super) fn read(options: &GivenOptions) -> Result<Self, DropInError> {
        require(options, &["storage"])?;
        let backend = backend(options);
        let (_, required) = BACKENDS
            .into_iter()
            .find(|(name, _)| *name == backend)
            .ok_or_else(|| DropInError::UnknownBackend(backend.clone()))?;
        // With an endpoint of one's own ChartMuseum assumes a region.
        let has_region = backend == "amazon" && options.some_text("storage-amazon-endpoint").is_some();
        let required: Vec<&str> = required
            .iter()
            .copied()
            .filter(|flag| !(has_region && *flag == "storage-amazon-region"))
            .collect();
        require(options, &required)?;
        check_cache(options)?;
        match backend.as_str() {
            "local" => Ok(Self::Folder(options.text("storage-local-rootdir").into())),
            "amazon" => Ok(Self::Bucket(ArchiveBucket::read(options)?)),
            other => Err(DropInError::NotServed {
                named: format!("{} {other}", options.name("storage")),
                instead:
                    "copy the archives to a folder and start with `--storage local --storage-local-rootdir DIR`"
                        .to_owned(),
            }),
        }
    }

    /// Puts the store into the configuration in place of what it says.
    pub(super) fn configure(&self, storage: &mut Storage) {
        match self {
            Self::Folder(root) => storage.blobs = BlobsUrl::Folder(root.clone()),
            Self::Bucket(given) => {
                storage.blobs = BlobsUrl::S3 { bucket: given.bucket.clone(), prefix: given.prefix.clone() };
                storage.s3.endpoint = given.endpoint.clone();
                storage.s3.region = given.region.clone();
                storage.s3.path_style = given.path_style;
                storage.s3.encryption = given.encryption.clone();
            }
        }
    }
}

impl ArchiveBucket {
    fn read(options: &GivenOptions) -> Result<Self, DropInError> {
        let (endpoint, encryption) = ("storage-amazon-endpoint", "storage-amazon-sse");
        let invalid = |flag, reason: String| DropInError::InvalidValue {
            named: options.name(flag),
            text: options.text(flag),
            expected: reason,
        };
        Ok(Self {
            bucket: options.text("storage-amazon-bucket"),
            prefix: options.text("storage-amazon-prefix").trim_matches('/').to_owned(),
            endpoint: options
                .some_text(endpoint)
                .map(|text| HttpUrl::from_text(&with_scheme(text)))
                .transpose()
                .map_err(|reason| invalid(endpoint, reason))?,
            region: options.some_text("storage-amazon-region"),
            path_style: options.switch("storage-amazon-force-path-style"),
            encryption: options
                .some_text(encryption)
                .map_or(Ok(Encryption::AsTheBucketSays), |name| Encryption::from_name(&name))
                .map_err(|reason| invalid(encryption, reason))?,
        })
    }
}

/// Returns the backend as it is compared: in lower case.
pub(super) fn backend(options: &GivenOptions) -> String {
    options.text("storage").to_lowercase()
}

/// Amazon's own library takes a bare host for one that speaks TLS.
fn with_scheme(endpoint: String) -> String {
    if endpoint.contains("://") { endpoint } else { format!("https://{endpoint}") }
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
