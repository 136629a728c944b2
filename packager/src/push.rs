//! Publishes archives: look at the index once, then send what is new, several at a time.
//!
//! Each archive has its own outcome; one that is refused does not hold up the others.

mod body;
mod client;
mod destination;
pub(crate) mod failure;
mod listing;
pub(crate) mod patience;
mod progress;
mod upload;

use std::path::PathBuf;
use std::sync::Arc;

use chart::index::InvalidIndex;
use futures_util::StreamExt;
use futures_util::stream;
use reqwest::StatusCode;

pub(crate) use self::client::{Client, ClientSettings, InvalidClient};
pub(crate) use self::destination::Destination;
pub(crate) use self::failure::RequestFailure;
use self::listing::{Listing, Presence};
pub(crate) use self::progress::Progress;
pub(crate) use self::upload::{InvalidUpload, Upload};

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct PushSettings {
    /// The repository.
    pub(crate) to: Destination,
    /// Whether to replace versions that hold other bytes.
    pub(crate) force: bool,
    /// Whether to send nothing.
    pub(crate) dry_run: bool,
    /// How many archives to send at once.
    pub(crate) jobs: usize,
}

/// What became of one archive.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The file as it was named.
    pub(crate) path: PathBuf,
    /// The archive, when it could be read.
    pub(crate) upload: Option<Upload>,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// What became of one archive, or would.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The server has it now.
    Published,
    /// The server had these bytes before.
    AlreadyThere,
    /// It would be new.
    WouldPublish,
    /// It would replace other bytes, if the repository allows it.
    WouldReplace,
    /// It would be refused: the version holds other bytes.
    WouldBeRefused,
    /// The file is no archive to send.
    Invalid(InvalidUpload),
    /// The server did not take it, or could not be asked.
    NotTaken(Arc<RequestFailure>),
    /// What the server serves as its index is none, so nothing can be foreseen.
    NoIndex(Arc<InvalidIndex>),
}

/// What the server says it holds.
enum Known {
    /// The index was read, or there is none yet.
    Listing(Listing),
    /// The index was not served; publishing may be allowed all the same.
    NotServed(Arc<RequestFailure>),
    /// What was served is no index.
    NotAnIndex(Arc<InvalidIndex>),
}

/// Publishes `uploads` and returns what became of each, in the same order.
pub(crate) async fn push(
    client: &Client,
    uploads: Vec<(PathBuf, Result<Upload, InvalidUpload>)>,
    settings: &PushSettings,
    progress: &Progress,
) -> Vec<Delivery> {
    let is_nothing_to_send = uploads.iter().all(|(_, upload)| upload.is_err());
    let known = if is_nothing_to_send {
        Known::Listing(Listing::default())
    } else {
        look_up(client, settings, progress).await
    };
    let deliveries = stream::iter(uploads).map(|(path, upload)| {
        let known = &known;
        async move {
            match upload {
                Ok(upload) => {
                    let outcome = deliver(client, &upload, known, settings, progress).await;
                    Delivery { path, upload: Some(upload), outcome }
                }
                Err(problem) => Delivery { path, upload: None, outcome: Outcome::Invalid(problem) },
            }
        }
    });
    deliveries.buffered(settings.jobs.max(1)).collect().await
}

async fn look_up(client: &Client, settings: &PushSettings, progress: &Progress) -> Known {
    match client.fetch_index(&settings.to.index(), progress).await {
        Ok(None) => Known::Listing(Listing::default()),
        Ok(Some(index)) => match Listing::read(&index) {
            Ok(listing) => Known::Listing(listing),
            Err(problem) => Known::NotAnIndex(Arc::new(problem)),
        },
        Err(failure) => Known::NotServed(Arc::new(failure)),
    }
}

async fn deliver(
    client: &Client,
    upload: &Upload,
    known: &Known,
    settings: &PushSettings,
    progress: &Progress,
) -> Outcome {
    let (context_path, presence) = match known {
        Known::Listing(listing) => {
            let presence = listing.presence(&upload.name, &upload.version, &upload.digest);
            (listing.context_path.as_str(), presence)
        }
        // A server that does not answer is not asked once more for each archive.
        Known::NotServed(failure) if settings.dry_run || failure.is_of_the_network() => {
            return Outcome::NotTaken(Arc::clone(failure));
        }
        Known::NotAnIndex(problem) if settings.dry_run => return Outcome::NoIndex(Arc::clone(problem)),
        Known::NotServed(_) | Known::NotAnIndex(_) => ("", Presence::UnknownBytes),
    };
    if settings.dry_run {
        return foresee(presence, settings.force);
    }
    if presence == Presence::SameBytes && upload.provenance.is_none() {
        return Outcome::AlreadyThere;
    }
    progress.name(&format!("{}-{}", upload.name, upload.version));
    let url = settings.to.upload(context_path, settings.force);
    match client.publish(&url, upload, progress).await {
        Ok(()) => Outcome::Published,
        Err(failure) => resolve_conflict(client, upload, failure, settings, progress).await,
    }
}

fn foresee(presence: Presence, force: bool) -> Outcome {
    match presence {
        Presence::Absent => Outcome::WouldPublish,
        Presence::SameBytes => Outcome::AlreadyThere,
        Presence::OtherBytes | Presence::UnknownBytes if force => Outcome::WouldReplace,
        Presence::OtherBytes | Presence::UnknownBytes => Outcome::WouldBeRefused,
    }
}

/// ChartMuseum answers 409 for the same bytes too, and so does any server when an answer was lost on the way
/// and the archive came twice: the index tells whether it is there.
async fn resolve_conflict(
    client: &Client,
    upload: &Upload,
    failure: RequestFailure,
    settings: &PushSettings,
    progress: &Progress,
) -> Outcome {
    let is_conflict =
        matches!(&failure, RequestFailure::Refused { status, .. } if *status == StatusCode::CONFLICT);
    if is_conflict
        && upload.provenance.is_none()
        && let Known::Listing(listing) = look_up(client, settings, progress).await
        && listing.presence(&upload.name, &upload.version, &upload.digest) == Presence::SameBytes
    {
        return Outcome::AlreadyThere;
    }
    Outcome::NotTaken(Arc::new(failure))
}
