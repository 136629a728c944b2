//! Looks at the images of the charts of a catalogue: discovers them, and moves their references to the site.

use super::prepared::{Known, Prepared};
use super::{LockedForeign, LockedImage, RecipeRefusal};
use crate::catalogue::Catalogue;
use crate::images::{Discovery, FoundImage, Trail};
use crate::profile::ImageSettings;
use crate::relocate::{Asked, Declared, InvalidSite, Proof, Relocation, Site, discover_and_relocate};
use crate::render::{Renderer, StagedChart};
use crate::steps::Steps;

/// How many places the lock names for an image; `chartpack images --why` names all.
const TRAILS: usize = 2;

/// How far `lock` looks into images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ImageMode {
    /// Find them, move the references, and ask the registries for digests
    Digests,
    /// Find them and move the references; no registry is asked
    Names,
    /// Leave images alone
    None,
}

/// What it takes to look at images.
pub(crate) struct Look<'run> {
    /// Who renders.
    pub(crate) renderer: &'run Renderer,
    /// What shows how far it is.
    pub(crate) steps: &'run Steps,
}

impl Look<'_> {
    /// Finds the images of one chart and moves its references; edits that were found before are only proven again.
    pub(super) fn at(
        &self,
        prepared: &Prepared,
        catalogue: &Catalogue,
    ) -> Result<(Known, Proof), RecipeRefusal> {
        let Self { renderer, steps } = *self;
        steps.name(prepared.locked.name.as_str());
        let chart = StagedChart::of_packed(&prepared.packed)?;
        let settings = settings_of(prepared, catalogue);
        let site = site_of(prepared, catalogue)?;
        let asked = Asked { renderer, chart: &chart, settings: &settings, site: &site, steps };
        let (discovery, Relocation { edits, proof, .. }) = discover_and_relocate(&asked, &prepared.recorded)?;
        let site = site.knowing(&discovery.substitutions);
        let foreign = proof.left.iter().filter(|left| !left.only_tests).map(|left| LockedForeign {
            image: left.image.clone(),
            place: left.place(),
            declared: left.declared.clone(),
        });
        let known =
            Known { images: locked_images(&discovery, &site), relocation: edits, foreign: foreign.collect() };
        Ok((known, proof))
    }
}

fn settings_of(prepared: &Prepared, catalogue: &Catalogue) -> ImageSettings {
    let mut settings = prepared.recipe.images.clone();
    if !catalogue.kubernetes.is_empty() {
        settings.kubernetes_versions =
            catalogue.kubernetes.iter().map(|one| one.as_str().to_owned()).collect();
    }
    settings
}

fn site_of(prepared: &Prepared, catalogue: &Catalogue) -> Result<Site, InvalidSite> {
    let target = &catalogue.target;
    Site::new(&target.registry, target.path_policy, Declared::of_waivers(&prepared.recipe.waivers))
}

/// Images that only `helm test` uses do not go along.
fn locked_images(discovery: &Discovery, site: &Site) -> Vec<LockedImage> {
    let used = discovery.images.iter().filter(|found| !found.only_tests);
    let locked = used.map(|FoundImage { image, fetched_as, trails, .. }| LockedImage {
        name: image.to_string(),
        site_name: site.name_of(image).to_string(),
        copied_from: fetched_as.as_ref().map(ToString::to_string),
        digest: image.digest.clone(),
        platforms: Default::default(),
        trail: trails.iter().take(TRAILS).map(Trail::to_string).collect(),
    });
    locked.collect()
}
