//! Copies between layouts: everything but the wire, which the stories have.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::layout::{self, Layout};
use crate::media_type;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Two layouts, the first of which holds something.
struct Scene {
    from: Layout,
    to: Layout,
    _folder: TempDir,
}

fn scene() -> Scene {
    let folder = TempDir::new().unwrap();
    let create = |name: &str| Layout::create(folder.path().join(name)).unwrap();
    Scene { from: create("from"), to: create("to"), _folder: folder }
}

impl Scene {
    fn put(&self, kind: &str, bytes: &[u8]) -> Descriptor {
        let blob = Descriptor::new(kind, Digest::sha256(bytes), bytes.len() as u64);
        self.from.put_blob(&blob, bytes).unwrap();
        blob
    }

    fn put_json(&self, kind: &str, value: &Value) -> Descriptor {
        self.put(kind, value.to_string().as_bytes())
    }

    fn put_image(&self, content: &str, subject: Option<&Descriptor>) -> Descriptor {
        let config = self.put(media_type::IMAGE_CONFIG, b"{}");
        let layer = self.put(LAYER, content.as_bytes());
        let mut manifest = json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_MANIFEST,
            "config": config, "layers": [layer]});
        if let Some(subject) = subject {
            manifest["subject"] = json!(subject);
        }
        self.put_json(media_type::IMAGE_MANIFEST, &manifest)
    }

    /// An index over these images, spelled as no serializer of ours would.
    fn put_index(&self, images: &[(&Descriptor, &str)]) -> Descriptor {
        let entries: Vec<Value> = images
            .iter()
            .map(|(image, platform)| {
                let platform = platform.parse::<Platform>().unwrap();
                json!(Descriptor { platform: Some(platform), ..(*image).clone() })
            })
            .collect();
        let index = json!({"schemaVersion": 2, "x-unknown": 1, "mediaType": media_type::IMAGE_INDEX,
            "manifests": entries});
        self.put(media_type::IMAGE_INDEX, format!(" {index:#}\n").as_bytes())
    }

    async fn copy(&self, settings: CopySettings, root: &Descriptor) -> Result<Copied, Failure> {
        self.copy_with(&Copier::new(settings), root).await
    }

    async fn copy_with(&self, copier: &Copier, root: &Descriptor) -> Result<Copied, Failure> {
        let origin = Origin::Layout { layout: self.from.clone(), manifest: root.clone() };
        let destination = Destination::Layout { layout: self.to.clone(), name: Some("app:1.0".to_owned()) };
        let silent: OnProgress = Arc::new(|_| {});
        copier.copy(&origin, &destination, &silent).await
    }

    fn arrived(&self, blob: &Descriptor) -> bool {
        self.to.has_blob(blob).unwrap()
    }
}

fn only(platform: &str) -> CopySettings {
    CopySettings { platforms: vec![platform.parse().unwrap()], ..CopySettings::default() }
}

fn carrying() -> CopySettings {
    CopySettings { attachments: Attachments::Carry, ..CopySettings::default() }
}

#[tokio::test]
async fn an_image_arrives_whole_under_its_name() {
    let scene = scene();
    let image = scene.put_image("layer", None);
    let copied = scene.copy(CopySettings::default(), &image).await.unwrap();
    assert_eq!(copied.manifests, std::slice::from_ref(&image));
    assert_eq!(copied.bytes_sent, 7, "the config and the layer");
    assert_eq!(scene.to.find("app:1.0").unwrap().unwrap().digest, image.digest);
    let survey = scene.to.survey(&image).unwrap();
    assert_eq!((survey.blobs.len(), survey.lost.len()), (2, 0));
    assert_eq!(scene.copy(CopySettings::default(), &image).await.unwrap().bytes_sent, 0, "it was there");
}

#[tokio::test]
async fn a_platform_is_copied_under_an_index_that_stays_as_it_was() {
    let scene = scene();
    let (amd, arm) = (scene.put_image("amd64", None), scene.put_image("arm64", None));
    let index = scene.put_index(&[(&amd, "linux/amd64"), (&arm, "linux/arm64")]);
    let copied = scene.copy(only("linux/arm64"), &index).await.unwrap();
    assert_eq!(copied.manifests, [arm.clone(), index.clone()], "children first");
    assert_eq!(copied.left_out.iter().map(|left| &left.digest).collect::<Vec<_>>(), [&amd.digest]);
    assert_eq!(scene.to.read_manifest(&index).unwrap(), scene.from.read_manifest(&index).unwrap());
    assert!(!scene.arrived(&amd) && scene.arrived(&arm));
    let refusal = scene.copy(only("linux/s390x"), &index).await.unwrap_err();
    assert!(matches!(refusal, Failure::NoPlatform { .. }), "{refusal}");
}

