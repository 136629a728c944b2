//! Image recipes: how one image of ours is made. Read like the recipes of charts: an unknown key, a wrong type or a base
//! that could change is refused with its line and column.

use std::collections::BTreeMap;
use std::path::PathBuf;

use oci::{Digest, ImageReference, OciName, Platform, Tag};
use serde::Serialize;
use url::Url;

use crate::located::{Field, Located, LocatedProblem, Problem, read_document};

/// The name of an image recipe in its folder.
pub(crate) const FILE_NAME: &str = "image.yaml";

const KEYS: [&str; 9] =
    ["description", "name", "tag", "containerfile", "base", "files", "platforms", "labels", "annotations"];

/// One image recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageRecipe {
    /// The image's name, without a registry.
    pub(crate) name: OciName,
    /// Its tag.
    pub(crate) tag: Tag,
    /// The Containerfile, beside the recipe.
    pub(crate) containerfile: PathBuf,
    /// What the Containerfile's `FROM base` stands for.
    pub(crate) base: Base,
    /// What the Containerfile may copy, in the recipe's order.
    pub(crate) files: Vec<ContextFile>,
    /// What it is built for, in the order of the index.
    pub(crate) platforms: Vec<Platform>,
    /// Labels of the image's configuration, besides those of the Containerfile.
    pub(crate) labels: BTreeMap<String, String>,
    /// Annotations of the index and of each platform's manifest.
    pub(crate) annotations: BTreeMap<String, String>,
}

/// What an image is built upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Base {
    /// A root file system made of a distribution's packages.
    Packages(PackageBase),
    /// An image of a registry, by digest.
    Image(String),
    /// An image of a layout beside the recipe, by digest.
    Layout {
        /// The layout's folder.
        path: PathBuf,
        /// The digest of the index or manifest.
        digest: Digest,
    },
}

/// The packages of a base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PackageBase {
    /// Whose packages: the name of the keyring that must have signed them.
    pub(crate) distribution: String,
    /// The suites they are taken from.
    pub(crate) suites: Vec<String>,
    /// The components of these.
    pub(crate) components: Vec<String>,
    /// The moment of the archive, as snapshot archives name it: `20261101T000000Z`.
    pub(crate) snapshot: Option<String>,
    /// What is installed besides what the distribution calls essential.
    pub(crate) packages: Vec<String>,
}

/// One file that the Containerfile may copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContextFile {
    /// Its path in the build context, and beside the recipe when it has no other origin.
    pub(crate) path: PathBuf,
    /// Where it is fetched from, with what it must be.
    pub(crate) remote: Option<(Url, Digest)>,
}

impl ImageRecipe {
    /// Reads an image recipe from its YAML text.
    ///
    /// # Errors
    /// [`LocatedProblem`] with the line and column of the first problem.
    pub(crate) fn parse(text: &str) -> Result<Self, LocatedProblem> {
        read_document(text, read_recipe)
    }

    /// Returns the image's name and tag, as in `ubuntu/keepalived:v2.2.4`.
    pub(crate) fn title(&self) -> String {
        format!("{}:{}", self.name, self.tag)
    }
}

fn read_recipe(root: Located<'_>) -> Result<ImageRecipe, LocatedProblem> {
    let (mut name, mut tag, mut base) = (None, None, None);
    let mut containerfile = PathBuf::from("Containerfile");
    let (mut files, mut platforms) = (Vec::new(), Vec::new());
    let (mut labels, mut annotations) = (BTreeMap::new(), BTreeMap::new());
    for Field { key, value, .. } in root.known_entries("image recipe", &KEYS)? {
        match key {
            "name" => {
                name = Some(read_parsed(value, key, "write the name alone, as in `ubuntu/keepalived`")?)
            }
            "tag" => tag = Some(read_parsed(value, key, "write a tag, as in `v2.2.7`")?),
            "containerfile" => containerfile = read_path(value, key)?,
            "base" => base = Some(read_base(value)?),
            "files" => files = read_files(value)?,
            "platforms" => platforms = read_platforms(value)?,
            "labels" => labels = read_texts(value, key)?,
            "annotations" => annotations = read_texts(value, key)?,
            // `description` says what the image is for, to people.
            _ => _ = value.text("description")?,
        }
    }
    let missing = |key, remedy| root.refuse(Problem::Missing { key, remedy });
    if platforms.is_empty() {
        return Err(missing("platforms", "write `platforms: [linux/amd64]`"));
    }
    Ok(ImageRecipe {
        name: name.ok_or_else(|| missing("name", "write the image's name without a registry"))?,
        tag: tag.ok_or_else(|| missing("tag", "write the image's tag"))?,
        containerfile,
        base: base
            .ok_or_else(|| missing("base", "write `base: {distribution: …, suites: […], packages: […]}`"))?,
        files,
        platforms,
        labels,
        annotations,
    })
}

