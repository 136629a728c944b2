//! Finds image references in one rendered document: fields, arguments, environment, embedded configuration.
//!
//! A text counts as an image when its key says so and it parses, or when it names a registry and a tag itself.

mod embedded;
mod key;
mod settings;
mod text;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use chart::yaml::Value;
use oci::Digest;

pub(crate) use self::embedded::embedded_value;
use self::key::{Hint, hint_of};
use self::settings::{images_of, settings_of};
use self::text::{tokens_with_hints, unhinted};
use super::ImageName;
use crate::render::{Document, Rendering};

/// How deep configuration inside configuration is read.
const MAX_EMBEDDED: usize = 4;

/// An image reference in a rendered document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// The image.
    pub(crate) image: ImageName,
    /// The reference as it is written there.
    pub(crate) written: String,
    /// The path in the document, such as `spec.template.spec.containers[0].image`; what is inside an embedded text
    /// follows a `>`.
    pub(crate) path: String,
    /// What kind of place it is.
    pub(crate) place: Place,
}

/// What kind of place an image reference stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// The image of a container.
    Container,
    /// A field of a custom resource, or of anything else.
    Field,
    /// An argument or a command.
    Argument,
    /// An environment variable.
    Environment,
    /// Configuration embedded in a ConfigMap or Secret.
    Embedded,
}

/// Searches documents, each once: the views of a chart share most of theirs.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    known: RefCell<HashMap<Digest, Rc<[Sighting]>>>,
}

impl Finder {
    /// Returns every image reference in a document, in its order.
    pub(crate) fn sightings(&self, document: &Document) -> Rc<[Sighting]> {
        let known = self.known.borrow().get(document.digest()).map(Rc::clone);
        known.unwrap_or_else(|| {
            let found: Rc<[Sighting]> = sightings(document).into();
            self.known.borrow_mut().insert(document.digest().clone(), Rc::clone(&found));
            found
        })
    }

    /// Returns every template with the places in its documents that hold an image, and the images.
    pub(crate) fn places_in(&self, rendering: &Rendering) -> BTreeSet<(String, String, ImageName)> {
        let mut places = BTreeSet::new();
        for document in &rendering.documents {
            for Sighting { image, path, .. } in self.sightings(document).iter() {
                places.insert((document.template.clone(), path.clone(), image.clone()));
            }
        }
        places
    }
}

fn sightings(document: &Document) -> Vec<Sighting> {
    let root = document.value();
    // Definitions describe fields with examples; no image in them is ever pulled.
    if document.kind_and_name().0 == "CustomResourceDefinition" {
        return Vec::new();
    }
    let mut walk = Walk { found: Vec::new(), embedded: 0 };
    walk.value(root, "", Place::Field);
    walk.found
}

struct Walk {
    found: Vec<Sighting>,
    embedded: usize,
}

