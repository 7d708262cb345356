//! Mistakes people make when they connect something: recognised, named with the mend, and kept for some days so that
//! whoever connects sees them without the sender's log.
//!
//! Bounded: one row a sender, kind and hour, written at most every few seconds. Senders are keys and connections that
//! exist; who shows neither is counted as nobody, and only where the database holds one agency.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use steward_core::ids::{AgencyId, ConnectionId, KeyId};
use steward_core::time::{DAY_MICROS, Timestamp};
use steward_store::tenant::MistakeRow;
use uuid::Uuid;

use crate::{Actor, App, AppError};

/// How often one kind of mistake of one sender is written.
const WRITE_EVERY_MS: i64 = 2_000;
/// The most pairs of sender and kind that are counted in memory.
const MAX_PENDING: usize = 2_000;
/// How long mistakes are kept.
const KEPT_DAYS: i64 = 7;
/// The most characters of what the sender was told that are kept.
const MAX_WORDS: usize = 400;

/// A mistake that is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// A path that is nearly one of ours.
    Path,
    /// The right path with another method.
    Method,
    /// No key at all.
    NoKey,
    /// A key in a form that is not read.
    KeyForm,
    /// A key that is unknown or was revoked.
    UnknownKey,
    /// Logs or metrics where traces belong.
    OtherSignal,
    /// A content type that says something else than the bytes are.
    ContentType,
    /// A content encoding that says something else than the bytes are.
    Encoding,
    /// Times that are hours off, or in the wrong unit.
    Clock,
    /// A delivery whose signature is missing or wrong.
    Signature,
    /// A payload that cannot be read.
    Unreadable,
    /// An address of a connection that is used for another platform.
    Platform,
}

impl Mistake {
    const ALL: [Self; 12] = [
        Self::Path,
        Self::Method,
        Self::NoKey,
        Self::KeyForm,
        Self::UnknownKey,
        Self::OtherSignal,
        Self::ContentType,
        Self::Encoding,
        Self::Clock,
        Self::Signature,
        Self::Unreadable,
        Self::Platform,
    ];

    /// The word for it, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Method => "method",
            Self::NoKey => "no_key",
            Self::KeyForm => "key_form",
            Self::UnknownKey => "unknown_key",
            Self::OtherSignal => "other_signal",
            Self::ContentType => "content_type",
            Self::Encoding => "encoding",
            Self::Clock => "clock",
            Self::Signature => "signature",
            Self::Unreadable => "unreadable",
            Self::Platform => "platform",
        }
    }

    /// What it is, in a line.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Path => "Sent to a wrong address",
            Self::Method => "Sent with a wrong method",
            Self::NoKey => "Sent without a key",
            Self::KeyForm => "The key is not in a form that is read",
            Self::UnknownKey => "The key is unknown or was revoked",
            Self::OtherSignal => "Logs or metrics sent where traces belong",
            Self::ContentType => "The content type is not what the bytes are",
            Self::Encoding => "The content encoding is not what the bytes are",
            Self::Clock => "Times are off",
            Self::Signature => "The signature was refused",
            Self::Unreadable => "A payload could not be read",
            Self::Platform => "The address is for another platform",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Who made a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// Somebody with a key.
    Key(AgencyId, KeyId),
    /// Somebody at the address of a connection.
    Connection(AgencyId, ConnectionId),
    /// Somebody who showed neither.
    Nobody,
}

/// A mistake as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The key, connection, or nobody.
    pub sender: Uuid,
    /// What it was.
    pub mistake: Mistake,
    /// How often in the last day.
    pub n: i64,
    /// When last.
    pub last_at: Timestamp,
    /// What the sender was told, which says the mend.
    pub words: String,
}

/// Mistakes that were counted and not written yet.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    inside: Mutex<HashMap<(Sender, Mistake), Counted>>,
}

#[derive(Debug)]
struct Counted {
    n: i64,
    last_at: Timestamp,
    words: String,
    written_at: Option<Timestamp>,
}

