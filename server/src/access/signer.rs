//! Signs what is handed to clients and comes back to any replica: nothing of it needs to be kept meanwhile.
//!
//! HMAC-SHA-256 (RFC 2104) with keys of the catalog. Each purpose has its own kind of signature, so that what was signed for
//! one is worth nothing for another.

use std::sync::{Arc, PoisonError, RwLock};

use chart::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::app;
use crate::catalog::{Catalog, CatalogError, SigningKeyRow};

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A token of the registry.
    RegistryToken,
    /// The address of an upload.
    Upload,
}

impl Purpose {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::RegistryToken => b"registry token\0",
            Self::Upload => b"upload\0",
        }
    }
}

/// Signs and verifies; clones share the keys.
#[derive(Clone)]
pub(crate) struct Signer {
    catalog: Catalog,
    keys: Arc<RwLock<Vec<SigningKeyRow>>>,
}

impl Signer {
    /// Knows no key yet.
    pub(crate) fn new(catalog: Catalog) -> Self {
        Self { catalog, keys: Arc::default() }
    }

    /// Returns the signature of `message`, as `<key>.<64 hex>`.
    ///
    /// # Errors
    /// [`CatalogError`] when no key is in memory and the catalog does not answer.
    pub(crate) async fn sign(
        &self,
        purpose: Purpose,
        message: &[u8],
        now: Timestamp,
    ) -> Result<String, CatalogError> {
        let key = match self.newest() {
            Some(key) => key,
            None => self.first_key(now).await?,
        };
        let code = mac(&key.secret, purpose, message).finalize().into_bytes();
        let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{}.{hex}", key.id))
    }

    /// Tells whether `signature` is one of `message` by a key that is still there.
    ///
    /// # Errors
    /// [`CatalogError`] when its key is not in memory and the catalog does not answer.
    pub(crate) async fn is_signed(
        &self,
        purpose: Purpose,
        message: &[u8],
        signature: &str,
    ) -> Result<bool, CatalogError> {
        let Some((id, code)) = signature.split_once('.') else { return Ok(false) };
        let (Ok(id), Some(code)) = (id.parse(), bytes_of(code)) else { return Ok(false) };
        let key = match self.find(id) {
            Some(key) => Some(key),
            None => {
                // Another replica may have begun to use a new one.
                self.read_keys().await?;
                self.find(id)
            }
        };
        Ok(key.is_some_and(|key| mac(&key.secret, purpose, message).verify_slice(&code).is_ok()))
    }

    async fn first_key(&self, now: Timestamp) -> Result<SigningKeyRow, CatalogError> {
        self.read_keys().await?;
        if let Some(key) = self.newest() {
            return Ok(key);
        }
        // Two replicas may both make one, which is just as good: either verifies.
        self.catalog.add_signing_key(app::random_secret(), now).await?;
        self.read_keys().await?;
        self.newest().ok_or(CatalogError::Closed)
    }

    async fn read_keys(&self) -> Result<(), CatalogError> {
        let keys = self.catalog.list_signing_keys().await?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    fn newest(&self) -> Option<SigningKeyRow> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    fn find(&self, id: i64) -> Option<SigningKeyRow> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|key| key.id == id).cloned()
    }
}

fn mac(secret: &[u8], purpose: Purpose, message: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "a key of HMAC may have any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
    mac.update(purpose.word());
    mac.update(message);
    mac
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_one_replica_signs_another_verifies_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open_embedded(&folder.path().join("catalog.db")).await.unwrap();
        let [one, other] = [(); 2].map(|()| Signer::new(catalog.clone()));
        let now = Timestamp::from_micros(1);
        let signature = one.sign(Purpose::Upload, b"message", now).await.unwrap();
        assert!(other.is_signed(Purpose::Upload, b"message", &signature).await.unwrap());
        assert_eq!(
            other.sign(Purpose::Upload, b"message", now).await.unwrap(),
            signature,
            "one key for both"
        );
        assert!(!other.is_signed(Purpose::RegistryToken, b"message", &signature).await.unwrap());
        assert!(!other.is_signed(Purpose::Upload, b"massage", &signature).await.unwrap());
        for odd in
            ["", ".", "1.", "x.00", "9.00", &signature.replace('.', ".0"), &signature[..signature.len() - 1]]
        {
            assert!(!other.is_signed(Purpose::Upload, b"message", odd).await.unwrap(), "{odd}");
        }
    }
}
