//! How the S3 service that keeps the blobs is reached. Credentials come from AWS's own variables and files.

use std::path::PathBuf;
use std::time::Duration;

use super::error::{Combination, ConfigError};
use super::http_url::HttpUrl;
use super::setting::{AnySetting, Setting};
use super::sources::Settings;
use super::value::FromText;

const ENDPOINT: Setting<Option<HttpUrl>> =
    Setting::new("s3.endpoint", "address of the S3 service, for those that are not AWS");
const REGION: Setting<Option<String>> =
    Setting::new("s3.region", "region of the S3 service; unless set, what AWS's own variables and files say");
const PATH_STYLE: Setting<Option<bool>> = Setting::new(
    "s3.path_style",
    "whether the bucket stands in the path of addresses and not in their host; unless set, it does with `s3.endpoint`",
);
const CA: Setting<Option<PathBuf>> =
    Setting::new("s3.ca_file", "PEM file with authorities to trust beside the system's");
const CLIENT_CERTIFICATE: Setting<Option<PathBuf>> =
    Setting::new("s3.client_cert_file", "PEM file with the certificate chain to show to the S3 service");
const CLIENT_KEY: Setting<Option<PathBuf>> =
    Setting::new("s3.client_key_file", "PEM file with that certificate's private key");
const ENCRYPTION: Setting<EncryptionName> = Setting::with_default(
    "s3.server_side_encryption",
    "none",
    "encryption to ask for, `none`, `AES256` or `aws:kms`; with `none` the bucket's own rule holds",
);
const KMS_KEY: Setting<Option<String>> =
    Setting::new("s3.kms_key_id", "key for `aws:kms`; unless set, the account's default key");
const REDIRECT: Setting<bool> = Setting::with_default(
    "s3.redirect_downloads",
    "false",
    "whether archives are answered with a redirect to a signed address of the S3 service, valid for 5 minutes",
);
const ATTEMPT_TIMEOUT: Setting<Duration> = Setting::with_default(
    "s3.attempt_timeout",
    "20s",
    "how long one attempt of a request may take; of a download, until its body begins",
);
const TIMEOUT: Setting<Duration> =
    Setting::with_default("s3.timeout", "1m", "how long a request may take with all its attempts");

pub(super) const SETTINGS: &[&dyn AnySetting] = &[
    &ENDPOINT,
    &REGION,
    &PATH_STYLE,
    &CA,
    &CLIENT_CERTIFICATE,
    &CLIENT_KEY,
    &ENCRYPTION,
    &KMS_KEY,
    &REDIRECT,
    &ATTEMPT_TIMEOUT,
    &TIMEOUT,
];

/// How the S3 service is reached; each is `s3.NAME` and `CHARTROOM_S3_NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct S3Service {
    /// Its address: `s3.endpoint`; default AWS's for the region.
    pub(crate) endpoint: Option<HttpUrl>,
    /// Its region: `s3.region`; default what AWS's variables and files say.
    pub(crate) region: Option<String>,
    /// Whether the bucket stands in the path: `s3.path_style`; default whether there is an endpoint.
    pub(crate) path_style: bool,
    /// Authorities to trust beside the system's: `s3.ca_file`; default none.
    pub(crate) ca: Option<PathBuf>,
    /// What the server shows of itself: `s3.client_cert_file`, `s3.client_key_file`; default nothing.
    pub(crate) client_certificate: Option<ClientCertificate>,
    /// `s3.server_side_encryption`, `s3.kms_key_id`; default [`Encryption::AsTheBucketSays`].
    pub(crate) encryption: Encryption,
    /// Whether downloads are redirected: `s3.redirect_downloads`; default not.
    pub(crate) redirect_downloads: bool,
    /// The limit of one attempt: `s3.attempt_timeout`; default 20 s.
    pub(crate) attempt_timeout: Duration,
    /// The limit of all attempts: `s3.timeout`; default 1 minute.
    pub(crate) timeout: Duration,
}

/// The PEM files of a client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    /// The chain, the client's own first.
    pub(crate) certificate: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

/// Which encryption is asked for with every object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// None: what the bucket's own rule says.
    AsTheBucketSays,
    /// `AES256`: keys the service holds.
    Aes256,
    /// `aws:kms`: a key of the key management service.
    Kms {
        /// Which one; none is the account's default key.
        key_id: Option<String>,
    },
}

/// [`Encryption`] without its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EncryptionName {
    None,
    Aes256,
    Kms,
}

