//! A check finds each kind of damage, says nothing of a store that is away, and repairs what it says it has.

use std::time::Duration;

use super::{Place, now, on_each_database, progress};
use crate::safekeeping::verify::{Found, Verification, Verified, VerifyError, verify};

on_each_database![
    a_sound_place_is_found_sound,
    lost_and_damaged_bytes_are_found,
    lost_bytes_are_brought_back_from_another_row_or_from_bytes_nobody_names,
    rows_that_disagree_are_found,
    an_image_that_cannot_be_pulled_is_found,
    a_manifest_that_is_not_what_it_is_served_as_is_found,
    a_wrong_count_is_corrected,
    bytes_that_nobody_names_are_waste_once_they_are_old,
    a_store_that_is_away_is_never_called_empty,
    bytes_that_were_collected_meanwhile_are_no_loss,
];

const DAY: Duration = Duration::from_secs(86_400);

/// Looks at everything and repairs nothing.
pub(super) async fn look(place: &Place) -> Verified {
    let verification = Verification { grace: DAY, bytes_per_second: None, repairs: false };
    verify(&place.stores, verification, rand::random, &progress()).await.unwrap()
}

async fn repair(place: &Place, grace: Duration) -> Verified {
    let verification = Verification { grace, bytes_per_second: None, repairs: true };
    verify(&place.stores, verification, rand::random, &progress()).await.unwrap()
}

fn kinds(verified: &Verified) -> Vec<(&'static str, bool)> {
    verified.findings.iter().map(|finding| (finding.found.kind(), finding.repaired)).collect()
}

async fn a_sound_place_is_found_sound(place: Place) {
    place.furnish().await;
    let verified = look(&place).await;
    assert_eq!(verified.findings, []);
    assert_eq!((verified.repositories, verified.versions, verified.blobs), (2, 3, 11));
    assert_eq!(verified.manifests, 3 + 1, "those minted for versions, and the image's");
    assert!(verified.bytes > 0);
}

async fn lost_and_damaged_bytes_are_found(place: Place) {
    place.furnish().await;
    for (number, (damage, expected)) in [
        ("removed", "blob missing"),
        ("flipped", "blob damaged"),
        ("cut", "blob damaged"),
        ("longer", "blob damaged"),
    ]
    .into_iter()
    .enumerate()
    {
        let version = format!("{number}.0.0");
        let key = place.publish("team/b", "hit", &version, damage).await;
        let (path, content) = (place.path_of(&key), damage.as_bytes().to_vec());
        match damage {
            "removed" => std::fs::remove_file(&path).unwrap(),
            "flipped" => std::fs::write(&path, [&content[..3], b"!", &content[4..]].concat()).unwrap(),
            "cut" => std::fs::write(&path, &content[1..]).unwrap(),
            _ => std::fs::write(&path, [&content[..], b"!"].concat()).unwrap(),
        }
        let verified = look(&place).await;
        let last = verified.findings.last().unwrap();
        assert_eq!((last.found.kind(), verified.findings.len()), (expected, number + 1), "{damage}");
        assert!(last.found.details().contains(&format!("team/b hit {version}")), "{last:?}");
        assert!(repair(&place, DAY).await.standing() > number, "nothing to repair {damage} from");
    }
}

async fn lost_bytes_are_brought_back_from_another_row_or_from_bytes_nobody_names(place: Place) {
    let lost = place.publish("", "a", "1.0.0", "same").await;
    // Two publishers at once each keep the bytes.
    let twin = place.publish("team/b", "a", "1.0.0", "same").await;
    let damaged = place.publish("", "b", "1.0.0", "kept twice").await;
    let unnamed = place.keep("kept twice").await;
    std::fs::remove_file(place.path_of(&lost)).unwrap();
    std::fs::write(place.path_of(&damaged), b"kept twicE").unwrap();
    let before = place.stores.catalog.list_repositories().await.unwrap();
    let repaired = repair(&place, DAY).await;
    assert_eq!(kinds(&repaired), [("blob missing", true), ("blob damaged", true)]);
    assert_eq!(look(&place).await.findings, []);
    assert!(place.path_of(&twin).exists() && place.path_of(unnamed.key()).exists(), "copies stay");
    let after = place.stores.catalog.list_repositories().await.unwrap();
    let moved = |row: usize| after[row].settings_revision - before[row].settings_revision;
    assert!(moved(0) > 0 && moved(1) == 0, "servers are told of what they have in memory");
    let row = place.stores.catalog.find_version(before[0].id, "b", "1.0.0").await.unwrap().unwrap();
    assert_ne!(row.archive, damaged);
    assert_eq!(std::fs::read(place.path_of(&row.archive)).unwrap(), b"kept twice");
}