impl Pending {
    /// Counts a mistake, and gives the row to write when it is time.
    fn count(&self, sender: Sender, mistake: Mistake, words: &str, now: Timestamp) -> Option<Counted> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.len() >= MAX_PENDING && !inside.contains_key(&(sender, mistake)) {
            inside.retain(|_, counted| counted.n > 0);
            if inside.len() >= MAX_PENDING {
                inside.clear();
            }
        }
        let counted = inside.entry((sender, mistake)).or_insert(Counted {
            n: 0,
            last_at: now,
            words: String::new(),
            written_at: None,
        });
        counted.n += 1;
        counted.last_at = now;
        counted.words = words.chars().take(MAX_WORDS).collect();
        let is_due = counted.written_at.is_none_or(|at| now < at || now.ms_since(at) >= WRITE_EVERY_MS);
        is_due.then(|| counted.take(now))
    }

    /// Everything that is not written yet.
    fn take_all(&self, now: Timestamp) -> Vec<((Sender, Mistake), Counted)> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = inside.iter_mut().filter(|(_, counted)| counted.n > 0);
        waiting.map(|(key, counted)| (*key, counted.take(now))).collect()
    }
}

impl Counted {
    fn take(&mut self, now: Timestamp) -> Self {
        self.written_at = Some(now);
        Self { n: std::mem::take(&mut self.n), last_at: self.last_at, words: self.words.clone(), written_at: Some(now) }
    }
}

impl App {
    /// Notes a mistake of a sender, with what it was told. A database that does not answer loses the note, not more.
    pub async fn note_mistake(&self, sender: Sender, mistake: Mistake, words: &str) {
        if let Some(counted) = self.inner.mistakes.count(sender, mistake, words, self.clock().now()) {
            self.write_mistake(sender, mistake, counted).await;
        }
    }

    async fn write_mistake(&self, sender: Sender, mistake: Mistake, counted: Counted) {
        let result = async {
            let (agency_id, id) = match sender {
                Sender::Key(agency_id, id) => (agency_id, id.as_uuid()),
                Sender::Connection(agency_id, id) => (agency_id, id.as_uuid()),
                Sender::Nobody => match self.store().list_agencies().await?.as_slice() {
                    [only] => (only.id, Uuid::nil()),
                    _ => return Ok(()),
                },
            };
            let Counted { n, last_at, words, .. } = counted;
            let words = self.policies(agency_id).await?.words(&words).into_owned();
            let row = MistakeRow { sender: id, kind: mistake.as_str().to_owned(), n, last_at, words };
            self.agency(agency_id).record_mistake(&row).await?;
            Ok::<(), AppError>(())
        };
        if let Err(error) = result.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a sender's mistake was not noted");
        }
    }

    /// The mistakes of the last day, the latest first.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn list_mistakes(&self, actor: &Actor) -> Result<Vec<Made>, AppError> {
        actor.must_operate()?;
        let now = self.clock().now();
        for ((sender, mistake), counted) in self.inner.mistakes.take_all(now) {
            self.write_mistake(sender, mistake, counted).await;
        }
        let rows = self.store_of(actor).list_mistakes(Timestamp(now.0 - DAY_MICROS)).await?;
        let made = rows.into_iter().filter_map(|row| {
            let MistakeRow { sender, kind, n, last_at, words } = row;
            // A newer version may have named others.
            Some(Made { sender, mistake: Mistake::parse(&kind)?, n, last_at, words })
        });
        Ok(made.collect())
    }

    /// Drops mistakes that are too old to be of use.
    pub(crate) async fn drop_old_mistakes(&self, agency_id: AgencyId) -> Result<(), AppError> {
        let before = Timestamp(self.clock().now().0 - KEPT_DAYS * DAY_MICROS);
        self.agency(agency_id).drop_mistakes(before).await?;
        Ok(())
    }
}
