//! The settings as given: defaults, file, environment and flags in rising order, each value with where it was written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::{ConfigError, Origin, Problem};
use super::setting::{AnySetting, Setting};
use super::value::{FromValue, Shape, Value};
use super::{
    access, environment, file, limits, listening, observation, proxies, public_address, storage, upkeep,
};

/// What the command line gives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    /// `--config FILE`: the TOML file; none means that none is read, unless `CHARTROOM_CONFIG` names one.
    pub(crate) config: Option<PathBuf>,
    /// `--listen ADDRESS`, any number of times.
    pub(crate) listen: Vec<String>,
    /// `--data DIR`.
    pub(crate) data: Option<PathBuf>,
    /// `--open`.
    pub(crate) open: bool,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Every given setting, each checked against its own type.
#[derive(Debug)]
pub(super) struct Settings {
    given: BTreeMap<&'static str, Given>,
}

/// Returns every setting there is, in the order people read them.
pub(super) fn known_settings() -> impl Iterator<Item = &'static dyn AnySetting> {
    [
        listening::SETTINGS,
        storage::SETTINGS,
        super::s3::SETTINGS,
        access::SETTINGS,
        public_address::SETTINGS,
        proxies::SETTINGS,
        limits::SETTINGS,
        observation::SETTINGS,
        upkeep::SETTINGS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Returns the secret that may be in a file whose path is the setting `key`; `None` if `key` is no such setting.
pub(super) fn secret_of_file(key: &str) -> Option<&'static dyn AnySetting> {
    let secret = key.strip_suffix("_file")?;
    known_settings().find(|setting| setting.key() == secret && setting.may_be_in_a_file())
}

impl Settings {
    /// Collects what file, environment and flags give, and checks each value.
    ///
    /// # Errors
    /// [`ConfigError`]: [`ConfigError::Invalid`] holds everything that is wrong with single settings.
    pub(super) fn collect(
        flags: &Flags,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut layers = Vec::new();
        let mut problems = Vec::new();
        let named =
            environment.get(environment::CONFIG_FILE).filter(|path| !path.is_empty()).map(PathBuf::from);
        if let Some(path) = flags.config.clone().or(named) {
            let contents = file::read(&path)?;
            layers.push(contents.given);
            problems.extend(contents.problems);
        }
        let (given, unknown) = environment::read(environment);
        layers.extend([given, flags.given()]);
        problems.extend(unknown);

        let mut settings = Self { given: BTreeMap::new() };
        for layer in layers {
            settings.put_layer(layer, &mut problems);
        }
        problems.extend(settings.mistyped());
        if problems.is_empty() { Ok(settings) } else { Err(ConfigError::Invalid(problems)) }
    }

    /// Returns the typed value of a setting, or of its default.
    ///
    /// # Errors
    /// [`Problem::Value`], which [`collect`](Self::collect) has already reported for every given value.
    pub(super) fn value<T: FromValue>(&self, setting: &Setting<T>) -> Result<T, Problem> {
        let given = self.given_or_default(setting);
        T::from_value(given.as_ref().map(|given| &given.value)).map_err(|reason| Problem::Value {
            key: setting.key(),
            origin: given.map_or(Origin::Default, |given| given.origin),
            reason,
        })
    }

    /// Returns the value of a setting as written, or its default; `None` if it has neither.
    pub(super) fn given_or_default(&self, setting: &dyn AnySetting) -> Option<Given> {
        let default = || {
            let text = setting.default()?;
            Some(Given { value: Value::from_text(text, setting.shape()), origin: Origin::Default })
        };
        self.given.get(setting.key()).cloned().or_else(default)
    }

    /// Puts one source's values over those of the lower ones; a secret in a file is read now.
    fn put_layer(&mut self, mut layer: BTreeMap<String, Given>, problems: &mut Vec<Problem>) {
        for setting in known_settings() {
            let itself = layer.remove(setting.key());
            let in_file = layer.remove(&format!("{}_file", setting.key()));
            let given = match (itself, in_file) {
                (Some(itself), Some(in_file)) => {
                    problems.push(Problem::GivenTwice {
                        key: setting.key(),
                        origin: itself.origin,
                        file_origin: in_file.origin,
                    });
                    None
                }
                (None, Some(in_file)) => {
                    read_secret(setting, in_file).map_err(|problem| problems.push(problem)).ok()
                }
                (itself, None) => itself,
            };
            if let Some(given) = given {
                self.given.insert(setting.key(), given);
            }
        }
    }

    fn mistyped(&self) -> impl Iterator<Item = Problem> {
        known_settings().filter_map(|setting| {
            let given = self.given.get(setting.key())?;
            let reason = setting.check(&given.value).err()?;
            Some(Problem::Value { key: setting.key(), origin: given.origin.clone(), reason })
        })
    }
}

impl Flags {
    fn given(&self) -> BTreeMap<String, Given> {
        let listen =
            (!self.listen.is_empty()).then(|| ("listen", Value::Many(self.listen.clone()), "--listen"));
        let data = self.data.as_ref().map(|path| ("data", Value::One(path.display().to_string()), "--data"));
        let open = self.open.then(|| ("open", Value::from_text("true", Shape::One), "--open"));
        [listen, data, open]
            .into_iter()
            .flatten()
            .map(|(key, value, flag)| (key.to_owned(), Given { value, origin: Origin::Flag(flag) }))
            .collect()
    }
}

/// Returns the secret in the file that `named` names; line ends after it, which editors add, do not count.
fn read_secret(setting: &'static dyn AnySetting, named: Given) -> Result<Given, Problem> {
    let Value::One(path) = &named.value else {
        return Err(Problem::Value {
            key: setting.key(),
            origin: named.origin,
            reason: "takes one path".to_owned(),
        });
    };
    let unreadable = |reason: String| Problem::UnreadableSecret {
        key: format!("{}_file", setting.key()),
        path: path.into(),
        origin: named.origin.clone(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|cause| unreadable(cause.to_string()))?;
    match text.trim_end_matches(['\r', '\n']) {
        // An empty secret would count as not given, and the server would start with another one.
        "" => Err(unreadable("the file is empty".to_owned())),
        secret => Ok(Given { value: Value::One(secret.to_owned()), origin: named.origin }),
    }
}
