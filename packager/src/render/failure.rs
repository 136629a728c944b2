//! What helm says when a chart does not render, taken apart: template, line and cause.
//!
//! Helm 3 writes one line, Helm 4 a stack over several; both name the outermost template first and the place of
//! the fault last.

use std::fmt;

/// Why a chart did not render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateFailure {
    /// The places from the outermost template to the fault; empty when helm names none.
    pub(crate) places: Vec<TemplatePlace>,
    /// The cause in helm's words.
    pub(crate) cause: String,
    /// What kind of refusal it is.
    pub(crate) kind: FailureKind,
    text: String,
}

/// What kind of refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The chart's author refuses these values: `fail` or `required`.
    AskedFor,
    /// The values are not what the values schema says.
    Schema,
    /// What a template made is no YAML.
    NotYaml,
    /// The chart does not run on this Kubernetes version.
    Kubernetes,
    /// A template is at fault, or does not fit the values.
    Broken,
}

/// A place in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplatePlace {
    /// The template below the chart, without the chart's own name.
    pub(crate) template: String,
    /// The line, from 1; none when helm does not say.
    pub(crate) line: Option<usize>,
    /// The expression that was being evaluated, such as `.Values.notary.enabled`.
    pub(crate) expression: Option<String>,
}

impl TemplateFailure {
    /// Takes apart what helm wrote to standard error.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.replace("Use --debug flag to render out invalid YAML", "");
        let start = text.rfind("Error: ").map_or(0, |at| at + "Error: ".len());
        let message = text.get(start..).unwrap_or_default().trim();
        let flat = message.split_whitespace().collect::<Vec<_>>().join(" ");
        let places = places_of(&flat);
        let kind = kind_of(&flat);
        let cause = match kind {
            FailureKind::AskedFor => flat.split_once("): ").map_or(flat.as_str(), |(_, cause)| cause),
            FailureKind::Schema | FailureKind::Kubernetes => flat.as_str(),
            FailureKind::NotYaml | FailureKind::Broken => cause_of(&flat),
        };
        Self { cause: cause.to_owned(), kind, places, text: message.to_owned() }
    }

    /// Returns what helm wrote, line by line.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the place of the fault itself.
    pub(crate) fn place(&self) -> Option<&TemplatePlace> {
        self.places.last()
    }

    /// Returns the outermost template that renders a file of its own: the one to leave out to get past the fault.
    pub(crate) fn outermost_template(&self) -> Option<&str> {
        self.places
            .iter()
            .map(|place| place.template.as_str())
            .find(|template| !template.rsplit('/').next().unwrap_or_default().starts_with('_'))
    }
}

impl fmt::Display for TemplateFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place() {
            Some(TemplatePlace { template, line: Some(line), expression }) => {
                write!(formatter, "`{template}` line {line}: {}", self.cause)?;
                expression.as_ref().map_or(Ok(()), |expression| write!(formatter, " at `{expression}`"))
            }
            Some(TemplatePlace { template, line: None, .. }) => {
                write!(formatter, "`{template}`: {}", self.cause)
            }
            None => formatter.write_str(&self.cause),
        }
    }
}

fn kind_of(text: &str) -> FailureKind {
    if text.contains("chart requires kubeVersion") {
        FailureKind::Kubernetes
    } else if text.contains("execution error at (") {
        FailureKind::AskedFor
    } else if text.contains("don't meet the specifications of the schema") {
        FailureKind::Schema
    } else if text.starts_with("YAML parse error on ") {
        FailureKind::NotYaml
    } else {
        FailureKind::Broken
    }
}

/// The cause stands behind the last expression, or behind the last place.
fn cause_of(text: &str) -> &str {
    let after_expression = text.rfind(">: ").and_then(|at| text.get(at + 3..));
    let after_place = || text.split_once("): ").map(|(_, cause)| cause);
    let after_name = || {
        text.strip_prefix("YAML parse error on ")
            .and_then(|rest| rest.split_once(": "))
            .map(|(_, cause)| cause)
    };
    after_expression.or_else(after_place).or_else(after_name).unwrap_or(text)
}

/// Finds every `chart/templates/file:line:column`, each with the expression that follows it.
fn places_of(text: &str) -> Vec<TemplatePlace> {
    let mut places: Vec<TemplatePlace> = Vec::new();
    for word in text.split([' ', '(', ')']) {
        let word = word.trim_end_matches([':', ',']);
        let mut parts = word.split(':');
        let Some(path) = parts.next().filter(|path| path.contains("templates/") && !path.contains('"'))
        else {
            continue;
        };
        let line = parts.next().and_then(|line| line.parse().ok());
        let template = path.split_once('/').map_or(path, |(_, below)| below).to_owned();
        places.push(TemplatePlace { template, line, expression: None });
    }
    let mut rest = text;
    for place in &mut places {
        let Some((_, after)) = rest.split_once(" at <") else { break };
        let Some((expression, after)) = after.split_once(">: ") else { break };
        place.expression = Some(expression.to_owned());
        rest = after;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELM_3: &str = "Error: template: x/templates/a.yaml:1:6: executing \"x/templates/a.yaml\" at <include \"h\" .>: \
        error calling include: template: x/templates/_h.tpl:2:10: executing \"h\" at <.Values.q.r>: nil pointer \
        evaluating interface {}.r\n\nUse --debug flag to render out invalid YAML\n";
    const HELM_4: &str = "Error: x/templates/a.yaml:1:6\n  executing \"x/templates/a.yaml\" at <include \"h\" .>:\n    \
        error calling include:\nx/templates/_h.tpl:2:10\n  executing \"h\" at <.Values.q.r>:\n    nil pointer \
        evaluating interface {}.r\n\nUse --debug flag to render out invalid YAML\n";

    #[test]
    fn both_helms_name_template_line_and_cause() {
        for text in [HELM_3, HELM_4] {
            let failure = TemplateFailure::parse(text);
            let expected =
                "`templates/_h.tpl` line 2: nil pointer evaluating interface {}.r at `.Values.q.r`";
            assert_eq!(failure.to_string(), expected);
            assert_eq!(failure.outermost_template(), Some("templates/a.yaml"));
        }
    }

    #[test]
    fn each_kind_of_refusal_is_told_apart() {
        let table = [
            (
                "Error: execution error at (x/charts/y/templates/a.yaml:14:3): give me z",
                FailureKind::AskedFor,
                "`charts/y/templates/a.yaml` line 14: give me z",
            ),
            (
                "Error: chart requires kubeVersion: >= 1.24.0-0 which is incompatible with Kubernetes v1.22.5",
                FailureKind::Kubernetes,
                "chart requires kubeVersion: >= 1.24.0-0 which is incompatible with Kubernetes v1.22.5",
            ),
            (
                "Error: parse error at (x/templates/a.yaml:2): unexpected \"}\" in operand",
                FailureKind::Broken,
                "`templates/a.yaml` line 2: unexpected \"}\" in operand",
            ),
            (
                "Error: YAML parse error on x/templates/a.yaml: error converting YAML to JSON: yaml: line 1: did not",
                FailureKind::NotYaml,
                "`templates/a.yaml`: error converting YAML to JSON: yaml: line 1: did not",
            ),
            (
                "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nx:\n- at '': missing property 'zz'\n",
                FailureKind::Schema,
                "values don't meet the specifications of the schema(s) in the following chart(s): x: - at '': missing property 'zz'",
            ),
        ];
        for (text, kind, shown) in table {
            let failure = TemplateFailure::parse(text);
            assert_eq!((failure.kind, failure.to_string().as_str()), (kind, shown), "{text}");
        }
    }
}
