//! Deliveries made of git repositories: one commit, its folder, what lies beside it, and nothing that moves.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use chart::archive::{ChartArchive, Limits};
use serde_json::Value;
use stories::command_line::{self, MIRROR, WRITE};
use stories::delivery::Delivery;
use stories::environment::clean_command;
use stories::process::run;
use stories::tool::find_tool;
use tempfile::TempDir;

/// A git repository with a work folder, and a bare one that it is pushed to.
struct Upstream {
    program: std::path::PathBuf,
    folder: TempDir,
}

impl Upstream {
    fn create() -> Result<Option<Self>> {
        let Some(program) = find_tool("git")? else { return Ok(None) };
        let upstream = Self { program, folder: TempDir::with_prefix("chartroom-git-")? };
        upstream.git(".", &["init", "--quiet", "--bare", "bare"])?;
        upstream.git(".", &["clone", "--quiet", "bare", "work"])?;
        Ok(Some(upstream))
    }

    fn git(&self, folder: &str, arguments: &[&str]) -> Result<String> {
        let mut command = clean_command(&self.program);
        command.current_dir(self.folder.path().join(folder)).env("HOME", self.folder.path());
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Story")
                .env(format!("GIT_{role}_EMAIL"), "story@example.test");
        }
        run(command.args(arguments))?.success()
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.folder.path().join("work").join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        Ok(fs::write(path, text)?)
    }

    /// Commits everything, pushes it to a branch and returns the commit.
    fn commit(&self, branch: &str) -> Result<String> {
        self.git("work", &["add", "--all"])?;
        self.git("work", &["commit", "--quiet", "--message", "a change"])?;
        self.git("work", &["push", "--quiet", "--force", "origin", &format!("HEAD:{branch}")])?;
        Ok(self.git("work", &["rev-parse", "HEAD"])?.trim().to_owned())
    }

    fn url(&self) -> String {
        format!("file://{}", self.folder.path().join("bare").display())
    }

    fn recipe(&self, commit: &str, path: &str) -> String {
        format!("upstream: {{git: '{}', commit: {commit}, path: {path}}}\n", self.url())
    }
}

const CHART: &str = "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {name: part, version: 1.x, repository: 'file://../part'}\n";

#[test]
fn a_commit_is_built_with_what_lies_beside_it_and_after_its_repository_is_gone() -> Result<()> {
    let Some(upstream) = Upstream::create()? else { return Ok(()) };
    upstream.write("charts/app/Chart.yaml", CHART)?;
    upstream.write("charts/app/.helmignore", "ci/\n")?;
    upstream.write("charts/app/ci/x.yaml", "x: 1\n")?;
    upstream.write("charts/app/templates/shared.yaml", "shared: 1\n")?;
    std::os::unix::fs::symlink(
        "shared.yaml",
        upstream.folder.path().join("work/charts/app/templates/link.yaml"),
    )?;
    upstream.write("charts/part/Chart.yaml", "apiVersion: v2\nname: part\nversion: 1.3.0\n")?;
    let commit = upstream.commit("main")?;
    upstream.write("charts/app/templates/shared.yaml", "shared: 2\n")?;
    upstream.commit("main")?;
    let delivery = Delivery::new(&[("app", &upstream.recipe(&commit, "charts/app"))])?;
    delivery.lock(&[])?.success()?;
    let tree = upstream.git("work", &["rev-parse", &format!("{commit}:charts/app")])?;
    ensure!(delivery.lock_text().contains(tree.trim()), "the tree is not locked: {}", delivery.lock_text());
    fs::remove_dir_all(upstream.folder.path().join("bare"))?;
    let archives = delivery.build("dist")?;
    let archive = archives.get("app-1.0.0.tgz").context("no archive")?;
    let archive = ChartArchive::read(archive.as_slice(), &Limits::default())?;
    for path in ["templates/shared.yaml", "templates/link.yaml"] {
        ensure!(archive.file(path) == Some(b"shared: 1\n".as_slice()), "{path}");
    }
    ensure!(archive.file("charts/part/Chart.yaml").is_some(), "no dependency");
    ensure!(archive.file("ci/x.yaml").is_none(), "an ignored file");
    Ok(())
}

