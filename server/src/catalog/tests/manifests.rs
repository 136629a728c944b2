//! What every catalog must do for manifests and tags.

use bytes::Bytes;
use chart::Timestamp;
use oci::{Digest, Reference, media_type};
use serde_json::{Value, json};

use super::{Place, is_done, kept, minted, now};
use crate::catalog::{
    Holds, ManifestOfChart, ManifestPlace, ManifestRemoval, NewManifest, NewVersion, PutManifest,
    RemovedManifest, Restoration, Restored, SettingsChange,
};

/// Returns an index that names nothing, told apart by `mark`.
fn index(place: &Place, name: &str, mark: &str, tags: &[&str]) -> NewManifest {
    let content = json!({"schemaVersion": 2, "manifests": [], "mark": mark}).to_string();
    manifest(place, name, media_type::IMAGE_INDEX, &content, tags)
}

fn manifest(place: &Place, name: &str, kind: &str, content: &str, tags: &[&str]) -> NewManifest {
    NewManifest {
        repository_id: place.repository,
        name: name.parse().unwrap(),
        holds: Holds::Images,
        digest: Digest::sha256(content.as_bytes()),
        media_type: kind.to_owned(),
        content: Bytes::copy_from_slice(content.as_bytes()),
        subject: None,
        artifact_type: None,
        chart: None,
        blobs: Vec::new(),
        children: Vec::new(),
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        may_move_tags: false,
        actor: "tester".to_owned(),
    }
}

fn descriptor(kind: &str, digest: &Digest, size: usize) -> Value {
    json!({"mediaType": kind, "digest": digest.to_string(), "size": size})
}

impl Place {
    async fn put(&self, new: NewManifest) -> PutManifest {
        self.catalog.put_manifest(new, now()).await.unwrap()
    }

    async fn manifest_place(&self, name: &str) -> ManifestPlace {
        let row = self.catalog.find_oci_name(&name.parse().unwrap()).await.unwrap();
        let chart = name.parse().ok().map(|chart| (self.repository, chart));
        ManifestPlace { name_id: row.map(|row| row.id), chart }
    }

    async fn pull(&self, name: &str, reference: &str) -> Option<Digest> {
        let (at, reference): (_, Reference) = (self.manifest_place(name).await, reference.parse().unwrap());
        self.catalog.find_manifest(&at, &reference).await.unwrap().map(|found| found.digest)
    }

    async fn delete(&self, name: &str, reference: &str) -> RemovedManifest {
        let removal = ManifestRemoval {
            repository_id: self.repository,
            name_id: self.manifest_place(name).await.name_id.unwrap(),
            name: name.parse().unwrap(),
            reference: reference.parse().unwrap(),
            unkept_since: None,
            actor: "tester".to_owned(),
        };
        self.catalog.delete_manifest(removal, now()).await.unwrap()
    }
}

pub(super) async fn a_manifest_is_found_by_tag_and_digest_until_it_is_deleted(place: Place) {
    let new = index(&place, "web", "one", &["1.0", "stable"]);
    let digest = new.digest.clone();
    assert_eq!(place.put(new.clone()).await, PutManifest::Done { revision: 3 }, "pushed, and tagged twice");
    assert_eq!(place.put(new).await, PutManifest::Unchanged);
    for reference in ["1.0", "stable", &digest.to_string()] {
        assert_eq!(place.pull("web", reference).await.as_ref(), Some(&digest), "{reference}");
    }
    assert_eq!(place.pull("other", &digest.to_string()).await, None, "another name has nothing of it");
    assert_eq!(place.delete("web", "stable").await, RemovedManifest::Done { revision: 4 });
    assert_eq!(place.delete("web", "stable").await, RemovedManifest::Unknown);
    let at = place.manifest_place("web").await;
    assert_eq!(place.catalog.list_tags(&at).await.unwrap(), ["1.0"]);
    assert_eq!(place.delete("web", &digest.to_string()).await, RemovedManifest::Done { revision: 5 });
    assert_eq!(place.pull("web", "1.0").await, None, "a tag goes with its manifest");
}

