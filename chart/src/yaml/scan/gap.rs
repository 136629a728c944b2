//! The blanks and line breaks between two words of a scalar.

use super::cursor::{Cursor, is_blank};

/// Blanks and line breaks that have been read but not yet written: what they become depends on what follows.
#[derive(Default)]
pub(super) struct Gap {
    blanks: String,
    is_broken: bool,
    first_break: Option<char>,
    more_breaks: String,
}

impl Gap {
    /// Returns whether the gap holds a line break.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Notes a line break that leaves no trace: the escaped one of double quotes.
    pub(super) fn break_silently(&mut self) {
        self.is_broken = true;
    }

    /// Reads one blank or line break; gives false when neither stands at the cursor.
    pub(super) fn read_one(&mut self, cursor: &mut Cursor<'_>) -> bool {
        if let Some(found) = cursor.take_break() {
            if self.is_broken {
                self.more_breaks.push(found);
            } else {
                self.blanks.clear();
                self.first_break = Some(found);
                self.is_broken = true;
            }
            return true;
        }
        let Some(blank) = cursor.peek().filter(|character| is_blank(*character)) else { return false };
        cursor.advance();
        // Blanks at the beginning of a line are indentation.
        if !self.is_broken {
            self.blanks.push(blank);
        }
        true
    }

    /// Writes the gap, folded: one line feed becomes a space, of several the first goes. Leaves the gap
    /// empty.
    pub(super) fn write(&mut self, text: &mut String) {
        match self.first_break {
            Some('\n') if self.more_breaks.is_empty() => text.push(' '),
            Some('\n') | None => {}
            Some(separator) => text.push(separator),
        }
        text.push_str(&self.more_breaks);
        if !self.is_broken {
            text.push_str(&self.blanks);
        }
        self.blanks.clear();
        self.more_breaks.clear();
        self.first_break = None;
        self.is_broken = false;
    }
}