async fn rows_that_disagree_are_found(place: Place) {
    let other_entry = |field: &str, value: &str| {
        let mut entry = serde_json::json!({"name": "a", "version": "1.0.0", "digest": "0".repeat(64)});
        entry[field] = value.into();
        entry.to_string()
    };
    for (entry, reason) in [
        (other_entry("name", "b"), "of the chart `b`"),
        (other_entry("version", "1.0.1"), "of the version `1.0.1`"),
        (other_entry("created", ""), "the digest `0000"),
        ("{".to_owned(), "no JSON"),
    ] {
        let place = place.another().await;
        place.publish("team/b", "a", "1.0.0", "first").await;
        place.stores.catalog.set_entries(entry.as_bytes()).await;
        let verified = look(&place).await;
        assert_eq!(kinds(&verified), [("entry disagrees", false)], "{entry}");
        let details = verified.findings[0].found.details();
        assert!(details.starts_with("team/b a 1.0.0: ") && details.contains(reason), "{details}");
        assert_eq!(repair(&place, DAY).await.standing(), 1, "nothing of a version is ever changed");
    }
    place.furnish().await;
    place.stores.catalog.delete_event(2).await;
    assert_eq!(kinds(&look(&place).await), [("events broken", false), ("events broken", false)]);
    place.stores.catalog.delete_row_of_blob(&place.publish("", "c", "1.0.0", "row").await).await;
    let found = look(&place).await.findings.into_iter().map(|finding| finding.found);
    let broken: Vec<Found> = found.filter(|found| found.kind() == "reference broken").collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0].details(), "/ c 1.0.0: its archive has no row");
}

async fn an_image_that_cannot_be_pulled_is_found(place: Place) {
    let key = place.push_image("web", "lost").await;
    std::fs::remove_file(place.path_of(&key)).unwrap();
    // An empty store would be taken for another one.
    place.keep("something else").await;
    let found = look(&place).await.findings;
    assert_eq!(found.len(), 1, "{found:?}");
    let details = found[0].found.details();
    assert!(
        found[0].found.kind() == "blob missing" && details.contains("needed by web@sha256:"),
        "{details}"
    );
    place.stores.catalog.let_manifests_keep_nothing().await;
    let found = look(&place).await.findings;
    let kept: Vec<&str> = found.iter().map(|finding| finding.found.kind()).collect();
    assert!(kept.contains(&"manifest broken"), "{found:?}");
    assert!(repair(&place, DAY).await.standing() > 0, "nothing of a manifest is ever changed");
}

async fn a_manifest_that_is_not_what_it_is_served_as_is_found(place: Place) {
    place.furnish().await;
    place.stores.catalog.change_manifests().await;
    let verified = look(&place).await;
    assert_eq!(kinds(&verified), [("manifest broken", false); 4], "three minted ones and an image's");
    for finding in &verified.findings {
        assert!(finding.found.details().contains("its bytes are sha256:"), "{finding:?}");
    }
}

async fn a_wrong_count_is_corrected(place: Place) {
    place.furnish().await;
    let sound = place.stores.catalog.list_repositories().await.unwrap();
    place.stores.catalog.miscount().await;
    assert_eq!(kinds(&look(&place).await), [("count wrong", false), ("count wrong", false)]);
    assert_eq!(kinds(&repair(&place, DAY).await), [("count wrong", true), ("count wrong", true)]);
    assert_eq!(place.stores.catalog.list_repositories().await.unwrap(), sound);
}

async fn bytes_that_nobody_names_are_waste_once_they_are_old(place: Place) {
    place.furnish().await;
    let unnamed = place.keep("nobody's").await;
    assert_eq!(look(&place).await.findings, [], "somebody may be about to name them");
    assert_eq!(kinds(&repair(&place, Duration::ZERO).await), [("waste", true)]);
    assert!(!place.path_of(unnamed.key()).exists());
    assert_eq!(repair(&place, Duration::ZERO).await.findings, []);
}

async fn a_store_that_is_away_is_never_called_empty(place: Place) {
    place.furnish().await;
    let store = place.folder.path().join("store");
    std::fs::rename(&store, place.folder.path().join("elsewhere")).unwrap();
    std::fs::create_dir(&store).unwrap();
    for repairs in [false, true] {
        let verification = Verification { grace: DAY, bytes_per_second: None, repairs };
        let checked = verify(&place.stores, verification, rand::random, &progress()).await;
        assert!(matches!(checked, Err(VerifyError::Blobs(_))), "{checked:?}");
    }
}

async fn bytes_that_were_collected_meanwhile_are_no_loss(place: Place) {
    place.furnish().await;
    let later = chart::Timestamp::from_micros(now().micros() * 2);
    while place.stores.catalog.forget_removed_versions(later, 100).await.unwrap() > 0 {}
    for key in place.stores.catalog.forget_unreferenced_blobs(later, 100).await.unwrap() {
        place.stores.blobs.remove(&key).await.unwrap();
    }
    let verified = look(&place).await;
    assert_eq!((verified.findings.len(), verified.blobs), (0, 7));
}
