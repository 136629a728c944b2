//! The catalogue file: the list of recipes that make one delivery, with target names and platforms.
//!
//! Read like a recipe: an unknown key, a wrong type or a group of unknown members is refused with its line and column.

mod target;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chart::ChartVersion;

pub(crate) use self::target::{PathPolicy, Target};
use crate::located::{Located, LocatedProblem, Problem, read_document};

/// One catalogue file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Catalogue {
    /// Where everything will live.
    pub(crate) target: Target,
    /// The platforms whose images go along, as `os/architecture[/variant]`.
    pub(crate) platforms: Vec<String>,
    /// The Kubernetes versions that charts must render on, ascending.
    pub(crate) kubernetes: Vec<ChartVersion>,
    /// The recipes, in the catalogue's order.
    pub(crate) recipes: Vec<RecipePlace>,
    /// Names for sets of recipes.
    pub(crate) groups: BTreeMap<String, Vec<String>>,
}

/// Where a recipe lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecipePlace {
    /// The name of its folder, by which groups and flags call it.
    pub(crate) name: String,
    /// The folder, relative to the catalogue file.
    pub(crate) folder: PathBuf,
}

impl Catalogue {
    /// Reads a catalogue file from its YAML text.
    ///
    /// # Errors
    /// [`LocatedProblem`] with the line and column of the first problem.
    pub(crate) fn parse(text: &str) -> Result<Self, LocatedProblem> {
        read_document(text, read_catalogue)
    }
}

fn read_catalogue(root: Located<'_>) -> Result<Catalogue, LocatedProblem> {
    let known = ["target", "pathPolicy", "platforms", "kubernetes", "recipes", "groups"];
    let fields = root.known_entries("catalogue", &known)?;
    let mut target = None;
    let mut policy = PathPolicy::default();
    let (mut platforms, mut kubernetes) = (vec!["linux/amd64".to_owned()], Vec::new());
    let (mut recipes, mut groups) = (Vec::new(), None);
    for field in fields {
        match field.key {
            "target" => target = Some(target::read(field.value)?),
            "pathPolicy" => {
                let choices = [("keep-host", PathPolicy::KeepHost), ("strip-host", PathPolicy::StripHost)];
                policy = field.value.choice("pathPolicy", &choices)?;
            }
            "platforms" => platforms = read_platforms(field.value)?,
            "kubernetes" => kubernetes = read_kubernetes(field.value)?,
            "recipes" => recipes = read_recipes(field.value)?,
            _ => groups = Some(field.value),
        }
    }
    let missing = |key, remedy| root.refuse(Problem::Missing { key, remedy });
    if recipes.is_empty() {
        return Err(missing("recipes", "list the folders of the recipes"));
    }
    let (registry, repository) =
        target.ok_or_else(|| missing("target", "write `target: {registry: HOST:PORT, repository: NAME}`"))?;
    let groups = groups.map(|value| read_groups(value, &recipes)).transpose()?.unwrap_or_default();
    let target = Target { registry, repository, path_policy: policy };
    Ok(Catalogue { target, platforms, kubernetes, recipes, groups })
}

fn read_platforms(value: Located<'_>) -> Result<Vec<String>, LocatedProblem> {
    let mut platforms = Vec::new();
    for item in value.items("platforms")? {
        let text = item.text("platforms")?;
        let parts: Vec<&str> = text.split('/').collect();
        let is_word = |part: &&str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !matches!(parts.len(), 2 | 3) || !parts.iter().all(is_word) {
            return Err(item.breaks("platforms", "write `os/architecture`, as in `linux/amd64`"));
        }
        if platforms.iter().any(|platform| platform == text) {
            return Err(item.refuse(Problem::Twice(text.to_owned())));
        }
        platforms.push(text.to_owned());
    }
    Ok(platforms)
}

fn read_kubernetes(value: Located<'_>) -> Result<Vec<ChartVersion>, LocatedProblem> {
    let versions = value.items("kubernetes")?.into_iter().map(|item| item.parsed("kubernetes"));
    let mut versions = versions.collect::<Result<Vec<ChartVersion>, _>>()?;
    versions.sort();
    versions.dedup();
    Ok(versions)
}

fn read_recipes(value: Located<'_>) -> Result<Vec<RecipePlace>, LocatedProblem> {
    let mut recipes: Vec<RecipePlace> = Vec::new();
    for item in value.items("recipes")? {
        let text = item.text("recipes")?;
        let folder = PathBuf::from(text);
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.is_empty() || Path::new(text).is_absolute() {
            return Err(item.breaks("recipes", "write the recipe's folder relative to this file"));
        }
        if recipes.iter().any(|recipe| recipe.name == name) {
            return Err(item.refuse(Problem::Twice(name)));
        }
        recipes.push(RecipePlace { name, folder });
    }
    Ok(recipes)
}

