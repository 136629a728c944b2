//! The SDK's client as this store wants it: standard retries with jitter, limits of time, no checksums unasked.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};

use super::transport::{Transport, UnusableTls};
use super::{BucketOptions, Credentials};

/// How often a request is tried; the overall limit of time usually ends it earlier.
const ATTEMPTS: u32 = 6;
/// About how long the first retry waits; each further one waits about twice as long, by chance up to as much less.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
/// No retry waits longer.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// Returns a client for the service. Connects to nothing, except for the metadata service of a machine at AWS.
///
/// # Errors
/// [`UnusableTls`] when a certificate or key cannot be used.
pub(super) async fn connect(options: &BucketOptions) -> Result<Client, UnusableTls> {
    let loader = match &options.credentials {
        Credentials::ByAwsRules => aws_config::defaults(BehaviorVersion::latest()),
        #[cfg(test)]
        Credentials::Given { access_key, secret_key } => aws_config::defaults(BehaviorVersion::latest())
            .credentials_provider(aws_sdk_s3::config::Credentials::new(
                access_key, secret_key, None, None, "test",
            )),
    };
    let shared = loader
        .http_client(Transport::new(options)?)
        .region(region(options))
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_BACKOFF)
                .with_max_backoff(LONGEST_BACKOFF),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(options.attempt_timeout)
                .operation_timeout(options.timeout)
                .build(),
        )
        // A body that stands still is taken up again as one that breaks off.
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled().grace_period(options.attempt_timeout).build(),
        )
        // Ceph, older MinIO and others refuse checksums in trailers, which the SDK would send with every object.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .load()
        .await;
    let mut builder = Builder::from(&shared).force_path_style(options.path_style);
    builder.set_endpoint_url(options.endpoint.clone().or_else(|| shared.endpoint_url().map(str::to_owned)));
    Ok(Client::from_conf(builder.build()))
}

fn region(options: &BucketOptions) -> RegionProviderChain {
    let given = RegionProviderChain::first_try(options.region.clone().map(Region::new));
    match options.endpoint {
        None => given.or_default_provider(),
        // Others take any region or this one; a machine that is not at AWS has no metadata service to ask.
        Some(_) => given
            .or_else(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::new())
            .or_else(Region::from_static("us-east-1")),
    }
}

/// Returns the limits of a question whose answer is wanted at once or not at all.
pub(super) fn impatient() -> Builder {
    let limit = Duration::from_secs(3);
    Builder::new().retry_config(RetryConfig::disabled()).timeout_config(
        TimeoutConfig::builder().operation_attempt_timeout(limit).operation_timeout(limit).build(),
    )
}
