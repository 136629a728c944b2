//! Which images a chart needs, and where each is named: the chart is rendered in every profile, and each document
//! is searched.
//!
//! Only a rendering proves an image; values, annotations and knowledge propose what renderings cannot show.

mod discovery;
mod downloads;
mod finder;
mod image_name;
mod isolation;
mod knowledge;
mod proposals;
mod survey;
mod sweep;

pub(crate) use self::discovery::{Discovery, DiscoveryError, FoundImage, Trail, discover};
pub(crate) use self::finder::{Finder, embedded_value};
pub(crate) use self::image_name::{ImageName, is_registry_host};
pub(crate) use self::knowledge::{Fetch, InvalidKnowledge, Knowledge};
pub(crate) use self::proposals::{Proposal, proposals};
pub(crate) use self::survey::{View, ViewName};
