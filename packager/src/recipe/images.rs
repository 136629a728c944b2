//! The image settings of a recipe: what discovery needs to be told about one chart.

use super::read_values;
use crate::edit::InvalidPath;
use crate::located::{Located, LocatedProblem, Problem};
use crate::profile::{ExtraImage, ImageSettings, Profile, Substitution};
use crate::scaffold::InvalidImage;
use crate::toggle::Toggle;

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
                    let to = entry.value.text(entry.key)?.to_owned();
                    settings.substitutions.push(Substitution { from: entry.key.to_owned(), to });
                }
            }
        }
    }
    Ok(settings)
}

fn read_toggles(value: Located<'_>) -> Result<Vec<Toggle>, LocatedProblem> {
    let toggles = value.items("toggles")?.into_iter().map(|item| {
        let text = item.text("toggles")?;
        text.parse().map_err(|problem: InvalidPath| item.refuse(problem))
    });
    toggles.collect()
}

fn read_extra(value: Located<'_>) -> Result<ExtraImage, LocatedProblem> {
    let (mut image, mut reason) = (None, None);
    for field in value.known_entries("extraImages", &["image", "reason"])? {
        match field.key {
            "image" => {
                let text = field.value.text("image")?;
                let parsed = text.parse();
                image = Some(parsed.map_err(|problem: InvalidImage| field.value.refuse(problem))?);
            }
            _ => {
                let text = field.value.text("reason")?;
                reason = Some(text.to_owned()).filter(|text| !text.trim().is_empty());
            }
        }
    }
    let missing = |key, remedy| value.refuse(Problem::Missing { key, remedy });
    Ok(ExtraImage {
        image: image.ok_or_else(|| missing("image", "write the image's reference"))?,
        reason: reason.ok_or_else(|| missing("reason", "say why the image is needed"))?,
    })
}
