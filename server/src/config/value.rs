//! How a setting's value is written, and how a written value becomes a typed one.
//!
//! Files, variables and flags all give the same three shapes, so that each type is parsed by one function wherever
//! its value came from.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::byte_size::ByteSize;
use super::duration::parse_duration;
use super::secret::Secret;

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    One(String),
    Many(Vec<String>),
    Named(BTreeMap<String, String>),
}

/// Which of the three a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    Many,
    Named,
}

/// A type that is parsed from one text.
pub(super) trait FromText: Sized {
    /// Whether the value may be read from a file named by `…_file`, because it is or holds a secret.
    const MAY_BE_IN_A_FILE: bool = false;

    /// Returns the value, or why the text is not one and what to write instead.
    fn from_text(text: &str) -> Result<Self, String>;

    /// Returns what may be shown of the text; `None` hides it all.
    fn shown(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

/// A type that a setting can have: one text, perhaps none, a list or a table of them.
pub(super) trait FromValue: Sized {
    /// The shape the setting takes in a file.
    const SHAPE: Shape;
    /// As [`FromText::MAY_BE_IN_A_FILE`].
    const MAY_BE_IN_A_FILE: bool = false;

    /// Returns the typed value, or why there is none.
    fn from_value(value: Option<&Value>) -> Result<Self, String>;

    /// As [`FromText::shown`].
    fn shown(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

impl Value {
    /// Returns the value that `text`, from a variable or a default, stands for: lists are separated by commas, tables
    /// are lists of `name=text`, where a text alone has the empty name.
    pub(super) fn from_text(text: &str, shape: Shape) -> Self {
        let parts = || text.split(',').map(str::trim).filter(|part| !part.is_empty());
        match shape {
            Shape::One => Self::One(text.to_owned()),
            Shape::Many => Self::Many(parts().map(str::to_owned).collect()),
            Shape::Named => Self::Named(
                parts()
                    .map(|part| part.split_once('=').unwrap_or(("", part)))
                    .map(|(name, text)| (name.trim().to_owned(), text.trim().to_owned()))
                    .collect(),
            ),
        }
    }

    fn one(value: Option<&Self>) -> Result<&str, String> {
        match value {
            Some(Self::One(text)) => Ok(text),
            Some(Self::Many(_) | Self::Named(_)) => Err("takes one value".to_owned()),
            None => Err("must be given".to_owned()),
        }
    }
}

impl<T: FromText> FromValue for T {
    const SHAPE: Shape = Shape::One;
    const MAY_BE_IN_A_FILE: bool = T::MAY_BE_IN_A_FILE;

    fn from_value(value: Option<&Value>) -> Result<Self, String> {
        T::from_text(Value::one(value)?)
    }

    fn shown(text: &str) -> Option<String> {
        T::shown(text)
    }
}

impl<T: FromText> FromValue for Option<T> {
    const SHAPE: Shape = Shape::One;
    const MAY_BE_IN_A_FILE: bool = T::MAY_BE_IN_A_FILE;

    fn from_value(value: Option<&Value>) -> Result<Self, String> {
        match value {
            None => Ok(None),
            given => match Value::one(given)? {
                "" => Ok(None),
                text => T::from_text(text).map(Some),
            },
        }
    }

    fn shown(text: &str) -> Option<String> {
        T::shown(text)
    }
}

impl<T: FromText> FromValue for Vec<T> {
    const SHAPE: Shape = Shape::Many;

    fn from_value(value: Option<&Value>) -> Result<Self, String> {
        match value {
            Some(Value::Many(texts)) => texts.iter().map(|text| T::from_text(text)).collect(),
            Some(Value::One(_) | Value::Named(_)) => Err("takes a list".to_owned()),
            None => Ok(Self::new()),
        }
    }
}

impl FromValue for BTreeMap<String, String> {
    const SHAPE: Shape = Shape::Named;

    fn from_value(value: Option<&Value>) -> Result<Self, String> {
        match value {
            Some(Value::Named(texts)) => Ok(texts.clone()),
            Some(Value::One(_) | Value::Many(_)) => Err("takes a table".to_owned()),
            None => Ok(Self::new()),
        }
    }
}

impl FromText for bool {
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("`{text}` is neither `true` nor `false`")),
        }
    }
}

impl FromText for u64 {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("`{text}` is not a whole number of 0 or more"))
    }
}

impl FromText for NonZeroUsize {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("`{text}` is not a whole number of 1 or more"))
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromText for PathBuf {
    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            Err("is empty: write the path of a file or folder".to_owned())
        } else {
            Ok(text.into())
        }
    }
}

impl FromText for Duration {
    fn from_text(text: &str) -> Result<Self, String> {
        parse_duration(text).map_err(|refusal| refusal.to_string())
    }
}

impl FromText for ByteSize {
    fn from_text(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|refusal| refusal.to_string())
    }
}

impl FromText for IpNet {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .or_else(|_| text.parse::<std::net::IpAddr>().map(Self::from))
            .map_err(|_| format!("`{text}` is not a network: write it as `10.0.0.0/8`, or a single address"))
    }
}

impl FromText for Secret {
    const MAY_BE_IN_A_FILE: bool = true;

    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            Err("is empty: write the secret itself".to_owned())
        } else {
            Ok(Self::new(text))
        }
    }

    fn shown(_text: &str) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_the_shape_its_setting_has() {
        assert_eq!(Value::from_text("a, b", Shape::One), Value::One("a, b".to_owned()));
        assert_eq!(Value::from_text("a, b,", Shape::Many), Value::Many(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(Value::from_text("", Shape::Many), Value::Many(Vec::new()));
        assert_eq!(
            Value::from_text("x, team/a = y", Shape::Named),
            Value::Named(BTreeMap::from([
                (String::new(), "x".to_owned()),
                ("team/a".to_owned(), "y".to_owned())
            ]))
        );
    }

    #[test]
    fn wrong_texts_say_what_to_write() {
        let refusals = [
            bool::from_text("yes").unwrap_err(),
            u64::from_text("-1").unwrap_err(),
            NonZeroUsize::from_text("0").unwrap_err(),
            PathBuf::from_text("").unwrap_err(),
            IpNet::from_text("10.0.0.0/33").unwrap_err(),
        ];
        assert_eq!(
            refusals,
            [
                "`yes` is neither `true` nor `false`",
                "`-1` is not a whole number of 0 or more",
                "`0` is not a whole number of 1 or more",
                "is empty: write the path of a file or folder",
                "`10.0.0.0/33` is not a network: write it as `10.0.0.0/8`, or a single address",
            ]
        );
    }

    #[test]
    fn an_address_alone_is_a_network_of_one() {
        assert_eq!(IpNet::from_text("10.1.2.3").unwrap().to_string(), "10.1.2.3/32");
        assert_eq!(IpNet::from_text("fd00::1").unwrap().to_string(), "fd00::1/128");
    }
}