impl Walk {
    fn value(&mut self, value: &Value, path: &str, place: Place) {
        match value {
            Value::Mapping(entries) => {
                self.environment_entry(value, path);
                for (key, below) in entries {
                    self.entry(key, below, &join(path, key), place);
                }
            }
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{path}[{index}]"), place);
                }
            }
            Value::String(text) => self.bare_text(text, path, place),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) => {}
        }
    }

    fn entry(&mut self, key: &str, value: &Value, path: &str, place: Place) {
        match (key, value) {
            ("args" | "command", Value::Sequence(items)) => self.arguments(items, path),
            ("data" | "stringData" | "binaryData", Value::Mapping(entries)) if !path.contains('.') => {
                for (key, value) in entries {
                    self.entry(key, value, &join(path, key), Place::Embedded);
                }
            }
            (_, Value::String(text)) => match hint_of(key) {
                Some(hint) if self.accept(text, hint, path, as_container(key, place)) => {}
                Some(_) | None => self.bare_text(text, path, place),
            },
            (_, Value::Sequence(items)) if key.to_lowercase().ends_with("images") => {
                for (index, item) in items.iter().enumerate() {
                    let below = format!("{path}[{index}]");
                    if let Some(text) = item.as_str() {
                        self.accept(text, Hint::Strong, &below, place);
                    } else {
                        self.value(item, &below, place);
                    }
                }
            }
            (_, Value::Mapping(_)) if hint_of(key).is_some() => {
                if let Some(text) = composed(value) {
                    self.accept(&text, Hint::Strong, path, place);
                }
                self.value(value, path, place);
            }
            (_, _) => self.value(value, path, place),
        }
    }

    /// `--flag=value`, `--flag value`, and words of scripts.
    fn arguments(&mut self, items: &[Value], path: &str) {
        let mut flag: Option<&str> = None;
        for (index, item) in items.iter().enumerate() {
            let Some(text) = item.as_str() else { continue };
            let below = format!("{path}[{index}]");
            let hint = flag.take().and_then(hint_of);
            if hint.is_some_and(|hint| self.accept(text, hint, &below, Place::Argument)) {
                continue;
            }
            if text.starts_with('-') && !text.contains(['=', ' ', '\n']) {
                flag = Some(text.trim_start_matches('-'));
                continue;
            }
            self.words(text, &below, Place::Argument);
        }
    }

    /// `{name: X_IMAGE, value: …}` of a container's environment, or of a parameter list.
    fn environment_entry(&mut self, entry: &Value, path: &str) {
        let text = |key| entry.get(key).and_then(Value::as_str);
        if let (Some(name), Some(value)) = (text("name"), text("value"))
            && let Some(hint) = hint_of(name)
        {
            self.accept(value, hint, &join(path, "value"), Place::Environment);
        }
    }

    /// A text whose key says nothing: a whole document, settings, words, or one reference.
    fn bare_text(&mut self, text: &str, path: &str, place: Place) {
        if self.found.iter().any(|sighting| sighting.path == path) {
            return;
        }
        if self.embedded < MAX_EMBEDDED
            && let Some(value) = embedded_value(text)
        {
            self.embedded += 1;
            self.value(&value, &format!("{path}>"), Place::Embedded);
            self.embedded -= 1;
            return;
        }
        let Some(settings) = settings_of(text).filter(|_| text.contains('\n')) else {
            self.words(text, path, place);
            return;
        };
        for setting in settings {
            let below = format!("{path}>{}", setting.path);
            let images = images_of(&setting);
            if images.is_empty() {
                self.words(setting.value, &below, place);
            }
            for (image, written) in images {
                self.push(image, written, &below, place);
            }
        }
    }

    fn words(&mut self, text: &str, path: &str, place: Place) {
        for (number, (word, hint)) in tokens_with_hints(text).enumerate() {
            let below = if number == 0 { path.to_owned() } else { format!("{path}>word {number}") };
            match hint {
                Some(hint) if self.accept(word, hint, &below, place) => {}
                Some(_) | None => {
                    if let Some(image) = unhinted(word) {
                        self.push(image, word, &below, place);
                    }
                }
            }
        }
    }

    fn accept(&mut self, text: &str, hint: Hint, path: &str, place: Place) -> bool {
        let Some(image) = hint.judge(text) else { return false };
        self.push(image, text, path, place);
        true
    }

    fn push(&mut self, image: ImageName, written: &str, path: &str, place: Place) {
        self.found.push(Sighting { image, written: written.trim().to_owned(), path: path.to_owned(), place });
    }
}

fn as_container(key: &str, place: Place) -> Place {
    match place {
        Place::Field if key == "image" => Place::Container,
        Place::Container | Place::Field | Place::Argument | Place::Environment | Place::Embedded => place,
    }
}

/// Returns the reference that a map of parts means: registry, repository (or name, image), tag (or version), digest.
fn composed(value: &Value) -> Option<String> {
    let part = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| value.get(key)).and_then(scalar_text);
        found.filter(|text| !text.is_empty())
    };
    let name = part(&["repository", "name", "image"])?;
    let registry = part(&["registry"]).map(|registry| format!("{registry}/")).unwrap_or_default();
    let tag = part(&["tag", "version"]).map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = part(&["digest", "sha"]).map(|digest| format!("@{digest}")).unwrap_or_default();
    (name.contains('/') || !tag.is_empty()).then(|| format!("{registry}{name}{tag}{digest}"))
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Uint(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

fn join(path: &str, key: &str) -> String {
    let key = if key.contains('.') { format!("\"{key}\"") } else { key.to_owned() };
    if path.is_empty() || path.ends_with('>') { format!("{path}{key}") } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests;
