//! A backup is one moment of the catalog with all its bytes; what is not whole is refused before anything is written.

use std::path::Path;

use oci::Digest;

use super::checks::look;
use super::{Place, files_below, now, on_each_database, progress};
use crate::blobs::{Blobs, Layout};
use crate::safekeeping::backup::{BackupError, back_up, send};
use crate::safekeeping::backup_place::{BackupPlace, BackupPlaceError};
use crate::safekeeping::copy::{CopyError, copy_everything, rehearse_copy};
use crate::safekeeping::restore::{RestoreError, check_backup};
use crate::safekeeping::transcript::{KnownBlob, TranscriptError};

on_each_database![
    a_backup_comes_back_as_the_catalog_was_on_either_database,
    ids_and_revisions_go_on_after_a_restore,
    a_second_backup_copies_only_what_is_new,
    a_backup_with_any_byte_wrong_is_refused_before_anything_is_written,
    a_backup_without_manifest_is_none,
    damaged_bytes_make_no_backup,
    bytes_that_were_collected_meanwhile_are_told_from_lost_ones,
    only_an_empty_catalog_is_filled,
    a_copy_that_was_cut_off_goes_on,
    a_copy_whose_source_does_not_rest_is_refused,
];

fn backups(folder: &Path) -> BackupPlace {
    let open = |name: &str| {
        Blobs::open(folder.join(name), folder.join(".staging").join(name), Layout::Flat).unwrap()
    };
    BackupPlace::new(open("blobs"), open("backups"), ())
}

async fn restore(target: &Place, place: &BackupPlace, name: Option<&str>) -> Result<(), RestoreError> {
    let checked = check_backup(place, name, &target.spool(), &progress()).await?;
    checked.restore(place, &target.stores, &progress()).await
}

async fn a_backup_comes_back_as_the_catalog_was_on_either_database(place: Place) {
    place.furnish().await;
    let folder = tempfile::tempdir().unwrap();
    let made =
        back_up(&place.stores, &backups(folder.path()), now(), &place.spool(), &progress()).await.unwrap();
    let revisions: Vec<(&str, i64)> =
        made.repositories.iter().map(|repository| (repository.path.as_str(), repository.revision)).collect();
    assert_eq!(revisions, [("", 4), ("team/b", 2)]);
    assert_eq!((made.blobs.count, made.copied), (11, made.blobs));
    let expected = place.parts().await;
    // Later changes are not in it.
    place.publish("", "z", "1.0.0", "later").await;
    for target in [Some(place.another().await), place.other_kind().await].into_iter().flatten() {
        restore(&target, &backups(folder.path()), None).await.unwrap();
        assert_eq!(target.parts().await, expected);
        assert_eq!(look(&target).await.findings, []);
    }
    assert!(files_below(&place.spool()).is_empty(), "intermediate files go away");
}

async fn ids_and_revisions_go_on_after_a_restore(place: Place) {
    place.furnish().await;
    let folder = tempfile::tempdir().unwrap();
    back_up(&place.stores, &backups(folder.path()), now(), &place.spool(), &progress()).await.unwrap();
    let target = place.another().await;
    restore(&target, &backups(folder.path()), None).await.unwrap();
    target.publish("", "new", "1.0.0", "after the restore").await;
    target.publish("another", "new", "1.0.0", "in a repository of its own").await;
    target.delete("", "b", "1.0.0").await;
    let rows = target.stores.catalog.list_repositories().await.unwrap();
    let revisions: Vec<i64> = rows.iter().map(|row| row.revision).collect();
    assert_eq!(revisions, [6, 1, 2]);
}

async fn a_second_backup_copies_only_what_is_new(place: Place) {
    place.furnish().await;
    let folder = tempfile::tempdir().unwrap();
    let take = async |micros: i64| {
        let at = chart::Timestamp::from_micros(now().micros() + micros);
        back_up(&place.stores, &backups(folder.path()), at, &place.spool(), &progress()).await.unwrap()
    };
    let first = take(0).await;
    let earlier = place.parts().await;
    place.publish("", "new", "1.0.0", "0123456789").await;
    let second = take(1).await;
    let third = take(2).await;
    assert_eq!((second.copied.count, second.copied.bytes), (2, 32));
    assert_eq!((third.copied.count, third.blobs), (0, second.blobs));
    let target = place.another().await;
    restore(&target, &backups(folder.path()), Some(&first.name)).await.unwrap();
    assert_eq!(target.parts().await, earlier, "the newest unless it is named");
}

