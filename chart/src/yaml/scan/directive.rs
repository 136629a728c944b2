//! Directives: lines that begin with `%`.

use super::Scanner;
use super::cursor::{Mark, ends_word, is_word};
use super::token::Token;
use crate::yaml::error::YamlError;

impl Scanner<'_> {
    /// Scans a directive, whose `%` stands here, and the rest of its line.
    pub(super) fn scan_directive(&mut self) -> Result<Token, YamlError> {
        let start = self.cursor.mark();
        self.cursor.advance();
        let name = self.cursor.take_while(is_word);
        let is_ended = ends_word(self.cursor.peek());
        self.cursor.skip_blanks();
        let directive = match name {
            "YAML" if is_ended => self.scan_version(start)?,
            "TAG" if is_ended => self.scan_tag_prefix(start)?,
            _ => {
                return Err(
                    start.syntax("`%` at the beginning of a line is a directive; quote it if it is text")
                );
            }
        };
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !self.cursor.is_at_end() && !self.cursor.is_at_break() {
            return Err(start.syntax("the directive has something after its end; remove it"));
        }
        self.cursor.take_break();
        Ok(directive)
    }

    fn scan_version(&mut self, start: Mark) -> Result<Token, YamlError> {
        let invalid = || start.syntax("the version directive must be `%YAML 1.1`");
        let major = self.scan_version_number().ok_or_else(invalid)?;
        if self.cursor.take() != Some('.') {
            return Err(invalid());
        }
        let minor = self.scan_version_number().ok_or_else(invalid)?;
        Ok(Token::VersionDirective(major, minor))
    }

    /// Scans a number of one or two digits.
    fn scan_version_number(&mut self) -> Option<u8> {
        let digits = self.cursor.take_while(|character| character.is_ascii_digit());
        if digits.len() > 2 { None } else { digits.parse().ok() }
    }

    fn scan_tag_prefix(&mut self, start: Mark) -> Result<Token, YamlError> {
        let invalid = || start.syntax("the tag directive must be `%TAG !handle! prefix`");
        let handle = self.scan_tag_handle(start)?;
        if !(handle == "!" || handle.len() > 1 && handle.ends_with('!')) || !self.cursor.is_at_blank() {
            return Err(invalid());
        }
        self.cursor.skip_blanks();
        let prefix = self.scan_uri(start, true)?;
        if !ends_word(self.cursor.peek()) {
            return Err(invalid());
        }
        Ok(Token::TagDirective(handle, prefix))
    }
}
