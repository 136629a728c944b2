//! Archives with one oddity each, for judging ours beside helm's loader.
//! Rule: helm's own verdict is not written down here; it is asked each time.

use anyhow::{Context, Result};
use chart::testing::{ChartBuilder, RawEntry};
use stories::synthetic::compress;

/// One archive and why ours may refuse it although helm loads it.
pub(crate) struct OddArchive {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ours_is_stricter: Option<&'static str>,
}

impl OddArchive {
    /// An archive that ours takes or refuses as helm does.
    pub(crate) fn judged_alike(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), bytes, ours_is_stricter: None }
    }
}

const GOOD: &str = "apiVersion: v2\nname: odd\nversion: 1.0.0\n";

/// Lines of Chart.yaml that replace or follow those of a good one.
const CHART_FILES: [(&str, &str); 44] = [
    ("nothing odd", GOOD),
    ("no apiVersion", "name: odd\nversion: 1.0.0\n"),
    ("apiVersion v1", "apiVersion: v1\nname: odd\nversion: 1.0.0\n"),
    ("apiVersion v9", "apiVersion: v9\nname: odd\nversion: 1.0.0\n"),
    ("apiVersion as number", "apiVersion: 2\nname: odd\nversion: 1.0.0\n"),
    ("no name", "apiVersion: v2\nversion: 1.0.0\n"),
    ("empty name", "apiVersion: v2\nname: ''\nversion: 1.0.0\n"),
    ("name with a folder", "apiVersion: v2\nname: odd/odd\nversion: 1.0.0\n"),
    ("name climbs", "apiVersion: v2\nname: ../odd\nversion: 1.0.0\n"),
    ("name is a dot", "apiVersion: v2\nname: .\nversion: 1.0.0\n"),
    ("name is two dots", "apiVersion: v2\nname: ..\nversion: 1.0.0\n"),
    ("name as number", "apiVersion: v2\nname: 12\nversion: 1.0.0\n"),
    ("name of another folder", "apiVersion: v2\nname: other\nversion: 1.0.0\n"),
    ("upper-case name", "apiVersion: v2\nname: Odd_1.x\nversion: 1.0.0\n"),
    ("no version", "apiVersion: v2\nname: odd\n"),
    ("version is a word", "apiVersion: v2\nname: odd\nversion: latest\n"),
    ("version of two parts", "apiVersion: v2\nname: odd\nversion: '1.2'\n"),
    ("version of four parts", "apiVersion: v2\nname: odd\nversion: 1.2.3.4\n"),
    ("version as number", "apiVersion: v2\nname: odd\nversion: 1.10\n"),
    ("version with v", "apiVersion: v2\nname: odd\nversion: v1.2.3\n"),
    ("version with leading zeros", "apiVersion: v2\nname: odd\nversion: 2022.05.08\n"),
    ("version with a bad pre-release", "apiVersion: v2\nname: odd\nversion: 1.0.0-01\n"),
    ("version with a folder", "apiVersion: v2\nname: odd\nversion: 1.0.0-a/../../b\n"),
    ("type library", "apiVersion: v2\nname: odd\nversion: 1.0.0\ntype: library\n"),
    ("type unknown", "apiVersion: v2\nname: odd\nversion: 1.0.0\ntype: plugin\n"),
    ("appVersion as number", "apiVersion: v2\nname: odd\nversion: 1.0.0\nappVersion: 1.10\n"),
    ("deprecated as text", "apiVersion: v2\nname: odd\nversion: 1.0.0\ndeprecated: 'yes'\n"),
    ("deprecated as yes", "apiVersion: v2\nname: odd\nversion: 1.0.0\ndeprecated: yes\n"),
    ("annotation as bool", "apiVersion: v2\nname: odd\nversion: 1.0.0\nannotations:\n  a: true\n"),
    ("keywords as text", "apiVersion: v2\nname: odd\nversion: 1.0.0\nkeywords: one\n"),
    ("maintainer is null", "apiVersion: v2\nname: odd\nversion: 1.0.0\nmaintainers:\n-\n"),
    ("dependency is null", "apiVersion: v2\nname: odd\nversion: 1.0.0\ndependencies:\n-\n"),
    (
        "dependency alias with a dot",
        "apiVersion: v2\nname: odd\nversion: 1.0.0\ndependencies:\n- {name: a, version: '1', repository: '', alias: a.b}\n",
    ),
    (
        "dependency twice",
        "apiVersion: v2\nname: odd\nversion: 1.0.0\ndependencies:\n- {name: a, version: '1', repository: ''}\n- {name: a, version: '2', repository: ''}\n",
    ),
    ("unknown key", "apiVersion: v2\nname: odd\nversion: 1.0.0\nfavourite: blue\n"),
    ("duplicate key", "apiVersion: v2\nname: odd\nversion: 1.0.0\nversion: 2.0.0\n"),
    ("keys in other case", "APIVERSION: v2\nName: odd\nVERSION: 1.0.0\n"),
    ("tab as indent", "apiVersion: v2\nname: odd\nversion: 1.0.0\nannotations:\n\ta: b\n"),
    ("two documents", "apiVersion: v2\nname: odd\nversion: 1.0.0\n---\nname: second\n"),
    ("a list", "- apiVersion: v2\n- name: odd\n"),
    ("empty", ""),
    (
        "control character in the description",
        "apiVersion: v2\nname: odd\nversion: 1.0.0\ndescription: \"a\\u0007b\\u00a0c\"\n",
    ),
    ("anchor and alias", "apiVersion: &v v2\nname: odd\nversion: 1.0.0\nappVersion: *v\n"),
    ("not UTF-8 escape", "apiVersion: v2\nname: odd\nversion: 1.0.0\ndescription: \"\\uD800\"\n"),
];