pub(super) async fn a_tag_moves_only_where_it_may(place: Place) {
    let first = index(&place, "web", "one", &["1.0"]);
    let taken = PutManifest::TagTaken { tag: "1.0".parse().unwrap(), digest: first.digest.to_string() };
    assert!(matches!(place.put(first).await, PutManifest::Done { .. }));
    let second = index(&place, "web", "two", &["1.0"]);
    assert_eq!(place.put(second.clone()).await, taken);
    assert_eq!(place.pull("web", &second.digest.to_string()).await, None, "nothing of it is kept");
    let moving = NewManifest { may_move_tags: true, ..second.clone() };
    assert!(matches!(place.put(moving).await, PutManifest::Done { .. }));
    assert_eq!(place.pull("web", "1.0").await, Some(second.digest));
    let signature = format!("sha256-{}.sig", "0".repeat(64));
    for mark in ["three", "four"] {
        let signed = place.put(index(&place, "web", mark, &[&signature])).await;
        assert!(
            matches!(signed, PutManifest::Done { .. }),
            "what clients rewrite may always move: {signed:?}"
        );
    }
}

pub(super) async fn a_name_holds_charts_or_images(place: Place) {
    assert!(is_done(&place.record(place.version("web", "1.0.0", "chart")).await));
    assert_eq!(place.put(index(&place, "web", "one", &[])).await, PutManifest::HoldsOther);
    let attachment = NewManifest { holds: Holds::Attachments, ..index(&place, "web", "two", &[]) };
    assert!(matches!(place.put(attachment).await, PutManifest::Done { .. }));
    assert!(matches!(place.put(index(&place, "api", "one", &[])).await, PutManifest::Done { .. }));
    let refused = place.record(place.version("api", "1.0.0", "chart")).await;
    assert!(matches!(refused, crate::catalog::Recorded::NameHoldsImages { .. }), "{refused:?}");
}

pub(super) async fn what_a_manifest_names_must_be_under_its_name(place: Place) {
    assert!(is_done(&place.record(place.version("web", "1.0.0", "chart")).await));
    let (archive, config) = (Digest::sha256(b"chart"), minted("web", "1.0.0", "chart").config_digest);
    let content = json!({"schemaVersion": 2, "config": descriptor("c", &config, 1),
        "layers": [descriptor("l", &archive, 5)]});
    let pushed = NewManifest {
        holds: Holds::Charts,
        blobs: vec![config, archive.clone()],
        chart: Some(ManifestOfChart { archive: archive.clone(), version: Some("1.0.0".parse().unwrap()) }),
        ..manifest(&place, "web", media_type::IMAGE_MANIFEST, &content.to_string(), &["1.0.0"])
    };
    let digest = pushed.digest.clone();
    assert!(
        matches!(place.put(pushed.clone()).await, PutManifest::Done { .. }),
        "archive and minted config are"
    );
    assert_eq!(place.pull("web", "1.0.0").await.as_ref(), Some(&digest));
    let elsewhere = NewManifest { name: "other".parse().unwrap(), chart: None, ..pushed };
    assert!(matches!(place.put(elsewhere).await, PutManifest::BlobUnknown { .. }), "not under another name");
    let removed = place.remove("web", "1.0.0").await;
    assert!(matches!(removed, crate::catalog::Removed::Done { .. }));
    assert_eq!(place.pull("web", "1.0.0").await, None);
    assert_eq!(place.pull("web", &digest.to_string()).await, None, "what was pushed goes with its version");
    let restoration = Restoration {
        repository_id: place.repository,
        chart: "web".to_owned(),
        version: "1.0.0".to_owned(),
        actor: "tester".to_owned(),
    };
    let restored = place.catalog.restore_version(restoration, now()).await.unwrap();
    assert!(matches!(restored, Restored::Done { .. }));
    assert_eq!(place.pull("web", &digest.to_string()).await, Some(digest), "and comes back with it");
    let own = minted("web", "1.0.0", "chart").manifest_digest;
    assert_eq!(place.pull("web", "1.0.0").await, Some(own));
}

pub(super) async fn a_superseded_manifest_can_still_be_pulled(place: Place) {
    let first = place.version("web", "1.0.0", "chart");
    let before = first.minted.manifest_digest.clone();
    assert!(is_done(&place.record(first.clone()).await));
    assert_eq!(place.pull("web", "1.0.0").await.as_ref(), Some(&before));
    let provenance = kept("provenance");
    let text = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    let metadata = chart::ChartMetadata::parse(text.as_bytes(), None).unwrap();
    let with = crate::operations::publish::mint(&metadata, &first.archive, Some(&provenance));
    let after = with.manifest_digest.clone();
    let signed = NewVersion { provenance: Some(provenance), minted: with.into(), ..first };
    assert!(is_done(&place.record(signed).await));
    assert_eq!(place.pull("web", "1.0.0").await.as_ref(), Some(&after), "the tag moves");
    for digest in [before, after] {
        assert_eq!(place.pull("web", &digest.to_string()).await, Some(digest));
    }
}