async fn a_backup_with_any_byte_wrong_is_refused_before_anything_is_written(place: Place) {
    place.furnish().await;
    let folder = tempfile::tempdir().unwrap();
    back_up(&place.stores, &backups(folder.path()), now(), &place.spool(), &progress()).await.unwrap();
    let target = place.another().await;
    let files = files_below(folder.path());
    assert_eq!(files.len(), crate::catalog::TABLES.len() + 1 + 11, "tables, manifest and blobs: {files:?}");
    for file in files {
        let sound = std::fs::read(&file).unwrap();
        let flipped = |at: usize| {
            let mut other = sound.clone();
            other[at] ^= 0x40;
            Some(other)
        };
        let damages = [
            flipped(0),
            flipped(sound.len() / 2),
            flipped(sound.len() - 1),
            Some(sound[..sound.len() - 1].to_vec()),
            Some([&sound[..], b"x"].concat()),
            Some(Vec::new()),
            None,
        ];
        for (number, damage) in damages.into_iter().enumerate() {
            match damage {
                Some(content) => std::fs::write(&file, content).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            let refused = restore(&target, &backups(folder.path()), None).await;
            assert!(refused.is_err(), "{} {number}", file.display());
            assert!(target.is_empty().await, "{} {number}", file.display());
        }
        std::fs::write(&file, sound).unwrap();
    }
    restore(&target, &backups(folder.path()), None).await.unwrap();
}

async fn a_backup_without_manifest_is_none(place: Place) {
    place.furnish().await;
    let folder = tempfile::tempdir().unwrap();
    let made =
        back_up(&place.stores, &backups(folder.path()), now(), &place.spool(), &progress()).await.unwrap();
    let find = async |name: &str| {
        check_backup(&backups(folder.path()), Some(name), &place.spool(), &progress()).await.err()
    };
    let refused = find("20990101T000000.000000Z").await;
    let Some(RestoreError::Place(BackupPlaceError::Unknown { newest, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(newest, made.name);
    std::fs::remove_file(folder.path().join("backups").join(&made.name).join("manifest.json")).unwrap();
    let refused = find(&made.name).await;
    assert!(matches!(refused, Some(RestoreError::Place(BackupPlaceError::Empty))), "{refused:?}");
}

async fn damaged_bytes_make_no_backup(place: Place) {
    place.furnish().await;
    let key = place.publish("", "hit", "1.0.0", "content").await;
    let folder = tempfile::tempdir().unwrap();
    for content in [Some("contenT"), Some("short"), None] {
        match content {
            Some(content) => std::fs::write(place.path_of(&key), content).unwrap(),
            None => std::fs::remove_file(place.path_of(&key)).unwrap(),
        }
        let at = backups(folder.path());
        let refused = back_up(&place.stores, &at, now(), &place.spool(), &progress()).await;
        assert!(matches!(refused, Err(BackupError::Damaged(_))), "{refused:?}");
        let rehearsed = rehearse_copy(&place.stores, &place.spool(), &progress()).await;
        assert!(matches!(rehearsed, Err(CopyError::Damaged(_))), "{rehearsed:?}");
        assert!(files_below(&folder.path().join("backups")).is_empty());
    }
}

async fn bytes_that_were_collected_meanwhile_are_told_from_lost_ones(place: Place) {
    place.furnish().await;
    let folder = tempfile::tempdir().unwrap();
    let collected = place.keep("collected").await;
    let lost = place.publish("", "lost", "1.0.0", "lost").await;
    for (key, content) in [(collected.key(), "collected"), (&lost, "lost")] {
        std::fs::remove_file(place.path_of(key)).unwrap();
        let (digest, size_bytes) = (Digest::sha256(content.as_bytes()), content.len() as u64);
        let blob = KnownBlob { key: key.clone(), digest, size_bytes };
        let refused = send(&place.stores, &backups(folder.path()), &blob, &progress()).await;
        match content {
            "lost" => assert!(matches!(refused, Err(BackupError::Damaged(_))), "{refused:?}"),
            _ => assert!(matches!(refused, Err(BackupError::Vanished(_))), "{refused:?}"),
        }
    }
}

async fn only_an_empty_catalog_is_filled(place: Place) {
    place.furnish().await;
    let target = place.another().await;
    target.publish("", "there", "1.0.0", "before").await;
    let before = target.parts().await;
    let refused = copy_everything(&place.stores, &target.stores, &place.spool(), &progress()).await;
    assert!(matches!(refused, Err(CopyError::Transcript(TranscriptError::Load(_)))), "{refused:?}");
    assert_eq!(target.parts().await, before);
    // What a first start or `migrate` makes gives way.
    let target = place.another().await;
    target.repository("").await;
    copy_everything(&place.stores, &target.stores, &place.spool(), &progress()).await.unwrap();
    assert_eq!(target.parts().await, place.parts().await);
}

async fn a_copy_that_was_cut_off_goes_on(place: Place) {
    place.furnish().await;
    let target = place.another().await;
    copy_everything(&place.stores, &target.stores, &place.spool(), &progress()).await.unwrap();
    // The bytes of the first attempt are there, one of them half, the catalog is another one and empty.
    let next = place.another().await;
    let copied = files_below(&target.folder.path().join("store"));
    let half = copied.first().unwrap();
    std::fs::write(half, b"half").unwrap();
    let stores = crate::safekeeping::Stores {
        catalog: next.stores.catalog.clone(),
        blobs: target.stores.blobs.clone(),
    };
    let again = copy_everything(&place.stores, &stores, &place.spool(), &progress()).await.unwrap();
    assert_eq!((again.blobs.count, again.copied.count), (11, 1));
    assert_eq!(next.parts().await, place.parts().await);
}

async fn a_copy_whose_source_does_not_rest_is_refused(place: Place) {
    place.furnish().await;
    let target = place.another().await;
    let publishing = async {
        for number in 0.. {
            place.publish("team/b", "busy", &format!("{number}.0.0"), &number.to_string()).await;
        }
    };
    let spool = place.spool();
    let (quiet, progress) = (place.another().await, progress());
    quiet.furnish().await;
    let copying = copy_everything(&place.stores, &target.stores, &spool, &progress);
    let refused = tokio::select! {
        refused = copying => refused,
        () = publishing => unreachable!("it goes on for ever"),
    };
    match refused {
        Err(CopyError::Restless) => assert!(target.stores.catalog.find_content().await.unwrap().is_none()),
        // Nothing came for a moment, and then something did: the target is to be emptied, as people are told.
        Err(CopyError::LeftBehind) => return,
        other => panic!("{other:?}"),
    }
    copy_everything(&quiet.stores, &target.stores, &spool, &progress).await.unwrap();
    assert_eq!(target.parts().await, quiet.parts().await);
}
