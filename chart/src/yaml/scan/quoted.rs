//! Scalars in quotes.

use super::Scanner;
use super::cursor::{Mark, ends_word, is_break};
use super::gap::Gap;
use super::token::Token;
use crate::yaml::error::YamlError;

impl Scanner<'_> {
    /// Scans a scalar in `quote`s, which stand here, with the escapes of its style.
    pub(super) fn scan_quoted(&mut self, quote: char) -> Result<Token, YamlError> {
        let start = self.cursor.mark();
        self.cursor.advance();
        let mut text = String::new();
        let mut gap = Gap::default();
        loop {
            if self.cursor.is_at_document_indicator() {
                return Err(
                    start.syntax("the quoted text that begins here runs into a document marker; close it")
                );
            }
            if self.cursor.is_at_end() {
                return Err(start.syntax("the quoted text that begins here has no closing quote; close it"));
            }
            if self.scan_quoted_word(quote, start, &mut text, &mut gap)? {
                self.cursor.advance();
                return Ok(Token::Scalar { text, is_plain: false });
            }
            while gap.read_one(&mut self.cursor) {}
            gap.write(&mut text);
        }
    }

    /// Scans up to a blank, a line break or the end; gives true when it stopped at the closing quote.
    fn scan_quoted_word(
        &mut self,
        quote: char,
        start: Mark,
        text: &mut String,
        gap: &mut Gap,
    ) -> Result<bool, YamlError> {
        while let Some(character) = self.cursor.peek().filter(|character| !ends_word(Some(*character))) {
            let next = self.cursor.peek_second();
            if character == '\'' && quote == '\'' && next == Some('\'') {
                self.cursor.advance();
            } else if character == quote {
                return Ok(true);
            } else if character == '\\' && quote == '"' {
                self.cursor.advance();
                if next.is_some_and(is_break) {
                    self.cursor.take_break();
                    gap.break_silently();
                    break;
                }
                text.push(self.scan_escape(start)?);
                continue;
            }
            text.extend(self.cursor.take());
            text.push_str(self.cursor.take_while(|character| character.is_ascii_alphanumeric()));
        }
        Ok(self.cursor.peek() == Some(quote))
    }

    /// Scans what follows a backslash (YAML 1.1 §5.7). There is no `\/`, and surrogates are not joined.
    fn scan_escape(&mut self, start: Mark) -> Result<char, YamlError> {
        let place = self.cursor.mark();
        let digits = match self.cursor.take() {
            Some('0') => return Ok('\0'),
            Some('a') => return Ok('\u{7}'),
            Some('b') => return Ok('\u{8}'),
            Some('t' | '\t') => return Ok('\t'),
            Some('n') => return Ok('\n'),
            Some('v') => return Ok('\u{b}'),
            Some('f') => return Ok('\u{c}'),
            Some('r') => return Ok('\r'),
            Some('e') => return Ok('\u{1b}'),
            Some(itself @ (' ' | '"' | '\'' | '\\')) => return Ok(itself),
            Some('N') => return Ok('\u{85}'),
            Some('_') => return Ok('\u{a0}'),
            Some('L') => return Ok('\u{2028}'),
            Some('P') => return Ok('\u{2029}'),
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            Some(_) => return Err(place.syntax("YAML has no such escape; write a backslash as `\\\\`")),
            None => {
                return Err(start.syntax("the quoted text that begins here has no closing quote; close it"));
            }
        };
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.cursor.peek().and_then(|character| character.to_digit(16));
            let digit = digit.ok_or_else(|| place.syntax("the escape has too few hexadecimal digits"))?;
            code = (code << 4) | digit;
            self.cursor.advance();
        }
        char::from_u32(code).ok_or_else(|| place.syntax("the escape is no Unicode character"))
    }
}
