//! The image settings of a recipe: what discovery needs to be told about one chart.

use std::collections::BTreeMap;

use super::{ValueEdit, read_values};
use crate::edit::{InvalidPath, ValuePath};
use crate::located::{Located, LocatedProblem, Problem};

/// How the images of a chart are found.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(dead_code, reason = "discovery reads it; the recipe's parser fills it")]
pub(crate) struct ImageSettings {
    /// Which images go along.
    pub(crate) profile: Profile,
    /// Switches to try besides those that discovery finds itself.
    pub(crate) toggles: Vec<ValuePath>,
    /// Values without which the chart does not render; set while probing, never delivered.
    pub(crate) probe_values: Vec<ValueEdit>,
    /// Images that no rendering shows.
    pub(crate) extra_images: Vec<ExtraImage>,
    /// Images taken from another place than the chart says: what it says, and where it is.
    pub(crate) substitutions: BTreeMap<String, String>,
}

/// Which images of a chart go along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Those of the delivered values alone.
    Exact,
    /// Those, and those of each toggle that the recipe declares.
    #[default]
    Declared,
    /// Those of every toggle that discovery finds.
    All,
}

/// An image that no rendering shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(dead_code, reason = "discovery reads it; the recipe's parser fills it")]
pub(crate) struct ExtraImage {
    /// The reference.
    pub(crate) image: String,
    /// Why it is needed.
    pub(crate) reason: String,
}

/// Reads the value of `images`.
///
/// # Errors
/// [`LocatedProblem`] with the line and column.
pub(super) fn read(value: Located<'_>) -> Result<ImageSettings, LocatedProblem> {
    let known = ["profile", "toggles", "probeValues", "extraImages", "substitutions"];
    let mut settings = ImageSettings::default();
    for field in value.known_entries("images", &known)? {
        match field.key {
            "profile" => {
                let choices =
                    [("exact", Profile::Exact), ("declared", Profile::Declared), ("all", Profile::All)];
                settings.profile = field.value.choice("profile", &choices)?;
            }
            "toggles" => settings.toggles = read_toggles(field.value)?,
            "probeValues" => settings.probe_values = read_values(field.value, "probeValues")?,
            "extraImages" => {
                let items = field.value.items("extraImages")?;
                settings.extra_images = items.into_iter().map(read_extra).collect::<Result<_, _>>()?;
            }
            _ => {
                for entry in field.value.entries("substitutions")? {
                    let place = entry.value.text(entry.key)?.to_owned();
                    settings.substitutions.insert(entry.key.to_owned(), place);
                }
            }
        }
    }
    Ok(settings)
}

fn read_toggles(value: Located<'_>) -> Result<Vec<ValuePath>, LocatedProblem> {
    let paths = value.items("toggles")?.into_iter().map(|item| {
        let text = item.text("toggles")?;
        text.parse().map_err(|problem: InvalidPath| item.refuse(problem))
    });
    paths.collect()
}

fn read_extra(value: Located<'_>) -> Result<ExtraImage, LocatedProblem> {
    let (mut image, mut reason) = (None, None);
    for field in value.known_entries("extraImages", &["image", "reason"])? {
        let text = Some(field.value.text(field.key)?.to_owned()).filter(|text| !text.trim().is_empty());
        match field.key {
            "image" => image = text,
            _ => reason = text,
        }
    }
    let missing = |key, remedy| value.refuse(Problem::Missing { key, remedy });
    Ok(ExtraImage {
        image: image.ok_or_else(|| missing("image", "write the image's reference"))?,
        reason: reason.ok_or_else(|| missing("reason", "say why the image is needed"))?,
    })
}
