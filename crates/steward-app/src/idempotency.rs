//! Writes that their sender may send again without their being done again: the `Idempotency-Key` of the IETF's draft.
//!
//! A key is a person's own, and of one request: its method, its address and its body. While the first is under way a
//! second waits outside; when the first was done its answer is given again; when it changed nothing the key is free.
//! Answers may hold secrets that are shown once, so they are kept sealed; without a key to seal with only that it was
//! done is kept.

use sha2::{Digest as _, Sha256};
use steward_core::ids::AgencyId;
use steward_core::time::{DAY_MICROS, Timestamp};
use steward_store::tenant::{IdempotencyKey, KnownWrite};

use crate::{Actor, App, AppError};

/// The most characters of a key.
pub const MAX_KEY_CHARS: usize = 255;
/// How long a request may be under way; one whose process died holds its key no longer.
const LEASE_MS: i64 = 300_000;
/// How long answers are kept.
const KEPT_MICROS: i64 = DAY_MICROS;

/// What comes of sending a request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// It is to be done now, and [`App::settle_once`] to be told what came of it.
    Do(IdempotencyKey),
    /// It was done before, and answered so.
    Done {
        /// The answer's status.
        status: u16,
        /// The answer; `None` when it could not be kept.
        answer: Option<String>,
    },
}

impl App {
    /// Asks whether a request with a key is to be done. `request` is all that tells it from others.
    ///
    /// # Errors
    ///
    /// [`AppError::Invalid`] for a key that is none, or came with another request; [`AppError::Conflict`] while the
    /// same request is under way.
    pub async fn begin_once(&self, actor: &Actor, key: &str, request: &[&[u8]]) -> Result<Once, AppError> {
        // The draft writes keys in quotes; most senders do not.
        let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
        let is_plain = key.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if key.trim().is_empty() || key.chars().count() > MAX_KEY_CHARS || !is_plain {
            return Err(AppError::Invalid(format!("an Idempotency-Key has 1 to {MAX_KEY_CHARS} ASCII characters")));
        }
        let key = IdempotencyKey {
            person_id: actor.person_id,
            key_hash: hash(&[key.as_bytes()]),
            fingerprint: hash(request),
        };
        let store = self.store_of(actor);
        // Twice: a key that is found to be free is taken in the second round, or somebody else was quicker.
        for _ in 0..2 {
            let now = self.clock().now();
            if store.take_idempotency_key(&key, now, now.plus_ms(LEASE_MS)).await? {
                return Ok(Once::Do(key));
            }
            let Some(known) = store.find_idempotency_key(&key).await? else { continue };
            let is_over = known.created_at.plus_micros(KEPT_MICROS) <= now;
            let is_left = known.status.is_none() && known.lease_until <= now;
            if is_over || is_left {
                store.drop_idempotency_key(&key, Some(&known)).await?;
                continue;
            }
            return self.known_write(&key, known);
        }
        Err(under_way())
    }

    fn known_write(&self, key: &IdempotencyKey, known: KnownWrite) -> Result<Once, AppError> {
        if known.fingerprint != key.fingerprint {
            let words = "this Idempotency-Key came with another request; take a new key for each";
            return Err(AppError::Invalid(words.to_owned()));
        }
        let Some(status) = known.status else { return Err(under_way()) };
        let answer = known.answer.and_then(|sealed| self.unseal(&sealed, key.key_hash.as_bytes()).ok());
        Ok(Once::Done { status, answer })
    }

    /// Says what came of a request: its answer when it was done, `None` when it changed nothing, so that it may be sent
    /// again.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer. The key is free again when its lease is over.
    pub async fn settle_once(
        &self,
        actor: &Actor,
        key: &IdempotencyKey,
        done: Option<(u16, &str)>,
    ) -> Result<(), AppError> {
        let store = self.store_of(actor);
        match done {
            Some((status, answer)) => {
                let sealed = self.seal(answer, key.key_hash.as_bytes()).ok();
                store.keep_answer(key, status, sealed).await?;
            }
            None => store.drop_idempotency_key(key, None).await?,
        }
        Ok(())
    }

    /// Drops answers that are kept no longer.
    pub(crate) async fn drop_old_answers(&self, agency_id: AgencyId) -> Result<(), AppError> {
        let before = Timestamp(self.clock().now().0 - KEPT_MICROS);
        self.agency(agency_id).drop_idempotency_keys(before).await?;
        Ok(())
    }
}

fn under_way() -> AppError {
    AppError::Conflict("the same request is under way: send it again in a moment".to_owned())
}

/// The SHA-256 of parts, in hexadecimal; no two lists of parts have one text.
fn hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
