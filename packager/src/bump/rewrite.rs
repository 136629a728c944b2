//! A recipe's text for a newer upstream: version or commit, digest and revision, each in its own span; nothing else.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Bump;
use crate::edit::{Document, EditError, ValuePath};
use crate::recipe::{Recipe, Revision, Upstream};

/// Why a recipe is not rewritten.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RewriteRefusal {
    /// An edit cannot be made in its text.
    #[error("`{path}` cannot be rewritten: {problem}; change it by hand")]
    Edit {
        /// The recipe.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: EditError,
    },
    /// What comes out is not the recipe with another upstream.
    #[error("`{0}` cannot be rewritten without changing more than its upstream; change it by hand")]
    Other(PathBuf),
    /// The digest to write is not known.
    #[error(
        "`{0}` names the digest of a manifest, which the vault does not keep: bump it without --offline, or change it by hand"
    )]
    NoDigest(PathBuf),
}

/// Returns the recipe's new text.
///
/// # Errors
/// [`RewriteRefusal`].
pub(crate) fn rewritten(bump: &Bump) -> Result<String, RewriteRefusal> {
    let path = &bump.recipe.path;
    let other = || RewriteRefusal::Other(path.clone());
    let refuse = |problem| RewriteRefusal::Edit { path: path.clone(), problem };
    let text = str::from_utf8(&bump.recipe.bytes).map_err(|_| other())?;
    let mut edits: Vec<(&[&str], Value)> = Vec::new();
    match (&bump.upstream, &bump.recipe.recipe.upstream) {
        (
            Upstream::Repository { version, digest: new, .. } | Upstream::Oci { version, digest: new, .. },
            Upstream::Repository { digest: old, .. } | Upstream::Oci { digest: old, .. },
        ) => {
            edits.push((&["upstream", "version"], json!(version)));
            match (old, new) {
                (Some(_), Some(digest)) => edits.push((&["upstream", "digest"], json!(digest))),
                (Some(_), None) => return Err(RewriteRefusal::NoDigest(path.clone())),
                (None, _) => {}
            }
        }
        (Upstream::Git { commit, .. }, _) => {
            edits.push((&["upstream", "commit"], Value::String(commit.to_string())));
        }
        // What lies on this machine is read anew each time.
        (Upstream::Path { .. }, _) => return Ok(text.to_owned()),
        (Upstream::Repository { .. } | Upstream::Oci { .. }, _) => return Err(other()),
    }
    // A revision counts what is ours on one upstream version; the series stays in its scheme.
    if matches!(bump.recipe.recipe.revision, Revision::Number(revision) if revision > 0) {
        edits.push((&["revision"], json!(0)));
    }
    let mut document = Document::parse(text).map_err(refuse)?;
    for (keys, value) in edits {
        document.set(&ValuePath::of_keys(keys), &value).map_err(refuse)?;
    }
    let now = Recipe::parse(document.text()).map_err(|_| other())?;
    let revision = match bump.recipe.recipe.revision {
        Revision::Number(_) => Revision::Number(0),
        Revision::Upstream | Revision::Own(_) => bump.recipe.recipe.revision.clone(),
    };
    let expected = Recipe { upstream: bump.upstream.clone(), revision, ..bump.recipe.recipe.clone() };
    if now != expected {
        return Err(other());
    }
    Ok(document.text().to_owned())
}