impl S3Service {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let endpoint = settings.value(&ENDPOINT)?;
        let path_style = settings.value(&PATH_STYLE)?.unwrap_or(endpoint.is_some());
        Ok(Self {
            endpoint,
            region: settings.value(&REGION)?,
            path_style,
            ca: settings.value(&CA)?,
            client_certificate: client_certificate(settings)?,
            encryption: Encryption::of(settings.value(&ENCRYPTION)?, settings.value(&KMS_KEY)?)?,
            redirect_downloads: settings.value(&REDIRECT)?,
            attempt_timeout: settings.value(&ATTEMPT_TIMEOUT)?,
            timeout: settings.value(&TIMEOUT)?,
        })
    }
}

fn client_certificate(settings: &Settings) -> Result<Option<ClientCertificate>, ConfigError> {
    let (certificate_name, key_name) = ("s3.client_cert_file", "s3.client_key_file");
    let half = |given, missing| Err(Combination::HalfCertificate { given, missing }.into());
    match (settings.value(&CLIENT_CERTIFICATE)?, settings.value(&CLIENT_KEY)?) {
        (Some(certificate), Some(key)) => Ok(Some(ClientCertificate { certificate, key })),
        (Some(_), None) => half(certificate_name, key_name),
        (None, Some(_)) => half(key_name, certificate_name),
        (None, None) => Ok(None),
    }
}

impl Encryption {
    fn of(name: EncryptionName, key_id: Option<String>) -> Result<Self, Combination> {
        match (name, key_id) {
            (EncryptionName::Kms, key_id) => Ok(Self::Kms { key_id }),
            (EncryptionName::None | EncryptionName::Aes256, Some(_)) => Err(Combination::KeyWithoutKms),
            (EncryptionName::None, None) => Ok(Self::AsTheBucketSays),
            (EncryptionName::Aes256, None) => Ok(Self::Aes256),
        }
    }

    /// Returns the encryption of that name, without a key.
    ///
    /// # Errors
    /// What to write instead.
    pub(super) fn from_name(name: &str) -> Result<Self, String> {
        let name = EncryptionName::from_text(name)?;
        Self::of(name, None).map_err(|refusal| refusal.to_string())
    }
}

impl FromText for EncryptionName {
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "AES256" => Ok(Self::Aes256),
            "aws:kms" => Ok(Self::Kms),
            _ => Err(format!("`{text}` is no encryption: write `none`, `AES256` or `aws:kms`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{config, refusal};

    #[test]
    fn aws_is_reached_by_host_and_others_by_path_unless_told() {
        let service = config(&[("CHARTROOM_S3_REGION", "eu-west-1")]).storage.s3;
        assert_eq!((service.region.as_deref(), service.path_style), (Some("eu-west-1"), false));
        assert_eq!(service.encryption, Encryption::AsTheBucketSays);
        let minio = ("CHARTROOM_S3_ENDPOINT", "http://minio:9000");
        assert!(config(&[minio]).storage.s3.path_style);
        assert!(!config(&[minio, ("CHARTROOM_S3_PATH_STYLE", "false")]).storage.s3.path_style);
    }

    #[test]
    fn encryption_takes_its_key_with_it() {
        let kms = ("CHARTROOM_S3_SERVER_SIDE_ENCRYPTION", "aws:kms");
        let key = ("CHARTROOM_S3_KMS_KEY_ID", "alias/charts");
        for (given, expected) in [
            (&[kms, key][..], Encryption::Kms { key_id: Some("alias/charts".to_owned()) }),
            (&[kms], Encryption::Kms { key_id: None }),
            (&[("CHARTROOM_S3_SERVER_SIDE_ENCRYPTION", "AES256")], Encryption::Aes256),
        ] {
            assert_eq!(config(given).storage.s3.encryption, expected);
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (given, expected) in [
            (
                ("CHARTROOM_S3_KMS_KEY_ID", "k"),
                "`s3.kms_key_id` is set without `s3.server_side_encryption = \"aws:kms\"`: set both or neither",
            ),
            (
                ("CHARTROOM_S3_CLIENT_CERT_FILE", "c.pem"),
                "`s3.client_cert_file` is set without `s3.client_key_file`: TLS needs both",
            ),
            (
                ("CHARTROOM_S3_CLIENT_KEY_FILE", "k.pem"),
                "`s3.client_key_file` is set without `s3.client_cert_file`: TLS needs both",
            ),
            (
                ("CHARTROOM_S3_SERVER_SIDE_ENCRYPTION", "aes"),
                "the variable `CHARTROOM_S3_SERVER_SIDE_ENCRYPTION`: `aes` is no encryption: write `none`, `AES256` or `aws:kms`",
            ),
        ] {
            assert_eq!(refusal(&[given]), expected);
        }
    }
}
