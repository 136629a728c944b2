//! The order of a layer: by path, a folder before what is in it. Of a file with several names the first one is the file,
//! the others are links to it, whichever of them the builder met first.

use std::collections::BTreeMap;

use super::entry::{LayerEntry, Substance};

/// Sorts entries. Of two for one path the later one counts, as it would when they are unpacked.
pub(super) fn sorted(entries: Vec<LayerEntry>) -> Vec<LayerEntry> {
    let by_path: BTreeMap<Vec<u8>, LayerEntry> =
        entries.into_iter().map(|entry| (sort_key(&entry.path), entry)).collect();
    let mut names: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for (key, entry) in &by_path {
        if let Substance::HardLink(target) = &entry.substance {
            names.entry(sort_key(target)).or_default().push(key.clone());
        }
    }
    let mut by_path = by_path;
    for (target, links) in names {
        promote_first(&mut by_path, &target, links);
    }
    by_path.into_values().collect()
}

/// Makes the first of a file's names the file. A target that is not in this layer stays what the links name.
fn promote_first(by_path: &mut BTreeMap<Vec<u8>, LayerEntry>, target: &[u8], links: Vec<Vec<u8>>) {
    let Some(file) = by_path.get(target).cloned() else { return };
    let Some(first) = links.iter().map(Vec::as_slice).chain([target]).min().map(<[u8]>::to_vec) else {
        return;
    };
    let Some(first_path) = by_path.get(&first).map(|entry| entry.path.clone()) else { return };
    for key in links.into_iter().chain([target.to_vec()]) {
        if let Some(entry) = by_path.get_mut(&key) {
            let path = entry.path.clone();
            *entry = LayerEntry { path, ..file.clone() };
            if key != first {
                entry.substance = Substance::HardLink(first_path.clone());
            }
        }
    }
}

/// A slash sorts before every other byte, so that `a/b` comes before `a-b`.
fn sort_key(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'/' { 0 } else { *byte }).collect()
}
