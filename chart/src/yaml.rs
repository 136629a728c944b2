//! YAML from untrusted hands, read as Helm reads it: Go's `sigs.k8s.io/yaml` 1.6 over `go.yaml.in/yaml` 2.4.
//!
//! The one rule: no input costs more than its [`Budget`], whatever its aliases, nesting or keys say. What Go
//! would accept beyond that is refused with the place and the reason.

mod budget;
mod compose;
mod decode;
mod error;
mod event;
mod number;
mod scalar;
mod scan;
mod text;
mod value;
mod values;

pub use budget::Budget;
pub use decode::DecodeError;
pub use error::{YamlError, YamlProblem};
pub use value::Value;
pub use values::{InvalidValues, parse_values};

/// Parses the first document of `bytes`, which are UTF-8 or UTF-16; what follows it is not looked at, an
/// empty input is null. Duplicate keys: the last one wins.
///
/// # Errors
/// [`YamlError`] with the place when the bytes are not YAML 1.1 as Go reads it, or cost more than `budget`.
pub fn parse(bytes: &[u8], budget: &Budget) -> Result<Value, YamlError> {
    if bytes.len() > budget.bytes {
        return Err(YamlError::at_start(YamlProblem::TooLong { bytes: bytes.len(), limit: budget.bytes }));
    }
    let text = text::decode(bytes)?;
    compose::compose(&text, budget).map(|(value, _)| value)
}
