//! Asking platforms for what their webhooks lost: whole pages, from where the last look ended, through the same inbox.
//!
//! A look may take several requests, and any of them may fail: how far it got is stored, and the next goes on there.
//! What is known already is not kept a second time. What a platform lists and Steward did not have is counted, so that
//! webhooks that go missing are seen.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use steward_core::connections::PollSettings;
use steward_core::ids::AgencyId;
use steward_core::step::Step;
use steward_core::time::{DAY_MICROS, Timestamp};
use steward_store::system::InboxKind;
use steward_store::tenant::{Connection, PollState};
use steward_wire::WireError;
use steward_wire::platforms::{
    Account, Detail, HttpRequest, Page, Platform, items_of_page, list_request, payload_of_detail, read_page,
};

use super::source_of;
use crate::assemble::trace_key;
use crate::intake::Origin;
use crate::mistakes::{Mistake, Sender};
use crate::privacy::{Kept, Policies};
use crate::{App, AppError};

/// How long a connection is held while it is asked: longer than a look asks in a row.
const HELD_MS: i64 = 1_800_000;
/// How long one look asks in a row.
const MAX_ASKING_MS: i64 = 1_200_000;
/// Pages that are asked for in a row; then others have their turn.
const MAX_PAGES: usize = 20;
/// A look that has no end by then is begun anew.
const MAX_LOOK_MS: i64 = 24 * 3_600_000;
/// How far back a first look goes.
const FIRST_LOOK_MS: i64 = 24 * 3_600_000;
/// How far a look goes back behind the one before: platforms list runs by when they began, and a run may take so long.
const OVERLAP_MS: i64 = 2 * 3_600_000;
/// The same for platforms that list by the last change.
const OVERLAP_OF_CHANGES_MS: i64 = 600_000;
/// How far a look goes back once a day, for runs that took longer.
const LOOK_BACK_MS: i64 = 26 * 3_600_000;
/// What ended less long ago may still be on its way by itself.
const ON_ITS_WAY_MS: i64 = 300_000;
/// Pauses after failures: the first, and the longest.
const FIRST_PAUSE_MS: i64 = 60_000;
const MAX_PAUSE_MS: i64 = 3_600_000;

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Its status.
    pub status: u16,
    /// How long the platform asks to wait, in seconds.
    pub retry_after_seconds: Option<u32>,
    /// Its body.
    pub body: Bytes,
}

/// A request that got no answer; the words say why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Why a look did not come to its end.
enum Stopped {
    /// Ask again after a pause; the words say why.
    Failed { words: String, pause_ms: Option<i64> },
    /// The cursor is not known any more.
    Lost { words: String },
    /// Intake or the database failed: a fault here, not there.
    Here(AppError),
}

impl From<AppError> for Stopped {
    fn from(error: AppError) -> Self {
        Self::Here(error)
    }
}

/// An item of a page.
struct Item {
    payload: Value,
    /// The keys of the runs that it tells of.
    keys: Vec<String>,
    began_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    rejection: Option<String>,
    /// Whether Steward had all of these runs before.
    is_known: bool,
}

/// A look under way.
struct Look {
    agency_id: AgencyId,
    connection: Connection,
    platform: Platform,
    kind: InboxKind,
    settings: PollSettings,
    token: String,
    scope: String,
    policies: Arc<Policies>,
    /// When the look before began; what ended before it was seen by that.
    seen_until: Timestamp,
    /// From when on runs are asked for.
    since: Timestamp,
    /// When it is given up for now, so that it ends before its hold.
    until: Timestamp,
}

