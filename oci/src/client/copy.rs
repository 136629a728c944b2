//! Copies images and artifacts between registries and layouts.
//!
//! Children come before what names them, and a tag or a name comes last: whoever finds it finds everything. Bytes of
//! manifests are never made anew, so every digest stays, also that of an index of which only some platforms are copied.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, TryStreamExt};

use super::failure::Failure;
use super::manifests::Resolved;
use super::push::Pushed;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::manifest::Content;
use crate::tag::{InvalidTag, Tag};

mod carried;
mod destination;
mod meter;
mod origin;
mod platform_filter;
#[cfg(test)]
mod tests;

use carried::Carried;
pub use destination::Destination;
use meter::Meter;
pub use meter::{OnProgress, Progress};
pub use origin::Origin;

/// The endings of the tags under which cosign keeps what belongs to a manifest.
const COSIGN_ENDINGS: [&str; 3] = ["sig", "att", "sbom"];

/// Indexes in indexes, deeper than anybody builds them: only an attacker's list goes on.
const DEEPEST: usize = 8;

/// Whether what is attached to a manifest goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attachments {
    /// It stays.
    #[default]
    Leave,
    /// Signatures, attestations and SBOMs go along: the referrers of each manifest, and cosign's tags.
    Carry,
}

/// What is copied of an image, and how.
#[derive(Debug, Clone)]
pub struct CopySettings {
    /// The platforms to copy of an index; all of them when this is empty. The index stays whole and becomes sparse.
    pub platforms: Vec<Platform>,
    /// Whether what is attached goes along.
    pub attachments: Attachments,
    /// How many blobs of one image are under way at once.
    pub blobs_at_once: usize,
}

impl Default for CopySettings {
    fn default() -> Self {
        Self { platforms: Vec::new(), attachments: Attachments::Leave, blobs_at_once: 4 }
    }
}

/// What a copy came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// The manifests of the image that are at the destination now, children before what names them.
    pub manifests: Vec<Descriptor>,
    /// What an index names and nobody asked for.
    pub left_out: Vec<Descriptor>,
    /// What an index names and the origin does not have.
    pub absent: Vec<Descriptor>,
    /// What is attached to these manifests and went along.
    pub attached: Vec<Descriptor>,
    /// How many bytes of blobs were sent: without those that were there, or that the registry took over itself.
    pub bytes_sent: u64,
}

/// Copies images. What one copier has brought somewhere it does not bring there again.
#[derive(Debug, Default)]
pub struct Copier {
    settings: CopySettings,
    carried: Carried,
}

/// One copy under way.
struct Job<'a> {
    origin: &'a Origin,
    destination: &'a Destination,
    meter: Arc<Meter>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seen: HashSet<Digest>,
    copied: Copied,
}

impl Copier {
    /// Returns a copier.
    pub fn new(settings: CopySettings) -> Self {
        Self { settings, carried: Carried::default() }
    }

    /// Copies one image or artifact with everything it names.
    ///
    /// # Errors
    /// [`Failure`] of either end. What has arrived stays, and is not sent again by the next try.
    pub async fn copy(
        &self,
        origin: &Origin,
        destination: &Destination,
        progress: &OnProgress,
    ) -> Result<Copied, Failure> {
        let meter = Arc::new(Meter::new(Arc::clone(progress)));
        let job = Job { origin, destination, meter, state: Mutex::default() };
        let root = origin.root().await?;
        self.copy_tree(&job, root.clone(), 0).await?;
        let of_the_image = job.state().copied.manifests.len();
        if self.settings.attachments == Attachments::Carry {
            self.copy_attachments(&job).await?;
        }
        destination.name(&root).await?;
        let mut copied = std::mem::take(&mut job.state().copied);
        copied.attached = copied.manifests.split_off(of_the_image);
        Ok(copied)
    }

