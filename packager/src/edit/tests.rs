//! The editor's promise, on hand-made cases, on random documents and on real values files.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn set(text: &str, path: &str, value: &Value) -> Result<String, EditError> {
    let mut document = Document::parse(text)?;
    document.set(&path.parse().unwrap(), value)?;
    Ok(document.text().to_owned())
}

fn check(cases: &[(&str, &str, Value, &str)]) {
    for (text, path, value, expected) in cases {
        let edited = set(text, path, value).unwrap_or_else(|refusal| panic!("{text}\n{path}: {refusal}"));
        assert_eq!(&edited, expected, "{path} in\n{text}");
        assert_eq!(&set(&edited, path, value).unwrap(), expected, "the second time: {path} in\n{text}");
    }
}

#[test]
fn scalars_are_replaced_and_comments_and_quotes_stay() {
    check(&[
        ("a: 1 # one\nb: 2\n", "a", json!(5), "a: 5 # one\nb: 2\n"),
        ("a: 'x'   # why\n", "a", json!("w"), "a: 'w'   # why\n"),
        ("a: \"x\"\n", "a", json!("it's"), "a: \"it's\"\n"),
        ("a:\n  # above\n  b: x\n  # below\n", "a.b", json!("w"), "a:\n  # above\n  b: w\n  # below\n"),
        ("a:\r\n  b: x # c\r\n", "a.b", json!("w"), "a:\r\n  b: w # c\r\n"),
        ("a: x", "a", json!("w"), "a: w"),
        ("한글: 값 # 뜻\nb: 1\n", "b", json!(2), "한글: 값 # 뜻\nb: 2\n"),
        ("a: \"x\n  y\" # c\nb: 1\n", "a", json!("z"), "a: \"z\" # c\nb: 1\n"),
        ("\"a.b\": {c: 'd'}\n", "\"a.b\".c", json!("e"), "\"a.b\": {c: 'e'}\n"),
        ("a:\n- b: 1\n- b: 2 # two\n", "a[1].b", json!(3), "a:\n- b: 1\n- b: 3 # two\n"),
        ("a: x\n", "a", json!(null), "a: null\n"),
    ]);
}

#[test]
fn absent_values_are_filled_behind_their_colon() {
    check(&[
        ("a:\nb: 1\n", "a", json!("x"), "a: x\nb: 1\n"),
        ("a: # say it\nb: 1\n", "a", json!("x"), "a: x # say it\nb: 1\n"),
        ("a:\n  b:\n", "a.b", json!(1), "a:\n  b: 1\n"),
        ("a:\n  b:", "a.b", json!(1), "a:\n  b: 1"),
        ("a:\n  -\n  - x\n", "a[0]", json!("w"), "a:\n  - w\n  - x\n"),
        ("a: ~\n", "a.b", json!("w"), "a:\n  b: w\n"),
        ("a:\n# next\nb: 1\n", "a.c", json!(1), "a:\n  c: 1\n# next\nb: 1\n"),
    ]);
}

#[test]
fn new_entries_stand_below_their_neighbours() {
    check(&[
        ("a:\n    b: 1\n# end\n", "a.c", json!("x"), "a:\n    b: 1\n    c: x\n# end\n"),
        ("a: 1", "b", json!("x"), "a: 1\nb: x"),
        ("a: 1\n", "b.c.d", json!("x"), "a: 1\nb:\n  c:\n    d: x\n"),
        ("a: 1\r\n", "b.c", json!("x"), "a: 1\r\nb:\r\n  c: x\r\n"),
        ("a: |\n  text\n\nb: 1\n", "c", json!(1), "a: |\n  text\n\nb: 1\nc: 1\n"),
        (
            "a:\n  t: |\n    text\n\n# end\nb: 1\n",
            "a.u",
            json!(1),
            "a:\n  t: |\n    text\n  u: 1\n\n# end\nb: 1\n",
        ),
        ("a: {b: 1, }\n", "a.c", json!("x:y"), "a: {b: 1, c: \"x:y\", }\n"),
        ("a: [{b: 1}]\n", "a[0].c", json!([]), "a: [{b: 1, c: []}]\n"),
    ]);
}

