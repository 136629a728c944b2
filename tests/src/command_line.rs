//! How the server's commands are spelled.
//! Rule: the only module that knows a flag of `chartroom` or `chartpack`.

use std::ffi::OsStr;
use std::path::Path;

/// Lets anyone write, as an argument of `chartroom serve`.
pub const OPEN: &str = "--open";

/// Returns the arguments that serve a folder in ChartMuseum's place on a free port, with metrics.
pub fn serve_as_chartmuseum(storage: &Path, depth: usize) -> Vec<String> {
    let mut line = arguments(["chartmuseum"]);
    line.extend(chartmuseum(storage, depth, 0));
    line
}

/// Returns the arguments that serve a bucket in ChartMuseum's place on a free port, below a prefix of it.
pub fn serve_bucket_as_chartmuseum(bucket: &str, prefix: &str, endpoint: &str, depth: usize) -> Vec<String> {
    let mut line = arguments(["chartmuseum", "--port", "0", "--storage=amazon", "--enable-metrics"]);
    line.extend(arguments(["--storage-amazon-bucket", bucket, "--storage-amazon-prefix", prefix]));
    line.extend(arguments(["--storage-amazon-endpoint", endpoint, "--depth", &depth.to_string()]));
    line
}

/// Returns ChartMuseum's own arguments that serve a folder on a port, with metrics.
pub fn chartmuseum(storage: &Path, depth: usize, port: u16) -> Vec<String> {
    let mut line = arguments(["--port", &port.to_string(), "--storage", "local", "--enable-metrics"]);
    line.extend(arguments(["--storage-local-rootdir", &storage.display().to_string()]));
    line.extend(arguments(["--depth", &depth.to_string()]));
    line
}

/// A token to be made with `chartroom token create`.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// The token's name.
    pub name: &'a str,
    /// `reader`, `publisher`, `curator` or `admin`.
    pub role: &'a str,
    /// The only repository it is for.
    pub repository: Option<&'a str>,
    /// Its life, as `90d` or `2s`.
    pub expires: Option<&'a str>,
}

/// What a repository's `index.yaml` holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IndexForm {
    /// Full entries as compact JSON.
    #[default]
    Json,
    /// Full entries as YAML.
    Yaml,
    /// JSON with short entries for all but the newest version of each chart.
    Lean,
}

/// Whether other bytes may replace a published version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// Never.
    #[default]
    Refused,
    /// When the request says `?force`.
    Forced,
    /// Always.
    Allowed,
}

/// How a repository made with `chartroom repository create` differs from the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct RepositorySettings {
    /// Whether reading needs a credential.
    pub private: bool,
    /// The form of its index.
    pub index: IndexForm,
    /// Whether other bytes may replace a published version.
    pub overwrite: Overwrite,
}

/// Returns the arguments of `chartroom serve` on a free port.
pub fn serve(data: &Path) -> Vec<String> {
    arguments(["serve", "--data", &data.display().to_string(), "--listen", "127.0.0.1:0"])
}

/// Returns the arguments of `chartroom serve` that leave the addresses to a configuration file.
pub fn serve_as_configured(data: &Path, config: &Path) -> Vec<String> {
    arguments(["serve", "--data", &data.display().to_string(), "--config", &config.display().to_string()])
}

/// Returns the arguments that bring a database's tables up to date.
pub fn migrate() -> Vec<String> {
    arguments(["migrate"])
}

/// Returns the arguments that make a token, printed alone on standard output.
pub fn create_token(request: &TokenRequest) -> Vec<String> {
    let mut line = arguments(["token", "create", "--name", request.name, "--role", request.role]);
    for (flag, value) in [("--repository", request.repository), ("--expires", request.expires)] {
        line.extend(value.into_iter().flat_map(|value| arguments([flag, value])));
    }
    line
}

/// Returns the arguments that list the tokens.
pub fn list_tokens() -> Vec<String> {
    arguments(["token", "list"])
}

/// Returns the arguments that end a token's life.
pub fn revoke_token(name: &str) -> Vec<String> {
    arguments(["token", "revoke", name])
}

/// Returns the arguments that replace the signing keys.
pub fn rotate_keys() -> Vec<String> {
    arguments(["rotate-keys"])
}

/// Returns the arguments that delete bytes nobody refers to, however fresh; nothing may be published meanwhile.
pub fn collect_garbage() -> Vec<String> {
    arguments(["collect-garbage", "--grace", "0s", "--offline"])
}

/// Returns the arguments that delete bytes nobody has referred to for so long; no publish may take longer than that.
pub fn collect_garbage_after(grace: &str) -> Vec<String> {
    arguments(["collect-garbage", "--grace", grace, "--offline"])
}

