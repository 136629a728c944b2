//! Puts an image together: the base's layers as they are, the new ones in their normal form, a configuration without
//! anything of the builder.

use std::fs::File;
use std::path::Path;

use oci::layout::Layout;
use oci::{Content, Descriptor, Manifest, Platform, media_type};
use serde_json::{Map, Value, json};

use super::base::{BaseImage, put_json, put_layer};
use super::layer::{self, GZIP_LAYER, Layer, normalise};
use super::recipe::ImageRecipe;
use super::refusal::ImageBuildRefusal;

/// Who made the layers that were built, in the image's history.
const CREATED_BY: &str = "chartpack image build";

/// The label by which buildah's version would decide about the digest.
const BUILDER_LABEL: &str = "io.buildah.version";

/// Reads the image that buildah left in `built`, puts its final form into `target` and returns its manifest. Without a
/// base the image stands on nothing.
///
/// # Errors
/// [`ImageBuildRefusal`] when it does not stand on the base or cannot be read.
pub(super) fn assemble(
    built: &Path,
    base: Option<&BaseImage>,
    recipe: &ImageRecipe,
    (platform, modified_seconds): (&Platform, u64),
    target: &Layout,
) -> Result<Descriptor, ImageBuildRefusal> {
    let source = Layout::open(built)?;
    let root = source.find("image")?.ok_or(ImageBuildRefusal::NotOnBase)?;
    let (config, layers) = read_image(&source, &root)?;
    let (base_layers, base_config) =
        base.map_or((&[][..], &Value::Null), |base| (&base.layers, &base.config));
    let own_layers = layers.get(base_layers.len()..).ok_or(ImageBuildRefusal::NotOnBase)?;
    if base.is_some() && !stands_on(&config, base_config, base_layers.len()) {
        return Err(ImageBuildRefusal::NotOnBase);
    }
    if let Some(base) = base {
        copy_layers(&base.layout, &base.layers, target)?;
    }
    let mut made = Vec::new();
    for (number, descriptor) in own_layers.iter().enumerate() {
        let layer = normal_form(built, descriptor, number, modified_seconds)?;
        put_layer(target, &layer)?;
        made.push(layer);
    }
    let config = final_config(&config, base_config, platform, &made);
    let config = put_json(target, media_type::IMAGE_CONFIG, &config)?;
    let layers: Vec<Descriptor> =
        base_layers.iter().map(in_oci_words).chain(made.into_iter().map(|layer| layer.descriptor)).collect();
    let mut manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::IMAGE_MANIFEST, "config": config, "layers": layers,
    });
    annotate(&mut manifest, recipe);
    let mut descriptor = put_json(target, media_type::IMAGE_MANIFEST, &manifest)?;
    descriptor.platform = Some(platform.clone());
    Ok(descriptor)
}

/// Writes the index of the platforms' manifests into `target` and returns it.
///
/// # Errors
/// [`ImageBuildRefusal`] when it cannot be written.
pub(super) fn assemble_index(
    manifests: &[Descriptor],
    recipe: &ImageRecipe,
    target: &Layout,
) -> Result<Descriptor, ImageBuildRefusal> {
    let mut index = json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": manifests});
    annotate(&mut index, recipe);
    put_json(target, media_type::IMAGE_INDEX, &index)
}

fn annotate(manifest: &mut Value, recipe: &ImageRecipe) {
    if let Some(fields) = manifest.as_object_mut().filter(|_| !recipe.annotations.is_empty()) {
        fields.insert("annotations".to_owned(), json!(recipe.annotations));
    }
}

fn read_image(layout: &Layout, root: &Descriptor) -> Result<(Value, Vec<Descriptor>), ImageBuildRefusal> {
    let bytes = layout.read_manifest(root)?;
    let manifest = Manifest::parse(&bytes, Some(&root.media_type))
        .map_err(|reason| ImageBuildRefusal::Layer(format!("buildah's manifest: {reason}")))?;
    let Content::Image { config, layers } = manifest.content else {
        return Err(ImageBuildRefusal::NotOnBase);
    };
    let config = layout.open_blob(&config)?.into_bytes()?;
    Ok((serde_json::from_slice(&config).map_err(ImageBuildRefusal::json("buildah's configuration"))?, layers))
}

