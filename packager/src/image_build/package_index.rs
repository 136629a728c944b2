//! Package indexes: the entries in which a distribution says what its packages are (Debian policy, chapter 5).
//!
//! An entry is believed only as far as the bytes agree with it.

use oci::Digest;

use super::lock::LockedPackage;

/// One entry of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    /// The package.
    pub(crate) package: LockedPackage,
    /// Where the package file lies, below the archive's root.
    pub(crate) file_name: String,
    /// The entry as the distribution wrote it.
    pub(crate) text: String,
}

/// Why an index is refused.
#[derive(Debug, thiserror::Error)]
#[error("the package index has an entry without `{field}`, or with one that cannot be used:\n{entry}")]
pub(crate) struct InvalidIndex {
    field: &'static str,
    entry: String,
}

/// Reads an index; its entries are sorted by name and architecture, and said once.
///
/// # Errors
/// [`InvalidIndex`] at the first entry that lacks something.
pub(crate) fn read_index(text: &str) -> Result<Vec<IndexEntry>, InvalidIndex> {
    let paragraphs =
        text.split("\n\n").map(|paragraph| paragraph.trim_matches('\n')).filter(|one| !one.is_empty());
    let mut entries = paragraphs.map(read_entry).collect::<Result<Vec<_>, _>>()?;
    let key = |entry: &IndexEntry| (entry.package.name.clone(), entry.package.architecture.clone());
    entries.sort_by_key(key);
    entries.dedup_by(|one, other| one.package == other.package);
    Ok(entries)
}

/// Returns the text of an index of these entries.
pub(crate) fn write_index(entries: &[IndexEntry]) -> String {
    entries.iter().map(|entry| format!("{}\n\n", entry.text)).collect()
}

fn read_entry(text: &str) -> Result<IndexEntry, InvalidIndex> {
    let missing = |field| InvalidIndex { field, entry: text.to_owned() };
    let required = |field: &'static str| field_of(text, field).ok_or_else(|| missing(field));
    let file_name = required("Filename")?;
    // The file is laid out below a folder of ours: nothing may lead out of it.
    if file_name.split('/').any(|part| matches!(part, "" | "..")) {
        return Err(missing("Filename"));
    }
    let package = LockedPackage {
        name: required("Package")?.to_owned(),
        version: required("Version")?.to_owned(),
        architecture: required("Architecture")?.to_owned(),
        digest: Digest::from_sha256_hex(required("SHA256")?).map_err(|_| missing("SHA256"))?,
        size_bytes: required("Size")?.parse().map_err(|_| missing("Size"))?,
    };
    Ok(IndexEntry { package, file_name: file_name.to_owned(), text: text.to_owned() })
}

/// Returns the first line of a field of one entry.
pub(crate) fn field_of<'entry>(entry: &'entry str, field: &str) -> Option<&'entry str> {
    entry.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(field).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "Package: dash\nVersion: 0.5.12-2\nArchitecture: amd64\nDescription: a shell\n Size: not this\n\
        Filename: pool/main/d/dash/dash_0.5.12-2_amd64.deb\nSize: 97572\n\
        SHA256: 33ea40061da2f1a861ec46212b2b6a34f0776a049b1f0f3abce2fb8cb994258f";

    #[test]
    fn entries_are_sorted_and_said_once() {
        let bash = ENTRY.replace("dash", "bash");
        let entries = read_index(&format!("{ENTRY}\n\n\n{bash}\n\n{ENTRY}\n")).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.package.name.as_str()).collect();
        assert_eq!(names, ["bash", "dash"]);
        assert_eq!(entries.first().unwrap().package.size_bytes, 97_572);
        assert_eq!(read_index(&write_index(&entries)).unwrap(), entries);
    }

    #[test]
    fn an_entry_that_lacks_something_is_refused() {
        for (from, to) in
            [("SHA256", "SHA1"), ("Size: 9", "Size: x"), ("pool/main", "../x"), ("Package:", "X:")]
        {
            assert!(read_index(&ENTRY.replace(from, to)).is_err(), "{to}");
        }
    }
}
