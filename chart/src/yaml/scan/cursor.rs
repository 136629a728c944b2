//! A place in the text, and what stands there.

use crate::yaml::error::{YamlError, YamlProblem};

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::yaml) struct Mark {
    /// Characters before it.
    pub(in crate::yaml) index: usize,
    /// Line breaks before it.
    pub(in crate::yaml) line: usize,
    /// Characters before it on its line, tabs counted as one.
    pub(in crate::yaml) column: usize,
}

impl Mark {
    /// Returns the error for a problem at this place.
    pub(in crate::yaml) fn error(self, problem: YamlProblem) -> YamlError {
        YamlError { line: self.line + 1, column: self.column + 1, problem }
    }

    /// Returns the error for text at this place that breaks the syntax.
    pub(in crate::yaml) fn syntax(self, reason: &'static str) -> YamlError {
        self.error(YamlProblem::Syntax(reason))
    }
}

/// The text from the current place on.
pub(super) struct Cursor<'a> {
    rest: &'a str,
    mark: Mark,
}

impl<'a> Cursor<'a> {
    /// Returns a cursor at the beginning of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, mark: Mark { index: 0, line: 0, column: 0 } }
    }

    /// Returns the current place.
    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// Returns the character here, nothing at the end.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Returns the character after this one, nothing when there is none.
    pub(super) fn peek_second(&self) -> Option<char> {
        self.rest.chars().nth(1)
    }

    /// Returns whether this is the end of the text.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Returns whether a space or a tab stands here.
    pub(super) fn is_at_blank(&self) -> bool {
        self.peek().is_some_and(is_blank)
    }

    /// Returns whether a line ends here; the end of the text does not count.
    pub(super) fn is_at_break(&self) -> bool {
        self.peek().is_some_and(is_break)
    }

    /// Returns whether `---` or `...` stands alone at the beginning of this line.
    pub(super) fn is_at_document_indicator(&self) -> bool {
        self.is_at_indicator("---") || self.is_at_indicator("...")
    }

    /// Returns whether `indicator` stands at the beginning of this line, followed by a blank or nothing.
    pub(super) fn is_at_indicator(&self, indicator: &str) -> bool {
        self.mark.column == 0
            && self.rest.strip_prefix(indicator).is_some_and(|after| ends_word(after.chars().next()))
    }

    /// Moves past the character here, which is no line break.
    pub(super) fn advance(&mut self) {
        self.take();
    }

    /// Moves past the character here, which is no line break, and returns it.
    pub(super) fn take(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let taken = characters.next()?;
        self.rest = characters.as_str();
        self.mark.index += 1;
        self.mark.column += 1;
        Some(taken)
    }

    /// Moves past the characters for which `is_part` holds, none of which may be a line break, and returns
    /// them.
    pub(super) fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        let count = taken.chars().count();
        self.rest = rest;
        self.mark.index += count;
        self.mark.column += count;
        taken
    }

    /// Begins a new line at the end of the text, so that what waits for the rest of a line waits no more.
    pub(super) fn end_last_line(&mut self) {
        if self.mark.column > 0 {
            self.mark.line += 1;
            self.mark.column = 0;
        }
    }

    /// Moves past spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        self.take_while(is_blank);
    }

    /// Moves to the end of the line when a comment begins here.
    pub(super) fn skip_comment(&mut self) {
        if self.peek() == Some('#') {
            self.take_while(|character| !is_break(character));
        }
    }

    /// Moves past the line break here, if there is one, and returns it as YAML keeps it: a line feed, or the
    /// Unicode separator that it is.
    pub(super) fn take_break(&mut self) -> Option<char> {
        let found = self.peek().filter(|character| is_break(*character))?;
        let length = if self.rest.starts_with("\r\n") { 2 } else { found.len_utf8() };
        self.rest = self.rest.get(length..).unwrap_or_default();
        self.mark.index += if length == 2 && found == '\r' { 2 } else { 1 };
        self.mark.line += 1;
        self.mark.column = 0;
        Some(if matches!(found, '\u{2028}' | '\u{2029}') { found } else { '\n' })
    }
}

/// Returns whether the character is a space or a tab.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

/// Returns whether the character ends a line: YAML 1.1 §5.4 has more of these than YAML 1.2.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns whether a blank, a line break or the end stands here.
pub(super) fn ends_word(character: Option<char>) -> bool {
    character.is_none_or(|character| is_blank(character) || is_break(character))
}

/// Returns whether the character may stand in an anchor or a tag handle.
pub(super) fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}
