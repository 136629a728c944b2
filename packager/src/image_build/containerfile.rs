//! The rule for Containerfiles: every stage begins with `base`, with `scratch` or with a stage before it.
//!
//! Whatever else could be named would be fetched, by a name that may stand for other bytes tomorrow.

/// Why a Containerfile is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidContainerfile {
    /// A stage begins with something else.
    #[error(
        "line {line}: `{image}` is neither `base` nor an earlier stage: name what it stands for as the recipe's base"
    )]
    Foreign {
        /// The line.
        line: usize,
        /// What it names.
        image: String,
    },
    /// Something is fetched.
    #[error(
        "line {line}: `{url}` would be fetched: list it in the recipe's `files` with its digest, and copy it"
    )]
    Fetched {
        /// The line.
        line: usize,
        /// The URL.
        url: String,
    },
    /// No stage at all.
    #[error("it has no `FROM`: begin it with `FROM base`")]
    Empty,
}

/// What the image itself stands on, below all that its Containerfile adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foundation {
    /// The recipe's base.
    Base,
    /// Nothing: what it holds was copied from other stages.
    Scratch,
}

/// One stage, with the name that later ones know it by.
struct Stage {
    name: Option<String>,
    foundation: Foundation,
}

/// Checks what a Containerfile is built from, and returns what its last stage stands on.
///
/// # Errors
/// [`InvalidContainerfile`] at the first line that would reach out.
pub(crate) fn check(text: &str) -> Result<Foundation, InvalidContainerfile> {
    let mut stages: Vec<Stage> = Vec::new();
    for (line, instruction) in instructions(text) {
        let words: Vec<&str> = instruction.split_whitespace().collect();
        let Some((first, arguments)) = words.split_first() else { continue };
        match first.to_ascii_uppercase().as_str() {
            "FROM" => stages.push(begun(line, arguments, &stages)?),
            "COPY" | "ADD" | "RUN" => {
                let sources = arguments.iter().filter_map(|word| source_of(word));
                for image in sources {
                    foundation_of(image, &stages).ok_or_else(|| foreign(line, image))?;
                }
                let url = arguments.iter().find(|word| word.contains("://") || word.contains("git@"));
                if let Some(url) = url.filter(|_| first.eq_ignore_ascii_case("ADD")) {
                    return Err(InvalidContainerfile::Fetched { line, url: (*url).to_owned() });
                }
            }
            _ => {}
        }
    }
    stages.last().map(|stage| stage.foundation).ok_or(InvalidContainerfile::Empty)
}

/// Reads the arguments of `FROM [--platform=…] IMAGE [AS NAME]`.
fn begun(line: usize, arguments: &[&str], stages: &[Stage]) -> Result<Stage, InvalidContainerfile> {
    let mut named = arguments.iter().filter(|word| !word.starts_with("--"));
    let image = named.next().copied().unwrap_or_default();
    // A number names a stage in `COPY --from`, but an image in `FROM`.
    let known = foundation_of(image, stages).filter(|_| image.parse::<usize>().is_err());
    let foundation = known.ok_or_else(|| foreign(line, image))?;
    Ok(Stage { name: named.nth(1).map(|name| (*name).to_owned()), foundation })
}

/// Returns what an image that may be named stands on.
fn foundation_of(image: &str, stages: &[Stage]) -> Option<Foundation> {
    let is_it = |stage: &&Stage| stage.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(image));
    let numbered = || image.parse::<usize>().ok().and_then(|number| stages.get(number));
    // A stage may bear the name of the base, and hides it then.
    match stages.iter().rev().find(is_it).or_else(numbered) {
        Some(stage) => Some(stage.foundation),
        None if image == "base" => Some(Foundation::Base),
        None if image == "scratch" => Some(Foundation::Scratch),
        None => None,
    }
}

fn foreign(line: usize, image: &str) -> InvalidContainerfile {
    InvalidContainerfile::Foreign { line, image: image.to_owned() }
}

/// Returns the image of `--from=IMAGE` and of `--mount=type=bind,from=IMAGE`.
fn source_of(word: &str) -> Option<&str> {
    if let Some(image) = word.strip_prefix("--from=") {
        return Some(image);
    }
    word.strip_prefix("--mount=")?.split(',').find_map(|part| part.strip_prefix("from="))
}

/// Returns the instructions with the lines they begin on: continued lines joined, comments left out.
fn instructions(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let (content, goes_on) = line.strip_suffix('\\').map_or((line, false), |content| (content, true));
        match found.last_mut().filter(|_| is_open) {
            Some((_, instruction)) => {
                instruction.push(' ');
                instruction.push_str(content);
            }
            None => found.push((number + 1, content.to_owned())),
        }
        is_open = goes_on;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_recipe_names_is_built_upon() {
        for (good, foundation) in [
            ("FROM base\nRUN true\n", Foundation::Base),
            (
                "# x\nFROM base AS build\nRUN a \\\n  && b\nFROM scratch\nCOPY --from=build /a /a\nCOPY --from=0 /b /b\n",
                Foundation::Scratch,
            ),
            ("FROM base AS one\nFROM scratch AS two\nFROM One\n", Foundation::Base),
            ("from base\nRUN --mount=type=cache,target=/x true\nADD a.tar /\n", Foundation::Base),
        ] {
            assert_eq!(check(good), Ok(foundation), "{good}");
        }
        for (bad, message) in [
            ("", "it has no `FROM`"),
            ("FROM debian:12\n", "line 1: `debian:12` is neither"),
            ("ARG B=x\nFROM ${B}\n", "line 2: `${B}` is neither"),
            ("FROM base\nCOPY --from=alpine /a /a\n", "line 2: `alpine` is neither"),
            ("FROM base\nRUN --mount=type=bind,from=alpine,target=/a true\n", "line 2: `alpine` is neither"),
            (
                "FROM base\nADD \\\n https://x.example/a /a\n",
                "line 2: `https://x.example/a` would be fetched",
            ),
        ] {
            let refusal = check(bad).unwrap_err().to_string();
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }
}
