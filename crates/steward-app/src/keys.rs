//! API keys: what agents and platforms send with.
//!
//! A key is looked up for every request that comes in, so what was found is remembered for some seconds. Revoking a
//! key in this process takes effect at once; other processes on the same database follow within five seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use steward_core::ids::{KeyId, WorkflowId};
use steward_core::time::Timestamp;
use steward_store::system::KeyScope;
use steward_store::tenant::ApiKey;

use crate::agencies::name_of;
use crate::secrets::Secret;
use crate::sign_in::looks_like;
use crate::{Actor, App, AppError, Inner};

/// The beginning of a key's secret.
pub const KEY: &str = "stk_";
/// How long it is remembered what a key is for.
const KNOWN_FOR_MS: i64 = 5_000;
/// The most keys that are remembered.
const MAX_KNOWN: usize = 10_000;
/// The use of a key is recorded at most so often.
const USE_EVERY_MS: i64 = 60_000;
/// The characters of a key that are kept in the clear, so that people know it again.
const BEGINNING: usize = 12;

impl App {
    /// Makes a key, for one workflow or for the whole agency. The secret is shown once.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is no such workflow.
    pub async fn create_key(
        &self,
        actor: &Actor,
        name: &str,
        workflow: Option<WorkflowId>,
    ) -> Result<(ApiKey, Secret), AppError> {
        actor.must_operate()?;
        let name = name_of(name, "the key")?;
        if let Some(id) = workflow {
            self.get_workflow(actor, id).await?;
        }
        let secret = Secret::of(KEY, self.ids().secret());
        let key = ApiKey {
            id: KeyId::from_uuid(self.ids().make()),
            workflow_id: workflow,
            name,
            beginning: secret.reveal().chars().take(BEGINNING).collect(),
            created_at: self.clock().now(),
            last_used_at: None,
            revoked_at: None,
        };
        self.store_of(actor).create_key(&key, &secret.hash()).await?;
        self.audit_by(actor, "key.create", key.id, &format!("{} {}…", key.name, key.beginning)).await?;
        Ok((key, secret))
    }

    /// Lists the agency's keys, newest first, revoked ones included.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn list_keys(&self, actor: &Actor) -> Result<Vec<ApiKey>, AppError> {
        actor.must_operate()?;
        Ok(self.store_of(actor).list_keys().await?)
    }

    /// Revokes a key.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none to revoke; [`AppError::Forbidden`] for who does not operate.
    pub async fn revoke_key(&self, actor: &Actor, id: KeyId) -> Result<(), AppError> {
        actor.must_operate()?;
        if !self.store_of(actor).revoke_key(id, self.clock().now()).await? {
            return Err(AppError::NotFound("key"));
        }
        self.known_keys().forget_all();
        self.audit_by(actor, "key.revoke", id, "").await
    }

    /// Finds what a key is for, and records that it was used. `None` when it is unknown or revoked.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn find_key_scope(&self, key: &Secret) -> Result<Option<KeyScope>, AppError> {
        if !looks_like(key, KEY) {
            return Ok(None);
        }
        let now = self.clock().now();
        let known = self.known_keys();
        let hash = key.hash();
        let scope = match known.find(&hash, now) {
            Ok(scope) => scope,
            Err(round) => {
                let scope = self.store().find_key(&hash).await?;
                known.remember(hash, scope, now, round);
                scope
            }
        };
        if let Some(scope) = scope.filter(|scope| known.is_use_due(scope.key_id, now)) {
            // A key is good also while the database cannot take the note of its use.
            if let Err(error) = self.agency(scope.agency_id).record_key_use(scope.key_id, now).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "the use of a key was not recorded");
            }
        }
        Ok(scope)
    }

    fn known_keys(&self) -> Arc<KnownKeys> {
        let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = all.iter().find(|(app, _)| std::ptr::eq(app.as_ptr(), Arc::as_ptr(&self.inner))) {
            return Arc::clone(known);
        }
        all.retain(|(app, _)| app.strong_count() > 0);
        let known = Arc::new(KnownKeys::default());
        all.push((Arc::downgrade(&self.inner), Arc::clone(&known)));
        known
    }
}

/// What each application of this process remembers: one, or in tests many that must not mix.
///
/// The weak handle keeps the address from being used again, so an address is one application.
static KNOWN: Mutex<Vec<(Weak<Inner>, Arc<KnownKeys>)>> = Mutex::new(Vec::new());

/// What keys are for, as far as it is remembered.
#[derive(Debug, Default)]
struct KnownKeys {
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    scopes: HashMap<Vec<u8>, (Timestamp, Option<KeyScope>)>,
    used_at: HashMap<KeyId, Timestamp>,
    /// Counts up when all is forgotten: what was asked before that must not be remembered after it.
    round: u64,
}

impl KnownKeys {
    /// What is remembered of a key, or else the round in which to ask.
    fn find(&self, hash: &[u8], now: Timestamp) -> Result<Option<KeyScope>, u64> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        match inside.scopes.get(hash) {
            Some((at, scope)) if is_fresh(*at, now, KNOWN_FOR_MS) => Ok(*scope),
            _ => Err(inside.round),
        }
    }

    fn remember(&self, hash: Vec<u8>, scope: Option<KeyScope>, now: Timestamp, round: u64) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.round != round {
            return;
        }
        if inside.scopes.len() >= MAX_KNOWN {
            inside.scopes.retain(|_, (at, _)| is_fresh(*at, now, KNOWN_FOR_MS));
            if inside.scopes.len() >= MAX_KNOWN {
                inside.scopes.clear();
            }
        }
        inside.scopes.insert(hash, (now, scope));
    }

    fn forget_all(&self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.scopes.clear();
        inside.round += 1;
    }

    /// Whether the use of a key is to be recorded; the first who asks records it.
    fn is_use_due(&self, id: KeyId, now: Timestamp) -> bool {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.used_at.get(&id).is_some_and(|at| is_fresh(*at, now, USE_EVERY_MS)) {
            return false;
        }
        if inside.used_at.len() >= MAX_KNOWN {
            inside.used_at.clear();
        }
        inside.used_at.insert(id, now);
        true
    }
}

/// Whether something is less old than a bound; what seems to come from the future, after a clock was set back, is not.
fn is_fresh(at: Timestamp, now: Timestamp, for_ms: i64) -> bool {
    at <= now && now.ms_since(at) < for_ms
}
