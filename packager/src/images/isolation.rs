//! A chart that demands values nobody gave: what fails is left out, template by template, and said.

use crate::render::{HelmError, RenderRequest, Renderer, Rendering, StagedChart, TemplateFailure};

/// How many templates may fail before the chart counts as broken: each costs a rendering.
const MAX_LEFT_OUT: usize = 24;

/// A chart rendered without the templates that failed.
#[derive(Debug)]
pub(crate) struct Isolated {
    /// The chart as it renders; none when nothing had to be left out.
    pub(crate) chart: Option<StagedChart>,
    /// What it renders to.
    pub(crate) rendering: Rendering,
    /// The failures whose outermost templates are left out.
    pub(crate) left_out: Vec<TemplateFailure>,
}

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IsolationError {
    /// Helm gave no answer.
    #[error(transparent)]
    Helm(#[from] HelmError),
    /// Helm refuses the chart as a whole.
    #[error("the chart does not render: {0}")]
    Refused(TemplateFailure),
}

/// Renders a chart, leaving out templates as long as they fail.
///
/// # Errors
/// [`IsolationError::Refused`] when a failure names no template to leave out, or too many fail.
pub(crate) fn isolate(
    renderer: &Renderer,
    chart: &StagedChart,
    request: &RenderRequest,
) -> Result<Isolated, IsolationError> {
    let mut left_out: Vec<TemplateFailure> = Vec::new();
    let mut smaller: Option<StagedChart> = None;
    loop {
        let current = smaller.as_ref().unwrap_or(chart);
        let failure = match renderer.render(current, request)? {
            Ok(rendering) => return Ok(Isolated { chart: smaller, rendering, left_out }),
            Err(failure) => failure,
        };
        let template = failure.outermost_template().filter(|_| left_out.len() < MAX_LEFT_OUT);
        let Some(template) = template.map(str::to_owned) else {
            return Err(IsolationError::Refused(left_out.into_iter().next().unwrap_or(failure)));
        };
        if !current.files().iter().any(|file| file.path == template) {
            return Err(IsolationError::Refused(failure));
        }
        smaller = Some(current.without(&[template]));
        left_out.push(failure);
    }
}
