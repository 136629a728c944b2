//! What moved between a lock and what is there now.

use std::collections::BTreeMap;

use super::{Lock, LockedChart, LockedFile, LockedImage, LockedSource};

/// One thing that is not as the lock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    /// The recipe's name; empty for the catalogue file.
    pub(crate) recipe: String,
    /// What moved, in words.
    pub(crate) what: String,
}

impl Lock {
    /// Returns what differs in `now`, which was made of the same catalogue file today.
    pub(crate) fn moved(&self, now: &Self) -> Vec<Moved> {
        let mut moved = Vec::new();
        let mut tell = |recipe: &str, what: String| moved.push(Moved { recipe: recipe.to_owned(), what });
        if self.catalogue.digest != now.catalogue.digest {
            tell("", format!("the catalogue file `{}` changed", now.catalogue.path));
        }
        for (name, old) in &self.charts {
            match now.charts.get(name) {
                Some(new) => old.moved(new).into_iter().for_each(|what| tell(name, what)),
                None => tell(name, "it is not in the catalogue file any more".to_owned()),
            }
        }
        for name in now.charts.keys().filter(|name| !self.charts.contains_key(*name)) {
            tell(name, "it is new in the catalogue file".to_owned());
        }
        moved
    }
}

impl LockedChart {
    /// Returns in words what differs in `now`.
    fn moved(&self, now: &Self) -> Vec<String> {
        let mut moved = Vec::new();
        if self.recipe.digest != now.recipe.digest {
            moved.push(format!("the recipe `{}` changed", now.recipe.path));
        }
        moved.extend(moved_files(&self.files, &now.files));
        moved.extend(moved_files(&self.overlay, &now.overlay));
        moved.extend(moved_source("the chart", &self.upstream, &now.upstream));
        let dependencies: BTreeMap<&str, &LockedSource> =
            now.dependencies.iter().map(|one| (one.folder.as_str(), &one.source)).collect();
        for old in &self.dependencies {
            match dependencies.get(old.folder.as_str()) {
                Some(new) => moved.extend(moved_source(&format!("`{}`", old.folder), &old.source, new)),
                None => moved.push(format!("`{}` is not needed any more", old.folder)),
            }
        }
        let known: Vec<&str> = self.dependencies.iter().map(|one| one.folder.as_str()).collect();
        let new = now.dependencies.iter().filter(|one| !known.contains(&one.folder.as_str()));
        moved.extend(new.map(|one| format!("`{}` is needed now", one.folder)));
        if self.icon != now.icon {
            moved.push("the icon changed".to_owned());
        }
        if self.provenance != now.provenance {
            moved.push("the provenance changed".to_owned());
        }
        moved.extend(moved_images(&self.images, &now.images));
        if moved.is_empty() && self.archive.digest != now.archive.digest {
            let (old, new) = (&self.archive.digest, &now.archive.digest);
            moved.push(format!("this chartpack makes {new} of what was {old}"));
        }
        moved
    }
}

fn moved_source(what: &str, old: &LockedSource, new: &LockedSource) -> Option<String> {
    if old.origin != new.origin {
        return Some(format!("{what} came from {}, and now comes from {}", old.origin, new.origin));
    }
    let (origin, before, after) = (&old.origin, &old.digest, &new.digest);
    (before != after).then(|| format!("{what} from {origin} was {before} and is {after}"))
}

fn moved_files(old: &[LockedFile], new: &[LockedFile]) -> Vec<String> {
    let now: BTreeMap<&str, _> = new.iter().map(|file| (file.path.as_str(), &file.digest)).collect();
    let before: BTreeMap<&str, _> = old.iter().map(|file| (file.path.as_str(), &file.digest)).collect();
    let changed = before.iter().filter_map(|(path, digest)| match now.get(path) {
        Some(other) if other == digest => None,
        Some(_) => Some(format!("`{path}` changed")),
        None => Some(format!("`{path}` is gone")),
    });
    let added = now.keys().filter(|path| !before.contains_key(*path)).map(|path| format!("`{path}` is new"));
    changed.chain(added).collect()
}

/// An image without a digest on one side was not asked for there.
fn moved_images(old: &[LockedImage], new: &[LockedImage]) -> Vec<String> {
    let now: BTreeMap<&str, &LockedImage> = new.iter().map(|image| (image.name.as_str(), image)).collect();
    let moved = old.iter().filter_map(|image| {
        let (before, after) = (image.digest.as_ref()?, now.get(image.name.as_str())?.digest.as_ref()?);
        (before != after).then(|| format!("the tag `{}` was {before} and is {after}", image.source()))
    });
    moved.collect()
}
