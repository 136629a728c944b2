//! Turns a credential into a caller, asking the catalog at most every few seconds for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chart::Timestamp;
use oci::Digest;
use subtle::ConstantTimeEq;

use super::{Caller, Credential, Role, Secret};
use crate::catalog::{Catalog, CatalogError, TokenRow};

/// A revoked token stops working within this time; 5 s are promised.
const REMEMBERED_MICROS: i64 = 3_000_000;
/// Bounds the memory that a flood of made-up credentials can take.
const MOST_REMEMBERED: usize = 10_000;

/// Why a credential was not turned into a caller.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    /// It is no token or user known here, or its time is over.
    #[error("the credentials are not valid: check the token, it may have expired or been revoked")]
    Refused,
    /// The catalog could not be asked.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Whose right a caller uses: what stands behind them can be looked at again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Holder {
    /// Nobody's.
    Anonymous,
    /// Everybody's, on an open server.
    Everyone,
    /// That of the user of a drop-in.
    User,
    /// That of the token with this number in the catalog.
    Token(i64),
}

/// A caller, and whose right it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) caller: Caller,
    pub(crate) holder: Holder,
}

/// How a token is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum TokenKey {
    Secret(Digest),
    Id(i64),
}

/// What the catalog said of a token, and when.
type Remembered = HashMap<TokenKey, (Timestamp, Option<TokenRow>)>;

/// Verifies credentials against the catalog and the operator's own settings.
#[derive(Clone)]
pub(crate) struct Verifier {
    catalog: Catalog,
    /// Whether anybody may do anything.
    open: bool,
    /// User and password of a drop-in, which may do all that ChartMuseum lets its one user do.
    user: Option<(String, Secret)>,
    remembered: Arc<Mutex<Remembered>>,
}

impl Verifier {
    /// Makes a verifier; `open` lets everybody do everything.
    pub(crate) fn new(catalog: Catalog, open: bool, user: Option<(String, Secret)>) -> Self {
        Self { catalog, open, user, remembered: Arc::default() }
    }

    /// Returns who sends `credential`.
    ///
    /// # Errors
    /// [`AccessError::Refused`] for a credential that came but is not valid, even where none was needed: a client
    /// whose token has expired should hear so.
    pub(crate) async fn identify(
        &self,
        credential: Option<&Credential>,
        now: Timestamp,
    ) -> Result<Caller, AccessError> {
        Ok(self.identity_of(credential, now).await?.caller)
    }

    /// As [`Self::identify`], with whose right it is.
    ///
    /// # Errors
    /// As [`Self::identify`].
    pub(crate) async fn identity_of(
        &self,
        credential: Option<&Credential>,
        now: Timestamp,
    ) -> Result<Identity, AccessError> {
        if self.open {
            return Ok(Identity { caller: Caller::Everyone, holder: Holder::Everyone });
        }
        let Some(credential) = credential else {
            return Ok(Identity { caller: Caller::Anonymous, holder: Holder::Anonymous });
        };
        if let Some(caller) = self.operator_user(credential) {
            return Ok(Identity { caller, holder: Holder::User });
        }
        self.token_holder(TokenKey::Secret(credential.secret().digest()), now).await
    }

    /// Tells whether anybody may do anything.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Returns the caller that `holder` is now: what was taken from them meanwhile is gone.
    ///
    /// # Errors
    /// [`AccessError::Refused`] when there is no such right any more.
    pub(crate) async fn caller_of(&self, holder: Holder, now: Timestamp) -> Result<Caller, AccessError> {
        if self.open {
            return Ok(Caller::Everyone);
        }
        match (holder, &self.user) {
            (Holder::Anonymous, _) => Ok(Caller::Anonymous),
            (Holder::User, Some((user, _))) => Ok(administrator(user)),
            (Holder::User, None) | (Holder::Everyone, _) => Err(AccessError::Refused),
            (Holder::Token(id), _) => Ok(self.token_holder(TokenKey::Id(id), now).await?.caller),
        }
    }

    async fn token_holder(&self, key: TokenKey, now: Timestamp) -> Result<Identity, AccessError> {
        let token = self.token(key, now).await?;
        let token = token.filter(|token| is_live(token, now)).ok_or(AccessError::Refused)?;
        let holder = Holder::Token(token.id);
        let caller = Caller::Known { name: token.name, role: token.role, repository: token.repository };
        Ok(Identity { caller, holder })
    }

    fn operator_user(&self, credential: &Credential) -> Option<Caller> {
        let (user, password) = self.user.as_ref()?;
        let Credential::Basic { user: given_user, password: given_password } = credential else {
            return None;
        };
        let same_user = user.as_bytes().ct_eq(given_user.as_bytes());
        let same_password = password.reveal().as_bytes().ct_eq(given_password.reveal().as_bytes());
        bool::from(same_user & same_password).then(|| administrator(user))
    }

    async fn token(&self, key: TokenKey, now: Timestamp) -> Result<Option<TokenRow>, CatalogError> {
        let remembered = self.lock().get(&key).cloned();
        if let Some((asked_at, token)) = &remembered
            && now.micros() - asked_at.micros() < REMEMBERED_MICROS
        {
            return Ok(token.clone());
        }
        let found = match &key {
            TokenKey::Secret(digest) => self.catalog.find_token(digest).await,
            TokenKey::Id(id) => self.catalog.find_token_by_id(*id).await,
        };
        match (found, remembered) {
            (Ok(token), _) => {
                self.remember(key, now, token.clone());
                Ok(token)
            }
            // While the database is away, what was verified before goes on.
            (Err(_), Some((_, Some(token)))) => Ok(Some(token)),
            (Err(error), Some((_, None)) | None) => Err(error),
        }
    }

    fn remember(&self, key: TokenKey, now: Timestamp, token: Option<TokenRow>) {
        let mut remembered = self.lock();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, (asked_at, _)| now.micros() - asked_at.micros() < REMEMBERED_MICROS);
            if remembered.len() >= MOST_REMEMBERED {
                remembered.clear();
            }
        }
        remembered.insert(key, (now, token));
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // A thread that panicked here left a map that is still a map.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn administrator(user: &str) -> Caller {
    Caller::Known { name: user.to_owned(), role: Role::Admin, repository: None }
}

fn is_live(token: &TokenRow, now: Timestamp) -> bool {
    token.revoked_at.is_none() && token.expires_at.is_none_or(|expires_at| now < expires_at)
}