/// One more file beside a good Chart.yaml.
const FILES: [(&str, &str, &str); 17] = [
    ("absolute path", "/etc/passwd", "x"),
    ("path climbs out", "odd/../../x", "x"),
    ("path climbs and comes back", "odd/a/../b", "x"),
    ("path begins with dots", "../odd/x", "x"),
    ("path with a drive", "odd/c:/x", "x"),
    ("path with backslashes", "odd\\templates\\x.yaml", "x"),
    ("file at the root", "._odd", "x"),
    ("path with a dot folder", "odd/./x", "x"),
    ("path with an empty part", "odd//x", "x"),
    ("values are no YAML", "odd/values.yaml", "a: [\n"),
    ("values are a list", "odd/values.yaml", "- a\n"),
    ("schema is no JSON", "odd/values.schema.json", "{"),
    ("lock is no YAML", "odd/Chart.lock", "a: [\n"),
    ("requirements are no YAML", "odd/requirements.yaml", "a: [\n"),
    ("template is no template", "odd/templates/x.yaml", "{{ if }}"),
    ("subchart without a chart file", "odd/charts/sub/values.yaml", "a: 1\n"),
    ("subchart that is no archive", "odd/charts/sub-1.0.0.tgz", "no gzip"),
];

/// What ours refuses although helm loads it, and why.
const STRICTER: [(&str, &str); 8] = [
    ("apiVersion v9", "helm only notices when it installs"),
    ("apiVersion as number", "helm only notices when it installs"),
    ("chart file twice", "which of two contents counts differs from client to client"),
    ("cut before its check sum", "bytes are missing, whatever they would have said"),
    ("name with a blank", GRAMMAR),
    ("name with a quote", GRAMMAR),
    ("name in Korean", GRAMMAR),
    ("name too long", GRAMMAR),
];

const GRAMMAR: &str = "a chart's name is part of a URL and of a file name";

/// Returns all odd archives.
pub(crate) fn odd_archives() -> Result<Vec<OddArchive>> {
    let mut all = Vec::new();
    let mut add = |name, bytes| all.push(OddArchive::judged_alike(name, bytes));
    for (name, text) in CHART_FILES {
        add(name, odd().chart_yaml(text).build());
    }
    for (name, path, text) in FILES {
        add(name, odd().raw_entry(file(path, text)).build());
    }
    add_odd_entries(&mut add);
    add_odd_names(&mut add);
    add_odd_streams(&mut add)?;
    for (name, reason) in STRICTER {
        let odd = all
            .iter_mut()
            .find(|odd| odd.name == name)
            .with_context(|| format!("nothing is called `{name}`"))?;
        odd.ours_is_stricter = Some(reason);
    }
    Ok(all)
}

