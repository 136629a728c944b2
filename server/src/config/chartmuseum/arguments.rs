//! ChartMuseum's command line, read as Go's `flag` package reads it: one dash or two, `=` or the next word.

use super::error::DropInError;
use super::given::{Given, GivenOptions, Source};
use super::option_value::OptionValue;
use super::options::{ChartMuseumOption, Kind, OPTIONS};
use crate::config::nearest::nearest;

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// Serve with these options.
    Serve(GivenOptions),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// Reads the arguments after the program's name. What follows the first word that is no flag is left aside, as there,
/// with a warning: `--debug true --port 80` does not set the port.
pub(super) fn read(arguments: &[String]) -> Result<Line, DropInError> {
    let mut options = GivenOptions::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let Some(written) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            options.warnings.push(format!(
                "`{word}` and what follows it is left aside: flags end at the first word that is none"
            ));
            break;
        };
        if word == "--" {
            break;
        }
        let written = written.strip_prefix('-').unwrap_or(written);
        let (name, attached) =
            written.split_once('=').map_or((written, None), |(name, value)| (name, Some(value)));
        match name {
            "" => return Err(DropInError::BadFlag(word.clone())),
            name if name.starts_with('-') => return Err(DropInError::BadFlag(word.clone())),
            "help" | "h" => return Ok(Line::Help),
            "version" | "v" => return Ok(Line::Version),
            name => {
                let option = ChartMuseumOption::of_flag(name).ok_or_else(|| undefined(name))?;
                let text = value_text(option, attached, &mut words)?;
                options.put(option, Given::parse(option, text, Source::Flag)?);
            }
        }
    }
    Ok(Line::Serve(options))
}

/// Returns the flag's value: attached with `=`, or the next word; a switch alone is on.
fn value_text<'w>(
    option: &'static ChartMuseumOption,
    attached: Option<&'w str>,
    words: &mut impl Iterator<Item = &'w String>,
) -> Result<&'w str, DropInError> {
    match (attached, option.kind) {
        (Some(text), _) => Ok(text),
        (None, Kind::Switch) => Ok("true"),
        (None, Kind::Number | Kind::Text | Kind::Time | Kind::Pairs) => {
            words.next().map(String::as_str).ok_or(DropInError::NeedsArgument(option.flag))
        }
    }
}

fn undefined(name: &str) -> DropInError {
    let nearest = nearest(name, OPTIONS.iter().map(|option| option.flag)).map(str::to_owned);
    DropInError::UndefinedFlag { name: name.to_owned(), nearest }
}

impl GivenOptions {
    /// Puts a flag's value; a repeated one adds pairs, and replaces anything else.
    fn put(&mut self, option: &'static ChartMuseumOption, given: Given) {
        let Given { value, source } = given;
        self.options
            .entry(option.flag)
            .and_modify(|earlier: &mut Given| OptionValue::merge(&mut earlier.value, value.clone()))
            .or_insert(Given { value, source });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &str) -> Result<Line, DropInError> {
        read(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn options(words: &str) -> GivenOptions {
        let Line::Serve(options) = line(words).unwrap() else { panic!("{words}") };
        options
    }

    #[test]
    fn one_dash_or_two_and_an_equals_sign_or_the_next_word() {
        for words in [
            "--port=81 --debug",
            "--port 81 --debug=true",
            "-port=81 -debug=1",
            "-port 81 -debug",
            "--port 80 --debug --port=81",
        ] {
            let options = options(words);
            assert_eq!(options.number("port"), 81, "{words}");
            assert!(options.switch("debug"), "{words}");
            assert_eq!(options.warnings, Vec::<String>::new());
        }
        assert!(!options("--debug=false").switch("debug"));
        assert_eq!(options("-c x.yaml").text("config"), "x.yaml");
        assert_eq!(options("--chart-url=").text("chart-url"), "");
        assert_eq!(options("--basic-auth-pass a=b").text("basic-auth-pass"), "a=b");
    }

    #[test]
    fn pairs_can_be_repeated() {
        let options = options("--artifact-hub-repo-id one --artifact-hub-repo-id=team=two");
        let expected = [("", "one"), ("team", "two")].map(|(tenant, id)| (tenant.to_owned(), id.to_owned()));
        assert_eq!(options.pairs("artifact-hub-repo-id"), expected.into());
    }

    #[test]
    fn flags_end_at_the_first_word_that_is_none() {
        for words in ["--debug true --port 81", "- --port 81", "serve --port 81"] {
            let options = options(words);
            assert_eq!(options.number("port"), 8080, "{words}");
            assert_eq!(options.warnings.len(), 1, "{words}");
        }
        assert_eq!(options("-- --port 81").warnings.len(), 0);
    }

    #[test]
    fn help_and_version_have_two_names() {
        for (words, expected) in [
            ("--help", Line::Help),
            ("-h", Line::Help),
            ("--version", Line::Version),
            ("--debug -v", Line::Version),
        ] {
            assert_eq!(line(words).unwrap(), expected);
        }
    }

    #[test]
    fn wrong_flags_are_named_in_gos_words() {
        for (words, expected) in [
            ("--lisen-host x", "flag provided but not defined: -lisen-host: did you mean `--listen-host`?"),
            ("--whatever-this-is", "flag provided but not defined: -whatever-this-is"),
            ("---port 80", "bad flag syntax: ---port"),
            ("--=80", "bad flag syntax: --=80"),
            ("--port", "flag needs an argument: -port"),
            ("--port x", "invalid value \"x\" for `--port`: write a whole number"),
            ("--debug=maybe", "invalid value \"maybe\" for `--debug`: write `true` or `false`"),
            (
                "--cache-interval 5",
                "invalid value \"5\" for `--cache-interval`: write a length of time such as `30s` or `5m`",
            ),
        ] {
            assert_eq!(line(words).unwrap_err().to_string(), expected);
        }
    }
}
