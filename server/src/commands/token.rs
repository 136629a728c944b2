//! `chartroom token`: makes, lists and revokes access tokens, beside a running server or without one.

use chart::Timestamp;

use crate::app::Clock;
use crate::catalog::{Catalog, TokenRow};
use crate::cli::{Output, TokenCommand};
use crate::config::Config;
use crate::operations::create_token::{TokenRequest, create_token};
use crate::operations::revoke_token::revoke_token;
use crate::start;

/// Does what the command asks for on the catalog of the configuration.
pub(super) async fn run(config: Config, command: &TokenCommand) -> anyhow::Result<()> {
    let catalog = start::open_catalog(&config.storage).await?;
    let now = Clock::System.now();
    let done = match command {
        TokenCommand::Create { name, role, repository, expires } => {
            let expires_at = expires.map(|time| {
                let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
                Timestamp::from_micros(now.micros().saturating_add(micros))
            });
            let request =
                TokenRequest { name: name.clone(), role: *role, repository: repository.clone(), expires_at };
            let secret = create_token(&catalog, request, now).await?;
            super::print_line(secret.reveal())
        }
        TokenCommand::List { output } => list(&catalog, *output, now).await,
        TokenCommand::Revoke { name } => {
            revoke_token(&catalog, name, now).await?;
            super::print_line(&format!("revoked `{name}`"))
        }
    };
    catalog.close().await;
    done
}

async fn list(catalog: &Catalog, output: Output, now: Timestamp) -> anyhow::Result<()> {
    let tokens = catalog.list_tokens().await?;
    match output {
        Output::Json => {
            let views: Vec<_> = tokens.iter().map(|token| view(token, now)).collect();
            super::print_line(&serde_json::to_string_pretty(&views)?)
        }
        Output::Table => {
            let heading =
                ["NAME", "ROLE", "REPOSITORY", "CREATED", "EXPIRES", "STATE"].map(str::to_owned).to_vec();
            let rows = tokens.iter().map(|token| row(token, now));
            super::print_table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
        }
    }
}

fn state(token: &TokenRow, now: Timestamp) -> &'static str {
    if token.revoked_at.is_some() {
        "revoked"
    } else if token.expires_at.is_some_and(|expires_at| expires_at <= now) {
        "expired"
    } else {
        "live"
    }
}

fn row(token: &TokenRow, now: Timestamp) -> Vec<String> {
    vec![
        token.name.clone(),
        token.role.to_string(),
        token.repository.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string),
        token.created_at.to_string(),
        token.expires_at.map_or_else(|| "never".to_owned(), |time| time.to_string()),
        state(token, now).to_owned(),
    ]
}

fn view(token: &TokenRow, now: Timestamp) -> serde_json::Value {
    serde_json::json!({
        "name": token.name,
        "role": token.role,
        "repository": token.repository.as_ref().map(|path| path.as_str()),
        "created": token.created_at.to_string(),
        "expires": token.expires_at.map(|time| time.to_string()),
        "state": state(token, now),
    })
}
