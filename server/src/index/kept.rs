//! An index as a file, so that a start reads one file in place of every row of the catalog.
//!
//! Rule: what is kept is never the truth. It is read back exactly as it was, or refused as a whole with the reason; the
//! catalog has everything that was in it. Bytes come from and go to what the caller opened.

mod block;
mod rows;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};

use chart::Timestamp;
use serde::{Deserialize, Serialize};

use super::layout::Limits;
use super::rope::Rope;
use super::snapshot::Snapshot;
use super::{IndexSettings, RepositoryIndex};
use block::{BlockReader, BlockWriter};

/// What every file begins with; the number counts the forms it has had.
const MAGIC: &[u8; 20] = b"chartroom index 001\n";

/// The program that wrote it: another one may lay down other bytes for the same versions.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// What decides how entries look besides the versions themselves: an index made on other terms is another index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// What the index looks like.
    pub(crate) settings: IndexSettings,
    /// What stands before the addresses in its entries.
    pub(crate) base: Option<String>,
}

/// What tells to which state of which catalog an index belongs. Only whoever keeps indexes knows what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp(String);

impl Stamp {
    /// Takes any text that no other state of any catalog has.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

/// Why a kept index is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It begins otherwise than such files do.
    #[error("it is no kept index of this form")]
    Form,
    /// A block is cut off, or says that it is longer than what is left of the file.
    #[error("it ends too early")]
    Short,
    /// Something comes after the last block.
    #[error("it does not end where it should")]
    Long,
    /// A block's bytes are not those that were written.
    #[error("its checksums do not fit its bytes")]
    Checksum,
    /// A block holds something else than it should.
    #[error("its {0} makes no sense")]
    Content(&'static str),
    /// Another version of the program wrote it.
    #[error("release {0} of the program wrote it")]
    Release(String),
    /// It was made with other settings, another base address or other limits.
    #[error("the index looks otherwise now")]
    Terms,
}

#[derive(Serialize, Deserialize)]
struct Head {
    release: String,
    stamp: Stamp,
    terms: Terms,
    limits: Limits,
    revision: u64,
    changed_at_micros: i64,
    segments: u64,
}

impl RepositoryIndex {
    /// Writes one of its snapshots, whose addresses begin with `base`, a segment at a time.
    ///
    /// # Errors
    /// What `out` says.
    pub(crate) fn keep(
        &self,
        snapshot: &Snapshot,
        base: Option<String>,
        stamp: Stamp,
        out: impl Write,
    ) -> io::Result<()> {
        let segments = snapshot.rope().segments();
        let head = Head {
            release: RELEASE.to_owned(),
            stamp,
            terms: Terms { settings: snapshot.settings().clone(), base },
            limits: self.limits,
            revision: snapshot.revision(),
            changed_at_micros: snapshot.changed_at().micros(),
            segments: segments.len() as u64,
        };
        let mut blocks = BlockWriter::begin(out, MAGIC)?;
        blocks.push(&postcard::to_allocvec(&head).map_err(io::Error::other)?)?;
        for segment in segments {
            blocks.push(&rows::rows_of(segment)?)?;
            blocks.push(rows::text_of(segment))?;
        }
        blocks.finish()
    }
}

/// A kept index of which only the head was read.
pub(crate) struct KeptIndex<R> {
    blocks: BlockReader<R>,
    head: Head,
}

impl<R: Read> KeptIndex<R> {
    /// Reads the head of a file of so many bytes.
    ///
    /// # Errors
    /// [`Unusable`], also for one that this program would write otherwise under these terms.
    pub(crate) fn open(source: R, bytes: u64, terms: &Terms) -> Result<Self, Unusable> {
        Self::open_with(source, bytes, terms, Limits::STANDARD)
    }

    pub(super) fn open_with(source: R, bytes: u64, terms: &Terms, limits: Limits) -> Result<Self, Unusable> {
        let mut blocks = BlockReader::begin(source, bytes, MAGIC)?;
        let head: Head =
            postcard::from_bytes(&blocks.next(Vec::new())?).map_err(|_| Unusable::Content("head"))?;
        if head.release != RELEASE {
            return Err(Unusable::Release(head.release));
        }
        if head.terms != *terms || head.limits != limits {
            return Err(Unusable::Terms);
        }
        Ok(Self { blocks, head })
    }

    /// Returns the revision of the last change in it.
    pub(crate) fn revision(&self) -> u64 {
        self.head.revision
    }

    /// Returns what it was stamped with.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.head.stamp
    }

    /// Reads the rest.
    ///
    /// # Errors
    /// [`Unusable`].
    pub(crate) fn read(mut self) -> Result<RepositoryIndex, Unusable> {
        let mut segments = Vec::new();
        let mut rows = Vec::new();
        for _ in 0..self.head.segments {
            rows = self.blocks.next(rows)?;
            let text = self.blocks.next(Vec::new())?;
            let segment = rows::segment_of(&rows, text, segments.last().map(AsRef::as_ref))?;
            segments.push(segment.into());
        }
        self.blocks.finish()?;
        let Head { terms, limits, revision, changed_at_micros, .. } = self.head;
        let changed_at = Timestamp::from_micros(changed_at_micros);
        let snapshot = Snapshot::new(terms.settings, Rope::new(segments), revision, changed_at);
        Ok(RepositoryIndex::with(limits, snapshot))
    }
}
