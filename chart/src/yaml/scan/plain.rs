//! Scalars without quotes.

use super::Scanner;
use super::cursor::ends_word;
use super::gap::Gap;
use super::token::Token;
use crate::yaml::error::YamlError;

impl Scanner<'_> {
    /// Scans a plain scalar up to `: `, ` #`, a document indicator, less indentation, or a flow indicator in
    /// a flow collection.
    pub(super) fn scan_plain(&mut self) -> Result<Token, YamlError> {
        let indent = self.child_indent();
        let mut text = String::new();
        let mut gap = Gap::default();
        while !self.cursor.is_at_document_indicator() && self.cursor.peek() != Some('#') {
            while let Some(character) = self.cursor.peek() {
                if ends_word(Some(character)) || self.ends_plain(character) {
                    break;
                }
                gap.write(&mut text);
                text.extend(self.cursor.take());
                text.push_str(self.cursor.take_while(is_always_plain));
            }
            if !self.cursor.is_at_blank() && !self.cursor.is_at_break() {
                break;
            }
            loop {
                let is_indentation = gap.is_broken() && self.cursor.mark().column < indent;
                if is_indentation && self.cursor.peek() == Some('\t') {
                    return Err(self
                        .cursor
                        .mark()
                        .syntax("a tab stands where spaces must indent; use spaces"));
                }
                if !gap.read_one(&mut self.cursor) {
                    break;
                }
            }
            if self.is_in_block() && self.cursor.mark().column < indent {
                break;
            }
        }
        if gap.is_broken() {
            self.is_key_allowed = true;
        }
        Ok(Token::Scalar { text, is_plain: true })
    }

    /// Returns whether the character, inside a plain scalar, ends it.
    fn ends_plain(&self, character: char) -> bool {
        match character {
            ':' => ends_word(self.cursor.peek_second()),
            ',' | '?' | '[' | ']' | '{' | '}' => !self.is_in_block(),
            _ => false,
        }
    }
}

/// Returns whether a character inside a plain scalar belongs to it whatever stands around it.
fn is_always_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '/' | '=' | '@' | '"' | '\'')
}
