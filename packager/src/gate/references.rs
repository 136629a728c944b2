//! What a rendered document names outside of the site, as findings: addresses, commands, plugins, images.

use super::reach::{Reach, reaches};
use super::site::Site;
use super::source_line::source_line;
use super::{Check, Finding};
use crate::images::Finder;
use crate::render::{Document, StagedChart};

/// Returns what a document names on the internet, and of each whether only people follow it.
pub(super) fn addresses(chart: &StagedChart, document: &Document, site: &Site) -> Vec<(Finding, bool)> {
    let findings = reaches(document, site).into_iter().map(|reach| {
        let place = source_line(chart, &document.template, searched(&reach));
        let (kind, name) = document.kind_and_name();
        let (is_link, remedy) = (reach.is_link(), remedy_of(&reach));
        let Reach { check, subject, what, text, path } = reach;
        let shown = if text == subject { String::new() } else { format!(": `{text}`") };
        let finding = Finding::new(check, subject, format!("{what}{shown} ({kind} `{name}`, {path})"));
        (finding.at(place.file, place.line).remedy(remedy), is_link)
    });
    findings.collect()
}

/// What to look for in the files: commands were joined over lines, so their address says more than the line.
fn searched(reach: &Reach) -> &str {
    match reach.check {
        Check::PluginList => reach.text.split(',').next().unwrap_or(&reach.text),
        _ if reach.subject.contains("://") => &reach.subject,
        _ => &reach.text,
    }
}

fn remedy_of(reach: &Reach) -> &'static str {
    match reach.check {
        _ if reach.is_link() => "",
        Check::PluginList => {
            "empty the list in `values` and put the plugins into the image, or point it at the site"
        }
        Check::Download => "point it at the site in `values`, switch it off, or waive it with a reason",
        _ => "set the site's address in `values`, or waive it with a reason",
    }
}

/// Returns the images of a document that do not come from the site's registry.
pub(super) fn images(chart: &StagedChart, document: &Document, finder: &Finder, site: &Site) -> Vec<Finding> {
    let sightings = finder.sightings(document);
    let foreign = sightings.iter().filter(|sighting| !site.is_registry(&sighting.image.host));
    let findings = foreign.map(|sighting| {
        let image = sighting.image.to_string();
        let place = source_line(chart, &document.template, &sighting.image.path);
        let (kind, name) = document.kind_and_name();
        let cause = format!("the image is fetched from `{}` ({kind} `{name}`, {})", sighting.image.host, sighting.path);
        Finding::new(Check::ForeignImage, image, cause)
            .at(place.file, place.line)
            .remedy("relocate it: `chartpack lock` does so by values, else a patch; or waive it when nodes mirror its host")
    });
    findings.collect()
}
