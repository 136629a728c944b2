//! Anchors, aliases and tags.

use super::Scanner;
use super::cursor::{Mark, ends_word, is_word};
use super::token::Token;
use crate::yaml::error::YamlError;

impl Scanner<'_> {
    /// Scans the name after `&` or `*`, which stands here.
    pub(super) fn scan_anchor_name(&mut self) -> Result<String, YamlError> {
        let start = self.cursor.mark();
        self.cursor.advance();
        let name = self.cursor.take_while(is_word);
        let next = self.cursor.peek();
        let is_ended = ends_word(next) || matches!(next, Some('?' | ':' | ',' | ']' | '}' | '%' | '@' | '`'));
        if name.is_empty() || !is_ended {
            return Err(
                start.syntax("the name of an anchor has only letters, digits, `_` and `-`; rename it")
            );
        }
        Ok(name.to_owned())
    }

    /// Scans a tag, whose `!` stands here: `!<uri>`, `!suffix`, `!handle!suffix` or `!` alone.
    pub(super) fn scan_tag(&mut self) -> Result<Token, YamlError> {
        let start = self.cursor.mark();
        let (handle, suffix) = if self.cursor.peek_second() == Some('<') {
            self.cursor.advance();
            self.cursor.advance();
            let suffix = self.scan_uri(start, true)?;
            if self.cursor.take() != Some('>') {
                return Err(start.syntax("the tag that begins here has no closing `>`"));
            }
            (String::new(), suffix)
        } else {
            self.scan_short_tag(start)?
        };
        if !ends_word(self.cursor.peek()) {
            return Err(start.syntax("a tag must be followed by a space; add one, or quote the text"));
        }
        Ok(Token::Tag { handle, suffix })
    }

    fn scan_short_tag(&mut self, start: Mark) -> Result<(String, String), YamlError> {
        let handle = self.scan_tag_handle(start)?;
        if handle.len() > 1 && handle.ends_with('!') {
            let suffix = self.scan_uri(start, true)?;
            return Ok((handle, suffix));
        }
        let suffix = format!("{}{}", handle.trim_start_matches('!'), self.scan_uri(start, false)?);
        // A lone `!` has neither handle nor suffix to look up: it is the tag.
        Ok(if suffix.is_empty() { (String::new(), "!".to_owned()) } else { ("!".to_owned(), suffix) })
    }

    /// Scans `!`, word characters, and a second `!` when there is one.
    pub(super) fn scan_tag_handle(&mut self, start: Mark) -> Result<String, YamlError> {
        if self.cursor.take() != Some('!') {
            return Err(start.syntax("a tag handle begins with `!`"));
        }
        let word = self.cursor.take_while(is_word);
        if self.cursor.peek() == Some('!') {
            self.cursor.advance();
            return Ok(format!("!{word}!"));
        }
        Ok(format!("!{word}"))
    }

    /// Scans the characters of a URI, `%` escapes decoded.
    pub(super) fn scan_uri(&mut self, start: Mark, is_required: bool) -> Result<String, YamlError> {
        let mut bytes = Vec::new();
        loop {
            bytes.extend_from_slice(self.cursor.take_while(is_uri).as_bytes());
            if self.cursor.peek() != Some('%') {
                break;
            }
            self.cursor.advance();
            let digit = |character: Option<char>| character.and_then(|character| character.to_digit(16));
            let octet = digit(self.cursor.take()).zip(digit(self.cursor.take()));
            let octet = octet.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
            bytes.push(octet.ok_or_else(|| start.syntax("the tag has `%` without two hexadecimal digits"))?);
        }
        if is_required && bytes.is_empty() {
            return Err(start.syntax("the tag that begins here is empty"));
        }
        String::from_utf8(bytes).map_err(|_| start.syntax("the `%` escapes of the tag are not UTF-8"))
    }
}

fn is_uri(character: char) -> bool {
    is_word(character) || ";/?:@&=+$,.!~*'()[]".contains(character)
}
