//! What the headers before an entry say about it: PAX records (POSIX.1-2001, "pax Extended Header") and GNU long names.
//!
//! Valid is what Go's `archive/tar` takes for valid, since Helm reads with it.

use std::collections::BTreeMap;

/// PAX records whose form is right; of equal keys the last counts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Records<'r> {
    values: BTreeMap<&'r [u8], &'r [u8]>,
}

/// What extended headers change of the next entry.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Extension {
    /// A name that replaces the header's.
    pub(super) name: Option<Vec<u8>>,
    /// A size that replaces the header's.
    pub(super) size: Option<u64>,
    /// Whether the contents are a sparse map instead of the file.
    pub(super) is_sparse: bool,
}

impl<'r> Records<'r> {
    /// Splits records; returns `None` when one is malformed.
    pub(super) fn parse(mut bytes: &'r [u8]) -> Option<Self> {
        let mut values = BTreeMap::new();
        while !bytes.is_empty() {
            let (key, value, rest) = split_record(bytes)?;
            values.insert(key, value);
            bytes = rest;
        }
        Some(Self { values })
    }

    /// Returns what the records change of an entry, `None` when a value is malformed. An empty value leaves the
    /// header's own. Only an entry that follows asks for this, so records without one may hold any value.
    pub(super) fn extension(&self) -> Option<Extension> {
        let value = |key: &[u8]| self.values.get(key).copied().filter(|value| !value.is_empty());
        for key in [&b"uid"[..], b"gid"] {
            value(key).map_or(Some(0), decimal)?;
        }
        for key in [&b"atime"[..], b"mtime", b"ctime"] {
            value(key).map_or(Some(()), check_time)?;
        }
        let size = match value(b"size") {
            Some(digits) => Some(u64::try_from(decimal(digits)?).ok()?),
            None => None,
        };
        let is_sparse = self.values.keys().any(|key| key.starts_with(b"GNU.sparse."));
        Some(Extension { name: value(b"path").map(<[u8]>::to_vec), size, is_sparse })
    }
}

/// Returns the text of a GNU long name: everything up to the first NUL.
pub(super) fn long_name(bytes: &[u8]) -> Option<Vec<u8>> {
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    (!name.is_empty()).then(|| name.to_vec())
}

/// Splits the first `LENGTH KEY=VALUE\n` off: key, value and what follows.
fn split_record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = records.iter().position(|byte| *byte == b' ')?;
    let (digits, _) = records.split_at_checked(space)?;
    let length = usize::try_from(decimal(digits)?).ok()?;
    let (record, rest) = records.split_at_checked(length)?;
    let pair = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (pair.get(..equals)?, pair.get(equals + 1..)?);
    let value_is_text = matches!(key, b"path" | b"linkpath" | b"uname" | b"gname");
    let checked = if value_is_text { value } else { key };
    (!key.is_empty() && !checked.contains(&0)).then_some((key, value, rest))
}

fn decimal(digits: &[u8]) -> Option<i64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Checks a time in seconds with an optional fraction.
fn check_time(value: &[u8]) -> Option<()> {
    let dot = value.iter().position(|byte| *byte == b'.');
    let (seconds, fraction) = value.split_at_checked(dot.unwrap_or(value.len()))?;
    decimal(seconds)?;
    fraction.iter().skip(1).all(u8::is_ascii_digit).then_some(())
}

/// Returns the record `KEY=VALUE` with the length in front that counts itself.
pub(super) fn record(key: &str, value: &str) -> String {
    let pair = key.len() + value.len() + " =\n".len();
    let mut length = pair;
    // The number of digits can grow once by being counted.
    while length != pair + length.to_string().len() {
        length = pair + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension(records: &str) -> Option<Extension> {
        Records::parse(records.as_bytes())?.extension()
    }

    #[test]
    fn a_written_record_reads_back() {
        for length in [0, 1, 80, 88, 89, 90, 91, 92, 93, 94, 95, 980, 989, 990, 991, 5_000] {
            let name = "n".repeat(length);
            let text = record("path", &name);
            assert_eq!(split_record(text.as_bytes()).unwrap().1, name.as_bytes(), "{length}");
            assert_eq!(extension(&text).unwrap().name, (length > 0).then(|| name.into_bytes()));
        }
    }

    #[test]
    fn of_equal_keys_the_last_counts() {
        let records =
            [record("path", "a/b"), record("size", "x"), record("size", "7"), record("path", "c/d")];
        let expected = Extension { name: Some(b"c/d".to_vec()), size: Some(7), is_sparse: false };
        assert_eq!(extension(&records.concat()), Some(expected));
        let emptied = [record("size", "7"), record("size", "")];
        assert_eq!(extension(&emptied.concat()), Some(Extension::default()));
    }

    #[test]
    fn malformed_records_are_refused() {
        for records in [
            "path=a\n",
            "12 path=abcd",
            "999 path=a\n",
            "9 path=abcdef\n",
            "-9 path=a\n",
            "6 =ab\n",
            "10 path=a\0\n",
            "11 nothing\n",
        ] {
            assert_eq!(Records::parse(records.as_bytes()), None, "{records:?}");
        }
    }

    #[test]
    fn malformed_values_count_only_for_an_entry() {
        for (key, value) in [("size", "1e3"), ("size", "-1"), ("uid", "x"), ("mtime", "1.x"), ("atime", ".5")]
        {
            let text = record(key, value);
            let records = Records::parse(text.as_bytes()).unwrap();
            assert_eq!(records.extension(), None, "{key}={value}");
        }
    }

    #[test]
    fn other_records_are_read_over() {
        let records =
            [record("mtime", "1350244992.02"), record("uid", "0"), record("LIBARCHIVE.x", "1")].concat();
        assert_eq!(extension(&records), Some(Extension::default()));
        assert!(extension(&record("GNU.sparse.major", "1")).unwrap().is_sparse);
    }
}
