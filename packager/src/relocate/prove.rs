//! Renders the edited chart in every view and reads the proof from what comes out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::comparison::{Differences, Rendered};
use super::judge::wrong_in;
use super::patch::{ProposedPatch, propose_patches};
use super::proof::{Left, Proof, ProvenEdit, ViewProof};
use super::references::{Reference, References, Slot};
use super::values_file::ValuesFile;
use super::{Relocating, RelocationError};
use crate::edit::find;
use crate::images::{Finder, ViewName};
use crate::lock::LockedEdit;
use crate::patch;
use crate::render::{RenderRequest, Rendering, StagedChart, merge_over};
use crate::toggle::set_over;

/// A view with what it renders to before and after the edits.
struct Compared {
    name: ViewName,
    request: RenderRequest,
    before: (Rendering, References),
    after: (Rendering, References),
}

/// Renders the chart with `edits` made in its values, everywhere the chart rendered without them.
pub(super) fn prove(relocating: &Relocating<'_>, edits: &[LockedEdit]) -> Result<Proof, RelocationError> {
    let finder = Finder::default();
    let compared = compare(relocating, edits, &finder)?;
    let site = relocating.site;
    let mut differences = Differences::default();
    let mut left: BTreeMap<String, Left> = BTreeMap::new();
    let mut views = Vec::new();
    for view in &compared {
        let (was, now) = (&view.before.1, &view.after.1);
        let rendered = |(rendering, references)| Rendered { rendering, references };
        differences.add(rendered((&view.before.0, was)), rendered((&view.after.0, now)), edits);
        let wrong = wrong_in(was, now, site);
        let mut proof = ViewProof {
            view: described(&view.name),
            kubernetes: view.request.kubernetes_version.clone(),
            references: now.by_slot.len(),
            foreign: 0,
            wrong: wrong.into_iter().map(|(slot, written)| format!("{}: {written}", slot.0)).collect(),
        };
        for (slot, reference) in &now.by_slot {
            if site.holds(&reference.image) {
                continue;
            }
            let declared = site.leaves(&reference.image).map(str::to_owned);
            proof.foreign += usize::from(!reference.is_test && declared.is_none());
            let entry = left.entry(reference.written.clone()).or_insert_with(|| Left {
                image: reference.image.to_string(),
                name: site.name_of(&reference.image).to_string(),
                templates: Default::default(),
                only_tests: true,
                declared,
                patch: tried_patch(relocating, edits, &finder, view, slot, reference),
            });
            entry.templates.insert(slot.0.clone());
            entry.only_tests &= reference.is_test;
        }
        views.push(proof);
    }
    let metadata = relocating.chart.metadata();
    Ok(Proof {
        chart: format!("{} {}", metadata.name, metadata.version),
        registry: site.prefix().to_owned(),
        path_policy: site.policy(),
        edits: edits.iter().map(|edit| proven_edit(edit, &compared)).collect(),
        views,
        left: left.into_values().collect(),
        unproven: unproven(relocating, &compared),
        carried: differences.carried,
        broken: differences.broken,
    })
}

/// Renders every view that renders whole, and on other Kubernetes versions the values as they are and all toggles.
fn compare(
    relocating: &Relocating<'_>,
    edits: &[LockedEdit],
    finder: &Finder,
) -> Result<Vec<Compared>, RelocationError> {
    let survey = &relocating.discovery.survey;
    let staged = survey.chart.as_ref().unwrap_or(relocating.chart);
    let edited = edited(relocating.chart, staged, edits)?;
    let mut views: Vec<(ViewName, RenderRequest)> =
        survey.whole_views().map(|view| (view.name.clone(), view.request.clone())).collect();
    let newest = views.first().map(|(_, request)| request.kubernetes_version.clone()).unwrap_or_default();
    for version in relocating.kubernetes_versions.iter().filter(|version| **version != newest) {
        for view in
            survey.whole_views().filter(|view| matches!(view.name, ViewName::Values | ViewName::AllToggles))
        {
            let request =
                RenderRequest { kubernetes_version: version.clone(), values: view.request.values.clone() };
            views.push((view.name.clone(), request));
        }
    }
    let before: Vec<_> = views.iter().map(|(_, request)| request.clone()).collect();
    let after: Vec<_> =
        views.iter().map(|(name, request)| with_edits(name, request, edits, edited.values())).collect();
    let before = relocating.renderer.render_all(staged, &before, relocating.steps)?;
    let after = relocating.renderer.render_all(&edited, &after, relocating.steps)?;
    let mut compared = Vec::new();
    for (((name, request), before), after) in views.into_iter().zip(before).zip(after) {
        // What does not render on an older version is the gate's business.
        let Ok(before) = before else { continue };
        let after = after.map_err(RelocationError::Broken)?;
        let read = |rendering: Rendering| {
            let references = References::of(&rendering, finder);
            (rendering, references)
        };
        compared.push(Compared { name, request, before: read(before), after: read(after) });
    }
    Ok(compared)
}

fn edited(
    chart: &StagedChart,
    staged: &StagedChart,
    edits: &[LockedEdit],
) -> Result<StagedChart, RelocationError> {
    let mut values = ValuesFile::of(chart)?;
    values.make(edits)?;
    Ok(StagedChart::new(values.among(staged.files()))?)
}

