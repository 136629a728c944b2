//! Decoding into what is there already, as Go's `encoding/json` does.
//!
//! The rule that matters: null changes nothing in a text or a switch and empties a list or a map, the
//! elements of a list are decoded over the elements that stood there before, and field names match in any
//! case.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::timestamp::Timestamp;

/// A value that can be decoded over its present content.
pub(crate) trait Fill {
    /// Decodes over `self`; after an error `self` may be partly changed.
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;
}

/// A structure whose fields are decoded one by one.
pub(crate) trait Record {
    /// The names of the fields as JSON writes them.
    const FIELDS: &'static [&'static str];

    /// Decodes the next value of `map` into `field`, which is one of [`Self::FIELDS`].
    fn fill_field<'de, M: MapAccess<'de>>(&mut self, field: &str, map: &mut M) -> Result<(), M::Error>;
}

/// The seed that fills what it borrows.
pub(crate) struct Filling<'a, T>(pub(crate) &'a mut T);

impl<'de, T: Fill> DeserializeSeed<'de> for Filling<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.fill(deserializer)
    }
}

/// Fills a record from a map, which may not be null; unknown fields are ignored.
pub(crate) fn fill_record<'de, R, D>(record: &mut R, deserializer: D) -> Result<(), D::Error>
where
    R: Record,
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(RecordVisitor(record))
}

struct RecordVisitor<'a, R>(&'a mut R);

impl<'de, R: Record> Visitor<'de> for RecordVisitor<'_, R> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match find_field(R::FIELDS, &key) {
                Some(field) => self.0.fill_field(field, &mut map)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Finds the field that Go's JSON decoder would choose: the exact name, else the first that is equal but for
/// case.
fn find_field(fields: &[&'static str], key: &str) -> Option<&'static str> {
    let exact = fields.iter().find(|field| **field == key);
    exact.or_else(|| fields.iter().find(|field| is_equal_but_for_case(field, key))).copied()
}

/// Compares as Go folds names: the long s and the Kelvin sign are the two letters outside ASCII that fold
/// into it.
fn is_equal_but_for_case(field: &str, key: &str) -> bool {
    let fold = |character: char| match character {
        'ſ' => 's',
        '\u{212a}' => 'k',
        _ => character.to_ascii_lowercase(),
    };
    field.chars().map(fold).eq(key.chars().map(fold))
}

impl Fill for String {
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        if let Some(text) = Option::<String>::deserialize(deserializer)? {
            *self = text;
        }
        Ok(())
    }
}

impl Fill for bool {
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        if let Some(switch) = Option::<bool>::deserialize(deserializer)? {
            *self = switch;
        }
        Ok(())
    }
}

impl Fill for Timestamp {
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let text = String::deserialize(deserializer)?;
        *self = text.parse().map_err(D::Error::custom)?;
        Ok(())
    }
}

impl Fill for serde_json::Value {
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        *self = Self::deserialize(deserializer)?;
        Ok(())
    }
}

/// A pointer in Go: null makes it absent.
impl<T: Fill + Default> Fill for Option<T> {
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(OptionVisitor(self))
    }
}

struct OptionVisitor<'a, T>(&'a mut Option<T>);

impl<'de, T: Fill + Default> Visitor<'de> for OptionVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        *self.0 = None;
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.get_or_insert_default().fill(deserializer)
    }
}

impl<T: Fill + Default> Fill for Vec<T> {
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(ListVisitor(self))
    }
}

struct ListVisitor<'a, T>(&'a mut Vec<T>);

impl<'de, T: Fill + Default> Visitor<'de> for ListVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.0.clear();
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<(), S::Error> {
        let mut previous = std::mem::take(self.0).into_iter();
        loop {
            let mut element = previous.next().unwrap_or_default();
            if sequence.next_element_seed(Filling(&mut element))?.is_none() {
                return Ok(());
            }
            self.0.push(element);
        }
    }
}

impl Fill for BTreeMap<String, String> {
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(TextMapVisitor(self))
    }
}

struct TextMapVisitor<'a>(&'a mut BTreeMap<String, String>);