#[test]
fn a_rewritten_branch_and_what_is_no_folder_are_refused() -> Result<()> {
    let Some(upstream) = Upstream::create()? else { return Ok(()) };
    upstream.write("charts/app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n")?;
    let commit = upstream.commit("main")?;
    let absent = "0123456789abcdef0123456789abcdef01234567";
    upstream.write("links/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n")?;
    std::os::unix::fs::symlink("/etc/hostname", upstream.folder.path().join("work/links/secret.txt"))?;
    let links = upstream.commit("main")?;
    let table = [
        (
            upstream.recipe(&commit, "charts/other"),
            "`charts/other` of `file://",
            "is no folder of that commit",
        ),
        (upstream.recipe(absent, "charts/app"), "git cannot fetch `file://", "has no commit"),
        (upstream.recipe(&links, "links"), "`secret.txt` of `file://", "leads out of the folder"),
        (upstream.recipe(&commit, "charts/app").replace("file://", "ext::sh -c "), "git cannot fetch", "ext"),
    ];
    for (text, what, why) in table {
        let refusal = Delivery::new(&[("app", &text)])?.lock(&[])?.failure()?;
        ensure!(refusal.contains(what) && refusal.contains(why), "{text}: {refusal}");
    }
    Ok(())
}

#[test]
fn a_repository_has_mirrors() -> Result<()> {
    let Some(upstream) = Upstream::create()? else { return Ok(()) };
    upstream.write("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n")?;
    let commit = upstream.commit("main")?;
    let recipe = format!("upstream: {{git: 'https://git.test/team/bare', commit: {commit}, path: app}}\n");
    let delivery = Delivery::new(&[("app", &recipe)])?;
    let mirror = format!("https://git.test/team=file://{}", upstream.folder.path().display());
    delivery.lock(&[MIRROR, &mirror])?.success()?;
    let lock = delivery.lock_text();
    ensure!(lock.contains("https://git.test/team/bare") && !lock.contains("file://"), "{lock}");
    Ok(())
}

#[test]
fn a_bump_goes_to_the_commit_that_is_named_and_asks_for_one_else() -> Result<()> {
    let Some(upstream) = Upstream::create()? else { return Ok(()) };
    let chart = |version: &str| format!("apiVersion: v2\nname: app\nversion: {version}\n");
    upstream.write("app/Chart.yaml", &chart("1.0.0"))?;
    upstream.write("app/values.yaml", "a: 1\n")?;
    let old = upstream.commit("main")?;
    upstream.write("app/Chart.yaml", &chart("1.1.0"))?;
    upstream.write("app/values.yaml", "b: 1\n")?;
    let new = upstream.commit("main")?;
    let recipe = |commit: &str| upstream.recipe(commit, "app") + "values: {a: 2} # ours\n";
    let delivery = Delivery::new(&[("app", &recipe(&old))])?;
    delivery.lock(&[])?.success()?;
    let report = |more: &[&str]| -> Result<Value> {
        let said = delivery.packager(&command_line::bump(more))?;
        Ok(serde_json::from_str::<Value>(&said.text()).context(said.complaint())?[0].take())
    };
    ensure!(report(&[])?["status"] == "asks", "a branch was followed");
    let bumped = report(&["--to", &new, WRITE])?;
    ensure!(bumped["after"] == "1.1.0" && bumped["findings"][0]["path"] == "a", "{bumped}");
    let written = fs::read_to_string(delivery.path("recipes/app/recipe.yaml"))?;
    ensure!(written == recipe(&new), "{written}");
    Ok(())
}