#[test]
fn collections_and_scalars_take_each_others_place() {
    let tolerations = json!([{"key": "role", "operator": "Exists"}]);
    check(&[
        (
            "t: [] # none\nb: 1\n",
            "t",
            tolerations.clone(),
            "t: # none\n  - key: role\n    operator: Exists\nb: 1\n",
        ),
        ("t: {}\nl:\n- x\n", "t.a", json!("b"), "t:\n  a: b\nl:\n- x\n"),
        ("l:\n- x\nt: []\n", "t", json!(["b"]), "l:\n- x\nt:\n- b\n"),
        ("t: # why\n  # first\n  - a # x\n  - b\nc: 1\n", "t", json!([]), "t: [] # why\n  # first\nc: 1\n"),
        ("t:\n   - a\nc: 1\n", "t", json!(["b", "c"]), "t:\n   - b\n   - c\nc: 1\n"),
        ("a: | # text\n  x\n  y\nb: 1\n", "a", json!("z"), "a: z # text\nb: 1\n"),
        ("a: x # text\nb: 1\n", "a", json!("z\ny\n"), "a: | # text\n  z\n  y\nb: 1\n"),
        ("a: |-\n  x\n  y\n", "a", json!("z\n\ny"), "a: |-\n  z\n\n  y\n"),
        ("a:\n  - b: 1\n    c: 2\n  - d\n", "a[0]", json!("x"), "a:\n  - x\n  - d\n"),
        ("a:\n  - x\n  - d\n", "a[0]", json!({"b": 1, "c": [2]}), "a:\n  - b: 1\n    c:\n      - 2\n  - d\n"),
        ("a: {b: {}}\n", "a.b.c", json!(1), "a: {b: {c: 1}}\n"),
        ("", "a.b", json!(1), "a:\n  b: 1\n"),
        ("# only words", "a", json!("x"), "# only words\na: x\n"),
        ("{}\n", "a", json!("x"), "a: x\n"),
    ]);
}

#[test]
fn equal_values_are_left_as_they_are_written() {
    for (text, path, value) in [
        ("a: 0x10\n", "a", json!(16)),
        ("a: 1.0\n", "a", json!(1)),
        ("a: {b: [1,  2]}\n", "a", json!({"b": [1, 2]})),
        ("a: \"\\u0041\"\n", "a", json!("A")),
    ] {
        assert_eq!(set(text, path, &value).unwrap(), text);
    }
}

#[test]
fn aliases_may_be_replaced_but_not_followed() {
    let text = "base: &base\n  a: 1\nuse: *base\nmore:\n  <<: *base\n  b: 2\n";
    assert_eq!(set(text, "use", &json!(1)).unwrap(), text.replace("use: *base", "use: 1"));
    assert_eq!(set(text, "more.a", &json!(5)).unwrap(), text.replace("  b: 2\n", "  b: 2\n  a: 5\n"));
    let table = [
        ("use.a", "`use` at line 3 column 6 is an alias"),
        ("base.a", "`base` at line 1 column 7 has an anchor"),
        ("base", "`base` at line 1 column 7 has an anchor"),
    ];
    for (path, reason) in table {
        let refusal = set(text, path, &json!(5)).unwrap_err().to_string();
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[test]
fn refusals_name_the_place() {
    let table = [
        ("a: x\n", "a.b", "`a` at line 1 column 4 is not a mapping"),
        ("a: [x]\n", "a.b", "`a` at line 1 column 4 is not a mapping"),
        ("a: [x]\n", "a[1]", "the list `a` at line 1 column 4 has 1 items, so there is no [1]"),
        ("a: {}\n", "a[0]", "`a` at line 1 column 4 is not a list"),
        ("a: 1\n", "b[0].c", "`b` at line 1 column 1 is not a list"),
        ("? a\n: b\n", "a", "`a` at line 1 column 3 is written in the `? key` form"),
        ("a: 1\n---\nb: 1\n", "a", "document"),
        ("a: [\n", "a", "line"),
    ];
    for (text, path, reason) in table {
        let refusal = set(text, path, &json!("y\nz")).unwrap_err().to_string();
        assert!(refusal.contains(reason), "{text}{path}: {refusal}");
    }
}

#[test]
fn keywords_are_put_first_in_order() {
    let table = [
        ("keywords:\n  - a # one\n  - b\n", "keywords:\n  - new\n  - old\n  - a # one\n  - b\n"),
        (
            "keywords:\n- a\n# note\n- old # kept\nx: 1\n",
            "keywords:\n- new\n- old # kept\n- a\n# note\nx: 1\n",
        ),
        ("keywords: [a, old, b]\n", "keywords: [new, old, a, b]\n"),
        ("keywords: [a, old]\n", "keywords: [new, old, a]\n"),
        ("keywords: [new]\n", "keywords: [new, old]\n"),
        ("keywords:\r\n  - new\r\n", "keywords:\r\n  - new\r\n  - old\r\n"),
        ("keywords:\n  - new\n  - a\n  - old", "keywords:\n  - new\n  - old\n  - a\n"),
        ("keywords: []\n", "keywords:\n  - new\n  - old\n"),
        ("name: x\n", "name: x\nkeywords:\n  - new\n  - old\n"),
    ];
    let keywords = ["new".to_owned(), "old".to_owned()];
    for (text, expected) in table {
        let mut document = Document::parse(text).unwrap();
        document.put_first("keywords", &keywords).unwrap();
        assert_eq!(document.text(), expected, "{text}");
        document.put_first("keywords", &keywords).unwrap();
        assert_eq!(document.text(), expected, "the second time: {text}");
    }
    let refusal = Document::parse("keywords: x\n").unwrap().put_first("keywords", &keywords).unwrap_err();
    assert!(refusal.to_string().contains("`keywords` at line 1 column 11 is not a list"), "{refusal}");
}

#[test]
fn removed_entries_take_their_lines_along() {
    let table = [
        ("a: 1\nicon: x # y\nb: 2\n", None, "a: 1\nb: 2\n"),
        ("m:\n  icon: >-\n    x\n    y\n  b: 2\n", Some("m"), "m:\n  b: 2\n"),
        ("m: {icon: 1, b: 2}\n", Some("m"), "m: {b: 2}\n"),
        ("m: {b: 2, icon: 1}\n", Some("m"), "m: {b: 2}\n"),
        ("m: # why\n  icon: 1\nb: 2\n", Some("m"), "m: {} # why\nb: 2\n"),
        ("a: 1\n", None, "a: 1\n"),
        ("a: 1\n", Some("m"), "a: 1\n"),
    ];
    for (text, parent, expected) in table {
        let mut document = Document::parse(text).unwrap();
        document.remove(parent, "icon").unwrap();
        assert_eq!(document.text(), expected, "{text}");
    }
}

/// Documents in the styles people write: comments, blank lines, both list styles, braces and quotes.
fn any_document() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("x"),
        Just("\"q\""),
        Just("'s'"),
        Just("1"),
        Just("true"),
        Just(""),
        Just("[]"),
        Just("{}"),
        Just("{k: v}"),
        Just("[a, b] # flow"),
        Just("plain # note"),
        Just("|\n      text\n      more"),
        Just("~"),
    ];
    let entry = (0usize..4, "[a-e]", scalar, any::<bool>()).prop_map(|(shape, key, value, is_commented)| {
        let comment = if is_commented { "# about\n" } else { "" };
        match shape {
            0 => format!("{comment}{key}: {value}\n"),
            1 => format!("{comment}{key}:\n  in: {value}\n\n  other: 1 # c\n"),
            2 => format!("{comment}{key}:\n  # first\n  - item: {value}\n    b: 2\n  - last\n"),
            _ => format!("{comment}{key}:\n  deep:\n    - one\n    - two\n    # end\n"),
        }
    });
    (proptest::collection::vec(entry, 1..5), any::<bool>()).prop_map(|(entries, has_carriage_returns)| {
        let mut keys = Vec::new();
        let is_new = |entry: &String| {
            let key = entry.trim_start_matches("# about\n").chars().next();
            let is_new = !keys.contains(&key);
            keys.push(key);
            is_new
        };
        let text: String = entries.into_iter().filter(is_new).collect();
        if has_carriage_returns { text.replace('\n', "\r\n") } else { text }
    })
}