/// Returns whether the lowest layers are the base's, by their uncompressed digests.
fn stands_on(config: &Value, base: &Value, count: usize) -> bool {
    let of = |config: &Value| {
        config["rootfs"]["diff_ids"].as_array().and_then(|ids| ids.get(..count)).map(<[_]>::to_vec)
    };
    of(config).is_some_and(|ids| Some(ids) == of(base))
}

fn normal_form(
    built: &Path,
    descriptor: &Descriptor,
    number: usize,
    modified_seconds: u64,
) -> Result<Layer, ImageBuildRefusal> {
    let blob = built.join("blobs").join(descriptor.digest.algorithm().name()).join(descriptor.digest.hex());
    let plain = built.join(format!("layer-{number}.tar"));
    let target = built.join(format!("layer-{number}.tar.gz"));
    if descriptor.media_type.ends_with(".tar") {
        return normalise(&blob, &target, modified_seconds);
    }
    let unknown = || ImageBuildRefusal::Layer(format!("its type is `{}`", descriptor.media_type));
    let mut stream = layer::open(&blob, &descriptor.media_type)
        .map_err(ImageBuildRefusal::file(&blob))?
        .ok_or_else(unknown)?;
    let mut file = File::create(&plain).map_err(ImageBuildRefusal::file(&plain))?;
    std::io::copy(&mut stream, &mut file).map_err(ImageBuildRefusal::file(&plain))?;
    normalise(&plain, &target, modified_seconds)
}

/// Copies blobs from one layout to another, unless they are there.
///
/// # Errors
/// [`ImageBuildRefusal::Layout`].
pub(super) fn copy_layers(from: &Layout, blobs: &[Descriptor], to: &Layout) -> Result<(), ImageBuildRefusal> {
    for blob in blobs {
        if to.has_blob(blob)? {
            continue;
        }
        let mut reader = from.open_blob(blob)?;
        let mut writer = to.write_blob(blob)?;
        while let Some(piece) = reader.next_piece()? {
            writer.append(&piece)?;
        }
        writer.finish()?;
    }
    Ok(())
}

fn final_config(built: &Value, base: &Value, platform: &Platform, made: &[Layer]) -> Value {
    let mut config = Map::new();
    let created = built["created"].clone();
    config.insert("created".to_owned(), created.clone());
    config.insert("architecture".to_owned(), json!(platform.architecture));
    config.insert("os".to_owned(), json!(platform.os));
    if let Some(variant) = &platform.variant {
        config.insert("variant".to_owned(), json!(variant));
    }
    config.insert("config".to_owned(), without_builder(built["config"].clone()));
    let list = |config: &Value, part: &str| config[part].as_array().cloned().unwrap_or_default();
    let mut diff_ids = list(&base["rootfs"], "diff_ids");
    diff_ids.extend(made.iter().map(|layer| json!(layer.diff_id)));
    config.insert("rootfs".to_owned(), json!({"type": "layers", "diff_ids": diff_ids}));
    let mut history = list(base, "history");
    for entry in history.iter_mut().filter(|entry| entry["created"].is_null()) {
        entry["created"] = created.clone();
    }
    history.extend(made.iter().map(|_| json!({"created": created, "created_by": CREATED_BY})));
    config.insert("history".to_owned(), json!(history));
    Value::Object(config)
}

fn without_builder(mut config: Value) -> Value {
    if let Some(labels) = config.get_mut("Labels").and_then(Value::as_object_mut) {
        labels.remove(BUILDER_LABEL);
        // Go writes maps sorted, but that is Go's affair.
        labels.sort_keys();
    }
    if let Some(fields) = config.as_object_mut() {
        fields.retain(|name, value| {
            name != "Labels" || value.as_object().is_some_and(|labels| !labels.is_empty())
        });
    }
    config
}

/// A layer has one digest under Docker's name of its type and under OCI's; an OCI manifest uses OCI's.
fn in_oci_words(layer: &Descriptor) -> Descriptor {
    let mut layer = layer.clone();
    if layer.media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip" {
        GZIP_LAYER.clone_into(&mut layer.media_type);
    }
    layer
}
