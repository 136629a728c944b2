//! The words of YAML, before any grammar.

/// A word of YAML. Block starts and ends, and most keys, come from indentation and colons rather than from a
/// character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::yaml) enum Token {
    /// The end of the text.
    StreamEnd,
    /// `%YAML 1.1`: major and minor number.
    VersionDirective(u8, u8),
    /// `%TAG handle prefix`.
    TagDirective(String, String),
    /// `---`
    DocumentStart,
    /// `...`
    DocumentEnd,
    /// Deeper indentation before a `-`.
    BlockSequenceStart,
    /// Deeper indentation before a key.
    BlockMappingStart,
    /// The end of an indentation.
    BlockEnd,
    /// `[`
    FlowSequenceStart,
    /// `]`
    FlowSequenceEnd,
    /// `{`
    FlowMappingStart,
    /// `}`
    FlowMappingEnd,
    /// `- `
    BlockEntry,
    /// `,`
    FlowEntry,
    /// `?`, or the place before what a colon turned out to make a key.
    Key,
    /// `:`
    Value,
    /// `*name`
    Alias(String),
    /// `&name`
    Anchor(String),
    /// `!handle!suffix`; the handle is empty for a tag that is written out.
    Tag {
        /// What `%TAG` may stand for, with its exclamation marks.
        handle: String,
        /// The rest of the tag.
        suffix: String,
    },
    /// A scalar of any style.
    Scalar {
        /// The text, folded and with escapes resolved.
        text: String,
        /// Whether it stood without quotes on its own line or lines.
        is_plain: bool,
    },
}
