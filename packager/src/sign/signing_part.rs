//! Which part of a key may sign: the primary key, or one of its subkeys (RFC 9580 §5.2.3.29, key flags).
//!
//! Only what the key says of itself counts; others certify it too, and their words are not its own.

use std::time::Duration;

use pgp::composed::SignedSecretKey;
use pgp::packet::{Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, KeyVersion, Timestamp};

/// Returns the parts that may sign at `now`: nothing stands for the primary key, a number for a subkey.
///
/// # Errors
/// Why no part may.
pub(super) fn signing_parts(
    key: &SignedSecretKey,
    now: Timestamp,
) -> Result<Vec<Option<usize>>, &'static str> {
    if !matches!(key.primary_key.version(), KeyVersion::V4) {
        return Err("is not of version 4, and Helm reads no other");
    }
    if !key.details.revocation_signatures.is_empty() {
        return Err("was revoked");
    }
    let id = key.primary_key.legacy_key_id();
    let of_users = key.details.users.iter().flat_map(|user| &user.signatures);
    let all = key.details.direct_signatures.iter().chain(of_users);
    let own: Vec<&Signature> = all.filter(|one| one.issuer_key_id().contains(&&id)).collect();
    if has_expired(key.primary_key.created_at(), &own, now) {
        return Err("has expired");
    }
    let mut parts = Vec::new();
    // A key without flags is one of the time before there were any.
    if own.iter().any(|one| one.key_flags().sign()) || !own.iter().any(|one| has_flags(one)) {
        parts.push(None);
    }
    for (at, subkey) in key.secret_subkeys.iter().enumerate() {
        let bindings: Vec<&Signature> = subkey.signatures.iter().collect();
        let is_revoked = bindings.iter().any(|one| one.typ() == Some(SignatureType::SubkeyRevocation));
        let signs = bindings.iter().any(|one| one.key_flags().sign());
        if signs && !is_revoked && !has_expired(subkey.key.created_at(), &bindings, now) {
            parts.push(Some(at));
        }
    }
    if parts.is_empty() { Err("is not one that may sign") } else { Ok(parts) }
}

/// The newest signature about a key decides about its end; 0 seconds mean that there is none.
fn has_expired(created: Timestamp, about: &[&Signature], now: Timestamp) -> bool {
    let newest = about.iter().max_by_key(|one| one.created().map(Timestamp::as_secs));
    let lasts = newest.and_then(|one| one.key_expiration_time()).map(Duration::from);
    lasts.is_some_and(|lasts| {
        lasts != Duration::ZERO && u64::from(created.as_secs()) + lasts.as_secs() < u64::from(now.as_secs())
    })
}

fn has_flags(signature: &Signature) -> bool {
    let config = signature.config();
    config.is_some_and(|config| {
        config.hashed_subpackets().any(|one| matches!(one.data, SubpacketData::KeyFlags(_)))
    })
}
