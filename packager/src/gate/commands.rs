//! Finds commands that fetch from the internet: downloads by address, and package managers, which need none.

use super::addresses::addresses;
use super::site::Site;

/// Programs that fetch what an address among their arguments names.
const FETCHERS: [&str; 8] = ["curl", "wget", "git", "kubectl", "helm", "aria2c", "oras", "crane"];

/// Programs that fetch from an address of their own, with the words by which they do.
const MANAGERS: [(&str, &[&str]); 19] = [
    ("pip", &["install", "download"]),
    ("pip3", &["install", "download"]),
    ("npm", &["install", "ci", "i"]),
    ("yarn", &["add", "install"]),
    ("gem", &["install"]),
    ("fluent-gem", &["install"]),
    ("go", &["install", "get"]),
    ("cargo", &["install"]),
    ("apt", &["install", "update"]),
    ("apt-get", &["install", "update"]),
    ("apk", &["add", "update"]),
    ("yum", &["install"]),
    ("dnf", &["install"]),
    ("microdnf", &["install"]),
    ("elasticsearch-plugin", &["install"]),
    ("opensearch-plugin", &["install"]),
    ("kibana-plugin", &["install"]),
    ("grafana-cli", &["plugins"]),
    ("jenkins-plugin-cli", &["--plugins", "-p"]),
];

/// A command that fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FetchingCommand {
    /// What it fetches, when an address says so; else the program and its first words.
    pub(super) subject: String,
    /// The line of the script.
    pub(super) line: String,
}

/// Returns the commands of `script` that fetch from hosts which are not the `site`'s.
pub(super) fn fetching_commands(script: &str, site: &Site) -> Vec<FetchingCommand> {
    // A backslash at the end of a line joins it with the next.
    let joined = script.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in joined.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        for command in line.split(['|', ';', '&', '(', ')', '`']) {
            found.extend(fetched(command, site).map(|subject| {
                let line = line.chars().take(200).collect();
                FetchingCommand { subject, line }
            }));
        }
    }
    found
}

fn fetched(command: &str, site: &Site) -> Option<String> {
    let mut words =
        command.split_whitespace().map(|word| word.trim_matches(['"', '\'', ',', '[', ']', '{', '}']));
    let mut program = words.next()?;
    while matches!(program, "sudo" | "exec" | "then" | "do" | "if" | "while" | "!" | "else" | "until")
        || program.contains('=')
    {
        program = words.next()?;
    }
    let program = program.rsplit('/').next().unwrap_or(program);
    if FETCHERS.contains(&program) {
        let public = addresses(command).into_iter().find(|address| site.is_public(address.host));
        return public.map(|address| address.text.to_owned());
    }
    let (_, verbs) = MANAGERS.iter().find(|(name, _)| *name == program)?;
    let verb = words.find(|word| verbs.contains(word))?;
    let named = addresses(command);
    // Told where to fetch from: an index or mirror of the site's own.
    if !named.is_empty() && named.iter().all(|address| !site.is_public(address.host)) {
        return None;
    }
    let what = words.find(|word| !word.starts_with('-')).unwrap_or_default();
    Some(format!("{program} {verb} {what}").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_and_package_managers_are_found() {
        let table: [(&str, &[&str]); 16] = [
            ("curl -fsSL https://get.helm.sh/helm.tgz | tar xz", &["https://get.helm.sh/helm.tgz"]),
            ("wget \\\n  -q https://a.io/x", &["https://a.io/x"]),
            ("if ! /usr/bin/curl http://localhost:8080/ready; then", &[]),
            ("curl http://web.default.svc/x", &[]),
            ("git clone https://github.com/a/b", &["https://github.com/a/b"]),
            ("git commit -m 'see docs'", &[]),
            ("# curl https://a.io", &[]),
            ("echo see https://a.io", &[]),
            ("pip3 install --no-cache-dir requests", &["pip3 install requests"]),
            ("pip install --index-url http://10.0.0.1/simple requests", &[]),
            ("apk add --no-cache curl && curl https://a.io", &["apk add curl", "https://a.io"]),
            (
                "bin/elasticsearch-plugin install -b repository-s3",
                &["elasticsearch-plugin install repository-s3"],
            ),
            ("HOME=/tmp npm install left-pad", &["npm install left-pad"]),
            ("kubectl apply -f https://a.io/crds.yaml", &["https://a.io/crds.yaml"]),
            ("kubectl get pods", &[]),
            (
                "helm plugin install https://github.com/chartmuseum/helm-push",
                &["https://github.com/chartmuseum/helm-push"],
            ),
        ];
        for (script, expected) in table {
            let found = fetching_commands(script, &Site::default());
            let subjects: Vec<_> = found.iter().map(|one| one.subject.as_str()).collect();
            assert_eq!(subjects, expected, "{script}");
        }
    }
}
