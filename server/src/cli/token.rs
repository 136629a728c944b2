//! `chartroom token`: access tokens.

use std::time::Duration;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::Output;
use crate::access::Role;
use crate::config::parse_duration;
use crate::repository_path::RepositoryPath;

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, alone, on standard output; it cannot be shown again
    #[command(after_help = "\
Examples:
  chartroom token create --name ci --role publisher --expires 90d
  chartroom token create --name prod-reader --role reader --repository playcekube

A token is a password for any user name: helm repo add room URL --username any --password TOKEN")]
    Create {
        /// What the token is called in lists and in the record of changes
        #[arg(long)]
        name: String,
        /// What its holder may do; each role may also do what the ones before it may
        #[arg(long, value_parser = role_parser())]
        role: Role,
        /// The repository it is good for, with all below it [default: every repository]
        #[arg(long, value_name = "PATH")]
        repository: Option<RepositoryPath>,
        /// How long it is good for, such as 12h, 90d or 1y [default: until revoked]
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        expires: Option<Duration>,
    },
    /// List tokens, never their secrets
    List {
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// End a token's life; running servers refuse it within seconds
    Revoke {
        /// The token's name
        name: String,
    },
}

fn role_parser() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(["reader", "publisher", "curator", "admin"])
        .try_map(|word| word.parse::<Role>())
}
