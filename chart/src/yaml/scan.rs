//! From characters to words: YAML 1.1 as libyaml and its Go port scan it.
//!
//! An own scanner, because Helm reads YAML 1.1 and parsers of YAML 1.2 differ where charts do (tabs after a
//! colon, brackets that go on in column 0, escapes), and because a key is looked for within 1,024 characters
//! only: what waits in the queue stays small whatever the text says.

mod block;
mod cursor;
mod directive;
mod gap;
mod key;
mod plain;
mod property;
mod quoted;
mod token;

use std::collections::VecDeque;

pub(super) use cursor::Mark;
pub(super) use token::Token;

use super::error::YamlError;
use cursor::{Cursor, ends_word};
use key::PossibleKey;

/// Scans words one after the other.
pub(super) struct Scanner<'a> {
    cursor: Cursor<'a>,
    queue: VecDeque<(Token, Mark)>,
    /// Words that have left the queue.
    taken: usize,
    /// The column of the innermost block list or map; nothing outside all of them.
    indent: Option<usize>,
    outer_indents: Vec<Option<usize>>,
    /// For the block context and each open flow collection: what may turn out to be a key.
    keys: Vec<Option<PossibleKey>>,
    /// Whether a key without `?` may begin here.
    is_key_allowed: bool,
}

