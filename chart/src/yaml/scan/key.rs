//! Keys without `?`: a word is one only if a colon follows soon.
//!
//! Until that is known, the word and all after it wait in the queue; the limit on how long bounds the queue.

use super::Scanner;
use super::cursor::Mark;
use crate::yaml::error::YamlError;

/// How far behind its beginning the colon of a key without `?` may stand, in characters.
const MAX_KEY_CHARACTERS: usize = 1_024;

/// A word that is a key if a colon follows soon.
#[derive(Clone, Copy)]
pub(super) struct PossibleKey {
    /// The number of the word, counted from the beginning of the text.
    pub(super) number: usize,
    /// Where the word begins.
    pub(super) mark: Mark,
    /// Whether nothing but a key may stand in its column.
    pub(super) is_required: bool,
}

impl Scanner<'_> {
    /// Returns whether the first word in the queue may still turn out to be a key.
    pub(super) fn is_first_undecided(&mut self) -> Result<bool, YamlError> {
        let is_first = |key: &Option<PossibleKey>| key.is_some_and(|key| key.number == self.taken);
        match self.keys.iter().position(is_first) {
            Some(level) => self.is_still_possible(level),
            None => Ok(false),
        }
    }

    /// Returns whether the key of a flow level may still find its colon: on its own line and not too far on.
    pub(super) fn is_still_possible(&mut self, level: usize) -> Result<bool, YamlError> {
        let Some(slot) = self.keys.get_mut(level) else { return Ok(false) };
        let Some(key) = *slot else { return Ok(false) };
        let here = self.cursor.mark();
        if key.mark.line == here.line && here.index <= key.mark.index + MAX_KEY_CHARACTERS {
            return Ok(true);
        }
        if key.is_required {
            return Err(missing_colon(key.mark));
        }
        *slot = None;
        Ok(false)
    }

    /// Notes that the next word may be a key, if one is allowed here.
    pub(super) fn note_possible_key(&mut self) -> Result<(), YamlError> {
        if !self.is_key_allowed {
            return Ok(());
        }
        self.forget_possible_key()?;
        let mark = self.cursor.mark();
        let is_required = self.is_in_block() && self.indent == Some(mark.column);
        let number = self.taken + self.queue.len();
        if let Some(slot) = self.keys.last_mut() {
            *slot = Some(PossibleKey { number, mark, is_required });
        }
        Ok(())
    }

    /// Notes that what might have been a key on this flow level is none.
    pub(super) fn forget_possible_key(&mut self) -> Result<(), YamlError> {
        match self.keys.last_mut().and_then(Option::take) {
            Some(key) if key.is_required => Err(missing_colon(key.mark)),
            Some(_) | None => Ok(()),
        }
    }
}

fn missing_colon(mark: Mark) -> YamlError {
    mark.syntax("this line needs a `:` because keys stand in its column; add one, or indent the line deeper")
}
