//! Block scalars: `|` keeps lines, `>` folds them.

use super::Scanner;
use super::cursor::{Mark, is_break};
use super::token::Token;
use crate::yaml::error::YamlError;

/// What becomes of the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    /// `-`: all go.
    Strip,
    /// The first stays.
    Clip,
    /// `+`: all stay.
    Keep,
}

/// What stands after `|` or `>`.
struct Header {
    chomping: Chomping,
    /// How much deeper than its parent the text is indented; nothing when the first line tells.
    increment: Option<usize>,
}

impl Scanner<'_> {
    /// Scans a block scalar, whose `|` or `>` stands here.
    pub(super) fn scan_block_scalar(&mut self) -> Result<Token, YamlError> {
        let start = self.cursor.mark();
        let is_folded = self.cursor.take() == Some('>');
        let header = self.scan_block_header(start)?;
        let mut indent = header.increment.map(|increment| self.indent.unwrap_or(0) + increment);
        let mut text = String::new();
        let mut first_break = None;
        let mut more_breaks = String::new();
        let mut was_blank = false;
        let mut column = self.scan_breaks(&mut indent, &mut more_breaks)?;
        while self.cursor.mark().column == column && !self.cursor.is_at_end() {
            let is_blank_first = self.cursor.is_at_blank();
            let is_joined = is_folded && !was_blank && !is_blank_first && first_break == Some('\n');
            text.extend(first_break.filter(|_| !is_joined));
            if is_joined && more_breaks.is_empty() {
                text.push(' ');
            }
            text.push_str(&more_breaks);
            more_breaks.clear();
            was_blank = is_blank_first;
            text.push_str(self.cursor.take_while(|character| !is_break(character)));
            first_break = self.cursor.take_break();
            column = self.scan_breaks(&mut indent, &mut more_breaks)?;
        }
        if header.chomping != Chomping::Strip {
            text.extend(first_break);
        }
        if header.chomping == Chomping::Keep {
            text.push_str(&more_breaks);
        }
        Ok(Token::Scalar { text, is_plain: false })
    }

    /// Scans the indicators, in either order, and the rest of their line.
    fn scan_block_header(&mut self, start: Mark) -> Result<Header, YamlError> {
        let mut header = Header { chomping: Chomping::Clip, increment: None };
        let is_chomping_first = self.scan_chomping(&mut header);
        if let Some(digit) = self.cursor.peek().and_then(|character| character.to_digit(10)) {
            if digit == 0 {
                return Err(
                    start.syntax("a block text cannot be indented by 0; use 1 to 9 or leave the digit out")
                );
            }
            header.increment = usize::try_from(digit).ok();
            self.cursor.advance();
            if !is_chomping_first {
                self.scan_chomping(&mut header);
            }
        }
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !self.cursor.is_at_end() && !self.cursor.is_at_break() {
            return Err(start.syntax("a block text begins on the line after `|` or `>`; move the text there"));
        }
        self.cursor.take_break();
        Ok(header)
    }

    fn scan_chomping(&mut self, header: &mut Header) -> bool {
        header.chomping = match self.cursor.peek() {
            Some('+') => Chomping::Keep,
            Some('-') => Chomping::Strip,
            Some(_) | None => return false,
        };
        self.cursor.advance();
        true
    }

    /// Scans indentation and empty lines, which go to `breaks`; finds the indentation out when it is not
    /// known yet, and returns it.
    fn scan_breaks(&mut self, indent: &mut Option<usize>, breaks: &mut String) -> Result<usize, YamlError> {
        let mut deepest = 0;
        loop {
            let is_before_text =
                |scanner: &Self| indent.is_none_or(|indent| scanner.cursor.mark().column < indent);
            while is_before_text(self) && self.cursor.peek() == Some(' ') {
                self.cursor.advance();
            }
            deepest = deepest.max(self.cursor.mark().column);
            if is_before_text(self) && self.cursor.peek() == Some('\t') {
                return Err(self.cursor.mark().syntax("a tab stands where spaces must indent; use spaces"));
            }
            match self.cursor.take_break() {
                Some(found) => breaks.push(found),
                None => break,
            }
        }
        Ok(*indent.get_or_insert(deepest.max(self.child_indent()).max(1)))
    }
}
