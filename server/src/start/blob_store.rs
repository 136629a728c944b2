//! Opens the blob store that the configuration names.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::blobs::{Blobs, BucketOptions, Credentials, Layout, Leftovers, ObjectEncryption, PartSizes};
use crate::config::{BlobsUrl, ClientCertificate, Encryption, S3Service, Storage};

/// Opens the store of this server, which discards what an earlier one left in the staging folder.
///
/// # Errors
/// When the folder cannot be used, or the S3 service refuses.
pub(crate) async fn open_blobs(storage: &Storage, layout: Layout) -> anyhow::Result<Blobs> {
    match (&storage.blobs, layout) {
        (BlobsUrl::Folder(root), Layout::Addressed) => open_folder(root, root.join("staging"), layout),
        // Nothing of ours lies among ChartMuseum's files.
        (BlobsUrl::Folder(root), Layout::Flat) => open_folder(root, storage.data.join("staging"), layout),
        (BlobsUrl::S3 { bucket, prefix }, _) => {
            let staging = storage.data.join("staging");
            open_bucket(&storage.s3, (bucket, prefix), (staging, Leftovers::Discarded), layout).await
        }
    }
}

/// Opens the store for a command that runs beside a server and leaves the staging folder alone.
///
/// # Errors
/// As [`open_blobs`].
pub(crate) async fn open_blobs_beside(storage: &Storage) -> anyhow::Result<Blobs> {
    match &storage.blobs {
        BlobsUrl::Folder(root) => Blobs::beside(root.clone(), Layout::Addressed)
            .with_context(|| format!("cannot open the folder of blobs `{}`", root.display())),
        BlobsUrl::S3 { bucket, prefix } => {
            let staging = (storage.data.join("staging"), Leftovers::NotOurs);
            open_bucket(&storage.s3, (bucket, prefix), staging, Layout::Addressed).await
        }
    }
}

/// Opens a store for somebody who writes to it beside servers, with a staging folder that is theirs alone and, where the
/// store is a folder, on the same disk.
///
/// # Errors
/// As [`open_blobs`].
pub(super) async fn open_blobs_aside(
    address: &BlobsUrl,
    s3: &S3Service,
    staging: PathBuf,
    layout: Layout,
) -> anyhow::Result<Blobs> {
    match address {
        BlobsUrl::Folder(root) => open_folder(root, staging, layout),
        BlobsUrl::S3 { bucket, prefix } => {
            open_bucket(s3, (bucket, prefix), (staging, Leftovers::Discarded), layout).await
        }
    }
}

/// Opens files in ChartMuseum's layout that are only read, a bucket through the configured S3 service.
///
/// # Errors
/// When there is no such folder, or the S3 service refuses.
pub(crate) async fn open_foreign_files(storage: &Storage, place: &BlobsUrl) -> anyhow::Result<Blobs> {
    match place {
        BlobsUrl::Folder(root) => {
            let cannot = || format!("cannot read the folder `{}`", root.display());
            std::fs::read_dir(root).with_context(cannot)?;
            Blobs::beside(root.clone(), Layout::Flat).with_context(cannot)
        }
        BlobsUrl::S3 { bucket, prefix } => {
            let staging = (storage.data.join("staging"), Leftovers::NotOurs);
            open_bucket(&storage.s3, (bucket, prefix), staging, Layout::Flat).await
        }
    }
}

fn open_folder(root: &Path, staging: PathBuf, layout: Layout) -> anyhow::Result<Blobs> {
    Blobs::open(root.to_owned(), staging, layout)
        .with_context(|| format!("cannot open the folder of blobs `{}`", root.display()))
}

async fn open_bucket(
    s3: &S3Service,
    (bucket, prefix): (&str, &str),
    (staging, leftovers): (PathBuf, Leftovers),
    layout: Layout,
) -> anyhow::Result<Blobs> {
    let place = s3.endpoint.as_ref().map_or("AWS", |endpoint| endpoint.as_str());
    let options = bucket_options(s3, bucket, prefix)?;
    Blobs::in_bucket(options, staging, leftovers, layout).await.with_context(|| {
        format!("cannot use the bucket `{bucket}` at `{place}`: check its name, the `s3` settings and the AWS credentials")
    })
}

fn bucket_options(service: &S3Service, bucket: &str, prefix: &str) -> anyhow::Result<BucketOptions> {
    Ok(BucketOptions {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: service.endpoint.as_ref().map(|endpoint| endpoint.as_str().to_owned()),
        region: service.region.clone(),
        path_style: service.path_style,
        credentials: Credentials::ByAwsRules,
        authorities: service.ca.as_deref().map(read_pem).transpose()?,
        identity: service.client_certificate.as_ref().map(identity).transpose()?,
        encryption: match &service.encryption {
            Encryption::AsTheBucketSays => ObjectEncryption::AsTheBucketSays,
            Encryption::Aes256 => ObjectEncryption::Aes256,
            Encryption::Kms { key_id } => ObjectEncryption::Kms(key_id.clone()),
        },
        redirects: service.redirect_downloads,
        attempt_timeout: service.attempt_timeout,
        timeout: service.timeout,
        part_sizes: PartSizes::default(),
    })
}

fn identity(files: &ClientCertificate) -> anyhow::Result<Vec<u8>> {
    let mut pem = read_pem(&files.certificate)?;
    pem.push(b'\n');
    pem.extend(read_pem(&files.key)?);
    Ok(pem)
}

fn read_pem(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}
