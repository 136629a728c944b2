//! The twenty hard cases of finding and moving the images of charts, and the tests that show each.
//! Rule: a case without a test, or with one that is no more, fails.

use std::fs;
use std::path::Path;

const IMAGES: &str = "packager/tests/cli/images.rs";
const RELOCATE: &str = "packager/tests/cli/relocate.rs";
const GATE: &str = "packager/tests/cli/gate.rs";
const FINDER: &str = "packager/src/images/finder/tests.rs";
const SITE: &str = "packager/src/relocate/site.rs";
const LOCKED_IMAGES: &str = "tests/tests/delivery_images.rs";

/// Number, case, and the tests: file and name.
type HardCase = (u8, &'static str, &'static [(&'static str, &'static str)]);

const CASES: [HardCase; 20] = [
    (
        1,
        "registry, repository and tag in keys of their own, in many dialects",
        &[
            (IMAGES, "split_keys_and_tags_of_the_application_or_the_cluster_are_put_together"),
            (RELOCATE, "every_shape_of_values_is_moved_under_its_hosts_name"),
            ("packager/src/images/proposals.rs", "the_dialects_of_values_are_read"),
            ("packager/src/relocate/candidate.rs", "the_dialects_are_candidates_and_other_texts_are_not"),
        ],
    ),
    (
        2,
        "tags of the application's or the cluster's version",
        &[(IMAGES, "split_keys_and_tags_of_the_application_or_the_cluster_are_put_together")],
    ),
    (
        3,
        "a global registry that some subcharts ignore",
        &[(RELOCATE, "a_global_registry_that_one_subchart_ignores_moves_the_others_alone")],
    ),
    (
        4,
        "images in arguments, some without a tag",
        &[
            (IMAGES, "arguments_environment_configuration_and_custom_resources_are_read"),
            (FINDER, "each_kind_of_place_is_read"),
        ],
    ),
    (
        5,
        "images in environment variables",
        &[
            (IMAGES, "arguments_environment_configuration_and_custom_resources_are_read"),
            (FINDER, "each_kind_of_place_is_read"),
        ],
    ),
    (
        6,
        "images in configuration inside of ConfigMaps",
        &[
            (IMAGES, "arguments_environment_configuration_and_custom_resources_are_read"),
            (FINDER, "paths_lead_into_embedded_texts"),
            (FINDER, "settings_without_a_documents_form_are_read"),
            (RELOCATE, "configuration_inside_a_text_is_moved_and_what_is_switched_off_too"),
        ],
    ),
    (
        7,
        "split keys inside of a ConfigMap, whose parts only a program puts together",
        &[("packager/src/images/knowledge.rs", "split_keys_are_filled_from_the_values")],
    ),
    (
        8,
        "images in custom resources",
        &[(IMAGES, "arguments_environment_configuration_and_custom_resources_are_read")],
    ),
    (
        9,
        "operators that start more images when they run",
        &[
            (IMAGES, "what_a_known_chart_fetches_when_it_runs_is_listed_with_the_reason"),
            ("packager/src/images/knowledge.rs", "every_statement_is_well_formed_and_has_a_source"),
        ],
    ),
    (
        10,
        "data that is fetched when it runs: databases, dashboards, plugins",
        &[
            (IMAGES, "plugins_and_downloads_at_run_time_are_named"),
            (GATE, "every_check_names_its_subject_and_place"),
        ],
    ),
    (
        11,
        "jobs that download when they run",
        &[
            ("packager/src/gate/commands.rs", "downloads_and_package_managers_are_found"),
            (GATE, "every_check_names_its_subject_and_place"),
        ],
    ),
    (
        12,
        "parts that are off by default",
        &[
            (IMAGES, "toggles_show_what_is_off_and_the_profile_says_which"),
            (IMAGES, "a_choice_among_texts_is_tried_and_unlocks_what_asks_for_it"),
        ],
    ),
    (13, "hooks and tests", &[(IMAGES, "hooks_count_and_tests_only_when_asked_for")]),
    (
        14,
        "subcharts, aliases, conditions, imported values",
        &[
            (IMAGES, "subcharts_are_found_below_their_alias_and_behind_their_condition"),
            (IMAGES, "values_that_a_chart_imports_from_its_subchart_count"),
            ("packager/src/render/scope.rs", "a_subchart_has_a_place_for_each_alias_and_globals_have_one"),
        ],
    ),
    (
        15,
        "a digest beside the tag",
        &[
            (IMAGES, "arguments_environment_configuration_and_custom_resources_are_read"),
            (SITE, "names_follow_the_policy_and_keep_tag_and_digest"),
        ],
    ),
    (
        16,
        "values that must be given before anything renders",
        &[
            (IMAGES, "a_template_that_demands_a_value_is_left_out_and_named_until_the_value_is_given"),
            (IMAGES, "a_toggle_that_is_refused_is_named_and_what_it_shows_besides_is_listed"),
        ],
    ),
    (
        17,
        "images for other machines",
        &[
            (LOCKED_IMAGES, "images_for_other_machines_alone_are_locked_and_told"),
            ("oci/src/client/copy/tests.rs", "a_platform_is_copied_under_an_index_that_stays_as_it_was"),
        ],
    ),
    (
        18,
        "texts that only look like images",
        &[
            (IMAGES, "what_only_looks_like_an_image_is_not_listed"),
            (FINDER, "what_only_looks_like_an_image_is_left_alone"),
            (RELOCATE, "values_that_are_no_images_are_not_touched_and_what_refuses_an_edit_is_left"),
        ],
    ),
    (
        19,
        "one path on two hosts",
        &[
            (IMAGES, "equal_paths_on_two_hosts_stay_two_images_and_a_substitution_is_shown_beside_the_name"),
            (RELOCATE, "without_hosts_equal_paths_are_refused_unless_their_bytes_are_equal"),
            (SITE, "one_name_for_two_hosts_is_refused_unless_the_bytes_are_the_same"),
        ],
    ),
    (
        20,
        "hosts that are no more, and their successors",
        &[
            (IMAGES, "equal_paths_on_two_hosts_stay_two_images_and_a_substitution_is_shown_beside_the_name"),
            (RELOCATE, "a_lock_names_the_images_and_builds_the_chart_with_its_references_moved"),
            (LOCKED_IMAGES, "an_image_that_is_gone_is_refused_until_it_is_substituted"),
        ],
    ),
];

/// Returns whether a file has a test of this name.
fn has_test(file: &str, name: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = fs::read_to_string(&path).unwrap_or_default();
    let mut lines = text.lines().map(str::trim).peekable();
    let declared = format!("fn {name}(");
    while let Some(line) = lines.next() {
        let is_test = matches!(line, "#[test]" | "#[tokio::test]");
        if is_test
            && lines.peek().is_some_and(|next| next.trim_start_matches("async ").starts_with(&declared))
        {
            return true;
        }
    }
    false
}

#[test]
fn each_hard_case_has_tests_that_are_there() {
    for (place, (number, case, tests)) in CASES.iter().enumerate() {
        assert_eq!(usize::from(*number), place + 1, "{case}");
        assert!(!tests.is_empty(), "{number}: {case}: nothing shows it");
        for (file, name) in *tests {
            assert!(has_test(file, name), "{number}: {case}: `{file}` has no test `{name}`");
        }
    }
    assert!(!has_test(IMAGES, "no_such_test") && !has_test(IMAGES, "pod"));
}
