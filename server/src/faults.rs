//! Moments at which a story may end the process, as a power cut would: between every two steps of what changes
//! something. Only builds with the feature `faults` look; in others this is nothing at all.

#[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "only a story asks for a step by its name"))]
mod step;

use std::collections::BTreeMap;

pub(crate) use step::Step;

/// Names the step after which the process ends.
#[cfg(feature = "faults")]
const VARIABLE: &str = "CHARTROOM_FAULT";

#[cfg(feature = "faults")]
static FATAL: std::sync::OnceLock<Step> = std::sync::OnceLock::new();

/// Takes the step that a story asks for out of the environment, where it would be an unknown setting.
#[cfg(feature = "faults")]
pub(crate) fn arm(environment: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    if let Some(name) = environment.remove(VARIABLE) {
        let step = Step::ALL.into_iter().find(|step| step.name() == name);
        let step = step.ok_or_else(|| anyhow::anyhow!("`{VARIABLE}`: there is no step `{name}`"))?;
        FATAL.get_or_init(|| step);
    }
    Ok(())
}

/// Leaves the environment as it is: the variable is then refused like any other that is no setting.
#[cfg(not(feature = "faults"))]
pub(crate) fn arm(_environment: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    Ok(())
}

/// Marks that `step` is done and the next one not begun.
#[cfg(feature = "faults")]
pub(crate) fn reach(step: Step) {
    if FATAL.get() == Some(&step) {
        // No destructor runs and nothing is flushed.
        std::process::abort();
    }
}

/// Marks that `step` is done and the next one not begun.
#[cfg(not(feature = "faults"))]
pub(crate) const fn reach(_step: Step) {}
