//! Help, usage errors and completion.

use crate::support::Workplace;

#[test]
fn every_command_explains_itself_with_examples() {
    let place = Workplace::new();
    for command in ["new", "pack", "push", "render", "images", "bump", "diff", "sign", "completion"] {
        let help = place.succeed(&[command, "--help"]);
        assert!(help.contains("Example"), "{command}: {help}");
        assert!(help.contains(&format!("  chartpack {command} ")), "{command}: {help}");
    }
    assert!(place.succeed(&["--help"]).contains("Exit codes:"));
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let place = Workplace::new();
    let table: [(&[&str], &str); 8] = [
        (&["pakc"], "pack"),
        (&["pack"], "<CHART>"),
        (&["pack", ".", "--version", "1.2"], "three numbers, as in 1.2.0"),
        (&["push", "a.tgz"], "--to"),
        (&["push", "a.tgz", "--to", "playcekube"], "http://127.0.0.1:8080/playcekube"),
        (&["push", "a.tgz", "--to", "http://h", "--jobs", "0"], "1..=64"),
        (&["new", "a/b"], "a/b"),
        (&["new", "a", "--image", "A B"], "is not the name of an image"),
    ];
    for (arguments, hint) in table {
        let answer = place.run(arguments);
        assert_eq!(answer.code, 2, "{arguments:?}");
        assert!(answer.err.contains(hint), "{arguments:?}: {}", answer.err);
    }
}

#[test]
fn completion_knows_the_commands() {
    let script = Workplace::new().succeed(&["completion", "bash"]);
    assert!(script.contains("chartpack") && script.contains("push"));
}

#[test]
fn a_malformed_source_date_epoch_is_refused() {
    let answer = Workplace::new().run_with(&["new", "a"], &[("SOURCE_DATE_EPOCH", "yesterday")]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("`SOURCE_DATE_EPOCH` is `yesterday`"), "{}", answer.err);
}
