//! From words to events: the grammar of YAML 1.1, as libyaml's parser states it.
//!
//! What is still to come waits on a stack of states, never on the call stack.

mod flow;
mod prologue;

use super::error::YamlError;
pub(super) use super::scan::Mark;
use super::scan::{Scanner, Token};
use prologue::TagPrefixes;

/// A step through a document. `End` closes the innermost list or map.
#[derive(Debug)]
pub(super) enum Event {
    /// A scalar.
    Scalar {
        /// The text.
        text: String,
        /// Whether it may be a number, a switch or null: neither quoted nor tagged, or tagged with a lone
        /// `!`.
        is_plain: bool,
        /// The full tag, empty when there is none.
        tag: String,
        /// The name that aliases use for it.
        anchor: Option<String>,
    },
    /// A repetition of what the anchor of this name stands for.
    Alias(String),
    /// The beginning of a list.
    SequenceStart {
        /// The name that aliases use for it.
        anchor: Option<String>,
    },
    /// The beginning of a map, whose keys and values follow in turn.
    MappingStart {
        /// The name that aliases use for it.
        anchor: Option<String>,
    },
    /// The end of a list or map.
    End,
    /// The end of the first document; the only event of an empty text.
    DocumentEnd,
}

impl Event {
    /// Returns the scalar that stands where a value is left out.
    fn empty_scalar() -> Self {
        Self::Scalar { text: String::new(), is_plain: true, tag: String::new(), anchor: None }
    }
}

/// What may come next.
#[derive(Debug, Clone, Copy)]
enum State {
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceEntry,
    /// An item of a list that is indented like the key it belongs to.
    IndentlessSequenceEntry,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceEntry {
        is_first: bool,
    },
    /// The key of a map of one entry that stands in a flow list without braces.
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingKey {
        is_first: bool,
    },
    FlowMappingValue,
    /// The value of a key without a colon.
    FlowMappingNoValue,
}

/// Which nodes may stand in a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    /// All but lists indented like their parent.
    Block,
    /// All.
    BlockOrIndentless,
    /// Those without indentation.
    Flow,
}

/// What a node holds.
enum Kind {
    Sequence,
    Mapping,
}

/// Returns the kind of list or map that begins with this word, and what comes next in it.
fn find_collection(token: &Token, context: Context) -> Option<(Kind, State)> {
    let is_block = context != Context::Flow;
    if *token == Token::BlockEntry && context == Context::BlockOrIndentless {
        Some((Kind::Sequence, State::IndentlessSequenceEntry))
    } else if *token == Token::FlowSequenceStart {
        Some((Kind::Sequence, State::FlowSequenceEntry { is_first: true }))
    } else if *token == Token::FlowMappingStart {
        Some((Kind::Mapping, State::FlowMappingKey { is_first: true }))
    } else if *token == Token::BlockSequenceStart && is_block {
        Some((Kind::Sequence, State::BlockSequenceEntry))
    } else if *token == Token::BlockMappingStart && is_block {
        Some((Kind::Mapping, State::BlockMappingKey))
    } else {
        None
    }
}

/// The tag and anchor before a node.
#[derive(Default)]
struct Properties {
    tag: String,
    anchor: Option<String>,
    mark: Option<Mark>,
}

/// The events of the first document of a text.
pub(super) struct Events<'a> {
    scanner: Scanner<'a>,
    states: Vec<State>,
    prefixes: TagPrefixes,
}

