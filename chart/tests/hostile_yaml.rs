//! Texts made to cost more than they weigh. Each must be refused near its beginning: how far the reader got
//! shows that it did not do the work first.

#![expect(clippy::expect_used, reason = "a test fails by panicking, also in its shared parts")]

use chart::yaml::{self, Budget, YamlError, YamlProblem};

fn refuse(text: &str, budget: &Budget) -> YamlError {
    yaml::parse(text.as_bytes(), budget).expect_err("a hostile text must be refused")
}

#[test]
fn a_bomb_of_aliases_of_aliases_is_refused_before_it_is_copied() {
    let mut text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (outer, inner) in
        ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        text += &format!("{outer}: &{outer} [{}]\n", vec![format!("*{inner}"); 10].join(","));
    }
    for (budget, last_line) in [(Budget::default(), 4), (Budget::for_values(), 5)] {
        let error = refuse(&text, &budget);
        assert_eq!(error.problem, YamlProblem::TooMuchAliasing);
        assert!(error.line <= last_line, "{error}");
    }
}

#[test]
fn many_aliases_of_a_long_text_are_refused_by_their_bytes() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 5_000].join(","));
    for (budget, last_column) in [(Budget::default(), 12), (Budget::for_values(), 130)] {
        let error = refuse(&text, &budget);
        assert_eq!(error.problem, YamlProblem::TooMuchAliasing);
        assert!(error.line == 2 && error.column <= last_column, "{error}");
    }
}

#[test]
fn a_document_that_is_mostly_aliases_is_refused_as_go_does() {
    let list = vec!["x"; 100].join(",");
    let repeated = |times: usize| format!("a: &a [{list}]\nb: [{}]\n", vec!["*a"; times].join(","));
    let budget = Budget { alias_nodes: 1 << 20, ..Budget::for_values() };
    assert!(yaml::parse(repeated(90).as_bytes(), &budget).is_ok());
    assert!(yaml::parse("a: &a x\nb: [*a, *a]\n".as_bytes(), &Budget::default()).is_ok());
    let text =
        format!("a: &a [{list}]\nb: &b [{}]\nc: [{}]\n", vec!["*a"; 100].join(","), ["*b"; 9].join(","));
    assert_eq!(refuse(&text, &budget).problem, YamlProblem::TooMuchAliasing);
}

#[test]
fn deep_nesting_is_refused_at_the_limit() {
    for text in ["[".repeat(100_000), "{a: ".repeat(50_000), "- ".repeat(100_000), "? ".repeat(100_000)] {
        for (budget, depth) in [(Budget::default(), 64), (Budget::for_values(), 128)] {
            let error = refuse(&text, &budget);
            assert_eq!(error.problem, YamlProblem::TooDeep(depth));
            assert!(error.line == 1 && error.column <= 4 * depth + 1, "{error}");
        }
    }
}

#[test]
fn nesting_that_comes_out_of_aliases_counts() {
    let nested = |depth: usize, inside: &str| format!("{}{inside}{}", "[".repeat(depth), "]".repeat(depth));
    let text = format!("a: &a {}\nb: {}\n", nested(40, "x"), nested(40, "*a"));
    assert_eq!(refuse(&text, &Budget::default()).problem, YamlProblem::TooDeep(64));
    let text = format!("a: &a {}\nb: {}\n", nested(40, "x"), nested(20, "*a"));
    assert!(yaml::parse(text.as_bytes(), &Budget::default()).is_ok());
}

#[test]
fn more_keys_or_items_than_allowed_are_refused() {
    let keys: String = (0..300_000).map(|number| format!("k{number}: 1\n")).collect();
    let limit = Budget::default().bytes;
    assert_eq!(refuse(&keys, &Budget::default()).problem, YamlProblem::TooLong { bytes: keys.len(), limit });
    assert_eq!(refuse(&keys, &Budget::for_values()).problem, YamlProblem::TooManyNodes(150_000));
    for text in [
        "a: 1\n".repeat(200_000),
        format!("[{}]", "1,".repeat(500_000)),
        format!("[{}]", "[],".repeat(300_000)),
    ] {
        assert_eq!(refuse(&text, &Budget::default()).problem, YamlProblem::TooManyNodes(50_000));
    }
}

#[test]
fn words_without_end_do_not_pile_up() {
    for word in ["&a ", "!a ", "? ", ": ", ", ", "*a ", "'' "] {
        let text = format!("[{}", word.repeat(300_000));
        let error = refuse(&text, &Budget::default());
        assert!(error.line == 1 && error.column < 20, "{word}: {error}");
    }
    let directives: String = (0..20_000).map(|number| format!("%TAG !a{number}! x\n")).collect();
    assert_eq!(refuse(&directives, &Budget::default()).line, 33);
}

#[test]
fn merging_the_same_map_again_and_again_is_paid_for() {
    let keys: String = (0..900).map(|number| format!("k{number}: 1, ")).collect();
    let text = format!("a: &a {{{keys}}}\nb:\n{}", "  <<: *a\n".repeat(5_000));
    let error = refuse(&text, &Budget::default());
    assert_eq!(error.problem, YamlProblem::TooMuchAliasing);
    assert!(error.line < 10, "{error}");
}

#[test]
fn anchors_around_anchors_are_paid_for() {
    let opening: String = (0..60).map(|number| format!("&a{number} [")).collect();
    let text = format!("{opening}{}{}", "x,".repeat(1_000), "]".repeat(60));
    assert_eq!(refuse(&text, &Budget::default()).problem, YamlProblem::TooMuchAliasing);
}

#[test]
fn long_honest_texts_pass() {
    for text in [
        format!("a: \"{}\"", "x ".repeat(100_000)),
        format!("a: |\n{}", "\n".repeat(200_000)),
        "#\n".repeat(100_000),
        " ".repeat(200_000),
        "---\n".repeat(50_000),
        format!("? {}\n: b", "x".repeat(1_000_000)),
    ] {
        assert!(yaml::parse(text.as_bytes(), &Budget::default()).is_ok());
    }
}
