//! Lists and maps in brackets.

use super::{Context, Event, Events, Mark, State};
use crate::yaml::error::YamlError;
use crate::yaml::scan::Token;

impl Events<'_> {
    /// An item of a list in brackets, or its end.
    pub(super) fn flow_sequence_entry(&mut self, is_first: bool) -> Result<(Event, Mark), YamlError> {
        if let Some(end) = self.end_or_comma(&Token::FlowSequenceEnd, is_first)? {
            return Ok((Event::End, end));
        }
        self.states.push(State::FlowSequenceEntry { is_first: false });
        let (token, mark) = self.scanner.peek()?;
        if *token == Token::Key {
            self.scanner.take()?;
            self.states.push(State::FlowPairKey);
            return Ok((Event::MappingStart { anchor: None }, mark));
        }
        self.node(Context::Flow)
    }

    /// The key of a map of one entry that stands in a list without braces.
    pub(super) fn flow_pair_key(&mut self) -> Result<(Event, Mark), YamlError> {
        self.states.push(State::FlowPairValue);
        let (token, mark) = self.scanner.peek()?;
        if !matches!(token, Token::Value | Token::FlowEntry | Token::FlowSequenceEnd) {
            return self.node(Context::Flow);
        }
        // libyaml swallows the word here, which makes `[? , a]` an error in Helm.
        self.scanner.take()?;
        Ok((Event::empty_scalar(), mark))
    }

    /// The value of such a map.
    pub(super) fn flow_pair_value(&mut self) -> Result<(Event, Mark), YamlError> {
        self.states.push(State::FlowPairEnd);
        self.flow_value(&Token::FlowSequenceEnd)
    }

    /// A key of a map in braces, or its end.
    pub(super) fn flow_mapping_key(&mut self, is_first: bool) -> Result<(Event, Mark), YamlError> {
        if let Some(end) = self.end_or_comma(&Token::FlowMappingEnd, is_first)? {
            return Ok((Event::End, end));
        }
        self.states.push(State::FlowMappingKey { is_first: false });
        if *self.scanner.peek()?.0 != Token::Key {
            self.states.push(State::FlowMappingNoValue);
            return self.node(Context::Flow);
        }
        self.scanner.take()?;
        self.states.push(State::FlowMappingValue);
        if matches!(self.scanner.peek()?.0, Token::Value | Token::FlowEntry | Token::FlowMappingEnd) {
            return self.empty_scalar();
        }
        self.node(Context::Flow)
    }

    /// A value of a map in braces.
    pub(super) fn flow_mapping_value(&mut self) -> Result<(Event, Mark), YamlError> {
        self.flow_value(&Token::FlowMappingEnd)
    }

    fn flow_value(&mut self, end: &Token) -> Result<(Event, Mark), YamlError> {
        if *self.scanner.peek()?.0 != Token::Value {
            return self.empty_scalar();
        }
        self.scanner.take()?;
        let token = self.scanner.peek()?.0;
        if *token == Token::FlowEntry || token == end {
            self.empty_scalar()
        } else {
            self.node(Context::Flow)
        }
    }

    /// Takes the end of the collection and gives its place, or takes the comma that must stand between two
    /// entries.
    fn end_or_comma(&mut self, end: &Token, is_first: bool) -> Result<Option<Mark>, YamlError> {
        let (token, mark) = self.scanner.peek()?;
        if token != end && !is_first {
            if *token != Token::FlowEntry {
                return Err(
                    mark.syntax("a `,` or the closing bracket was expected here; add it, or quote the text")
                );
            }
            self.scanner.take()?;
        }
        let (token, mark) = self.scanner.peek()?;
        if token != end {
            return Ok(None);
        }
        self.scanner.take()?;
        Ok(Some(mark))
    }
}