impl<'a> Events<'a> {
    /// Returns the events of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            scanner: Scanner::new(text),
            states: vec![State::DocumentStart],
            prefixes: TagPrefixes::default(),
        }
    }

    /// Returns the next event and where it stands; the end of the document again and again once it is
    /// reached.
    pub(super) fn next(&mut self) -> Result<(Event, Mark), YamlError> {
        match self.states.pop() {
            Some(State::DocumentStart) => self.start_document(),
            Some(State::DocumentContent) => self.document_content(),
            Some(State::DocumentEnd) | None => Ok((Event::DocumentEnd, self.scanner.peek()?.1)),
            Some(State::BlockNode) => self.node(Context::Block),
            Some(State::BlockSequenceEntry) => self.block_sequence_entry(),
            Some(State::IndentlessSequenceEntry) => self.indentless_sequence_entry(),
            Some(State::BlockMappingKey) => self.block_mapping_key(),
            Some(State::BlockMappingValue) => self.block_mapping_value(),
            Some(State::FlowSequenceEntry { is_first }) => self.flow_sequence_entry(is_first),
            Some(State::FlowPairKey) => self.flow_pair_key(),
            Some(State::FlowPairValue) => self.flow_pair_value(),
            Some(State::FlowPairEnd) => Ok((Event::End, self.scanner.peek()?.1)),
            Some(State::FlowMappingKey { is_first }) => self.flow_mapping_key(is_first),
            Some(State::FlowMappingValue) => self.flow_mapping_value(),
            Some(State::FlowMappingNoValue) => self.empty_scalar(),
        }
    }

    fn block_sequence_entry(&mut self) -> Result<(Event, Mark), YamlError> {
        match self.scanner.take()? {
            (Token::BlockEntry, _) => {
                self.states.push(State::BlockSequenceEntry);
                let is_empty = matches!(self.scanner.peek()?.0, Token::BlockEntry | Token::BlockEnd);
                if is_empty { self.empty_scalar() } else { self.node(Context::Block) }
            }
            (Token::BlockEnd, mark) => Ok((Event::End, mark)),
            (_, mark) => {
                Err(mark.syntax("a list item must begin with `- `; add it, or indent the line alike"))
            }
        }
    }

    fn indentless_sequence_entry(&mut self) -> Result<(Event, Mark), YamlError> {
        let (token, mark) = self.scanner.peek()?;
        if *token != Token::BlockEntry {
            return Ok((Event::End, mark));
        }
        self.scanner.take()?;
        self.states.push(State::IndentlessSequenceEntry);
        let token = self.scanner.peek()?.0;
        let is_empty = matches!(token, Token::BlockEntry | Token::Key | Token::Value | Token::BlockEnd);
        if is_empty { self.empty_scalar() } else { self.node(Context::Block) }
    }

    fn block_mapping_key(&mut self) -> Result<(Event, Mark), YamlError> {
        match self.scanner.take()? {
            (Token::Key, _) => {
                self.states.extend([State::BlockMappingKey, State::BlockMappingValue]);
                self.block_mapping_node()
            }
            (Token::BlockEnd, mark) => Ok((Event::End, mark)),
            (_, mark) => Err(mark.syntax("a key was expected here; indent the lines of a map alike")),
        }
    }

    fn block_mapping_value(&mut self) -> Result<(Event, Mark), YamlError> {
        if *self.scanner.peek()?.0 != Token::Value {
            return self.empty_scalar();
        }
        self.scanner.take()?;
        self.block_mapping_node()
    }

    fn block_mapping_node(&mut self) -> Result<(Event, Mark), YamlError> {
        let is_empty = matches!(self.scanner.peek()?.0, Token::Key | Token::Value | Token::BlockEnd);
        if is_empty { self.empty_scalar() } else { self.node(Context::BlockOrIndentless) }
    }

    /// Begins a node: an alias, a scalar, or a list or map whose content follows.
    fn node(&mut self, context: Context) -> Result<(Event, Mark), YamlError> {
        let (token, mark) = self.scanner.peek()?;
        if let Token::Alias(name) = token {
            let alias = Event::Alias(name.clone());
            self.scanner.take()?;
            return Ok((alias, mark));
        }
        let Properties { tag, anchor, mark: properties_mark } = self.properties()?;
        let (token, content_mark) = self.scanner.peek()?;
        let mark = properties_mark.unwrap_or(content_mark);
        match find_collection(token, context) {
            Some((_, State::IndentlessSequenceEntry)) => {
                // Its first `-` is the first item's.
                self.states.push(State::IndentlessSequenceEntry);
                Ok((Event::SequenceStart { anchor }, mark))
            }
            Some((kind, state)) => {
                self.scanner.take()?;
                self.states.push(state);
                let start = match kind {
                    Kind::Sequence => Event::SequenceStart { anchor },
                    Kind::Mapping => Event::MappingStart { anchor },
                };
                Ok((start, mark))
            }
            None if matches!(token, Token::Scalar { .. }) => self.scalar(tag, anchor, mark),
            None if properties_mark.is_some() => {
                let is_plain = tag.is_empty();
                Ok((Event::Scalar { text: String::new(), is_plain, tag, anchor }, mark))
            }
            None => Err(content_mark.syntax("a value was expected here; add one, or quote the text")),
        }
    }

    fn scalar(
        &mut self,
        tag: String,
        anchor: Option<String>,
        mark: Mark,
    ) -> Result<(Event, Mark), YamlError> {
        let (Token::Scalar { text, is_plain }, _) = self.scanner.take()? else { return self.empty_scalar() };
        let is_plain = if tag.is_empty() { is_plain } else { tag == "!" };
        Ok((Event::Scalar { text, is_plain, tag, anchor }, mark))
    }

    fn properties(&mut self) -> Result<Properties, YamlError> {
        let mut properties = Properties::default();
        let mut has_tag = false;
        loop {
            match self.scanner.peek()? {
                (Token::Anchor(name), mark) if properties.anchor.is_none() => {
                    properties.anchor = Some(name.clone());
                    properties.mark.get_or_insert(mark);
                }
                (Token::Tag { handle, suffix }, mark) if !has_tag => {
                    properties.tag = self.prefixes.resolve(handle, suffix).ok_or_else(|| {
                        mark.syntax("the tag begins with a handle that no `%TAG` declares; write the tag out")
                    })?;
                    properties.mark.get_or_insert(mark);
                    has_tag = true;
                }
                _ => return Ok(properties),
            }
            self.scanner.take()?;
        }
    }

    fn empty_scalar(&mut self) -> Result<(Event, Mark), YamlError> {
        Ok((Event::empty_scalar(), self.scanner.peek()?.1))
    }
}
