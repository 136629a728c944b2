//! Renderings kept on disk by what they depend on; each document is kept once, by its digest.
//!
//! A cache never fails a command: what cannot be read or written is rendered again. In memory every document is
//! held, and so parsed, once.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oci::Digest;
use serde::{Deserialize, Serialize};

use super::{Document, Outcome, Rendering, TemplateFailure};

/// The cache of one run.
#[derive(Debug)]
pub(super) struct RenderCache {
    folder: Option<PathBuf>,
    documents: Mutex<HashMap<String, Arc<Document>>>,
    outcomes: Mutex<HashMap<Digest, Outcome>>,
}

/// A rendering on disk: the digests of its documents, or helm's refusal.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Entry {
    Documents(Vec<String>),
    Refusal(String),
}

impl RenderCache {
    /// Opens the cache in `folder`, or one that lives in memory alone.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, documents: Mutex::default(), outcomes: Mutex::default() }
    }

    /// Returns what was kept under `key`.
    pub(super) fn find(&self, key: &Digest) -> Option<Outcome> {
        let known = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        known.or_else(|| self.read(key))
    }

    /// Keeps an outcome under `key`.
    pub(super) fn keep(&self, key: &Digest, outcome: &Outcome) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), outcome.clone());
        let Some(folder) = &self.folder else { return };
        let entry = match outcome {
            Ok(rendering) => {
                Entry::Documents(rendering.documents.iter().map(|one| one.digest().to_string()).collect())
            }
            Err(failure) => Entry::Refusal(failure.text().to_owned()),
        };
        if let Ok(rendering) = outcome {
            for document in &rendering.documents {
                let text = format!("{}\n{}", document.template, document.text);
                write(&path(folder, "documents", &document.digest().to_string()), text.as_bytes());
            }
        }
        if let Ok(json) = serde_json::to_vec(&entry) {
            write(&path(folder, "renderings", &key.to_string()), &json);
        }
    }

    /// Returns the documents, each replaced by the one that is held already.
    pub(super) fn intern(&self, documents: Vec<Document>) -> Vec<Arc<Document>> {
        let mut held = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = documents
            .into_iter()
            .map(|one| Arc::clone(held.entry(one.digest().to_string()).or_insert_with(|| Arc::new(one))));
        shared.collect()
    }

    fn read(&self, key: &Digest) -> Option<Outcome> {
        let folder = self.folder.as_ref()?;
        let entry = fs::read(path(folder, "renderings", &key.to_string())).ok()?;
        let outcome = match serde_json::from_slice(&entry).ok()? {
            Entry::Refusal(text) => Err(TemplateFailure::parse(&text)),
            Entry::Documents(digests) => {
                let documents = digests.iter().map(|digest| self.document(folder, digest));
                Ok(Rendering { documents: documents.collect::<Option<_>>()? })
            }
        };
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), outcome.clone());
        Some(outcome)
    }

    /// A document whose bytes are not those of its digest is as good as none.
    fn document(&self, folder: &Path, digest: &str) -> Option<Arc<Document>> {
        if let Some(held) = self.documents.lock().unwrap_or_else(PoisonError::into_inner).get(digest) {
            return Some(Arc::clone(held));
        }
        let text = fs::read_to_string(path(folder, "documents", digest)).ok()?;
        let (template, body) = text.split_once('\n')?;
        let document = Document::new(template.to_owned(), body.to_owned());
        if document.digest().to_string() != digest {
            return None;
        }
        self.intern(vec![document]).pop()
    }
}

fn path(folder: &Path, kind: &str, digest: &str) -> PathBuf {
    let hex = digest.rsplit(':').next().unwrap_or(digest);
    folder.join(kind).join(hex.get(..2).unwrap_or(hex)).join(hex)
}

/// Writes beside the place and renames, so that a run that is broken off leaves no half entry.
fn write(path: &Path, bytes: &[u8]) {
    let Some(folder) = path.parent() else { return };
    if path.exists() || fs::create_dir_all(folder).is_err() {
        return;
    }
    let Ok(mut file) = tempfile::NamedTempFile::new_in(folder) else { return };
    if file.write_all(bytes).is_ok() {
        let _ = file.persist(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendering(cache: &RenderCache) -> Outcome {
        let documents =
            cache.intern(vec![Document::new("templates/a.yaml".to_owned(), "kind: Pod\n".to_owned())]);
        Ok(Rendering { documents })
    }

    #[test]
    fn what_was_kept_is_found_by_another_run_and_damage_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let key = Digest::sha256(b"key");
        let first = RenderCache::new(Some(folder.path().to_owned()));
        assert!(first.find(&key).is_none());
        first.keep(&key, &rendering(&first));
        let second = RenderCache::new(Some(folder.path().to_owned()));
        let found = second.find(&key).unwrap().unwrap();
        assert_eq!(found.documents[0].text, "kind: Pod\n");
        let document = path(folder.path(), "documents", &found.documents[0].digest().to_string());
        fs::write(document, "templates/a.yaml\nkind: Job\n").unwrap();
        assert!(RenderCache::new(Some(folder.path().to_owned())).find(&key).is_none());
    }

    #[test]
    fn a_refusal_is_kept_too() {
        let folder = tempfile::tempdir().unwrap();
        let key = Digest::sha256(b"key");
        let failure = TemplateFailure::parse("Error: parse error at (x/templates/a.yaml:2): bad");
        RenderCache::new(Some(folder.path().to_owned())).keep(&key, &Err(failure.clone()));
        let found = RenderCache::new(Some(folder.path().to_owned())).find(&key).unwrap();
        assert_eq!(found.unwrap_err(), failure);
    }
}