fn read_groups(
    value: Located<'_>,
    recipes: &[RecipePlace],
) -> Result<BTreeMap<String, Vec<String>>, LocatedProblem> {
    let mut groups = BTreeMap::new();
    for field in value.entries("groups")? {
        let is_recipe = |name: &str| recipes.iter().any(|recipe| recipe.name == name);
        if is_recipe(field.key) {
            let rule = "a recipe has this name: give the group another one";
            let problem = Problem::Rule {
                name: "groups".to_owned(),
                written: field.key.to_owned(),
                rule: rule.to_owned(),
            };
            return Err(LocatedProblem { at: field.at, problem });
        }
        let mut members = Vec::new();
        for item in field.value.items(field.key)? {
            let member = item.text(field.key)?;
            if !is_recipe(member) {
                return Err(item.breaks(field.key, "no recipe of this catalogue has that name"));
            }
            members.push(member.to_owned());
        }
        groups.insert(field.key.to_owned(), members);
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOGUE: &str = "\
target: {registry: 'registry.local.cloud:5000', repository: playcekube}
pathPolicy: strip-host
platforms: [linux/amd64, linux/arm64/v8]
kubernetes: ['1.31', '1.24']
recipes:
- seed-charts/linkerd2
- seed-charts/argo-cd
groups:
  cicd: [argo-cd]
";

    #[test]
    fn every_key_is_read() {
        let catalogue = Catalogue::parse(CATALOGUE).unwrap();
        assert_eq!(catalogue.target.registry, "registry.local.cloud:5000");
        assert_eq!(catalogue.target.repository, "playcekube");
        assert_eq!(catalogue.target.path_policy, PathPolicy::StripHost);
        assert_eq!(catalogue.platforms, ["linux/amd64", "linux/arm64/v8"]);
        let versions: Vec<_> = catalogue.kubernetes.iter().map(ChartVersion::as_str).collect();
        assert_eq!(versions, ["1.24", "1.31"], "ascending");
        let names: Vec<_> = catalogue.recipes.iter().map(|recipe| recipe.name.as_str()).collect();
        assert_eq!(names, ["linkerd2", "argo-cd"], "in the file's order");
        assert_eq!(catalogue.groups["cicd"], ["argo-cd"]);
    }

    #[test]
    fn refusals_name_line_column_and_remedy() {
        let target = "target: {registry: r, repository: p}\n";
        let table = [
            ("target: {}\n".to_owned(), "line 1 column 9: the key `registry` is missing"),
            (target.to_owned(), "line 1 column 1: the key `recipes` is missing"),
            ("recipes: [a]\n".to_owned(), "line 1 column 1: the key `target` is missing"),
            (format!("{target}recipes: [a, b/a]\n"), "line 2 column 14: `a` is named twice"),
            (
                format!("{target}recipes: [/a]\n"),
                "line 2 column 11: `recipes` is `/a`; write the recipe's folder",
            ),
            (
                format!("{target}recipies: [a]\n"),
                "line 2 column 1: unknown key `recipies`, did you mean `recipes`?",
            ),
            (format!("{target}recipes: [a]\ngroups:\n  g: [b]\n"), "line 4 column 7: `g` is `b`; no recipe"),
            (
                format!("{target}recipes: [a]\ngroups:\n  a: []\n"),
                "line 4 column 3: `groups` is `a`; a recipe has",
            ),
            (
                format!("{target}recipes: [a]\nplatforms: [amd64]\n"),
                "line 3 column 13: `platforms` is `amd64`; write",
            ),
            (
                format!("{target}recipes: [a]\nkubernetes: [1.24]\n"),
                "line 3 column 14: `kubernetes` must be a text: write \"1.24\"",
            ),
            (
                format!("{target}recipes: [a]\npathPolicy: keep\n"),
                "line 3 column 13: `pathPolicy` is `keep`; it must be one of",
            ),
            (
                "target: {registry: 'http://r', repository: p}\nrecipes: [a]\n".to_owned(),
                "line 1 column 20: `registry` is",
            ),
        ];
        for (text, expected) in table {
            let refusal = Catalogue::parse(&text).unwrap_err().to_string();
            assert!(refusal.starts_with(expected), "{text}{refusal}");
        }
    }
}
