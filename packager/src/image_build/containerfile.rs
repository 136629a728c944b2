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

/// Checks what a Containerfile is built from.
///
/// # Errors
/// [`InvalidContainerfile`] at the first line that would reach out.
pub(crate) fn check(text: &str) -> Result<(), InvalidContainerfile> {
    let mut stages: Vec<String> = Vec::new();
    let mut count = 0_usize;
    for (line, instruction) in instructions(text) {
        let words: Vec<&str> = instruction.split_whitespace().collect();
        let Some((first, arguments)) = words.split_first() else { continue };
        let is_known = |image: &str| {
            let is_number = image.parse::<usize>().is_ok_and(|number| number < count);
            matches!(image, "base" | "scratch")
                || is_number
                || stages.iter().any(|stage| stage.eq_ignore_ascii_case(image))
        };
        let foreign = |image: &str| InvalidContainerfile::Foreign { line, image: image.to_owned() };
        match first.to_ascii_uppercase().as_str() {
            "FROM" => {
                let mut named = arguments.iter().filter(|word| !word.starts_with("--"));
                let image = named.next().copied().unwrap_or_default();
                if !is_known(image) || image.parse::<usize>().is_ok() {
                    return Err(foreign(image));
                }
                stages.extend(named.nth(1).map(|name| (*name).to_owned()));
                count += 1;
            }
            "COPY" | "ADD" | "RUN" => {
                if let Some(image) =
                    arguments.iter().find_map(|word| source_of(word)).filter(|image| !is_known(image))
                {
                    return Err(foreign(image));
                }
                let url = arguments.iter().find(|word| word.contains("://") || word.contains("git@"));
                if let Some(url) = url.filter(|_| first.eq_ignore_ascii_case("ADD")) {
                    return Err(InvalidContainerfile::Fetched { line, url: (*url).to_owned() });
                }
            }
            _ => {}
        }
    }
    if count == 0 { Err(InvalidContainerfile::Empty) } else { Ok(()) }
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
        for good in [
            "FROM base\nRUN true\n",
            "# x\nFROM base AS build\nRUN a \\\n  && b\nFROM scratch\nCOPY --from=build /a /a\nCOPY --from=0 /b /b\n",
            "from base\nRUN --mount=type=cache,target=/x true\nADD a.tar /\n",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
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