impl<'de> Visitor<'de> for TextMapVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of texts")
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.0.clear();
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            // A null element becomes an empty text: Go decodes each one into a fresh string.
            let mut text = String::new();
            map.next_value_seed(Filling(&mut text))?;
            self.0.insert(key, text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Shelf {
        name: String,
        is_open: bool,
        books: Vec<Option<Book>>,
        labels: BTreeMap<String, String>,
        words: Vec<String>,
    }

    #[derive(Debug, Default, PartialEq)]
    struct Book {
        title: String,
        year: String,
    }

    impl Record for Shelf {
        const FIELDS: &'static [&'static str] = &["name", "isOpen", "books", "labels", "words"];

        fn fill_field<'de, M: MapAccess<'de>>(&mut self, field: &str, map: &mut M) -> Result<(), M::Error> {
            match field {
                "name" => map.next_value_seed(Filling(&mut self.name)),
                "isOpen" => map.next_value_seed(Filling(&mut self.is_open)),
                "books" => map.next_value_seed(Filling(&mut self.books)),
                "labels" => map.next_value_seed(Filling(&mut self.labels)),
                _ => map.next_value_seed(Filling(&mut self.words)),
            }
        }
    }

    impl Record for Book {
        const FIELDS: &'static [&'static str] = &["title", "year"];

        fn fill_field<'de, M: MapAccess<'de>>(&mut self, field: &str, map: &mut M) -> Result<(), M::Error> {
            let text = if field == "title" { &mut self.title } else { &mut self.year };
            map.next_value_seed(Filling(text))
        }
    }

    impl Fill for Book {
        fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
            fill_record(self, deserializer)
        }
    }

    fn filled(texts: &[&str]) -> Result<Shelf, serde_json::Error> {
        let mut shelf = Shelf::default();
        for text in texts {
            fill_record(&mut shelf, &mut serde_json::Deserializer::from_str(text))?;
        }
        Ok(shelf)
    }

    fn book(title: &str, year: &str) -> Option<Book> {
        Some(Book { title: title.to_owned(), year: year.to_owned() })
    }

    #[test]
    fn null_changes_no_text_or_switch_but_empties_lists_and_maps() {
        let full = r#"{"name": "a", "isOpen": true, "books": [{}], "labels": {"x": "y"}, "words": ["w"]}"#;
        let nulls = r#"{"name": null, "isOpen": null, "books": null, "labels": null, "words": null}"#;
        let expected = Shelf { name: "a".to_owned(), is_open: true, ..Shelf::default() };
        assert_eq!(filled(&[full, nulls]).unwrap(), expected);
    }

    #[test]
    fn list_elements_are_decoded_over_those_before() {
        let first =
            r#"{"books": [{"title": "a", "year": "1"}, {"title": "b", "year": "2"}], "words": ["x", "y"]}"#;
        let shelf = filled(&[first, r#"{"books": [{"title": "c"}], "words": [null]}"#]).unwrap();
        assert_eq!(shelf.books, [book("c", "1")]);
        assert_eq!(shelf.words, ["x"]);
        assert_eq!(
            filled(&[first, r#"{"books": [null, {"year": "3"}]}"#]).unwrap().books,
            [None, book("b", "3")]
        );
    }

    #[test]
    fn maps_keep_their_other_entries() {
        let shelf =
            filled(&[r#"{"labels": {"a": "1", "b": "2"}}"#, r#"{"labels": {"b": null, "c": "3"}}"#]).unwrap();
        let expected = [("a", "1"), ("b", ""), ("c", "3")];
        assert!(shelf.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(expected));
    }

    #[test]
    fn names_match_in_any_case_and_exact_ones_first() {
        assert_eq!(find_field(&["isOpen", "isopen"], "isopen"), Some("isopen"));
        assert_eq!(find_field(&["isOpen", "isopen"], "ISOPEN"), Some("isOpen"));
        assert_eq!(find_field(&["books"], "Book\u{17f}"), Some("books"));
        assert_eq!(find_field(&["books"], "boo\u{212a}s"), Some("books"));
        assert_eq!(find_field(&["books"], "book"), None);
        assert_eq!(filled(&[r#"{"NAME": "a", "Name": "b", "other": {"name": [1]}}"#]).unwrap().name, "b");
    }

    #[test]
    fn a_wrong_type_is_refused() {
        for text in [
            r#"{"name": 1}"#,
            r#"{"isOpen": "true"}"#,
            r#"{"books": {}}"#,
            r#"{"books": ["a"]}"#,
            r#"{"labels": {"a": 1}}"#,
            r#"{"labels": []}"#,
            r#"{"words": [1]}"#,
            "[]",
        ] {
            assert!(filled(&[text]).is_err(), "{text}");
        }
    }
}
