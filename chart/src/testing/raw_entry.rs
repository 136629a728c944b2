//! A tar entry that says what the test wants it to say.

use crate::archive::encode_header;

/// An entry whose header and contents need not fit together.
#[derive(Debug, Clone)]
pub struct RawEntry {
    /// The type byte: `b'0'` a file, `b'5'` a folder, `b'2'` a symbolic link, `b'x'` PAX records, `b'L'` a long name.
    pub type_byte: u8,
    /// The name; what is over 100 bytes is cut off.
    pub name: String,
    /// The size the header gives; the contents' own when there is none.
    pub declared_size: Option<u64>,
    /// The contents, padded to a multiple of 512 bytes.
    pub contents: Vec<u8>,
}

impl RawEntry {
    /// Returns an entry of a type, with contents and their size.
    pub fn new(type_byte: u8, name: &str, contents: impl AsRef<[u8]>) -> Self {
        Self { type_byte, name: name.to_owned(), declared_size: None, contents: contents.as_ref().to_vec() }
    }

    /// Sets the size in the header; no contents have to be there.
    pub fn declaring(mut self, bytes: u64) -> Self {
        self.declared_size = Some(bytes);
        self
    }

    /// Returns header, contents and padding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = self.declared_size.unwrap_or(self.contents.len() as u64);
        let mut bytes = encode_header(self.type_byte, "", &self.name, size, 0).to_vec();
        bytes.extend_from_slice(&self.contents);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}
