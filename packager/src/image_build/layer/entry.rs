//! What a layer says of one path.

use std::collections::BTreeMap;

/// One path of a layer. Times are not kept: all of a layer's are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image_build) struct LayerEntry {
    /// The path without `./` before and `/` behind; empty for the root.
    pub(in crate::image_build) path: Vec<u8>,
    /// What is there.
    pub(in crate::image_build) substance: Substance,
    /// The permissions.
    pub(in crate::image_build) mode: u32,
    /// The owner's number.
    pub(in crate::image_build) user: u64,
    /// The group's number.
    pub(in crate::image_build) group: u64,
    /// The extended attributes, as file capabilities.
    pub(in crate::image_build) attributes: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image_build) enum Substance {
    /// A folder.
    Folder,
    /// A file, whose bytes are at this place of the uncompressed layer.
    File {
        /// Where its bytes begin.
        offset: u64,
        /// How many they are.
        size: u64,
    },
    /// A symbolic link to this.
    Symlink(Vec<u8>),
    /// Another name of the file at this path of the layer.
    HardLink(Vec<u8>),
    /// A named pipe.
    Pipe,
    /// A device node or something rarer, which no layer of ours holds.
    Device,
}

impl LayerEntry {
    /// Returns the path for people, with the slash that it has in the container.
    pub(in crate::image_build) fn shown(&self) -> String {
        format!("/{}", String::from_utf8_lossy(&self.path))
    }

    /// Returns the last part of the path.
    pub(super) fn name(&self) -> &[u8] {
        self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// Returns whether this says that something of a layer below is gone (image specification, "Whiteouts").
    pub(super) fn is_whiteout(&self) -> bool {
        self.name().starts_with(b".wh.")
    }
}
