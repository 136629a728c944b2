//! What `Chart.yaml` says that someone would fetch: the icon, and dependencies that are not in the chart.

use super::addresses::{Address, addresses};
use super::candidate::Candidate;
use super::findings::Findings;
use super::site::Site;
use super::{Check, Finding};

/// Adds what `Chart.yaml` reaches for: the icon refuses the chart, since catalogues show it; links are listed.
pub(super) fn check(candidate: &Candidate, site: &Site, found: &mut Findings) {
    let metadata = candidate.chart.metadata();
    let line = |text: &str| super::source_line::source_line(&candidate.chart, "Chart.yaml", text).line;
    if let Some(address) = public(site, &metadata.icon) {
        let finding = Finding::new(
            Check::PublicUrl,
            address.text,
            "every catalogue fetches the icon from the internet",
        )
        .at("Chart.yaml", line(address.text))
        .remedy("carry it in the chart with `icon: upstream`, or `icon: {path: FILE}`");
        found.refuse(finding);
    }
    for dependency in &metadata.dependencies {
        let Some(address) = public(site, &dependency.repository) else { continue };
        let folder = format!("charts/{}/", dependency.name);
        let is_carried = candidate.chart.files().iter().any(|file| file.path.starts_with(&folder));
        let cause = format!("`{}` comes from there; the chart carries it", dependency.name);
        let finding =
            Finding::new(Check::PublicUrl, address.text, cause).at("Chart.yaml", line(address.text));
        let remedy = format!("carry `{}` in the chart: `chartpack lock` fetches it", dependency.name);
        found.add(finding.remedy(if is_carried { String::new() } else { remedy }), !is_carried);
    }
    let links = metadata.sources.iter().chain([&metadata.home]).chain(metadata.annotations.values());
    for address in links.flat_map(|text| addresses(text)).filter(|address| site.is_public(address.host)) {
        let finding = Finding::new(Check::PublicUrl, address.text, "a link for people");
        found.list(finding.at("Chart.yaml", line(address.text)));
    }
}

fn public<'text>(site: &Site, text: &'text str) -> Option<Address<'text>> {
    addresses(text).into_iter().find(|address| site.is_public(address.host))
}
