use std::collections::BTreeMap;
use std::io::Read;

use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::*;

/// Appends one entry as some builder would.
fn append(
    builder: &mut Builder<Vec<u8>>,
    path: &str,
    kind: EntryType,
    link: &str,
    content: &[u8],
    modified: u64,
) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(modified);
    if link.is_empty() {
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, content).unwrap();
    } else {
        header.set_size(0);
        builder.append_link(&mut header, path, link).unwrap();
    }
}

fn normal_form(tar: &[u8]) -> (Layer, Vec<LayerEntry>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("in.tar");
    std::fs::write(&source, tar).unwrap();
    let layer = normalise(&source, &folder.path().join("out.tar.gz"), 7).unwrap();
    let mut plain = Vec::new();
    open(&layer.path, GZIP_LAYER).unwrap().unwrap().read_to_end(&mut plain).unwrap();
    let entries = read_entries(&mut plain.as_slice()).unwrap();
    (layer, entries, plain)
}

fn paths(entries: &[LayerEntry]) -> Vec<String> {
    entries.iter().map(LayerEntry::shown).collect()
}

#[test]
fn order_and_times_of_the_builder_do_not_show() {
    let files = [("./a-b", "1"), ("a/c", "2"), ("./a/b/deep", "3")];
    let folders = ["a", "./a/b/", "./"];
    let build = |is_turned: bool, modified: u64| {
        let mut builder = Builder::new(Vec::new());
        let mut files = files.to_vec();
        if is_turned {
            files.reverse();
        }
        folders.iter().for_each(|path| append(&mut builder, path, EntryType::Directory, "", b"", modified));
        for (path, content) in files {
            append(&mut builder, path, EntryType::Regular, "", content.as_bytes(), modified);
        }
        builder.into_inner().unwrap()
    };
    let (one, entries, plain) = normal_form(&build(false, 1));
    let (other, _, _) = normal_form(&build(true, 2));
    assert_eq!((&one.descriptor, &one.diff_id), (&other.descriptor, &other.diff_id));
    assert_eq!(paths(&entries), ["/", "/a", "/a/b", "/a/b/deep", "/a/c", "/a-b"]);
    let mut archive = tar::Archive::new(plain.as_slice());
    assert!(archive.entries().unwrap().all(|entry| entry.unwrap().header().mtime().unwrap() == 7));
    assert_eq!(one.diff_id, Digest::sha256(&plain));
}

#[test]
fn what_the_machine_made_stays_behind() {
    let mut builder = Builder::new(Vec::new());
    for folder in ["dev", "dev/pts", "run", "run/lock", "var/cache", "var/log/apt"] {
        append(&mut builder, folder, EntryType::Directory, "", b"", 1);
    }
    append(&mut builder, "dev/null", EntryType::Char, "", b"", 1);
    append(&mut builder, "srv/disk", EntryType::Block, "", b"", 1);
    for file in [
        "var/log/dpkg.log",
        "var/cache/ldconfig/aux-cache",
        "etc/machine-id",
        "etc/hostname",
        "etc/resolv.conf",
        "run/.containerenv",
        "var/lib/dpkg/status-old",
        "tmp/x",
        "etc/hosts.allow",
        "var/lib/dpkg/status",
        "var/log/.wh.old",
    ] {
        append(&mut builder, file, EntryType::Regular, "", b"x", 1);
    }
    let (_, entries, _) = normal_form(&builder.into_inner().unwrap());
    let expected = [
        "/dev",
        "/etc/hosts.allow",
        "/run",
        "/run/lock",
        "/var/cache",
        "/var/lib/dpkg/status",
        "/var/log/.wh.old",
        "/var/log/apt",
    ];
    assert_eq!(paths(&entries), expected);
}

#[test]
fn the_first_name_of_a_file_is_the_file() {
    let build = |first: &str, second: &str, third: &str| {
        let mut builder = Builder::new(Vec::new());
        append(&mut builder, first, EntryType::Regular, "", b"perl", 1);
        append(&mut builder, second, EntryType::Link, first, b"", 1);
        append(&mut builder, third, EntryType::Link, first, b"", 1);
        builder.into_inner().unwrap()
    };
    let (one, entries, _) = normal_form(&build("bin/perl", "bin/perl5", "bin/a"));
    let (other, _, _) = normal_form(&build("bin/a", "bin/perl", "bin/perl5"));
    assert_eq!(one.descriptor, other.descriptor);
    let kinds: BTreeMap<_, _> =
        entries.iter().map(|entry| (entry.shown(), entry.substance.clone())).collect();
    assert!(matches!(kinds["/bin/a"], Substance::File { size: 4, .. }));
    assert_eq!(kinds["/bin/perl5"], Substance::HardLink(b"bin/a".to_vec()));
}

#[test]
fn long_names_and_binary_attributes_come_through() {
    let long = format!("usr/{}/{}", "d".repeat(120), "f".repeat(120));
    let mut builder = Builder::new(Vec::new());
    // As Go writes a file capability: its value holds line ends and zeros.
    let capability = b"\x01\n\n\0=\x02";
    let record = [b"36 SCHILY.xattr.security.capability=".as_slice(), capability, b"\n"].concat();
    let record = [format!("{}", record.len()).as_bytes(), record.get(2..).unwrap()].concat();
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XHeader);
    header.set_size(record.len() as u64);
    header.set_cksum();
    builder.append(&header, record.as_slice()).unwrap();
    append(&mut builder, "usr/bin/ping", EntryType::Regular, "", b"p", 1);
    append(&mut builder, &long, EntryType::Regular, "", b"x", 1);
    append(&mut builder, "usr/link", EntryType::Symlink, &format!("/{long}"), b"", 1);
    let (_, entries, _) = normal_form(&builder.into_inner().unwrap());
    assert_eq!(paths(&entries), ["/usr/bin/ping".to_owned(), format!("/{long}"), "/usr/link".to_owned()]);
    let ping = entries.first().unwrap();
    assert_eq!(ping.attributes[b"security.capability".as_slice()], capability);
    assert_eq!(entries.last().unwrap().substance, Substance::Symlink(format!("/{long}").into_bytes()));
}

#[test]
fn a_layer_that_is_cut_off_is_refused() {
    let mut builder = Builder::new(Vec::new());
    append(&mut builder, "usr/file", EntryType::Regular, "", &[1; 2000], 1);
    let mut tar = builder.into_inner().unwrap();
    tar.truncate(1500);
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("in.tar");
    std::fs::write(&source, tar).unwrap();
    assert!(normalise(&source, &folder.path().join("out"), 7).is_err());
}

proptest! {
    #[test]
    fn the_normal_form_of_a_normal_form_is_itself(
        files in proptest::collection::btree_map("(usr|opt)/[a-c]{1,3}/[a-z.]{1,130}x", proptest::collection::vec(any::<u8>(), 0..600), 0..8)
    ) {
        let mut builder = Builder::new(Vec::new());
        for (path, content) in &files {
            append(&mut builder, path, EntryType::Regular, "", content, 3);
        }
        let (one, entries, plain) = normal_form(&builder.into_inner().unwrap());
        let (again, _, _) = normal_form(&plain);
        prop_assert_eq!(one.descriptor, again.descriptor);
        prop_assert_eq!(entries.len(), files.len());
        for entry in entries {
            let Substance::File { offset, size } = entry.substance else { panic!("no file") };
            let content = plain.get(offset as usize..(offset + size) as usize).unwrap();
            prop_assert_eq!(content, files[&String::from_utf8(entry.path).unwrap()].as_slice());
        }
    }
}
