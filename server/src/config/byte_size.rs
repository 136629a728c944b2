//! Sizes as people write them: `20MiB`, `500kB`, `20971520`.

/// Units and their bytes; the binary and the decimal ones.
const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(u64);

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a size: write a whole number of bytes, or one with a unit, such as `20MiB` or `500kB`"
)]
pub(crate) struct InvalidByteSize {
    text: String,
}

impl ByteSize {
    /// Returns a size of `bytes` bytes.
    pub(crate) const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Returns the number of bytes.
    pub(crate) const fn bytes(self) -> u64 {
        self.0
    }

    /// Parses a whole number of bytes, or a whole number with one of the units.
    ///
    /// # Errors
    /// [`InvalidByteSize`] for anything else, and for more than 2^64 - 1 bytes.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidByteSize> {
        let refused = || InvalidByteSize { text: text.to_owned() };
        let (number, unit) = UNITS
            .iter()
            .find_map(|(unit, bytes)| text.strip_suffix(unit).map(|number| (number.trim_end(), *bytes)))
            .unwrap_or((text, 1));
        // `parse` alone would take a leading plus sign.
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        let number: u64 = number.parse().map_err(|_| refused())?;
        number.checked_mul(unit).map(Self).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units_are_read() {
        for (text, bytes) in [
            ("0", 0),
            ("20971520", 20_971_520),
            ("20MiB", 20_971_520),
            ("20 MiB", 20_971_520),
            ("500kB", 500_000),
            ("7B", 7),
            ("1GiB", 1 << 30),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(ByteSize::parse(text).map(ByteSize::bytes), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "MiB", "-1", "+1", "1.5MiB", "20M", "20mib", "99999999999TiB"] {
            let refusal = ByteSize::parse(text).unwrap_err();
            assert!(refusal.to_string().starts_with(&format!("`{text}` is not a size")), "{refusal}");
        }
    }
}