fn odd() -> ChartBuilder {
    ChartBuilder::new("odd", "1.0.0")
}

fn file(path: &str, text: &str) -> RawEntry {
    RawEntry::new(b'0', path, text)
}

fn add_odd_entries(add: &mut impl FnMut(&'static str, Vec<u8>)) {
    let bare = || odd().without_chart_yaml();
    add("chart file at the root", bare().raw_entry(file("Chart.yaml", GOOD)).build());
    add("no chart file", bare().file("values.yaml", "a: 1\n").build());
    add("no entries", bare().build());
    add("chart file in lower case", bare().file("chart.yaml", GOOD).build());
    add("chart file two folders deep", bare().folder("a/odd").file("Chart.yaml", GOOD).build());
    add("chart file after a byte order mark", odd().chart_yaml(format!("\u{feff}{GOOD}")).build());
    add("chart file twice", odd().file("Chart.yaml", "apiVersion: v2\nname: odd\nversion: 3.0.0\n").build());
    add("two base folders", odd().raw_entry(file("even/values.yaml", "a: 1\n")).build());
    add("a folder that climbs out", odd().raw_entry(RawEntry::new(b'5', "odd/../../x/", "")).build());
    add("ignored subcharts", odd().file("charts/_a/x", "x").file("charts/.b/x", "x").build());
    for (name, path, kind) in [
        ("chart file is a link", "odd/Chart.yaml", b'2'),
        ("a link", "odd/x", b'2'),
        ("a link that climbs out", "odd/../../x", b'2'),
        ("a hard link", "odd/x", b'1'),
        ("a device", "odd/x", b'3'),
        ("a pipe", "odd/x", b'6'),
        ("an unknown kind of entry", "odd/x", b'Z'),
    ] {
        let chart = if path.ends_with("Chart.yaml") { bare() } else { odd() };
        add(name, chart.raw_entry(RawEntry::new(kind, path, "")).build());
    }
    let subchart = ChartBuilder::new("sub", "1.0.0");
    add("a subchart", odd().subchart(&subchart).build());
    add("a packed subchart", odd().packed_subchart("sub-1.0.0.tgz", &subchart.build()).build());
    add(
        "a packed subchart of another name",
        odd().packed_subchart("other-1.0.0.tgz", &subchart.build()).build(),
    );
    add_large(add);
}

fn add_large(add: &mut impl FnMut(&'static str, Vec<u8>)) {
    let largest = vec![b'x'; 5 << 20];
    add("largest file", odd().file("x", &largest).build());
    add("a file too large", odd().file("x", [&largest[..], b"x"].concat()).build());
    let mut large = odd();
    for number in 0..21 {
        large = large.file(&format!("x{number}"), &largest);
    }
    add("too large in all", large.build());
}

fn add_odd_streams(add: &mut impl FnMut(&'static str, Vec<u8>)) -> Result<()> {
    let good = odd().file("x", "some text to have a few more bytes").build();
    let half = good.len() / 2;
    add("no gzip", b"this is no archive".to_vec());
    add("gzip without tar", compress(b"this is no tar file")?);
    add("gzip of nothing", compress(b"")?);
    add("cut in half", good.iter().take(half).copied().collect());
    add("cut before its check sum", good.iter().take(good.len() - 8).copied().collect());
    add(
        "a flipped byte",
        good.iter().enumerate().map(|(at, byte)| if at == half { !byte } else { *byte }).collect(),
    );
    add("garbage after the end", [&good[..], b"garbage"].concat());
    add("zeros after the end", [&good[..], &[0; 512]].concat());
    add("two members", [good.clone(), compress(&[0; 1024])?].concat());
    add("packed twice", compress(&good)?);
    Ok(())
}

fn add_odd_names(add: &mut impl FnMut(&'static str, Vec<u8>)) {
    let long = "a".repeat(251);
    for (name, chart) in [
        ("name with a blank", "odd chart"),
        ("name with a quote", "odd\"chart"),
        ("name in Korean", "차트"),
        ("name too long", &long),
    ] {
        add(name, ChartBuilder::new(chart, "1.0.0").folder("odd").build());
    }
}
