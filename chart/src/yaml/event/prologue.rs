//! What stands before the content of a document: directives and `---`.

use super::{Context, Event, Events, Mark, State};
use crate::yaml::error::YamlError;
use crate::yaml::scan::Token;

/// How many `%TAG` lines a document may have; each is compared with all others.
const MAX_TAG_DIRECTIVES: usize = 32;

/// What the handles of tags stand for.
#[derive(Default)]
pub(super) struct TagPrefixes(Vec<(String, String)>);

impl TagPrefixes {
    /// Returns the full tag, nothing when the handle is not known.
    pub(super) fn resolve(&self, handle: &str, suffix: &str) -> Option<String> {
        let declared = self.0.iter().find(|(declared, _)| declared == handle);
        let prefix = match (handle, declared) {
            (_, Some((_, prefix))) => prefix,
            ("", None) => "",
            ("!", None) => "!",
            ("!!", None) => "tag:yaml.org,2002:",
            (_, None) => return None,
        };
        Some(format!("{prefix}{suffix}"))
    }
}

impl Events<'_> {
    /// Reads the directives; the next state is the content.
    pub(super) fn start_document(&mut self) -> Result<(Event, Mark), YamlError> {
        let (token, mark) = self.scanner.peek()?;
        if *token == Token::StreamEnd {
            return Ok((Event::DocumentEnd, mark));
        }
        if !begins_document(token) {
            self.states.extend([State::DocumentEnd, State::BlockNode]);
            return self.next();
        }
        self.read_directives()?;
        self.states.extend([State::DocumentEnd, State::DocumentContent]);
        self.next()
    }

    /// Reads directives up to and with `---`.
    fn read_directives(&mut self) -> Result<(), YamlError> {
        let mut has_version = false;
        loop {
            match self.scanner.take()? {
                (Token::VersionDirective(1, 1), _) if !has_version => has_version = true,
                (Token::VersionDirective(..), mark) => {
                    return Err(mark.syntax("only one directive `%YAML 1.1` is read; remove the directive"));
                }
                (Token::TagDirective(handle, prefix), mark) => {
                    if self.prefixes.0.iter().any(|(declared, _)| *declared == handle) {
                        return Err(mark.syntax("the directive declares a handle again; remove it"));
                    }
                    if self.prefixes.0.len() == MAX_TAG_DIRECTIVES {
                        return Err(mark.syntax("the document has more than 32 tag directives; remove some"));
                    }
                    self.prefixes.0.push((handle, prefix));
                }
                (Token::DocumentStart, _) => return Ok(()),
                (_, mark) => return Err(mark.syntax("`---` must follow the directives; add it")),
            }
        }
    }

    /// The content after `---`, which may be nothing.
    pub(super) fn document_content(&mut self) -> Result<(Event, Mark), YamlError> {
        let token = self.scanner.peek()?.0;
        let is_empty = begins_document(token) || matches!(token, Token::DocumentEnd | Token::StreamEnd);
        if is_empty { self.empty_scalar() } else { self.node(Context::Block) }
    }
}

/// Returns whether a document with `---` begins with this word.
fn begins_document(token: &Token) -> bool {
    matches!(token, Token::VersionDirective(..) | Token::TagDirective(..) | Token::DocumentStart)
}