impl Look {
    fn account(&self) -> Account<'_> {
        Account {
            base_url: &self.settings.base_url,
            token: &self.token,
            subject: &self.settings.subject,
            scope: &self.scope,
            since: self.since,
        }
    }

    /// Reads a page, and each of its items by itself so that those that are known can be left out.
    fn read_page(&self, cursor: Option<&str>, body: &[u8], now: Timestamp) -> Result<(Page, Vec<Item>), WireError> {
        let page = read_page(self.platform, &self.account(), cursor, body, now)?;
        let items = items_of_page(self.platform, &self.account(), body)?;
        let items = items.into_iter().map(|payload| self.read(payload, now)).collect();
        Ok((page, items))
    }

    fn origin(&self, received_at: Timestamp) -> Origin {
        Origin {
            agency_id: self.agency_id,
            workflow_id: Some(self.connection.workflow_id),
            connection_id: Some(self.connection.id),
            is_test: false,
            received_at,
        }
    }

    fn read(&self, payload: Value, now: Timestamp) -> Item {
        let body = payload.to_string();
        // As it would be kept: where ids are masked, its run has another key.
        let (steps, rejection) = match self.policies.sort(self.origin(now), self.kind, body.as_bytes(), &HashMap::new())
        {
            Ok(Kept { payloads, answer }) => {
                (payloads.into_iter().flat_map(|payload| payload.steps).collect(), answer.rejection)
            }
            Err(error) => (Vec::<Step>::new(), Some(error.to_string())),
        };
        let workflow = Some(self.connection.workflow_id);
        let mut keys: Vec<String> = steps.iter().map(|step| trace_key(workflow, &step.trace_id)).collect();
        keys.sort();
        keys.dedup();
        Item {
            payload,
            keys,
            began_at: steps.iter().map(|step| step.started_at).min(),
            ended_at: steps.iter().map(|step| step.ended_at).max(),
            rejection,
            is_known: false,
        }
    }

    /// Whether webhooks lost an item: it is not known, is no longer on its way, and is no older than the connection.
    fn has_lost(&self, item: &Item, now: Timestamp) -> bool {
        !item.is_known
            && item.ended_at.is_some_and(|at| at < now.plus_ms(-ON_ITS_WAY_MS))
            && item.began_at.is_some_and(|at| at >= self.connection.created_at)
    }

    /// Whether an item says something that was not said. What was there before and ended before the look before is as it
    /// was, but where the list is one of changes.
    fn is_news(&self, item: &Item) -> bool {
        let is_old = item.ended_at.is_some_and(|at| at < self.seen_until.plus_ms(-ON_ITS_WAY_MS));
        item.rejection.is_none() && !(item.is_known && is_old && self.platform != Platform::Vapi)
    }
}

impl App {
    /// Asks the platform of one connection that is due. Gives whether there was one. `fetch` sends a request and gives
    /// its answer, within bounds of time and size.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer; the connection is then due again when its hold ends.
    pub async fn poll_next<F, A>(&self, fetch: F) -> Result<bool, AppError>
    where
        F: Fn(HttpRequest) -> A + Sync,
        A: Future<Output = Result<Fetched, FetchError>> + Send,
    {
        let now = self.clock().now();
        let Some((agency_id, connection)) = self.store().claim_poll(now, now.plus_ms(HELD_MS)).await? else {
            return Ok(false);
        };
        let mut poll = connection.poll.clone();
        let workflow = self.agency(agency_id).find_workflow(connection.workflow_id).await?;
        if workflow.is_none_or(|workflow| workflow.archived_at.is_some()) {
            // What is put away is not asked for; it may come back.
            poll.next_at = Some(now.plus_ms(MAX_PAUSE_MS));
            self.agency(agency_id).record_poll(connection.id, &poll).await?;
            return Ok(true);
        }
        let result = self.look(agency_id, &connection, &mut poll, &fetch).await;
        let now = self.clock().now();
        let every_ms =
            connection.settings.poll.as_ref().map_or(MAX_PAUSE_MS, |poll| i64::from(poll.every_minutes) * 60_000);
        let pause_ms = match result {
            Ok(true) => {
                poll.error = None;
                poll.n_failures = 0;
                every_ms
            }
            // There are more pages.
            Ok(false) => {
                poll.error = None;
                poll.n_failures = 0;
                1_000
            }
            Err(stopped) => {
                poll.n_failures = poll.n_failures.saturating_add(1);
                let doubled = FIRST_PAUSE_MS << poll.n_failures.clamp(1, 7).saturating_sub(1);
                let (words, pause_ms) = match stopped {
                    Stopped::Failed { words, pause_ms } => (words, pause_ms.unwrap_or(doubled)),
                    Stopped::Lost { words } => {
                        poll.cursor = None;
                        (words, doubled)
                    }
                    Stopped::Here(error) => {
                        let connection = connection.id;
                        tracing::warn!(connection.id = %connection, error = &error as &dyn std::error::Error, "connection {connection} could not be asked");
                        ("Steward could not keep what it was told; it asks again".to_owned(), doubled)
                    }
                };
                poll.error = Some(words);
                pause_ms.min(MAX_PAUSE_MS)
            }
        };
        poll.next_at = Some(now.plus_ms(pause_ms));
        self.agency(agency_id).record_poll(connection.id, &poll).await?;
        Ok(true)
    }