fn read_base(value: Located<'_>) -> Result<Base, LocatedProblem> {
    let known = ["distribution", "suites", "components", "snapshot", "packages", "image", "path", "digest"];
    let fields = value.known_entries("base", &known)?;
    let field = |key: &str| fields.iter().find(|field| field.key == key).map(|field| field.value);
    let one_kind = || value.refuse(Problem::NotExactlyOne("packages`, `image`, `path".to_owned()));
    let count = |keys: &[&str]| fields.iter().filter(|field| keys.contains(&field.key)).count();
    match (field("packages"), field("image"), field("path")) {
        (Some(packages), None, None) if count(&["digest"]) == 0 => read_packages(value, packages, &field),
        (None, Some(image), None) if fields.len() == 1 => {
            let reference: ImageReference = read_parsed(image, "image", "write host, name and digest")?;
            if reference.digest().is_none() {
                return Err(image
                    .breaks("image", "add its digest, `@sha256:…`: a tag may name another image tomorrow"));
            }
            Ok(Base::Image(reference.normalised()))
        }
        (None, None, Some(path)) if fields.len() <= 2 => {
            let remedy = "write the digest of the layout's image";
            let digest =
                field("digest").ok_or_else(|| value.refuse(Problem::Missing { key: "digest", remedy }))?;
            Ok(Base::Layout { path: read_layout_path(path)?, digest: digest.parsed("digest")? })
        }
        _ => Err(one_kind()),
    }
}

fn read_packages<'file>(
    base: Located<'file>,
    packages: Located<'file>,
    field: &impl Fn(&str) -> Option<Located<'file>>,
) -> Result<Base, LocatedProblem> {
    let missing = |key, remedy| base.refuse(Problem::Missing { key, remedy });
    let distribution =
        field("distribution").ok_or_else(|| missing("distribution", "write `debian` or `ubuntu`"))?;
    let suites = field("suites").ok_or_else(|| missing("suites", "list the suites, as in `[bookworm]`"))?;
    let words = |value: Located<'file>, name: &str| {
        let rule = "write small letters, digits and `+-.:~` alone";
        let items = value.items(name)?.into_iter().map(|item| read_word(item, name, rule));
        items.collect::<Result<Vec<_>, _>>()
    };
    let snapshot = field("snapshot").map(|value| {
        let text = value.text("snapshot")?;
        let is_moment =
            text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || b"TZ".contains(&byte));
        if is_moment {
            Ok(text.to_owned())
        } else {
            Err(value.breaks("snapshot", "write it as `20261101T000000Z`"))
        }
    });
    let components =
        field("components").map_or_else(|| Ok(vec!["main".to_owned()]), |value| words(value, "components"));
    let suites_read = words(suites, "suites")?;
    if suites_read.is_empty() {
        return Err(suites.breaks("suites", "name at least one"));
    }
    Ok(Base::Packages(PackageBase {
        distribution: read_word(distribution, "distribution", "write `debian` or `ubuntu`")?,
        suites: suites_read,
        components: components?,
        snapshot: snapshot.transpose()?,
        packages: words(packages, "packages")?,
    }))
}

/// Reads a name as apt takes it. Anything else could be an option or a pattern of apt's.
fn read_word(value: Located<'_>, name: &str, rule: &str) -> Result<String, LocatedProblem> {
    let text = value.text(name)?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.:~".contains(&byte);
    let begins_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins_well && text.bytes().all(is_plain) && !text.ends_with(['+', '-']) | text.ends_with("++") {
        Ok(text.to_owned())
    } else {
        Err(value.breaks(name, rule))
    }
}

fn read_files(value: Located<'_>) -> Result<Vec<ContextFile>, LocatedProblem> {
    let mut files: Vec<ContextFile> = Vec::new();
    for item in value.items("files")? {
        let file = if item.json().is_string() {
            ContextFile { path: read_path(item, "files")?, remote: None }
        } else {
            read_remote_file(item)?
        };
        if files.iter().any(|known| known.path == file.path) {
            return Err(item.refuse(Problem::Twice(file.path.display().to_string())));
        }
        files.push(file);
    }
    Ok(files)
}

fn read_remote_file(item: Located<'_>) -> Result<ContextFile, LocatedProblem> {
    let (mut path, mut url, mut digest) = (None, None, None);
    for Field { key, value, .. } in item.known_entries("files", &["path", "url", "digest"])? {
        match key {
            "path" => path = Some(read_path(value, key)?),
            "url" => url = Some(read_parsed(value, key, "write a whole URL")?),
            _ => digest = Some(value.parsed(key)?),
        }
    }
    let missing = |key, remedy| item.refuse(Problem::Missing { key, remedy });
    let path = path.ok_or_else(|| missing("path", "write the path that the Containerfile copies"))?;
    let url = url.ok_or_else(|| missing("url", "write where the file is fetched from"))?;
    let digest = digest.ok_or_else(|| missing("digest", "write the digest that the file must have"))?;
    Ok(ContextFile { path, remote: Some((url, digest)) })
}