pub(super) async fn referrers_are_listed_with_what_they_say(place: Place) {
    let subject = Digest::sha256(b"subject");
    for (mark, kind) in [("one", Some("text/one")), ("two", None)] {
        let mut content = json!({"schemaVersion": 2, "manifests": [], "annotations": {"mark": mark},
            "subject": descriptor(media_type::IMAGE_MANIFEST, &subject, 1)});
        if let Some(kind) = kind {
            content["artifactType"] = json!(kind);
        }
        let new = NewManifest {
            holds: Holds::Attachments,
            subject: Some(subject.clone()),
            ..manifest(&place, "web", media_type::IMAGE_INDEX, &content.to_string(), &[])
        };
        assert!(matches!(place.put(new).await, PutManifest::Done { .. }));
    }
    let id = place.manifest_place("web").await.name_id.unwrap();
    let listed = place.catalog.list_referrers(id, &subject, "", 10).await.unwrap();
    let mut said: Vec<_> = listed
        .iter()
        .map(|one| (one.annotations.as_ref().unwrap()["mark"].clone(), one.artifact_type.clone()))
        .collect();
    said.sort();
    assert_eq!(said, [("one".to_owned(), Some("text/one".to_owned())), ("two".to_owned(), None)]);
    let first = place.catalog.list_referrers(id, &subject, "", 1).await.unwrap().remove(0);
    let rest = place.catalog.list_referrers(id, &subject, &first.digest.to_string(), 10).await.unwrap();
    assert_eq!(rest, listed[1..]);
}

pub(super) async fn manifests_that_nothing_keeps_are_listed_after_their_days(place: Place) {
    const DAY: i64 = 86_400_000_000;
    let days = SettingsChange { keep_untagged_days: Some(10), ..SettingsChange::default() };
    let tagged = index(&place, "web", "tagged", &["1.0"]);
    let lone = index(&place, "web", "lone", &[]);
    let moved = index(&place, "web", "moved", &["stable"]);
    let child = index(&place, "web", "child", &[]);
    let attached = NewManifest {
        holds: Holds::Attachments,
        subject: Some(tagged.digest.clone()),
        ..index(&place, "web", "attached", &[])
    };
    let parent =
        NewManifest { children: vec![child.digest.clone()], ..index(&place, "web", "parent", &["list"]) };
    for new in [&tagged, &lone, &moved, &child, &attached, &parent] {
        assert!(matches!(place.put(new.clone()).await, PutManifest::Done { .. }));
    }
    let unkept = async |at: i64| -> Vec<String> {
        let now = Timestamp::from_micros(now().micros() + at);
        let listed = place.catalog.list_unkept_manifests(now, 100).await.unwrap();
        listed.into_iter().map(|removal| removal.reference.to_string()).collect()
    };
    assert!(unkept(1_000 * DAY).await.is_empty(), "a repository that says nothing keeps them for ever");
    place.catalog.change_settings(place.repository, days).await.unwrap().unwrap();
    assert!(unkept(10 * DAY).await.is_empty());
    assert_eq!(unkept(10 * DAY + 1).await, [lone.digest.to_string()]);
    // From here on the other tag's manifest counts its days.
    let later = Timestamp::from_micros(now().micros() + 5 * DAY);
    let heir = NewManifest { may_move_tags: true, ..index(&place, "web", "heir", &["stable"]) };
    assert!(matches!(place.catalog.put_manifest(heir, later).await.unwrap(), PutManifest::Done { .. }));
    assert_eq!(unkept(15 * DAY).await, [lone.digest.to_string()]);
    assert_eq!(unkept(15 * DAY + 1).await, [lone.digest.to_string(), moved.digest.to_string()]);
    // What was listed is not removed once something keeps it.
    let listed = place.catalog.list_unkept_manifests(Timestamp::from_micros(now().micros() + 11 * DAY), 100);
    let [removal] = listed.await.unwrap().try_into().unwrap();
    place.put(NewManifest { tags: vec!["kept".parse().unwrap()], ..lone.clone() }).await;
    assert_eq!(place.catalog.delete_manifest(removal, now()).await.unwrap(), RemovedManifest::Unknown);
    // With the index goes what it kept, with the subject what is attached to it.
    for gone in [&parent, &tagged] {
        place.delete("web", &gone.digest.to_string()).await;
    }
    let unkept = unkept(11 * DAY).await;
    assert_eq!(unkept, [child.digest.to_string(), attached.digest.to_string()]);
}