fn any_edit() -> impl Strategy<Value = (String, Value)> {
    let path = prop_oneof![
        "[a-f]",
        "[a-f]\\.in",
        "[a-f]\\.new\\.deep",
        "[a-f]\\[0\\]\\.item",
        "[a-f]\\.deep",
        "[a-f]\\.deep\\[1\\]"
    ];
    let value = prop_oneof![
        Just(json!("text")),
        Just(json!("2.2.4")),
        Just(json!(5)),
        Just(json!(null)),
        Just(json!([])),
        Just(json!({"m": {"n": 1}})),
        Just(json!([{"k": "v"}, "w"])),
        Just(json!("two\nlines\n")),
    ];
    (path, value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Refusing is always allowed; an edit that is made means exactly what it says, keeps every comment
    /// outside what it replaces, and changes nothing the second time.
    #[test]
    fn an_edit_changes_what_it_names_and_only_once(text in any_document(), (path, value) in any_edit()) {
        let path: ValuePath = path.parse().unwrap();
        let mut document = Document::parse(&text).unwrap();
        let mut expected = meaning_of(&text).unwrap();
        let replaces_collection = meaning::find(&expected, &path).is_some_and(|old| old.is_object() || old.is_array());
        let is_possible = meaning::put(&mut expected, &path, value.clone()).is_some();
        let edit = document.set(&path, &value);
        if edit.is_err() {
            prop_assert_eq!(document.text(), &text);
            prop_assert!(!is_possible, "{:?} refused for {} in\n{}", edit, path, text);
            return Ok(());
        }
        prop_assert_eq!(meaning_of(document.text()).unwrap(), expected);
        let once = document.text().to_owned();
        document.set(&path, &value).unwrap();
        prop_assert_eq!(document.text(), &once);
        if !replaces_collection {
            prop_assert_eq!(once.matches('#').count(), text.matches('#').count(), "{}\n---\n{}", text, once);
        }
        if text.contains('\r') {
            prop_assert_eq!(once.matches('\n').count(), once.matches("\r\n").count());
        }
    }
}
