//! Which changes an index in memory was made of.
//!
//! A catalog that was put back to an earlier state under a running server goes on from there, and gives revisions that
//! this server has applied already to other changes. What such a server shows must end with its process: an index is
//! kept in a file only when the catalog has each change that it was made of.

use chart::Timestamp;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The changes since the last one that the catalog was seen to have. A sum, so that those of an earlier state can be
/// taken away while others are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trail {
    /// The revision of the first change in it, or of the next one when it is empty.
    first: i64,
    sum: u64,
}

impl Trail {
    /// Begins before the change with this revision.
    pub(super) fn before(revision: i64) -> Self {
        Self { first: revision, sum: 0 }
    }

    /// Returns the revision of the first change in it, or of the next one when it is empty.
    pub(super) fn first(&self) -> i64 {
        self.first
    }

    /// Adds a change. Of the same revision in two courses of events the time differs: no clock stands still while a
    /// catalog is put back.
    pub(super) fn follow(&mut self, revision: i64, at: Timestamp) {
        let mark = xxh3_64_with_seed(&revision.to_le_bytes(), at.micros().cast_unsigned());
        self.sum = self.sum.wrapping_add(mark);
    }

    /// Takes away all changes of an earlier state of this trail, the last of which has this revision.
    pub(super) fn forget(&mut self, earlier: &Self, revision: i64) {
        // Somebody else may have taken them away meanwhile.
        if self.first == earlier.first {
            *self = Self { first: revision + 1, sum: self.sum.wrapping_sub(earlier.sum) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail(first: i64, times: &[i64]) -> Trail {
        let mut trail = Trail::before(first);
        for (revision, at) in (first..).zip(times) {
            trail.follow(revision, Timestamp::from_micros(*at));
        }
        trail
    }

    #[test]
    fn a_trail_is_equal_to_that_of_the_same_changes_only() {
        assert_eq!(trail(5, &[10, 20, 30]), trail(5, &[10, 20, 30]));
        for other in
            [trail(5, &[10, 20]), trail(5, &[10, 20, 31]), trail(5, &[20, 10, 30]), trail(6, &[10, 20, 30])]
        {
            assert_ne!(trail(5, &[10, 20, 30]), other);
        }
    }

    #[test]
    fn what_was_seen_is_taken_away_and_what_came_meanwhile_stays() {
        let earlier = trail(5, &[10, 20]);
        let mut later = trail(5, &[10, 20, 30]);
        later.forget(&earlier, 6);
        assert_eq!(later, trail(7, &[30]));
        later.forget(&earlier, 6);
        assert_eq!(later, trail(7, &[30]), "once");
    }
}
