//! The configuration file: TOML whose every key is a known setting, each value kept with its line and column.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Origin, Problem, line_and_column, origin_in_file};
use super::nearest::nearest;
use super::setting::AnySetting;
use super::sources::{Given, known_settings, secret_of_file};
use super::value::{Shape, Value};

/// What a file says: values by key, and what is wrong with the rest.
pub(super) struct Contents {
    pub(super) given: BTreeMap<String, Given>,
    pub(super) problems: Vec<Problem>,
}

/// Reads the file at `path`.
///
/// # Errors
/// [`ConfigError::Unreadable`] and [`ConfigError::NotToml`]; what is wrong with single keys is in the contents.
pub(super) fn read(path: &Path) -> Result<Contents, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Contents, ConfigError> {
    let document = DeTable::parse(text).map_err(|refusal| {
        let (line, column) = line_and_column(text, refusal.span().map_or(0, |span| span.start));
        ConfigError::NotToml { path: path.to_owned(), line, column, reason: refusal.message().to_owned() }
    })?;
    let mut reader = Reader {
        path: path.to_owned(),
        text,
        contents: Contents { given: BTreeMap::new(), problems: Vec::new() },
    };
    reader.read_table("", document.get_ref());
    Ok(reader.contents)
}

struct Reader<'t> {
    path: PathBuf,
    text: &'t str,
    contents: Contents,
}

impl Reader<'_> {
    fn read_table(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = if section.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{section}.{}", key.get_ref())
            };
            match (known_settings().find(|setting| is_written_as(*setting, &path)), value.get_ref()) {
                (Some(setting), _) => self.read_value(setting, path, value),
                (None, DeValue::Table(inner)) if is_section(&path) => self.read_table(&path, inner),
                (None, _) => self.report_unknown(path, key.span().start),
            }
        }
    }

    fn read_value(&mut self, setting: &'static dyn AnySetting, key: String, value: &Spanned<DeValue<'_>>) {
        let origin = origin_in_file(&self.path, self.text, value.span().start);
        match written_value(setting.shape(), value.get_ref()) {
            Ok(value) => {
                self.contents.given.insert(key, Given { value, origin });
            }
            Err(reason) => self.contents.problems.push(Problem::Value {
                key: setting.key(),
                origin,
                reason: reason.to_owned(),
            }),
        }
    }

    fn report_unknown(&mut self, key: String, offset: usize) {
        let Origin::File { path, line, column } = origin_in_file(&self.path, self.text, offset) else {
            return;
        };
        let nearest = nearest(&key, known_settings().map(AnySetting::key)).map(str::to_owned);
        self.contents.problems.push(Problem::UnknownKey { path, line, column, key, nearest });
    }
}

/// Returns whether `key` is the setting's own, or its `…_file`.
fn is_written_as(setting: &dyn AnySetting, key: &str) -> bool {
    setting.key() == key || secret_of_file(key).is_some_and(|secret| secret.key() == setting.key())
}

fn is_section(path: &str) -> bool {
    known_settings().any(|setting| setting.key().strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// Returns a TOML value in the shape a setting takes; a single text where a list may stand is a list of one.
fn written_value(shape: Shape, value: &DeValue<'_>) -> Result<Value, &'static str> {
    match (shape, value) {
        (Shape::One, value) => text(value).map(Value::One).ok_or("takes one text, number or truth value"),
        (Shape::Many, DeValue::Array(items)) => items
            .iter()
            .map(|item| text(item.get_ref()))
            .collect::<Option<_>>()
            .map(Value::Many)
            .ok_or("takes a list of texts"),
        (Shape::Many, value) => text(value).map(|one| Value::Many(vec![one])).ok_or("takes a list of texts"),
        (Shape::Named, DeValue::Table(items)) => items
            .iter()
            .map(|(name, item)| Some((name.get_ref().to_string(), text(item.get_ref())?)))
            .collect::<Option<_>>()
            .map(Value::Named)
            .ok_or("takes a table whose values are texts"),
        (Shape::Named, _) => Err("takes a table whose values are texts"),
    }
}

fn text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Contents {
        parse(Path::new("c.toml"), text).unwrap()
    }

    #[test]
    fn keys_sections_lists_and_tables_are_read_with_their_place() {
        let contents = contents(concat!(
            "listen = ['127.0.0.1:0', \"[::1]:0\"]\nopen = true\n[limits]\nmax_chart_bytes = 20971520\n",
            "header_timeout='5s'\n[artifact_hub]\n'' = 'one'\n'team/a' = 'two'\n"
        ));
        assert_eq!(contents.problems, []);
        let one = |text: &str| Value::One(text.to_owned());
        let expected = [
            ("artifact_hub", 6, 1, Value::from_text("=one,team/a=two", Shape::Named)),
            ("limits.header_timeout", 5, 16, one("5s")),
            ("limits.max_chart_bytes", 4, 19, one("20971520")),
            ("listen", 1, 10, Value::from_text("127.0.0.1:0,[::1]:0", Shape::Many)),
            ("open", 2, 8, one("true")),
        ];
        assert_eq!(contents.given.len(), expected.len());
        for (key, line, column, value) in expected {
            let origin = Origin::File { path: "c.toml".into(), line, column };
            assert_eq!(contents.given.get(key), Some(&Given { value, origin }), "{key}");
        }
    }

    #[test]
    fn one_text_is_a_list_of_one() {
        assert_eq!(
            contents("listen = ':1'").given.get("listen").map(|given| &given.value),
            Some(&Value::Many(vec![":1".to_owned()]))
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_line_and_column() {
        for (text, expected) in [
            ("lisen = 'x'", "c.toml, line 1, column 1: `lisen` is not a setting: did you mean `listen`?"),
            (
                "[limits]\n max_chart_byte = 1",
                "c.toml, line 2, column 2: `limits.max_chart_byte` is not a setting: did you mean `limits.max_chart_bytes`?",
            ),
            (
                "[database]\nurl = 'x'",
                "c.toml, line 1, column 2: `database` is not a setting: remove it, or see all settings with `chartroom check-config --defaults`",
            ),
            (
                "limits = 3",
                "c.toml, line 1, column 1: `limits` is not a setting: remove it, or see all settings with `chartroom check-config --defaults`",
            ),
            (
                "data_file = 'x'",
                "c.toml, line 1, column 1: `data_file` is not a setting: remove it, or see all settings with `chartroom check-config --defaults`",
            ),
            ("open = 1.5", "c.toml, line 1, column 8: `open`: takes one text, number or truth value"),
            ("open = ['true']", "c.toml, line 1, column 8: `open`: takes one text, number or truth value"),
            ("listen = [['x']]", "c.toml, line 1, column 10: `listen`: takes a list of texts"),
            (
                "artifact_hub = 'x'",
                "c.toml, line 1, column 16: `artifact_hub`: takes a table whose values are texts",
            ),
        ] {
            let problems: Vec<_> = contents(text).problems.iter().map(ToString::to_string).collect();
            assert_eq!(problems, [expected], "{text}");
        }
    }

    #[test]
    fn what_is_not_toml_is_named_with_line_and_column() {
        let refusal = parse(Path::new("c.toml"), "open = true\nlisten =").err().unwrap().to_string();
        assert!(refusal.starts_with("c.toml, line 2, column 9: "), "{refusal}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let refusal = read(Path::new("/nowhere/c.toml")).err().unwrap().to_string();
        assert!(refusal.starts_with("cannot read the configuration file `/nowhere/c.toml`: "), "{refusal}");
    }
}