/// Returns the arguments that bring charts in from a folder or an index, with a report in JSON.
pub fn import(source: &str, into: &str) -> Vec<String> {
    arguments(["import", source, "--into", into, "--output", "json"])
}

/// Lets an import put other bytes in the place of published ones.
pub const OVERWRITE: &str = "--overwrite";

/// Lets a command tell what it would do and change nothing.
pub const DRY_RUN: &str = "--dry-run";

/// Returns the arguments that let an import look for archives so many folders deep.
pub fn depth(depth: usize) -> Vec<String> {
    arguments(["--depth", &depth.to_string()])
}

/// Returns the arguments that let an import take so many archives at a time.
pub fn jobs(count: usize) -> Vec<String> {
    arguments(["--jobs", &count.to_string()])
}

/// Returns the arguments that log an import in with the token in a file.
pub fn token_file(path: &Path) -> Vec<String> {
    arguments(["--token-file", &path.display().to_string()])
}

/// Returns the arguments that let an import trust the authorities in a file.
pub fn ca_file(path: &Path) -> Vec<String> {
    arguments(["--ca-file", &path.display().to_string()])
}

/// Returns the arguments that log an import in with the password in a file.
pub fn password_file(user: &str, path: &Path) -> Vec<String> {
    arguments(["--username", user, "--password-file", &path.display().to_string()])
}

/// Returns the arguments that list what may be brought back, in JSON.
pub fn list_removed(repository: &str) -> Vec<String> {
    arguments(["removed", "--repository", repository, "--output", "json"])
}

/// Returns the arguments that bring a version back.
pub fn undelete(chart: &str, version: &str, repository: &str) -> Vec<String> {
    arguments(["undelete", chart, version, "--repository", repository])
}

/// Returns the arguments that stop all writing.
pub fn read_only_on(reason: &str) -> Vec<String> {
    arguments(["read-only", "on", "--reason", reason])
}

/// Returns the arguments that let writing go on.
pub fn read_only_off() -> Vec<String> {
    arguments(["read-only", "off"])
}

/// Returns the arguments that tell whether writing is stopped, in JSON.
pub fn read_only_status() -> Vec<String> {
    arguments(["read-only", "status", "--output", "json"])
}

/// Returns the arguments that limit what a repository may hold; 0 is no limit.
pub fn limit_repository(path: &str, most_versions: u64, most_bytes: &str) -> Vec<String> {
    let versions = most_versions.to_string();
    arguments(["repository", "set", path, "--most-versions", &versions, "--most-bytes", most_bytes])
}

/// Returns the arguments that make a repository show its lean index.
pub fn show_lean_index(path: &str) -> Vec<String> {
    arguments(["repository", "set", path, "--index-detail", "lean"])
}

/// Returns the arguments that check everything stored, waste younger than the grace left out, and report in JSON.
pub fn verify(grace: &str) -> Vec<String> {
    arguments(["verify", "--grace", grace, "--output", "json"])
}

/// Returns the arguments that check everything, repair what can be, and report in JSON.
pub fn repair() -> Vec<String> {
    arguments(["verify", "--repair", "--output", "json"])
}

/// Returns the arguments that copy everything into a folder or bucket of backups and report in JSON.
pub fn back_up(place: impl AsRef<OsStr>) -> Vec<String> {
    arguments(["backup", "--to", &place.as_ref().to_string_lossy(), "--output", "json"])
}

/// Returns the arguments that read the newest backup of a place whole and write nothing.
pub fn check_backup(place: impl AsRef<OsStr>) -> Vec<String> {
    arguments(["restore", "--dry-run", "--from", &place.as_ref().to_string_lossy()])
}

/// Returns the arguments that bring the newest backup of a place back.
pub fn restore(place: impl AsRef<OsStr>) -> Vec<String> {
    arguments(["restore", "--from", &place.as_ref().to_string_lossy()])
}

/// Returns the arguments that bring the backup of this name back.
pub fn restore_named(place: impl AsRef<OsStr>, backup: &str) -> Vec<String> {
    let mut line = restore(place);
    line.extend(arguments(["--backup", backup]));
    line
}

/// Returns the arguments that move everything from the stores of a folder or file to the configured ones.
pub fn copy_from(place: &Path) -> Vec<String> {
    arguments(["copy", "--from", &place.display().to_string(), "--output", "json"])
}

/// Returns the arguments that move everything from the configured stores to those of a folder or file.
pub fn copy_to(place: &Path) -> Vec<String> {
    arguments(["copy", "--to", &place.display().to_string(), "--output", "json"])
}

/// Stops all writing to the source of a move, as an argument of `chartroom copy`.
pub const READ_ONLY: &str = "--read-only";

