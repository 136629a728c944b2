//! Completes the images of a lock with digests: those of the earlier lock, and from the registries for the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::registries::Registries;
use super::resolve::LockSettings;
use super::{Lock, LockRefusal, LockedChart, LockedImage, Moved};

/// What is asked for, and what is known already.
pub(super) struct Asking<'run> {
    pub(super) registries: &'run Registries<'run>,
    pub(super) old: Option<&'run Lock>,
    pub(super) settings: &'run LockSettings<'run>,
}

impl Asking<'_> {
    /// Sets the digests of all images, and returns those that are gone, which only a check does.
    ///
    /// # Errors
    /// [`LockRefusal::Images`] with every image that could not be resolved; a check tells of those instead, unless a
    /// registry does not answer.
    pub(super) async fn complete(
        &self,
        charts: &mut BTreeMap<String, LockedChart>,
    ) -> Result<Vec<Moved>, LockRefusal> {
        let known = self.known();
        let mut wanted = BTreeSet::new();
        for (recipe, chart) in charts.iter_mut() {
            // What was locked stays, as long as nobody asks to see or to renew it.
            let is_fresh = self.settings.is_check || self.settings.update.contains(recipe);
            for image in &mut chart.images {
                match known.get(image.source()).filter(|_| !is_fresh) {
                    Some(old) if !old.platforms.is_empty() => {
                        (image.digest, image.platforms) = (old.digest.clone(), old.platforms.clone());
                    }
                    Some(_) | None => _ = wanted.insert(image.source().to_owned()),
                }
            }
        }
        let answers = self.registries.ask(&wanted, &known).await;
        let (mut answered, mut refusals) = (BTreeMap::new(), Vec::new());
        for (name, answer) in answers {
            match answer {
                Ok(resolved) => _ = answered.insert(name, resolved),
                Err(refusal) => refusals.push((name, refusal)),
            }
        }
        let is_told = self.settings.is_check && !refusals.iter().any(|(_, one)| one.is_of_the_network());
        if !refusals.is_empty() && !is_told {
            return Err(LockRefusal::Images(refusals));
        }
        for image in charts.values_mut().flat_map(|chart| &mut chart.images) {
            if let Some(resolved) = answered.get(image.source()) {
                image.digest = Some(resolved.digest.clone());
                image.platforms = resolved.platforms.clone();
            }
        }
        let gone = refusals.into_iter();
        Ok(gone.map(|(_, refusal)| Moved { recipe: String::new(), what: refusal.to_string() }).collect())
    }

    /// Returns the images of the earlier lock that have digests, by where they are copied from.
    fn known(&self) -> BTreeMap<String, LockedImage> {
        let images = self.old.into_iter().flat_map(|old| old.charts.values()).flat_map(|chart| &chart.images);
        let known = images.filter(|image| image.digest.is_some());
        known.map(|image| (image.source().to_owned(), image.clone())).collect()
    }
}
