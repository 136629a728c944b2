//! The SBOM of an image: its packages, its layers and its files of our own, as CycloneDX 1.5 JSON. It follows from the
//! image alone (no clock, no serial number) and is attached to it as a referrer (image specification, "subject").

use oci::layout::Layout;
use oci::{Content, Descriptor, Manifest, Platform, media_type};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::base::put_json;
use super::package_database::{InstalledPackage, PackageDatabase, read_database};
use super::recipe::ImageRecipe;
use super::refusal::ImageBuildRefusal;

/// The media type of CycloneDX documents, and the artifact type of the referrer.
pub(super) const CYCLONE_DX: &str = "application/vnd.cyclonedx+json";

/// What stands as it is in a package URL (purl specification, "Character encoding").
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Attaches the SBOM of the image `manifest` to it and returns the manifest that does so.
///
/// # Errors
/// [`ImageBuildRefusal`] when the image cannot be read or the layout not be written.
pub(super) fn attach(
    layout: &Layout,
    manifest: &Descriptor,
    recipe: &ImageRecipe,
    platform: &Platform,
) -> Result<Descriptor, ImageBuildRefusal> {
    let bytes = layout.read_manifest(manifest)?;
    let image = Manifest::parse(&bytes, Some(&manifest.media_type))
        .map_err(|reason| ImageBuildRefusal::Layer(format!("the manifest: {reason}")))?;
    let layers = match image.content {
        Content::Image { layers, .. } => layers,
        Content::Index { .. } => Vec::new(),
    };
    let database = read_database(layout, &layers)?;
    let document = document(recipe, manifest, platform, &layers, &database);
    let document = put_json(layout, CYCLONE_DX, &document)?;
    let empty = put_json(layout, media_type::EMPTY, &json!({}))?;
    let subject = Descriptor { platform: None, ..manifest.clone() };
    let attached = json!({
        "schemaVersion": 2, "mediaType": media_type::IMAGE_MANIFEST, "artifactType": CYCLONE_DX,
        "config": empty, "layers": [document], "subject": subject,
    });
    let mut attached = put_json(layout, media_type::IMAGE_MANIFEST, &attached)?;
    attached.artifact_type = Some(CYCLONE_DX.to_owned());
    Ok(attached)
}

fn document(
    recipe: &ImageRecipe,
    manifest: &Descriptor,
    platform: &Platform,
    layers: &[Descriptor],
    database: &PackageDatabase,
) -> Value {
    let distribution = database.distribution.as_deref();
    let packages = database.packages.iter().map(|package| component_of(package, distribution));
    let layers = layers
        .iter()
        .enumerate()
        .map(|(number, layer)| json!({"name": format!("chartpack:layer:{number}"), "value": layer.digest}));
    let of_platform = json!({"name": "chartpack:platform", "value": platform.to_string()});
    let properties: Vec<Value> = [of_platform].into_iter().chain(layers).collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "tools": [{"name": "chartpack", "version": env!("CARGO_PKG_VERSION")}],
            "component": {
                "bom-ref": manifest.digest, "type": "container", "name": recipe.name.as_str(), "version": recipe.tag.as_str(),
                "hashes": [{"alg": "SHA-256", "content": manifest.digest.hex()}],
            },
            "properties": properties,
        },
        "components": packages.collect::<Vec<_>>(),
    })
}

fn component_of(package: &InstalledPackage, distribution: Option<&str>) -> Value {
    let InstalledPackage { name, version, architecture } = package;
    let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let vendor = distribution
        .and_then(|distribution| distribution.split_once('-'))
        .map_or("debian", |(vendor, _)| vendor);
    let suffix =
        distribution.map(|distribution| format!("&distro={}", encoded(distribution))).unwrap_or_default();
    let address = format!(
        "pkg:deb/{vendor}/{}@{}?arch={}{suffix}",
        encoded(name),
        encoded(version),
        encoded(architecture)
    );
    json!({"bom-ref": address, "type": "library", "name": name, "version": version, "purl": address})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_addresses_that_scanners_know() {
        let package = InstalledPackage {
            name: "libstdc++6".to_owned(),
            version: "1:12.2.0-14+deb12u1".to_owned(),
            architecture: "amd64".to_owned(),
        };
        let component = component_of(&package, Some("debian-12"));
        let expected = "pkg:deb/debian/libstdc%2B%2B6@1%3A12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12";
        assert_eq!(component["purl"], expected);
    }
}
