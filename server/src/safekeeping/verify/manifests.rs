//! Each manifest of the registry: its bytes have its digest, and it keeps every blob it names from the collector.

use std::collections::HashSet;

use oci::{Algorithm, Digest, Digester, Manifest};

use super::{Check, Found, PAGE, VerifyError};
use crate::catalog::{InspectedManifest, InspectedMint};

impl Check<'_> {
    pub(super) async fn check_manifests(&mut self) -> Result<(), VerifyError> {
        let mut after = i64::MIN;
        loop {
            let page = self.stores.catalog.inspect_manifests(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for manifest in &page {
                self.verified.manifests += 1;
                let kept = self.stores.catalog.list_blobs_of_manifest(manifest.id).await?;
                if let Some(reason) = broken(manifest, &kept.into_iter().collect()) {
                    let (name, digest) = (manifest.name.clone(), manifest.digest.clone());
                    self.found(Found::ManifestBroken { name, digest, reason }, false);
                }
            }
        }
        self.check_mints().await
    }

    async fn check_mints(&mut self) -> Result<(), VerifyError> {
        let mut after = i64::MIN;
        loop {
            let page = self.stores.catalog.inspect_mints(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for mint in &page {
                self.verified.manifests += 1;
                let InspectedMint { version, manifest, config, .. } = mint;
                for (part, (content, digest)) in [("manifest", manifest), ("configuration", config)] {
                    if let Some(reason) = other_digest(content, digest) {
                        let reason = format!("its {part}: {reason}");
                        let (name, digest) = (version.clone(), digest.clone());
                        self.found(Found::ManifestBroken { name, digest, reason }, false);
                    }
                }
            }
        }
    }
}

/// Says what is wrong with a manifest beside the blobs it keeps.
fn broken(manifest: &InspectedManifest, kept: &HashSet<Digest>) -> Option<String> {
    if let Some(reason) = other_digest(&manifest.content, &manifest.digest) {
        return Some(reason);
    }
    let parsed = match Manifest::parse(&manifest.content, Some(&manifest.media_type)) {
        Ok(parsed) => parsed,
        Err(error) => return Some(format!("it is no manifest: {error}")),
    };
    // A version keeps its archive itself: what was minted for it keeps nothing, nor does what was withdrawn with it.
    if manifest.is_minted || manifest.is_withdrawn {
        return None;
    }
    let lost = parsed.blobs().map(|blob| &blob.digest).find(|blob| !kept.contains(*blob))?;
    Some(format!("nothing keeps its blob {lost} from the collector"))
}

/// Says which digest the bytes have, where it is not the one they are served under.
fn other_digest(content: &[u8], digest: &str) -> Option<String> {
    let Ok(expected) = digest.parse::<Digest>() else { return Some(format!("`{digest}` is no digest")) };
    let mut digester = match expected.algorithm() {
        Algorithm::Sha256 => Digester::new(Algorithm::Sha256),
        Algorithm::Sha512 => Digester::new(Algorithm::Sha512),
    };
    digester.update(content);
    let actual = digester.finish();
    (actual != expected).then(|| format!("its bytes are {actual}"))
}