    /// Copies a manifest after what it names. Boxed, since an index may name indexes.
    fn copy_tree<'a>(
        &'a self,
        job: &'a Job<'_>,
        manifest: Resolved,
        depth: usize,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            let descriptor = manifest.descriptor.clone();
            if !job.state().seen.insert(descriptor.digest.clone()) {
                return Ok(());
            }
            let content = manifest.manifest()?;
            match &content.content {
                Content::Index { manifests } => {
                    self.copy_children(job, &descriptor, manifests, depth).await?
                }
                Content::Image { .. } => {
                    // A registry that has the manifest has its blobs; a folder proves nothing.
                    if !job.destination.vouches_for(&descriptor).await? {
                        self.copy_blobs(job, content.blobs()).await?;
                    }
                }
            }
            job.destination.store(&manifest).await?;
            job.state().copied.manifests.push(descriptor);
            Ok(())
        }
        .boxed()
    }

    async fn copy_children(
        &self,
        job: &Job<'_>,
        index: &Descriptor,
        children: &[Descriptor],
        depth: usize,
    ) -> Result<(), Failure> {
        if depth >= DEEPEST {
            let reason = format!("indexes are nested deeper than {DEEPEST} times");
            return Err(Failure::BadAnswer { what: format!("the index `{}`", index.digest), reason });
        }
        let (wanted, left_out) = platform_filter::choose(&self.settings.platforms, index, children)?;
        job.state().copied.left_out.extend(left_out);
        for child in wanted {
            match job.origin.manifest(&child).await? {
                Some(manifest) => self.copy_tree(job, manifest, depth + 1).await?,
                None => job.state().copied.absent.push(child),
            }
        }
        Ok(())
    }

    async fn copy_blobs(
        &self,
        job: &Job<'_>,
        blobs: impl Iterator<Item = &Descriptor>,
    ) -> Result<(), Failure> {
        let mut seen = HashSet::new();
        let mut left: VecDeque<&Descriptor> = blobs.filter(|blob| seen.insert(&blob.digest)).collect();
        left.iter().for_each(|blob| job.meter.expect(blob.size));
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < self.settings.blobs_at_once.max(1)
                && let Some(blob) = left.pop_front()
            {
                under_way.push(self.copy_blob(job, blob));
            }
            if under_way.try_next().await?.is_none() {
                return Ok(());
            }
        }
    }

    async fn copy_blob(&self, job: &Job<'_>, blob: &Descriptor) -> Result<(), Failure> {
        let holders = self.carried.holders(job.destination, &blob.digest);
        // Held while the blob is on its way: who wants the same one waits, and finds it there.
        let mut holders = holders.lock().await;
        let meter = job.meter.of_blob();
        if !holders.contains(&job.destination.holder()) {
            let elsewhere = holders.iter().flatten().next().or(job.destination.neighbour(job.origin));
            let put = job.destination.put_blob(blob, elsewhere, &job.origin.blob(blob), &meter).await?;
            if put == Pushed::Sent {
                job.state().copied.bytes_sent += blob.size;
            }
            holders.push(job.destination.holder());
        }
        meter(blob.size);
        Ok(())
    }

    /// Copies what is attached to what was copied, and what is attached to that.
    async fn copy_attachments(&self, job: &Job<'_>) -> Result<(), Failure> {
        let mut subjects: VecDeque<Descriptor> = job.state().copied.manifests.iter().cloned().collect();
        while let Some(subject) = subjects.pop_front() {
            for referrer in job.origin.referrers(&subject.digest).await? {
                if job.state().seen.contains(&referrer.digest) {
                    continue;
                }
                match job.origin.manifest(&referrer).await? {
                    Some(manifest) => {
                        self.copy_tree(job, manifest.clone(), 0).await?;
                        job.destination.attach(&manifest).await?;
                        subjects.push_back(manifest.descriptor);
                    }
                    None => job.state().copied.absent.push(referrer),
                }
            }
            for tag in cosign_tags(&subject.digest)? {
                if let Some(manifest) = job.origin.tagged(&tag).await? {
                    self.copy_tree(job, manifest.clone(), 0).await?;
                    job.destination.tag(&manifest, &tag).await?;
                }
            }
        }
        Ok(())
    }
}

impl Job<'_> {
    /// What it holds is whole at every moment, so a panic elsewhere spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the tags under which cosign keeps what belongs to a manifest.
fn cosign_tags(subject: &Digest) -> Result<Vec<Tag>, Failure> {
    let base = Tag::of_referrers(subject);
    let tags = COSIGN_ENDINGS.into_iter().map(|ending| format!("{base}.{ending}").parse());
    tags.collect::<Result<_, _>>().map_err(|reason: InvalidTag| Failure::BadAnswer {
        what: format!("what belongs to `{subject}`"),
        reason: reason.to_string(),
    })
}