fn read_platforms(value: Located<'_>) -> Result<Vec<Platform>, LocatedProblem> {
    let mut platforms = Vec::new();
    for item in value.items("platforms")? {
        let platform: Platform =
            read_parsed(item, "platforms", "write system and processor, as in `linux/amd64`")?;
        if platforms.contains(&platform) {
            return Err(item.refuse(Problem::Twice(platform.to_string())));
        }
        platforms.push(platform);
    }
    Ok(platforms)
}

fn read_texts(value: Located<'_>, name: &str) -> Result<BTreeMap<String, String>, LocatedProblem> {
    let fields = value.entries(name)?.into_iter();
    fields.map(|field| Ok((field.key.to_owned(), field.value.text(field.key)?.to_owned()))).collect()
}

fn read_parsed<T: std::str::FromStr>(
    value: Located<'_>,
    name: &str,
    rule: &str,
) -> Result<T, LocatedProblem> {
    value.text(name)?.parse().map_err(|_| value.breaks(name, rule))
}

/// Reads a path that stays below the recipe's folder: it is laid out below a folder of the build too.
fn read_path(value: Located<'_>, name: &str) -> Result<PathBuf, LocatedProblem> {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\\');
    if value.text(name)?.split('/').all(is_plain) {
        Ok(value.text(name)?.into())
    } else {
        Err(value.breaks(name, "write a path below the recipe's folder, with slashes"))
    }
}

/// Reads the path of a base's layout, which may lie beside the recipe's folder. An absolute one would hold on one machine
/// only.
fn read_layout_path(value: Located<'_>) -> Result<PathBuf, LocatedProblem> {
    let text = value.text("path")?;
    if text.is_empty() || text.starts_with('/') || text.contains('\\') {
        return Err(value.breaks("path", "write a path relative to the recipe, with slashes"));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: &str = "name: debian/keepalived\ntag: v2.2.7\nplatforms: [linux/amd64]\n\
        base: {distribution: debian, suites: [bookworm], packages: [keepalived]}\n";

    #[test]
    fn a_recipe_has_little_that_must_be_said() {
        let recipe = ImageRecipe::parse(RECIPE).unwrap();
        assert_eq!(recipe.title(), "debian/keepalived:v2.2.7");
        assert_eq!(recipe.containerfile, PathBuf::from("Containerfile"));
        let Base::Packages(base) = recipe.base else { panic!("another base") };
        assert_eq!(
            (base.components, base.packages),
            (vec!["main".to_owned()], vec!["keepalived".to_owned()])
        );
    }

    #[test]
    fn bases_are_of_one_kind_and_cannot_change() {
        let digest = Digest::sha256(b"x");
        let with_base = |base: &str| {
            ImageRecipe::parse(&format!("name: a/b\ntag: v1\nplatforms: [linux/amd64]\nbase: {base}\n"))
        };
        assert!(with_base(&format!("{{image: 'quay.example/a/b@{digest}'}}")).is_ok());
        assert!(with_base(&format!("{{path: ../base, digest: '{digest}'}}")).is_ok());
        for (base, problem) in [
            ("{image: 'quay.example/a/b:v1'}", "4:15: `image` is `quay.example/a/b:v1`; add its digest"),
            ("{path: base}", "4:7: the key `digest` is missing"),
            ("{packages: [a], image: b}", "4:7: write exactly one of `packages`, `image`, `path` here"),
            ("{suites: [x], packages: [a]}", "4:7: the key `distribution` is missing"),
            ("{distribution: debian, suites: [bookworm], packages: ['-o=x']}", "4:60: `packages` is `-o=x`"),
            ("{distribution: debian, suites: [bookworm], packages: [apt-]}", "4:60: `packages` is `apt-`"),
        ] {
            let refusal = with_base(base).unwrap_err().to_string();
            assert!(refusal.contains(problem.split_once(": ").unwrap().1), "{refusal}");
        }
    }

    #[test]
    fn what_is_copied_stays_in_the_folder_or_has_a_digest() {
        for (line, problem) in [
            ("files: [../secret]", "`files` is `../secret`"),
            ("files: [/etc/passwd]", "`files` is `/etc/passwd`"),
            ("files: [a, a]", "`a` is named twice"),
            ("files: [{path: tool, url: 'https://x.example/t'}]", "the key `digest` is missing"),
            ("files: [{path: ../t, url: 'https://x.example/t', digest: x}]", "`path` is `../t`"),
            ("containerfile: ../x", "`containerfile` is `../x`"),
            ("shell: bash", "unknown key `shell`"),
            ("platforms: [amd64]", "`platforms` is `amd64`"),
        ] {
            let text = RECIPE.replace(
                if line.starts_with("platforms") { "platforms: [linux/amd64]\n" } else { "\u{0}" },
                "",
            );
            let refusal = ImageRecipe::parse(&format!("{text}{line}\n")).unwrap_err().to_string();
            assert!(refusal.contains(problem), "{refusal}");
        }
    }
}
