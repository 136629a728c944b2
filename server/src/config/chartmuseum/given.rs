//! The options that were given, by flag, with where each came from.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::DropInError;
use super::option_value::OptionValue;
use super::options::{ChartMuseumOption, OPTIONS};

/// Options by flag; those not in it have their defaults.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct GivenOptions {
    pub(super) options: BTreeMap<&'static str, Given>,
    /// What the operator should know, one line each.
    pub(super) warnings: Vec<String>,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) value: OptionValue,
    pub(super) source: Source,
}

/// Where an option was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Flag,
    Variable,
    File,
}

impl Given {
    /// Parses a text given for an option.
    pub(super) fn parse(
        option: &'static ChartMuseumOption,
        text: &str,
        source: Source,
    ) -> Result<Self, DropInError> {
        let value = OptionValue::parse(text, option.kind).map_err(|expected| DropInError::InvalidValue {
            named: source.name(option),
            // A secret of the wrong kind cannot be: secrets are texts, which are never refused.
            text: text.to_owned(),
            expected: expected.to_owned(),
        })?;
        Ok(Self { value, source })
    }
}

impl Source {
    /// Returns how the option is called there.
    pub(super) fn name(self, option: &ChartMuseumOption) -> String {
        match self {
            Self::Flag => format!("`--{}`", option.flag),
            Self::Variable => format!("the variable `{}`", option.variable),
            Self::File => format!("`{}` in the configuration file", option.key),
        }
    }
}

impl GivenOptions {
    /// Returns the options that `environment` gives; an empty variable counts as not given.
    pub(super) fn from_environment(environment: &BTreeMap<String, String>) -> Result<Self, DropInError> {
        let mut given = Self::default();
        for option in &OPTIONS {
            if let Some(text) = environment.get(option.variable).filter(|text| !text.is_empty()) {
                given.options.insert(option.flag, Given::parse(option, text, Source::Variable)?);
            }
        }
        Ok(given)
    }

    /// Puts `higher` over these options.
    pub(super) fn overlay(&mut self, higher: Self) {
        self.options.extend(higher.options);
        self.warnings.extend(higher.warnings);
    }

    /// Returns the option's value, or its default.
    fn value(&self, flag: &str) -> Option<OptionValue> {
        let default = || {
            let option = ChartMuseumOption::of_flag(flag)?;
            OptionValue::parse(option.default, option.kind).ok()
        };
        self.options.get(flag).map(|given| given.value.clone()).or_else(default)
    }

    pub(super) fn text(&self, flag: &str) -> String {
        if let Some(OptionValue::Text(text)) = self.value(flag) { text } else { String::new() }
    }

    /// Returns a text that was given and is not empty.
    pub(super) fn some_text(&self, flag: &str) -> Option<String> {
        Some(self.text(flag)).filter(|text| !text.is_empty())
    }

    pub(super) fn switch(&self, flag: &str) -> bool {
        matches!(self.value(flag), Some(OptionValue::Switch(true)))
    }

    pub(super) fn number(&self, flag: &str) -> i64 {
        if let Some(OptionValue::Number(number)) = self.value(flag) { number } else { 0 }
    }

    /// Returns a number that is above zero; ChartMuseum takes anything else for "no limit".
    pub(super) fn positive(&self, flag: &str) -> Option<u64> {
        u64::try_from(self.number(flag)).ok().filter(|number| *number > 0)
    }

    pub(super) fn time(&self, flag: &str) -> Duration {
        if let Some(OptionValue::Time(time)) = self.value(flag) { time } else { Duration::ZERO }
    }

    pub(super) fn pairs(&self, flag: &str) -> BTreeMap<String, String> {
        if let Some(OptionValue::Pairs(pairs)) = self.value(flag) { pairs } else { BTreeMap::new() }
    }

    /// Returns whether the option was given another value than its default.
    pub(super) fn is_changed(&self, option: &ChartMuseumOption) -> bool {
        let default = OptionValue::parse(option.default, option.kind).ok();
        self.options.get(option.flag).is_some_and(|given| Some(&given.value) != default.as_ref())
    }

    /// Returns how the option is called where it was given.
    pub(super) fn name(&self, flag: &'static str) -> String {
        match (self.options.get(flag), ChartMuseumOption::of_flag(flag)) {
            (Some(given), Some(option)) => given.source.name(option),
            (Some(_) | None, _) => format!("`--{flag}`"),
        }
    }
}
