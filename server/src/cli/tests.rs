//! What command lines mean, and what is said of those that mean nothing.

use std::time::Duration;

use super::*;
use crate::access::Role;
use crate::catalog::{IndexDetail, Overwrite};

fn parse(line: &str) -> Result<Invocation, clap::Error> {
    Invocation::parse(line.split(' ').map(OsString::from).collect())
}

fn command_line(line: &str) -> CommandLine {
    match parse(line).unwrap() {
        Invocation::Chartroom(line) => line,
        Invocation::ChartMuseum(_) => panic!("{line} is ChartMuseum's"),
    }
}

#[test]
fn the_definition_is_sound() {
    CommandLine::command().debug_assert();
}

#[test]
fn flags_of_serve_and_global_ones_reach_the_configuration_wherever_they_stand() {
    for line in [
        "chartroom serve --config c.toml --data d --listen a:1 --listen b:2 --open",
        "chartroom --config c.toml --data d serve --open --listen a:1 --listen=b:2",
        "/usr/bin/chartroom check-config --data d --config c.toml --open --listen a:1 --listen b:2",
    ] {
        let flags = command_line(line).flags();
        assert_eq!(flags.config.as_deref(), Some(Path::new("c.toml")), "{line}");
        assert_eq!(flags.data.as_deref(), Some(Path::new("d")), "{line}");
        assert_eq!((flags.listen, flags.open), (vec!["a:1".to_owned(), "b:2".to_owned()], true), "{line}");
    }
    assert_eq!(command_line("chartroom token list --data d").flags().data.as_deref(), Some(Path::new("d")));
}

#[test]
fn the_name_chartmuseum_and_the_word_mean_the_drop_in_with_untouched_arguments() {
    for (line, expected) in [
        ("/usr/local/bin/chartmuseum --config c.yaml --port=1", &["--config", "c.yaml", "--port=1"][..]),
        ("chartroom chartmuseum -debug --data x", &["-debug", "--data", "x"]),
        ("chartmuseum", &[]),
    ] {
        match parse(line).unwrap() {
            Invocation::ChartMuseum(arguments) => assert_eq!(arguments, expected, "{line}"),
            Invocation::Chartroom(_) => panic!("{line}"),
        }
    }
    let refusal = parse("chartroom --data x chartmuseum --port 1").unwrap_err().to_string();
    assert!(refusal.contains("`chartmuseum` must be the first word"), "{refusal}");
}

#[test]
fn a_token_is_described_by_types() {
    let line =
        command_line("chartroom token create --name ci --role publisher --repository /team/a/ --expires 90d");
    let Command::Token(TokenCommand::Create { name, role, repository, expires }) = line.command else {
        panic!("{line:?}")
    };
    assert_eq!((name.as_str(), role), ("ci", Role::Publisher));
    assert_eq!(repository.unwrap().as_str(), "team/a");
    assert_eq!(expires, Some(Duration::from_secs(90 * 86_400)));
}

#[test]
fn repository_settings_become_a_change_of_what_was_given() {
    for (line, detail, overwrite) in [
        ("chartroom repository set team/a --index lean", Some(IndexDetail::Lean), None),
        (
            "chartroom repository create / --index-detail full --overwrite allowed",
            Some(IndexDetail::Full),
            Some(Overwrite::Allowed),
        ),
        ("chartroom repository create team/a", None, None),
    ] {
        let (Command::Repository(RepositoryCommand::Set { settings, .. })
        | Command::Repository(RepositoryCommand::Create { settings, .. })) = command_line(line).command
        else {
            panic!("{line}")
        };
        let change = settings.change();
        assert_eq!((change.index_detail, change.overwrite), (detail, overwrite), "{line}");
        assert_eq!(change.artifact_hub_id, None);
    }
}

#[test]
fn wrong_lines_say_what_would_be_right() {
    for (line, expected) in [
        (
            "chartroom token create --name ci --role root",
            "[possible values: reader, publisher, curator, admin]",
        ),
        ("chartroom token create --role reader", "--name <NAME>"),
        ("chartroom token create --name a --role reader --expires 90", "such as `30s` or `90d`"),
        ("chartroom repository set team/a", "<--visibility <VISIBILITY>|--overwrite <OVERWRITE>"),
        ("chartroom repository create Team", "`Team` cannot be part of a repository path"),
        ("chartroom import charts", "--into <REPOSITORY>"),
        ("chartroom import charts --into a --username ci", "--password-file <FILE>"),
        ("chartroom import oci://r.test/a --into a", "`oci://` is not a source"),
        ("chartroom import charts --into a --jobs 0", "--jobs <N>"),
        ("chartroom undelete a --repository b", "<VERSION>"),
        ("chartroom read-only on", "--reason <TEXT>"),
        ("chartroom repository list --output yaml", "[possible values: table, json]"),
        ("chartroom sreve", "'serve'"),
    ] {
        let refusal = parse(line).unwrap_err();
        assert_eq!(refusal.exit_code(), 2, "{line}");
        assert!(refusal.to_string().contains(expected), "{line}: {refusal}");
    }
}

#[test]
fn help_names_defaults_and_gives_examples() {
    for (line, expected) in [
        ("chartroom --help", "chartroom token create --name ci --role publisher"),
        ("chartroom serve --help", "[default: 127.0.0.1:8080]"),
        ("chartroom serve --help", "listening on http://ADDRESS:PORT"),
        ("chartroom collect-garbage --help", "collection.grace, 24h"),
        ("chartroom collect-garbage --help", "chartroom collect-garbage --grace 0s --offline"),
        ("chartroom import --help", "chartroom import s3://old-charts/prefix --into playcekube"),
        ("chartroom undelete --help", "chartroom undelete keepalived 0.1.0 --repository team/a"),
        ("chartroom read-only on --help", "--reason 'moving to another disk until 14:00'"),
    ] {
        let help = parse(line).unwrap_err();
        assert_eq!(help.exit_code(), 0);
        let unwrapped = help.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unwrapped.contains(expected), "{line}: {help}");
    }
}

#[test]
fn completion_scripts_know_the_commands() {
    for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
        let mut script = Vec::new();
        write_completion(shell, &mut script);
        assert!(String::from_utf8(script).unwrap().contains("collect-garbage"), "{shell}");
    }
}