/// Returns the arguments that make a repository.
pub fn create_repository(path: &str, settings: &RepositorySettings) -> Vec<String> {
    let mut line = arguments(["repository", "create", path]);
    let index = match settings.index {
        IndexForm::Json => None,
        IndexForm::Yaml => Some(["--index-format", "yaml"]),
        IndexForm::Lean => Some(["--index-detail", "lean"]),
    };
    let visibility = settings.private.then_some(["--visibility", "private"]);
    let overwrite = match settings.overwrite {
        Overwrite::Refused => None,
        Overwrite::Forced => Some(["--overwrite", "forced"]),
        Overwrite::Allowed => Some(["--overwrite", "allowed"]),
    };
    line.extend([visibility, index, overwrite].into_iter().flatten().flat_map(arguments));
    line
}

/// Returns the arguments of `chartpack push`.
pub fn push(archives: &[&Path], repository_url: &str) -> Vec<String> {
    let mut line = arguments(["push"]);
    line.extend(archives.iter().map(|archive| archive.display().to_string()));
    line.extend(arguments(["--to", repository_url]));
    line
}

/// The folder that a story's packager keeps what it locked in.
const VAULT: [&str; 2] = ["--vault", "vault"];

/// Asks every upstream again, as an argument of `chartpack lock`.
pub const CHECK: &str = "--check";

/// Resolves a recipe anew, as an argument of `chartpack lock` before the recipe's name.
pub const UPDATE: &str = "--update";

/// Trusts the authorities in a file, as an argument of `chartpack lock` before the file.
pub const AUTHORITIES: &str = "--ca-file";

/// Fetches what lies below an address from another one, as an argument of `chartpack lock` before `FROM=TO`.
pub const MIRROR: &str = "--mirror";

/// The variable with more of them, blanks between.
pub const MIRRORS: &str = "CHARTPACK_MIRRORS";

/// Returns the arguments of `chartpack lock` on the catalogue in the current folder, which asks busy servers once more
/// and leaves images alone.
pub fn lock(more: &[&str]) -> Vec<String> {
    lock_with_images("none", more)
}

/// Returns the arguments of `chartpack lock` which looks so far into images: `digests`, `names` or `none`.
pub fn lock_with_images(how_far: &str, more: &[&str]) -> Vec<String> {
    let mut line = arguments(["lock", "playcekube.yaml", "--retries", "1", "--images", how_far]);
    line.extend(arguments(VAULT));
    line.extend(more.iter().map(|word| (*word).to_owned()));
    line
}

/// Returns the arguments of `chartpack build` on the catalogue in the current folder, whose charts are not judged.
pub fn build(folder: &str) -> Vec<String> {
    let mut line = arguments(["build", "--no-gate", "playcekube.yaml", "-o", folder]);
    line.extend(arguments(VAULT));
    line
}

/// Returns the arguments of `chartpack image`.
pub fn image(more: &[&str]) -> Vec<String> {
    ["image"].iter().chain(more).map(|&word| word.to_owned()).collect()
}

/// Returns the arguments that list every image of a chart as JSON, rendered anew by a helm.
pub fn images(chart: &Path, helm: &Path) -> Vec<String> {
    let mut line = arguments(["images", &chart.display().to_string(), "--profile", "all", "--no-cache"]);
    line.extend(arguments(["--helm", &helm.display().to_string(), "--output", "json"]));
    line
}

/// Builds signed archives, as an argument of `chartpack build` before the file of the key.
pub const SIGN_KEY: &str = "--sign-key";

/// Asks nobody, as an argument of `chartpack bump`.
pub const OFFLINE: &str = "--offline";

/// Writes the newer versions into the recipes, as an argument of `chartpack bump`.
pub const WRITE: &str = "--write";

/// Returns the arguments of `chartpack bump` on the catalogue in the current folder, which takes images from values
/// and reports in JSON.
pub fn bump(more: &[&str]) -> Vec<String> {
    let mut line =
        arguments(["bump", "playcekube.yaml", "--without-helm", "--output", "json", "--retries", "0"]);
    line.extend(arguments(VAULT));
    line.extend(more.iter().map(|word| (*word).to_owned()));
    line
}

/// Returns the arguments of `chartpack new` for the recipe of a published chart.
pub fn new_recipe(name: &str, from: &str, version: &str) -> Vec<String> {
    arguments(["new", name, "--from", from, "--version", version])
}

/// Returns the arguments of `chartpack new` for a chart of a kind in the current folder.
pub fn new_chart(name: &str, kind: &str, image: &str, application: &str) -> Vec<String> {
    arguments(["new", name, "--kind", kind, "--image", image, "--app-version", application])
}

/// Returns the arguments of `chartpack pack` on a chart folder.
pub fn pack(chart: &Path, into: &Path) -> Vec<String> {
    arguments(["pack", &chart.display().to_string(), "-o", &into.display().to_string()])
}

fn arguments<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}