/// The values of a view from the knowledge of charts stand in for those of the chart, which the edits replace.
fn with_edits(
    name: &ViewName,
    request: &RenderRequest,
    edits: &[LockedEdit],
    edited: &Map<String, Value>,
) -> RenderRequest {
    let mut request = request.clone();
    if matches!(name, ViewName::Known(_)) {
        let given = Value::Object(request.values.clone());
        let mut over = Map::new();
        for LockedEdit { path, value } in edits {
            // What the view leaves alone comes from the edited chart: a mapping given here for nothing but an edit would
            // have Helm drop the nulls among a subchart's own values, which changes more than the image.
            if let Some(path) = path.parse().ok().filter(|path| find(&given, path).is_some()) {
                set_over(&mut over, edited, &path, value.clone());
            }
        }
        merge_over(&mut request.values, &over);
    }
    request
}

/// Returns the first patch that was seen to move the reference.
fn tried_patch(
    relocating: &Relocating<'_>,
    edits: &[LockedEdit],
    finder: &Finder,
    view: &Compared,
    slot: &Slot,
    reference: &Reference,
) -> Option<ProposedPatch> {
    let survey = &relocating.discovery.survey;
    let staged = survey.chart.as_ref().unwrap_or(relocating.chart);
    let moves = |proposed: &ProposedPatch| -> Option<bool> {
        let mut values = ValuesFile::of(relocating.chart).ok()?;
        values.make(edits).ok()?;
        let mut files = values.among(staged.files());
        patch::apply(proposed.diff.as_bytes(), &mut files).ok()?;
        let patched = StagedChart::new(files).ok()?;
        let request = with_edits(&view.name, &view.request, edits, patched.values());
        let rendering = relocating.renderer.render(&patched, &request).ok()?.ok()?;
        let now = References::of(&rendering, finder);
        let is_moved = now.by_slot.get(slot)?.image == relocating.site.name_of(&reference.image);
        Some(is_moved && wrong_in(&view.after.1, &now, relocating.site).is_empty())
    };
    // The names in the templates of the chart as it is; those with fixed keys differ in other lines only.
    let proposed = propose_patches(relocating.chart, slot, reference, relocating.site);
    proposed.into_iter().find(|one| moves(one) == Some(true))
}

fn proven_edit(edit: &LockedEdit, compared: &[Compared]) -> ProvenEdit {
    let mut proven =
        ProvenEdit { path: edit.path.clone(), value: edit.value.clone(), moves: Default::default() };
    let written = match &edit.value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (value, _) = super::candidate::split_version(&written);
    for view in compared {
        for (slot, now) in &view.after.1.by_slot {
            let Some(was) = view.before.1.by_slot.get(slot) else { continue };
            let name = super::candidate::split_version(&now.written).0;
            if was.image != now.image && (now.written.contains(value) || written.contains(name)) {
                proven.moves.insert((was.image.to_string(), now.image.to_string()));
            }
        }
    }
    proven
}

/// Returns the images that are needed and in none of the renderings.
fn unproven(relocating: &Relocating<'_>, compared: &[Compared]) -> Vec<String> {
    let is_rendered = |image: &crate::images::ImageName| {
        compared.iter().flat_map(|view| view.before.1.by_slot.values()).any(|one| one.image == *image)
    };
    let images = relocating.discovery.images.iter();
    let unproven = images.filter(|found| {
        !found.only_tests && !relocating.site.holds(&found.image) && !is_rendered(&found.image)
    });
    unproven.map(|found| found.image.to_string()).collect()
}

fn described(name: &ViewName) -> String {
    match name {
        ViewName::Values => "the values as they are".to_owned(),
        ViewName::Toggles(toggles) => {
            let toggles: Vec<_> = toggles.iter().map(ToString::to_string).collect();
            format!("with {}", toggles.join(", "))
        }
        ViewName::Behind(toggle) => format!("behind {toggle}"),
        ViewName::AllToggles => "with all toggles that go together".to_owned(),
        ViewName::Known(source) => format!("as known from {source}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapping(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn an_edit_is_laid_over_a_known_view_only_where_the_view_gives_the_value_itself() {
        let edits =
            [("web.image", "site/web"), ("store.image", "site/store"), ("hooks[0].image", "site/hook")];
        let edits = edits.map(|(path, value)| LockedEdit { path: path.to_owned(), value: json!(value) });
        let edited = mapping(json!({
            "web": {"image": "site/web"}, "store": {"image": "site/store"},
            "hooks": [{"image": "site/hook", "when": "before"}],
        }));
        let request =
            |values| RenderRequest { values: mapping(values), kubernetes_version: "1.31.0".to_owned() };
        let known = ViewName::Known("its manual".to_owned());
        let cases = [
            (json!({"web": {"on": true}}), json!({"web": {"on": true}})),
            (json!({"web": {"image": "web"}}), json!({"web": {"image": "site/web"}})),
            (
                json!({"hooks": [{"image": "h"}]}),
                json!({"hooks": [{"image": "site/hook", "when": "before"}]}),
            ),
            (json!({"hooks": []}), json!({"hooks": []})),
        ];
        for (given, expected) in cases {
            assert_eq!(
                with_edits(&known, &request(given.clone()), &edits, &edited).values,
                mapping(expected)
            );
            let as_it_is = with_edits(&ViewName::Values, &request(given.clone()), &edits, &edited);
            assert_eq!(as_it_is.values, mapping(given));
        }
    }
}