impl<'a> Scanner<'a> {
    /// Returns a scanner at the beginning of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            cursor: Cursor::new(text),
            queue: VecDeque::new(),
            taken: 0,
            indent: None,
            outer_indents: Vec::new(),
            keys: vec![None],
            is_key_allowed: true,
        }
    }

    /// Returns the next word without taking it; the end of the text again and again once it is reached.
    pub(super) fn peek(&mut self) -> Result<(&Token, Mark), YamlError> {
        self.fill_queue()?;
        match self.queue.front() {
            Some((token, mark)) => Ok((token, *mark)),
            None => Ok((&Token::StreamEnd, self.cursor.mark())),
        }
    }

    /// Takes the next word.
    pub(super) fn take(&mut self) -> Result<(Token, Mark), YamlError> {
        self.fill_queue()?;
        match self.queue.pop_front() {
            Some(word) => {
                self.taken += 1;
                Ok(word)
            }
            None => Ok((Token::StreamEnd, self.cursor.mark())),
        }
    }

    /// Scans until it is sure what the first word in the queue is.
    fn fill_queue(&mut self) -> Result<(), YamlError> {
        while self.queue.is_empty() || self.is_first_undecided()? {
            self.scan_word()?;
        }
        Ok(())
    }

    /// Returns whether this is outside all flow collections.
    fn is_in_block(&self) -> bool {
        self.keys.len() == 1
    }

    /// Returns the first column that is inside the innermost block list or map.
    fn child_indent(&self) -> usize {
        self.indent.map_or(0, |indent| indent + 1)
    }

    fn scan_word(&mut self) -> Result<(), YamlError> {
        self.skip_to_word();
        let mark = self.cursor.mark();
        self.close_blocks(Some(mark.column));
        let Some(character) = self.cursor.peek() else { return self.end_stream() };
        if mark.column == 0 && character == '%' {
            self.leave_document()?;
            let directive = self.scan_directive()?;
            self.push(directive, mark);
            return Ok(());
        }
        if self.cursor.is_at_document_indicator() {
            self.leave_document()?;
            self.cursor.take_while(|character| matches!(character, '-' | '.'));
            self.push(if character == '-' { Token::DocumentStart } else { Token::DocumentEnd }, mark);
            return Ok(());
        }
        let is_alone = ends_word(self.cursor.peek_second());
        let is_in_block = self.is_in_block();
        match character {
            '[' => self.open_flow(Token::FlowSequenceStart),
            '{' => self.open_flow(Token::FlowMappingStart),
            ']' => self.close_flow(Token::FlowSequenceEnd),
            '}' => self.close_flow(Token::FlowMappingEnd),
            ',' => self.separate_flow(),
            '-' if is_alone => self.begin_entry(),
            '?' if is_alone || !is_in_block => self.begin_key(),
            ':' if is_alone || !is_in_block => self.begin_value(),
            '|' | '>' if is_in_block => self.push_block_scalar(),
            '*' => self.push_keylike(|scanner| scanner.scan_anchor_name().map(Token::Alias)),
            '&' => self.push_keylike(|scanner| scanner.scan_anchor_name().map(Token::Anchor)),
            '!' => self.push_keylike(Self::scan_tag),
            '\'' | '"' => self.push_keylike(|scanner| scanner.scan_quoted(character)),
            '\t' => Err(mark.syntax("a tab stands where a value or key begins; use spaces")),
            '|' | '>' | '#' | '%' | '@' | '`' => {
                Err(mark.syntax("no text without quotes can begin with this character; put it in quotes"))
            }
            _ => self.push_keylike(Self::scan_plain),
        }
    }

    /// Moves past blanks, comments and line breaks. A tab counts as a blank only where no key may begin.
    fn skip_to_word(&mut self) {
        loop {
            let takes_tabs = !self.is_in_block() || !self.is_key_allowed;
            self.cursor.take_while(|character| character == ' ' || takes_tabs && character == '\t');
            self.cursor.skip_comment();
            if self.cursor.take_break().is_none() {
                return;
            }
            if self.is_in_block() {
                self.is_key_allowed = true;
            }
        }
    }

    fn push(&mut self, token: Token, mark: Mark) {
        self.queue.push_back((token, mark));
    }

    /// Takes the indicator of one character that stands here.
    fn push_indicator(&mut self, token: Token) {
        let mark = self.cursor.mark();
        self.cursor.advance();
        self.push(token, mark);
    }

    /// Scans a word that may be, or begin, a key.
    fn push_keylike(
        &mut self,
        scan: impl FnOnce(&mut Self) -> Result<Token, YamlError>,
    ) -> Result<(), YamlError> {
        self.note_possible_key()?;
        self.is_key_allowed = false;
        let mark = self.cursor.mark();
        let token = scan(self)?;
        self.push(token, mark);
        Ok(())
    }

    fn push_block_scalar(&mut self) -> Result<(), YamlError> {
        self.forget_possible_key()?;
        self.is_key_allowed = true;
        let mark = self.cursor.mark();
        let token = self.scan_block_scalar()?;
        self.push(token, mark);
        Ok(())
    }

    fn open_flow(&mut self, token: Token) -> Result<(), YamlError> {
        self.note_possible_key()?;
        self.keys.push(None);
        self.is_key_allowed = true;
        self.push_indicator(token);
        Ok(())
    }

    fn close_flow(&mut self, token: Token) -> Result<(), YamlError> {
        self.forget_possible_key()?;
        if !self.is_in_block() {
            self.keys.pop();
        }
        self.is_key_allowed = false;
        self.push_indicator(token);
        Ok(())
    }

    fn separate_flow(&mut self) -> Result<(), YamlError> {
        self.forget_possible_key()?;
        self.is_key_allowed = true;
        self.push_indicator(Token::FlowEntry);
        Ok(())
    }

    fn begin_entry(&mut self) -> Result<(), YamlError> {
        self.begin_block(
            Token::BlockSequenceStart,
            "a list item cannot begin here; put `-` on a line of its own",
        )?;
        self.forget_possible_key()?;
        self.is_key_allowed = true;
        self.push_indicator(Token::BlockEntry);
        Ok(())
    }

    fn begin_key(&mut self) -> Result<(), YamlError> {
        self.begin_block(Token::BlockMappingStart, "a key cannot begin here; put it on a line of its own")?;
        self.forget_possible_key()?;
        self.is_key_allowed = self.is_in_block();
        self.push_indicator(Token::Key);
        Ok(())
    }

    fn begin_value(&mut self) -> Result<(), YamlError> {
        let is_key = self.is_still_possible(self.keys.len() - 1)?;
        match self.keys.last_mut().and_then(Option::take).filter(|_| is_key) {
            Some(key) => {
                let place = key.number.saturating_sub(self.taken).min(self.queue.len());
                self.queue.insert(place, (Token::Key, key.mark));
                if self.is_in_block() && self.open_block(key.mark.column) {
                    self.queue.insert(place, (Token::BlockMappingStart, key.mark));
                }
                self.is_key_allowed = false;
            }
            None => {
                let reason =
                    "a value cannot begin here; quote text that holds `: `, or indent the lines alike";
                self.begin_block(Token::BlockMappingStart, reason)?;
                self.is_key_allowed = self.is_in_block();
            }
        }
        self.push_indicator(Token::Value);
        Ok(())
    }

    /// Opens a block list or map before the indicator that stands here, unless it belongs to the open one.
    fn begin_block(&mut self, token: Token, reason: &'static str) -> Result<(), YamlError> {
        if !self.is_in_block() {
            return Ok(());
        }
        let mark = self.cursor.mark();
        if !self.is_key_allowed {
            return Err(mark.syntax(reason));
        }
        if self.open_block(mark.column) {
            self.push(token, mark);
        }
        Ok(())
    }

    /// Notes a deeper indentation; gives false when `column` is not deeper.
    fn open_block(&mut self, column: usize) -> bool {
        let is_deeper = self.indent < Some(column);
        if is_deeper {
            self.outer_indents.push(self.indent);
            self.indent = Some(column);
        }
        is_deeper
    }

    /// Closes the block lists and maps that are indented deeper than `column`; all of them when there is
    /// none.
    fn close_blocks(&mut self, column: Option<usize>) {
        while self.is_in_block() && self.indent > column {
            self.push(Token::BlockEnd, self.cursor.mark());
            self.indent = self.outer_indents.pop().flatten();
        }
    }

    /// Closes what is open before a document marker or directive.
    fn leave_document(&mut self) -> Result<(), YamlError> {
        self.close_blocks(None);
        self.forget_possible_key()?;
        self.is_key_allowed = false;
        Ok(())
    }

    fn end_stream(&mut self) -> Result<(), YamlError> {
        self.cursor.end_last_line();
        self.leave_document()?;
        self.push(Token::StreamEnd, self.cursor.mark());
        Ok(())
    }
}
