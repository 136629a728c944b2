//! One comparison: an operator and a version of which trailing parts may be open (`1.x`, `1`, `*`).
//!
//! The surprising cases are Masterminds': `>1.2` begins at 1.3.0, `<=1.2` ends before 1.3.0, `~0.0.0` has no
//! end, and `^*` is only 0.0.0.

use std::cmp::Ordering;

use crate::version::ChartVersion;

/// How a version is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// None or `=`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `>`.
    Greater,
    /// `<`.
    Less,
    /// `>=` or `=>`.
    GreaterOrEqual,
    /// `<=` or `=<`.
    LessOrEqual,
    /// `~` or `~>`.
    Tilde,
    /// `^`.
    Caret,
}

/// How much of the version is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// Nothing: `*`.
    Nothing,
    /// The major number: `1`, `1.x`.
    Major,
    /// The major and minor number: `1.2`, `1.2.*`.
    Minor,
    /// All three numbers.
    Patch,
}

/// An operator, a version, and how much of it is given; the parts not given are 0 in it.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    pub(super) operator: Operator,
    pub(super) bound: ChartVersion,
    pub(super) precision: Precision,
}

impl Comparison {
    /// Returns whether the version compared with is a pre-release.
    pub(super) fn names_prerelease(&self) -> bool {
        !self.bound.prerelease().is_empty()
    }

    /// Returns whether `version` passes; whether pre-releases count at all is decided before.
    pub(super) fn matches(&self, version: &ChartVersion) -> bool {
        let order = version.precedence(&self.bound);
        match (self.operator, self.precision) {
            (Operator::Equal, Precision::Patch) => order == Ordering::Equal,
            (Operator::Equal, Precision::Nothing | Precision::Major | Precision::Minor)
            | (Operator::Tilde, _) => order != Ordering::Less && self.is_within_tilde(version),
            (Operator::NotEqual, Precision::Patch | Precision::Nothing) => order != Ordering::Equal,
            (Operator::NotEqual, Precision::Major) => version.major() != self.bound.major(),
            (Operator::NotEqual, Precision::Minor) => {
                !self.has_same_minor(version) || version.prerelease() != self.bound.prerelease()
            }
            (Operator::Greater, Precision::Patch | Precision::Nothing) => order == Ordering::Greater,
            (Operator::Greater, Precision::Major) => version.major() > self.bound.major(),
            (Operator::Greater, Precision::Minor) => self.compare_minor(version) == Ordering::Greater,
            (Operator::Less, _) => order == Ordering::Less,
            (Operator::GreaterOrEqual, _) => order != Ordering::Less,
            (Operator::LessOrEqual, Precision::Patch) => order != Ordering::Greater,
            (Operator::LessOrEqual, Precision::Major) => version.major() <= self.bound.major(),
            (Operator::LessOrEqual, Precision::Minor | Precision::Nothing) => {
                self.compare_minor(version) != Ordering::Greater
            }
            (Operator::Caret, _) => order != Ordering::Less && self.is_within_caret(version),
        }
    }

    fn compare_minor(&self, version: &ChartVersion) -> Ordering {
        (version.major(), version.minor()).cmp(&(self.bound.major(), self.bound.minor()))
    }

    fn has_same_minor(&self, version: &ChartVersion) -> bool {
        self.compare_minor(version) == Ordering::Equal
    }

    /// Returns whether `version` is below the end of a tilde range. `~0.0.0` and `*` have no end.
    fn is_within_tilde(&self, version: &ChartVersion) -> bool {
        let is_zero = (self.bound.major(), self.bound.minor(), self.bound.patch()) == (0, 0, 0);
        match self.precision {
            Precision::Patch | Precision::Nothing if is_zero => true,
            Precision::Major => version.major() == self.bound.major(),
            Precision::Minor | Precision::Patch | Precision::Nothing => self.has_same_minor(version),
        }
    }

    /// Returns whether `version` has the same leftmost number that is not 0, or the same numbers as far as
    /// they are given.
    fn is_within_caret(&self, version: &ChartVersion) -> bool {
        if self.bound.major() > 0 || self.precision == Precision::Major {
            version.major() == self.bound.major()
        } else if self.bound.minor() > 0 || self.precision == Precision::Minor {
            self.has_same_minor(version)
        } else {
            self.has_same_minor(version) && version.patch() == self.bound.patch()
        }
    }
}