    /// Asks for pages until the look is at its end. Gives whether it is.
    async fn look<F, A>(
        &self,
        agency_id: AgencyId,
        connection: &Connection,
        poll: &mut PollState,
        fetch: &F,
    ) -> Result<bool, Stopped>
    where
        F: Fn(HttpRequest) -> A + Sync,
        A: Future<Output = Result<Fetched, FetchError>> + Send,
    {
        let (Some(platform), Some(settings)) = (source_of(connection)?.platform(), &connection.settings.poll) else {
            return Ok(true);
        };
        let token = self.kept(agency_id, connection)?.api_token.unwrap_or_default();
        let now = self.clock().now();
        let is_endless = poll.begun_at.is_some_and(|at| now.ms_since(at) > MAX_LOOK_MS);
        if poll.cursor.is_none() || is_endless {
            (poll.cursor, poll.begun_at) = (None, Some(now));
            (poll.n_listed, poll.n_known) = (0, 0);
        }
        let begun_at = poll.begun_at.unwrap_or(now);
        let looks_back = poll.looked_back_at.is_none_or(|at| begun_at.0 - at.0 >= DAY_MICROS);
        let since = poll.since.unwrap_or_else(|| connection.created_at.plus_ms(-FIRST_LOOK_MS));
        let overlap_ms = match platform {
            _ if looks_back && poll.since.is_some() => LOOK_BACK_MS,
            Platform::Vapi => OVERLAP_OF_CHANGES_MS,
            _ => OVERLAP_MS,
        };
        let look = Arc::new(Look {
            agency_id,
            connection: connection.clone(),
            platform,
            kind: InboxKind::parse(platform.as_str()).unwrap_or(InboxKind::Event),
            settings: settings.clone(),
            token,
            scope: connection.id.to_string(),
            policies: self.policies(agency_id).await?,
            seen_until: since,
            since: since.plus_ms(-overlap_ms),
            until: now.plus_ms(MAX_ASKING_MS),
        });
        for _ in 0..MAX_PAGES {
            if self.clock().now() > look.until {
                return Ok(false);
            }
            let next = self.page(&look, poll, fetch).await?;
            poll.cursor = next;
            if poll.cursor.is_none() {
                poll.since = Some(begun_at);
                poll.begun_at = None;
                poll.polled_at = Some(self.clock().now());
                if looks_back {
                    poll.looked_back_at = Some(begun_at);
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks for one page and takes in what it tells. Gives where the next begins.
    async fn page<F, A>(&self, look: &Arc<Look>, poll: &mut PollState, fetch: &F) -> Result<Option<String>, Stopped>
    where
        F: Fn(HttpRequest) -> A + Sync,
        A: Future<Output = Result<Fetched, FetchError>> + Send,
    {
        let name = look.platform.name();
        let cursor = poll.cursor.clone();
        let Some(request) = list_request(look.platform, &look.account(), cursor.as_deref()) else {
            let words = format!("{name} cannot be asked with these settings: look at the address of its API");
            return Err(Stopped::Failed { words, pause_ms: Some(MAX_PAUSE_MS) });
        };
        let body = answered(name, fetch(request).await, cursor.is_some())?;
        let now = self.clock().now();
        let reading = {
            let look = Arc::clone(look);
            tokio::task::spawn_blocking(move || look.read_page(cursor.as_deref(), &body, now))
        };
        let read = reading.await.map_err(|_| AppError::Fault("reading a platform's page"))?;
        let (page, mut items) = read.map_err(|error| Stopped::Failed {
            words: format!("{name} answered what cannot be read: {error}; is the address that of its API?"),
            pause_ms: None,
        })?;
        let keys: Vec<String> = items.iter().flat_map(|item| item.keys.clone()).collect();
        let known = self.agency(look.agency_id).find_known_keys(&keys).await.map_err(AppError::from)?;
        let known: HashSet<String> = known.into_iter().collect();
        for item in &mut items {
            item.is_known = !item.keys.is_empty() && item.keys.iter().all(|key| known.contains(key));
        }
        if let Some(reason) = items.iter().find_map(|item| item.rejection.as_deref()) {
            let sender = Sender::Connection(look.agency_id, look.connection.id);
            self.note_mistake(sender, Mistake::Unreadable, reason).await;
        }
        let n_listed = items.iter().filter(|item| item.ended_at.is_some()).count();
        let n_known = items.iter().filter(|item| item.is_known).count();
        items.retain(|item| look.is_news(item));
        let (details, stopped) = self.details(look, &items, &page.details, fetch).await;
        if stopped.is_some() {
            // What was told in full is kept, so that it is not asked for again; the rest of the page is asked for anew.
            let mut place = 0..;
            items.retain(|_| place.next().is_some_and(|place| details.contains_key(&place)));
        }
        let n_lost = items.iter().filter(|item| look.has_lost(item, now)).count();
        // A detail may tell less of some things than its line: both are kept, and make one run.
        let payloads: Vec<Value> = items.into_iter().map(|item| item.payload).chain(details.into_values()).collect();
        if !payloads.is_empty() {
            let body = Value::Array(payloads).to_string().into_bytes();
            self.accept_from(look.origin(now), look.kind, body.into()).await.map_err(AppError::from)?;
        }
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        poll.n_found = poll.n_found.saturating_add(count(n_lost));
        if let Some(stopped) = stopped {
            return Err(stopped);
        }
        poll.n_listed = poll.n_listed.saturating_add(count(n_listed));
        poll.n_known = poll.n_known.saturating_add(count(n_known));
        Ok(page.next)
    }

    /// Asks for the items of which a page tells too little, but for those that are known. Gives them by their place, and
    /// why it stopped before it had all.
    async fn details<F, A>(
        &self,
        look: &Look,
        items: &[Item],
        details: &[Detail],
        fetch: &F,
    ) -> (BTreeMap<usize, Value>, Option<Stopped>)
    where
        F: Fn(HttpRequest) -> A + Sync,
        A: Future<Output = Result<Fetched, FetchError>> + Send,
    {
        let name = look.platform.name();
        let is_of = |item: &Item, detail: &Detail| {
            let ids = ["conversation_id", "imtId", "id"].iter().filter_map(|key| item.payload.get(*key));
            ids.filter_map(Value::as_str).any(|id| id == detail.id)
        };
        let mut found = BTreeMap::new();
        for detail in details {
            let Some(place) = items.iter().position(|item| is_of(item, detail)) else { continue };
            if items[place].is_known {
                continue;
            }
            if self.clock().now() > look.until {
                let words = format!("{name} answers slowly; Steward goes on where it was");
                return (found, Some(Stopped::Failed { words, pause_ms: Some(1_000) }));
            }
            let body = match fetch(detail.request.clone()).await {
                // It was deleted meanwhile, or is none of those that can be seen: its line has to do.
                Ok(Fetched { status: 400 | 404 | 410 | 422, .. }) => continue,
                other => match answered(name, other, false) {
                    Ok(body) => body,
                    Err(stopped) => return (found, Some(stopped)),
                },
            };
            let payload = payload_of_detail(look.platform, &look.account(), &detail.id, &body).ok();
            if let Some(payload) = payload.and_then(|payload| serde_json::from_slice(&payload).ok()) {
                found.insert(place, payload);
            }
        }
        (found, None)
    }
}

/// The body of an answer, or why there is none.
fn answered(name: &str, fetched: Result<Fetched, FetchError>, has_cursor: bool) -> Result<Bytes, Stopped> {
    let Fetched { status, retry_after_seconds, body } = fetched
        .map_err(|error| Stopped::Failed { words: format!("{name} could not be asked: {error}"), pause_ms: None })?;
    let asked_for_ms = retry_after_seconds.map(|seconds| i64::from(seconds.clamp(1, 3_600)) * 1_000);
    let failed = |words: String, pause_ms| Err(Stopped::Failed { words, pause_ms });
    match status {
        200..=299 => Ok(body),
        401 | 403 => failed(
            format!("{name} refused the API key (status {status}): enter one that may read runs"),
            Some(MAX_PAUSE_MS),
        ),
        429 => failed(format!("{name} was asked too often (status 429); Steward waits"), asked_for_ms),
        300..=399 => failed(
            format!("{name} answered with another address (status {status}), which is not followed: enter that one"),
            Some(MAX_PAUSE_MS),
        ),
        400..=499 if has_cursor => Err(Stopped::Lost {
            words: format!("{name} forgot where its list went on (status {status}); Steward begins anew"),
        }),
        400..=499 => failed(
            format!(
                "{name} refused the question (status {status}): look at the address of its API and at what is asked for"
            ),
            None,
        ),
        _ => failed(format!("{name} failed (status {status}); Steward asks again"), asked_for_ms),
    }
}
