//! What the headers before an entry say about it: PAX records (POSIX.1-2001, "pax Extended Header") and GNU long names.
//!
//! Valid is what Go's `archive/tar` takes for valid, since Helm reads with it.

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

impl Extension {
    /// Reads PAX records; returns `None` when one is malformed. Of equal keys the last counts, and an empty
    /// value leaves the header's own.
    pub(super) fn from_records(mut records: &[u8]) -> Option<Self> {
        let mut extension = Self::default();
        while !records.is_empty() {
            let (key, value, rest) = split_record(records)?;
            extension.apply(key, value)?;
            records = rest;
        }
        Some(extension)
    }

    fn apply(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"path" => self.name = (!value.is_empty()).then(|| value.to_vec()),
            b"size" if value.is_empty() => self.size = None,
            b"size" => self.size = Some(u64::try_from(decimal(value)?).ok()?),
            b"uid" | b"gid" if !value.is_empty() => {
                decimal(value)?;
            }
            b"atime" | b"mtime" | b"ctime" if !value.is_empty() => check_time(value)?,
            key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
            _ => {}
        }
        Some(())
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

    #[test]
    fn a_written_record_reads_back() {
        for length in [0, 1, 80, 88, 89, 90, 91, 92, 93, 94, 95, 980, 989, 990, 991, 5_000] {
            let name = "n".repeat(length);
            let text = record("path", &name);
            assert_eq!(split_record(text.as_bytes()).unwrap().1, name.as_bytes(), "{length}");
            let extension = Extension::from_records(text.as_bytes()).unwrap();
            assert_eq!(extension.name, (length > 0).then(|| name.into_bytes()));
        }
    }

    #[test]
    fn of_equal_keys_the_last_counts() {
        let records = [record("path", "a/b"), record("size", "7"), record("path", "c/d")].concat();
        let extension = Extension::from_records(records.as_bytes()).unwrap();
        assert_eq!(extension, Extension { name: Some(b"c/d".to_vec()), size: Some(7), is_sparse: false });
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
            "11 size=a12\n",
            "11 size=-12\n",
            "14 mtime=12.x\n",
            "11 nothing\n",
        ] {
            assert_eq!(Extension::from_records(records.as_bytes()), None, "{records:?}");
        }
    }

    #[test]
    fn other_records_are_read_over() {
        let records =
            [record("mtime", "1350244992.02"), record("uid", "0"), record("LIBARCHIVE.x", "1")].concat();
        assert_eq!(Extension::from_records(records.as_bytes()), Some(Extension::default()));
        assert!(Extension::from_records(record("GNU.sparse.major", "1").as_bytes()).unwrap().is_sparse);
    }
}
