//! Signs what is handed to clients and comes back to any replica: nothing of it needs to be kept meanwhile.
//!
//! HMAC-SHA-256 (RFC 2104) with keys of the catalog. Each purpose has its own kind of signature, so that what was signed for
//! one is worth nothing for another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chart::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Mutex;

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
            Self::RegistryToken => b"registry token",
            Self::Upload => b"upload",
        }
    }
}

/// A key of the catalog that signs or verifies.
#[derive(Clone)]
pub(crate) struct SigningKey(SigningKeyRow);

/// Signs and verifies; clones share the keys.
#[derive(Clone)]
pub(crate) struct Signer {
    catalog: Catalog,
    keys: Arc<RwLock<Vec<SigningKey>>>,
    readings: Arc<Readings>,
}

/// The readings of the keys, numbered in the order they began.
#[derive(Default)]
struct Readings {
    begun: AtomicU64,
    /// The number of the last one that came to its end; locked while one is under way.
    finished: Mutex<u64>,
}

impl SigningKey {
    /// Returns the number that what it signs carries.
    pub(crate) fn id(&self) -> i64 {
        self.0.id
    }

    /// Returns the code of `message`.
    pub(crate) fn code(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        self.mac(purpose, message).finalize().into_bytes().into()
    }

    /// Tells whether `code` is that of `message`, in a time that does not depend on how much of it is right.
    pub(crate) fn is_code(&self, purpose: Purpose, message: &[u8], code: &[u8]) -> bool {
        self.mac(purpose, message).verify_slice(code).is_ok()
    }

    /// The key itself signs nothing but the words of purposes, whose codes are the keys of these.
    fn mac(&self, purpose: Purpose, message: &[u8]) -> Hmac<Sha256> {
        let purposes = keyed(&self.0.secret, purpose.word());
        keyed(&purposes.finalize().into_bytes(), message)
    }
}

impl Signer {
    /// Knows no key yet.
    pub(crate) fn new(catalog: Catalog) -> Self {
        Self { catalog, keys: Arc::default(), readings: Arc::default() }
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
        let key = self.newest_key(now).await?;
        let hex: String = key.code(purpose, message).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{}.{hex}", key.id()))
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
        Ok(self.find_key(id).await?.is_some_and(|key| key.is_code(purpose, message, &code)))
    }

    /// Returns the key that signs at the moment, making the first one.
    ///
    /// # Errors
    /// [`CatalogError`] when no key is in memory and the catalog does not answer.
    pub(crate) async fn newest_key(&self, now: Timestamp) -> Result<SigningKey, CatalogError> {
        if let Some(key) = self.newest() {
            return Ok(key);
        }
        self.read_keys().await?;
        if let Some(key) = self.newest() {
            return Ok(key);
        }
        // Two replicas may both make one, which is just as good: either verifies.
        self.catalog.add_signing_key(app::random_secret(), now).await?;
        self.read_keys().await?;
        self.newest().ok_or(CatalogError::Closed)
    }

    /// Returns the key of this number; `None` when there is none, or none any more.
    ///
    /// # Errors
    /// [`CatalogError`] when it is not in memory and the catalog does not answer.
    pub(crate) async fn find_key(&self, id: i64) -> Result<Option<SigningKey>, CatalogError> {
        if let Some(key) = self.find(id) {
            return Ok(Some(key));
        }
        // Another replica may have begun to use a new one.
        self.read_keys().await?;
        Ok(self.find(id))
    }

    /// Makes a new key when the newest is as old as `signs_for`, forgets those that have signed nothing for longer than
    /// `verifies_for`, and reads what there is now. Any number of replicas may do so at the same time.
    ///
    /// # Errors
    /// [`CatalogError`]; the keys in memory go on.
    pub(crate) async fn rotate(
        &self,
        now: Timestamp,
        signs_for: Duration,
        verifies_for: Duration,
    ) -> Result<(), CatalogError> {
        let (signing_since, verifying_since) = (ago(now, signs_for), ago(now, verifies_for));
        self.read_keys().await?;
        if !self.is_time_to_rotate(signing_since, verifying_since) {
            return Ok(());
        }
        self.catalog.rotate_signing_keys(app::random_secret(), now, signing_since, verifying_since).await?;
        self.read_keys().await
    }

    /// Tells whether there is anything to write, for this is asked every minute by every server.
    fn is_time_to_rotate(&self, signing_since: Timestamp, verifying_since: Timestamp) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let [newest, older @ ..] = keys.as_slice() else { return true };
        let successors = keys.iter().take(older.len());
        newest.0.created_at <= signing_since
            || successors.into_iter().any(|successor| successor.0.created_at < verifying_since)
    }

    /// Reads the keys, once for all who ask while a reading has not begun: keys that were never there are asked for by
    /// whoever makes up tokens, and the catalog must not feel it.
    async fn read_keys(&self) -> Result<(), CatalogError> {
        let begun_before = self.readings.begun.load(Ordering::SeqCst);
        let mut finished = self.readings.finished.lock().await;
        if *finished > begun_before {
            return Ok(());
        }
        let number = self.readings.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let keys = self.catalog.list_signing_keys().await?;
        *finished = number;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) =
            keys.into_iter().map(SigningKey).collect();
        Ok(())
    }

    fn newest(&self) -> Option<SigningKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    fn find(&self, id: i64) -> Option<SigningKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|key| key.id() == id).cloned()
    }
}

fn ago(now: Timestamp, duration: Duration) -> Timestamp {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.micros().saturating_sub(micros))
}

fn keyed(secret: &[u8], message: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "a key of HMAC may have any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
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

    #[tokio::test]
    async fn an_old_key_stops_signing_and_verifies_until_what_it_signed_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open_embedded(&folder.path().join("catalog.db")).await.unwrap();
        let [one, other] = [(); 2].map(|()| Signer::new(catalog.clone()));
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let rotate = |now| one.rotate(at(now), Duration::from_secs(100), Duration::from_secs(30));
        let signed = |signer: Signer, now| async move {
            signer.sign(Purpose::RegistryToken, b"message", at(now)).await.unwrap()
        };
        let first = signed(one.clone(), 0).await;
        let _ = signed(other.clone(), 0).await;
        rotate(99).await.unwrap();
        assert_eq!(signed(one.clone(), 99).await, first, "a key signs for 100 s");
        rotate(101).await.unwrap();
        let second = signed(one.clone(), 101).await;
        assert_ne!(second, first);
        assert_eq!(signed(other.clone(), 101).await, first, "a replica may learn of it later");
        let holds = |signature: String| {
            let signer = Signer::new(catalog.clone());
            async move { signer.is_signed(Purpose::RegistryToken, b"message", &signature).await.unwrap() }
        };
        assert!(other.is_signed(Purpose::RegistryToken, b"message", &second).await.unwrap());
        rotate(130).await.unwrap();
        assert!(holds(first.clone()).await, "it stopped signing 29 s ago");
        rotate(132).await.unwrap();
        assert!(!holds(first).await && holds(second).await);
    }
}
