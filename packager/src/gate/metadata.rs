//! What `Chart.yaml` says that someone would fetch: the icon, and dependencies that are not in the chart. Links for people,
//! there and in the notes, are listed.

use super::addresses::{Address, addresses};
use super::candidate::Candidate;
use super::findings::Findings;
use super::site::Site;
use super::source_line::source_line;
use super::{Check, Finding};

/// Adds what `Chart.yaml` and the notes name on the internet.
pub(super) fn check(candidate: &Candidate, site: &Site, found: &mut Findings) {
    let metadata = candidate.chart.metadata();
    if let Some(address) = public(site, &metadata.icon).first() {
        let cause = "every catalogue fetches the icon from the internet";
        let remedy = "carry it in the chart with `icon: upstream`, or `icon: {path: FILE}`";
        found.refuse(in_metadata(candidate, address, cause).remedy(remedy));
    }
    for dependency in &metadata.dependencies {
        let folder = format!("charts/{}/", dependency.name);
        let is_carried = candidate.chart.files().iter().any(|file| file.path.starts_with(&folder));
        for address in public(site, &dependency.repository) {
            let cause = format!("`{}` comes from there", dependency.name);
            let remedy = format!("carry `{}` in the chart: `chartpack lock` fetches it", dependency.name);
            let remedy = if is_carried { String::new() } else { remedy };
            found.add(in_metadata(candidate, &address, &cause).remedy(remedy), !is_carried);
        }
    }
    let links = metadata.sources.iter().chain([&metadata.home]).chain(metadata.annotations.values());
    for address in links.flat_map(|text| public(site, text)) {
        found.list(in_metadata(candidate, &address, "a link for people"));
    }
    for file in candidate.chart.files().iter().filter(|file| file.path.ends_with("templates/NOTES.txt")) {
        for (number, line) in String::from_utf8_lossy(&file.bytes).lines().enumerate() {
            for address in public(site, line) {
                let finding = Finding::new(Check::PublicUrl, address.text, "a link for people");
                found.list(finding.at(&file.path, Some(number + 1)));
            }
        }
    }
}

fn in_metadata(candidate: &Candidate, address: &Address<'_>, cause: &str) -> Finding {
    let line = source_line(&candidate.chart, "Chart.yaml", address.text).line;
    Finding::new(Check::PublicUrl, address.text, cause).at("Chart.yaml", line)
}

fn public<'text>(site: &Site, text: &'text str) -> Vec<Address<'text>> {
    addresses(text).into_iter().filter(|address| site.is_public(address.host)).collect()
}
