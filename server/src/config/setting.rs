//! One setting: its key, type, default and a line of explanation.

use std::marker::PhantomData;

use super::value::{FromValue, Shape, Value};

/// A setting whose value has the type `T`; declared once, in the file of its subject.
pub(super) struct Setting<T> {
    key: &'static str,
    default: Option<&'static str>,
    summary: &'static str,
    value: PhantomData<fn() -> T>,
}

/// A setting of whatever type, for tables of all of them.
pub(super) trait AnySetting {
    /// Returns the key in the file, with the section before a dot.
    fn key(&self) -> &'static str;

    /// Returns the environment variable: the key in capitals, dots as underscores, after `CHARTROOM_`.
    fn variable(&self) -> String {
        format!("CHARTROOM_{}", self.key().replace('.', "_").to_ascii_uppercase())
    }

    /// Returns what the value is when nobody gives one, as it would be written.
    fn default(&self) -> Option<&'static str>;

    /// Returns a line for people.
    fn summary(&self) -> &'static str;

    /// Returns the shape of the value.
    fn shape(&self) -> Shape;

    /// Returns whether `…_file` may name a file that holds the value.
    fn may_be_in_a_file(&self) -> bool;

    /// Returns why `value` is not one of this setting's type.
    fn check(&self, value: &Value) -> Result<(), String>;

    /// Returns what may be shown of a value's text; `None` hides it.
    fn shown(&self, text: &str) -> Option<String>;
}

impl<T> Setting<T> {
    /// Returns a setting that may stay unset.
    pub(super) const fn new(key: &'static str, summary: &'static str) -> Self {
        Self { key, default: None, summary, value: PhantomData }
    }

    /// Returns a setting that is `default` unless given.
    pub(super) const fn with_default(
        key: &'static str,
        default: &'static str,
        summary: &'static str,
    ) -> Self {
        Self { key, default: Some(default), summary, value: PhantomData }
    }
}

impl<T: FromValue> AnySetting for Setting<T> {
    fn key(&self) -> &'static str {
        self.key
    }

    fn default(&self) -> Option<&'static str> {
        self.default
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn shape(&self) -> Shape {
        T::SHAPE
    }

    fn may_be_in_a_file(&self) -> bool {
        T::MAY_BE_IN_A_FILE
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        T::from_value(Some(value)).map(drop)
    }

    fn shown(&self, text: &str) -> Option<String> {
        T::shown(text)
    }
}