#[tokio::test]
async fn a_sparse_index_is_copied_and_what_it_lacks_is_named() {
    let scene = scene();
    let amd = scene.put_image("amd64", None);
    let absent = Descriptor::new(media_type::IMAGE_MANIFEST, Digest::sha256(b"absent"), 6);
    let index = scene.put_index(&[(&absent, "linux/arm64"), (&amd, "linux/amd64")]);
    let copied = scene.copy(CopySettings::default(), &index).await.unwrap();
    assert_eq!(copied.absent.iter().map(|absent| &absent.digest).collect::<Vec<_>>(), [&absent.digest]);
    assert!(scene.arrived(&index) && scene.arrived(&amd));
}

#[tokio::test]
async fn a_name_comes_last_so_that_a_broken_image_gets_none() {
    let scene = scene();
    let image = scene.put_image("layer", None);
    let layer = scene.put(LAYER, b"layer");
    let path = scene.from.root().join("blobs/sha256").join(layer.digest.hex());
    for (damage, expected) in [(Some("lager"), "WrongDigest"), (Some("lay"), "WrongSize"), (None, "Missing")]
    {
        match damage {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let failure = scene.copy(CopySettings::default(), &image).await.unwrap_err();
        assert!(format!("{failure:?}").contains(expected), "{failure:?}");
        assert!(!scene.arrived(&layer) && !scene.arrived(&image));
        assert!(scene.to.entries().unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_is_attached_goes_along_on_request_also_to_what_is_attached() {
    let scene = scene();
    let (image, other) = (scene.put_image("image", None), scene.put_image("other", None));
    let sbom = scene.put_image("sbom", Some(&image));
    let signature_of_sbom = scene.put_image("signature of sbom", Some(&sbom));
    let of_another = scene.put_image("of another", Some(&other));
    let by_tag = scene.put_image("cosign's", None);
    let cosign = format!("{}.sig", Tag::of_referrers(&image.digest));
    for (entry, name) in [
        (&image, None),
        (&sbom, None),
        (&signature_of_sbom, None),
        (&of_another, None),
        (&by_tag, Some(cosign.as_str())),
    ] {
        scene.from.add(entry, name).unwrap();
    }
    assert!(scene.copy(CopySettings::default(), &image).await.unwrap().attached.is_empty());
    assert!(!scene.arrived(&sbom));
    let copied = scene.copy(carrying(), &image).await.unwrap();
    assert_eq!(copied.attached.len(), 3);
    assert!([&sbom, &signature_of_sbom, &by_tag].into_iter().all(|attached| scene.arrived(attached)));
    assert!(!scene.arrived(&of_another));
    let names: Vec<Option<String>> =
        scene.to.entries().unwrap().iter().map(|entry| layout::name_of(entry).map(str::to_owned)).collect();
    assert_eq!(names, [Some("app:1.0".to_owned()), None, Some(cosign), None]);
}

#[tokio::test]
async fn indexes_are_followed_only_as_deep_as_anybody_builds_them() {
    let scene = scene();
    let nested = |depth: usize| {
        let image = scene.put_image("image", None);
        (0..depth).fold(image, |inner, _| scene.put_index(&[(&inner, "linux/amd64")]))
    };
    assert!(scene.copy(CopySettings::default(), &nested(DEEPEST)).await.is_ok());
    let failure = scene.copy(CopySettings::default(), &nested(DEEPEST + 1)).await.unwrap_err();
    assert!(failure.to_string().contains("nested deeper"), "{failure}");
}

#[tokio::test]
async fn many_copies_at_once_bring_each_blob_once() {
    let scene = Arc::new(scene());
    let copier = Arc::new(Copier::default());
    let image = scene.put_image("shared", None);
    let copies: Vec<_> = (0..8)
        .map(|_| {
            let (scene, copier, image) = (Arc::clone(&scene), Arc::clone(&copier), image.clone());
            tokio::spawn(async move { scene.copy_with(&copier, &image).await.unwrap().bytes_sent })
        })
        .collect();
    let mut sent = Vec::new();
    for copy in copies {
        sent.push(copy.await.unwrap());
    }
    assert_eq!(sent.iter().sum::<u64>(), 8, "{sent:?}");
}

#[tokio::test]
async fn progress_ends_with_everything_done() {
    let scene = scene();
    let (first, second) = (scene.put_image("first", None), scene.put_image("the second", None));
    let index = scene.put_index(&[(&first, "linux/amd64"), (&second, "linux/arm64")]);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener: OnProgress = {
        let heard = Arc::clone(&heard);
        Arc::new(move |progress| heard.lock().unwrap().push(progress))
    };
    let origin = Origin::Layout { layout: scene.from.clone(), manifest: index };
    let destination = Destination::Layout { layout: scene.to.clone(), name: None };
    Copier::default().copy(&origin, &destination, &listener).await.unwrap();
    let heard = heard.lock().unwrap();
    assert!(heard.iter().all(|progress| progress.bytes_done <= progress.bytes_total));
    // Both images have the same config of 2 bytes.
    assert_eq!(heard.last(), Some(&Progress { bytes_done: 19, bytes_total: 19 }));
}
