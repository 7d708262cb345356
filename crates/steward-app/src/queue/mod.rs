//! The queue: what waits for a person, who works on what, and whose it is.
//!
//! Items enter behind the mining, by [`fill_queue`](App::fill_queue). A person claims one under a lease, which the page
//! keeps while they work, and closes it with a review ([`reviews`](crate::reviews)).

mod fill;
mod forecast;

use std::collections::{BTreeSet, HashMap};

use steward_core::clients::Client;
use steward_core::ids::{ClientId, ItemId, PatternId, PersonId, WorkflowId};
use steward_core::people::Role;
use steward_core::queue::{self, MAX_RULES, QueueItem, QueueRule, UnfitRule};
use steward_core::reviews::{MAX_ACTIVE_MS, Review};
use steward_core::time::{HOUR_MICROS, Period, Timestamp};
use steward_core::workflow::Workflow;
use steward_store::tenant::{
    ExceptionRow, Flow, NewClaim, PatternRow, Person, QueueCursor, QueueFilter, QueueSort, ReviewFilter, Whose,
};

pub(crate) use fill::Arrivals;
pub use forecast::forecast_in_words;
pub use steward_stats::forecast::Forecast;

use crate::live::Change;
use crate::runs::RunDetail;
use crate::{Actor, App, AppError};

/// The most items that one page of a list shows.
pub const MAX_PAGE: u32 = 500;
/// Items are counted up to here; beyond it a list says "more than".
pub const COUNT_UP_TO: u32 = 10_000;
/// The most items that are assigned at once.
pub const MAX_ASSIGNED: usize = 500;

/// Resolutions of the same pattern that an item's page shows.
const RESOLUTIONS: u32 = 5;
/// Reviews of one item that its page shows.
const REVIEWS: u32 = 50;
/// Patterns that the list of those with the most that waits names.
const PATTERNS: u32 = 20;

/// One page of the queue.
#[derive(Debug, Clone)]
pub struct QueuePage {
    /// The items.
    pub items: Vec<QueueItem>,
    /// Where the next page begins. `None` on the last.
    pub next: Option<QueueCursor>,
}

/// An item as its page shows it.
#[derive(Debug, Clone)]
pub struct QueueItemDetail {
    /// The item.
    pub item: QueueItem,
    /// Its workflow.
    pub workflow: Workflow,
    /// The exception; `None` for a sample, and for one that the run no longer has.
    pub exception: Option<ExceptionRow>,
    /// The run; `None` when it is gone.
    pub run: Option<RunDetail>,
    /// The pattern; `None` for a sample.
    pub pattern: Option<PatternRow>,
    /// Reviews of it, the latest first, those included that were taken back.
    pub reviews: Vec<Review>,
    /// The latest reviews of other items of the pattern that say what was done about it.
    pub resolutions: Vec<Review>,
}

/// What waits, and how it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueSummary {
    /// Items that wait.
    pub open: u64,
    /// Of those, past their due time.
    pub overdue: u64,
    /// Since when the oldest waits. `None` when nothing does.
    pub oldest: Option<Timestamp>,
    /// Since when half of them wait at least.
    pub median: Option<Timestamp>,
    /// What came and went by local day, days with nothing included, the oldest first.
    pub days: Vec<QueueDay>,
    /// Where the queue is going, by the last whole weeks, four at most.
    pub forecast: Forecast,
}

/// One local day of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDay {
    /// The day in the agency's zone.
    pub date: jiff::civil::Date,
    /// Items that arrived, those included that came back.
    pub arrived: i64,
    /// Items that were closed, by a review or otherwise.
    pub closed: i64,
    /// Of those, by a review.
    pub reviewed: i64,
}

/// What waits of one pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuePattern {
    /// The pattern.
    pub pattern: PatternRow,
    /// Items that wait.
    pub open: u64,
    /// Since when the oldest waits.
    pub oldest: Timestamp,
}

impl Actor {
    /// Refuses whoever does not review: a client's people.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`].
    pub fn must_review(&self) -> Result<(), AppError> {
        match self.role {
            Role::Owner | Role::Operator | Role::Contractor => Ok(()),
            Role::Client => Err(AppError::Forbidden("the queue is for the agency's people")),
        }
    }
}

impl App {
    /// Lists what waits, as far as the actor may see it. Who sees no money gets it in the order in which it is due: an
    /// order by value tells values.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is not there; [`AppError::Forbidden`] for who does not review.
    pub async fn list_queue(
        &self,
        actor: &Actor,
        filter: &QueueFilter,
        client: Option<ClientId>,
        sort: QueueSort,
        behind: Option<QueueCursor>,
        limit: u32,
    ) -> Result<QueuePage, AppError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let sort = queue_sort_for(actor, sort);
        let filter = self.visible_queue(actor, filter, client).await?;
        let mut items = self.store_of(actor).list_queue(&filter, sort, behind, limit + 1).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|item| QueueCursor::behind(item, sort));
        items.iter_mut().for_each(|item| hide_money(actor, item));
        Ok(QueuePage { items, next })
    }

    /// Counts what waits, up to [`COUNT_UP_TO`].
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is not there; [`AppError::Forbidden`] for who does not review.
    pub async fn count_queue(
        &self,
        actor: &Actor,
        filter: &QueueFilter,
        client: Option<ClientId>,
    ) -> Result<u64, AppError> {
        let filter = self.visible_queue(actor, filter, client).await?;
        Ok(self.store_of(actor).count_queue(&filter, COUNT_UP_TO).await?)
    }

    /// Limits a filter to what an actor may see, and to a client.
    async fn visible_queue(
        &self,
        actor: &Actor,
        filter: &QueueFilter,
        client: Option<ClientId>,
    ) -> Result<QueueFilter, AppError> {
        actor.must_review()?;
        let mut filter = filter.clone();
        filter.workflows = self.visible_of(actor, filter.workflows, client).await?;
        if !actor.role.sees_money() {
            filter.least_value_nanos = None;
        }
        Ok(filter)
    }

    /// An item that an actor may see, with its workflow.
    pub(crate) async fn visible_item(&self, actor: &Actor, id: ItemId) -> Result<(QueueItem, Workflow), AppError> {
        actor.must_review()?;
        let store = self.store_of(actor);
        let item = store.find_queue_item(id).await?.ok_or(AppError::NotFound("item of the queue"))?;
        let workflow = store.find_workflow(item.workflow_id).await?;
        let workflow = workflow.filter(|w| actor.may_see_workflow(w)).ok_or(AppError::NotFound("item of the queue"))?;
        Ok((item, workflow))
    }

    /// Gets an item, open or closed, with all that its page shows.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or the actor may not see it.
    pub async fn get_queue_item(&self, actor: &Actor, id: ItemId) -> Result<QueueItemDetail, AppError> {
        let (mut item, workflow) = self.visible_item(actor, id).await?;
        hide_money(actor, &mut item);
        let exception = match item.exception_id() {
            Some(id) => found(self.get_exception(actor, id).await)?,
            None => None,
        };
        let run = found(self.get_run(actor, item.run_id).await)?;
        let pattern = match item.pattern_id {
            Some(id) => found(self.get_pattern(actor, id).await)?.map(|(pattern, _)| pattern),
            None => None,
        };
        let store = self.store_of(actor);
        let of_item = ReviewFilter { item: Some(id), with_undone: true, ..ReviewFilter::default() };
        let reviews = store.list_reviews(&of_item, None, REVIEWS).await?;
        let mut resolutions = Vec::new();
        if item.pattern_id.is_some() {
            let filter = ReviewFilter { pattern: item.pattern_id, with_resolution: true, ..ReviewFilter::default() };
            resolutions = store.list_reviews(&filter, None, RESOLUTIONS + REVIEWS).await?;
            resolutions.retain(|review| review.item_id != id);
            // A bulk review says the same of every item.
            let mut said = BTreeSet::new();
            resolutions.retain(|review| said.insert(review.judgement.resolution.clone()));
            resolutions.truncate(RESOLUTIONS as usize);
        }
        Ok(QueueItemDetail { item, workflow, exception, run, pattern, reviews, resolutions })
    }

    /// Claims an item: nobody else gets it while the lease holds. Whoever holds it already holds it longer.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Conflict`] when it is closed, or somebody else holds it.
    pub async fn claim_item(&self, actor: &Actor, id: ItemId) -> Result<QueueItem, AppError> {
        self.visible_item(actor, id).await?;
        if !self.store_of(actor).claim_queue_item(id, &self.new_claim(actor)).await? {
            return Err(self.not_held(actor, id).await);
        }
        self.changed_item(actor, id).await
    }

    /// Claims what should be done first among what a filter finds and nobody holds; what is assigned to somebody else
    /// is left to them, unless the filter asks for it. `None` when there is nothing.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is not there; [`AppError::Forbidden`] for who does not review.
    pub async fn claim_next(
        &self,
        actor: &Actor,
        filter: &QueueFilter,
        client: Option<ClientId>,
    ) -> Result<Option<QueueItem>, AppError> {
        let mut filter = self.visible_queue(actor, filter, client).await?;
        filter.assignee = filter.assignee.or(Some(Whose::OfOrNobody(actor.person_id)));
        let sort = queue_sort_for(actor, QueueSort::Rank);
        let item = self.store_of(actor).claim_next_queue_item(&filter, sort, &self.new_claim(actor)).await?;
        Ok(item.map(|mut item| {
            self.tell_queue(actor, item.workflow_id);
            hide_money(actor, &mut item);
            item
        }))
    }

    /// Holds a claim longer, and adds the active time since the last sign of life; no more than has passed.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such item; [`AppError::Invalid`] for a time that cannot be;
    /// [`AppError::Conflict`] when it is no longer the actor's.
    pub async fn keep_claim(&self, actor: &Actor, id: ItemId, active_ms: i64) -> Result<QueueItem, AppError> {
        self.visible_item(actor, id).await?;
        self.add_active(actor, id, active_ms).await?;
        let (mut item, _) = self.visible_item(actor, id).await?;
        hide_money(actor, &mut item);
        Ok(item)
    }

    pub(crate) async fn add_active(&self, actor: &Actor, id: ItemId, active_ms: i64) -> Result<(), AppError> {
        if !(0..=MAX_ACTIVE_MS).contains(&active_ms) {
            return Err(AppError::Invalid("active time lies between 0 and 8 hours".to_owned()));
        }
        if !self.store_of(actor).keep_claim(id, &self.new_claim(actor), active_ms).await? {
            return Err(self.not_held(actor, id).await);
        }
        Ok(())
    }

    /// Gives an item back; what was measured of it is forgotten.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such item; [`AppError::Conflict`] when it is not the actor's.
    pub async fn release_item(&self, actor: &Actor, id: ItemId) -> Result<QueueItem, AppError> {
        self.visible_item(actor, id).await?;
        if !self.store_of(actor).release_queue_item(id, actor.person_id).await? {
            return Err(self.not_held(actor, id).await);
        }
        self.changed_item(actor, id).await
    }

    /// Makes items somebody's, or nobody's. Gives how many changed hands.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when one is not there, or the person is not; [`AppError::Invalid`] when there are too
    /// many, or the person cannot see one of them; [`AppError::Forbidden`] for who does not operate.
    pub async fn assign_items(&self, actor: &Actor, ids: &[ItemId], to: Option<PersonId>) -> Result<u64, AppError> {
        actor.must_operate()?;
        if ids.is_empty() || ids.len() > MAX_ASSIGNED {
            return Err(AppError::Invalid(format!("choose 1 to {MAX_ASSIGNED} items to assign")));
        }
        let ids: Vec<ItemId> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let store = self.store_of(actor);
        let items = store.find_queue_items(&ids).await?;
        let workflows: HashMap<WorkflowId, Workflow> =
            self.visible_workflows(actor, true).await?.into_iter().map(|w| (w.id, w)).collect();
        if items.len() != ids.len() || items.iter().any(|item| !workflows.contains_key(&item.workflow_id)) {
            return Err(AppError::NotFound("item of the queue"));
        }
        if let Some(person) = to {
            let reviewers = self.reviewers(actor.agency_id).await?;
            let reviewer = reviewers.iter().find(|r| r.person.id == person).ok_or(AppError::NotFound("person"))?;
            if items.iter().any(|item| !workflows.get(&item.workflow_id).is_some_and(|w| reviewer.may_see(w))) {
                return Err(AppError::Invalid("they are not assigned to the client of one of these".to_owned()));
            }
        }
        let n = store.assign_queue_items(&ids, to).await?;
        let whom = to.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
        self.audit_by(actor, "queue.assign", whom, &format!("{n} items")).await?;
        for workflow in items.iter().map(|item| item.workflow_id).collect::<BTreeSet<_>>() {
            self.tell_queue(actor, workflow);
        }
        Ok(n)
    }

    /// Who may be assigned to items, by name.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn list_reviewers(&self, actor: &Actor) -> Result<Vec<(PersonId, String)>, AppError> {
        actor.must_operate()?;
        let reviewers = self.reviewers(actor.agency_id).await?;
        Ok(reviewers.into_iter().map(|reviewer| (reviewer.person.id, reviewer.person.name)).collect())
    }

    /// The agency's rules of the queue, in the order in which they are tried.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn list_queue_rules(&self, actor: &Actor) -> Result<Vec<QueueRule>, AppError> {
        actor.must_operate()?;
        Ok(self.store_of(actor).list_queue_rules().await?)
    }

    /// Replaces the rules of the queue. They hold for what arrives from then on.
    ///
    /// # Errors
    ///
    /// [`AppError::Invalid`] in words for the person, with the rule's number; [`AppError::Forbidden`] for who does not
    /// operate.
    pub async fn update_queue_rules(&self, actor: &Actor, rules: Vec<QueueRule>) -> Result<Vec<QueueRule>, AppError> {
        actor.must_operate()?;
        if rules.len() > MAX_RULES {
            return Err(AppError::Invalid(UnfitRule::TooMany.to_string()));
        }
        let workflows = self.visible_workflows(actor, true).await?;
        let clients = self.visible_clients(actor, true).await?;
        let reviewers = self.reviewers(actor.agency_id).await?;
        let known = self.store_of(actor).list_queue_rules().await?;
        let mut checked = Vec::with_capacity(rules.len());
        for (n, rule) in (1..).zip(rules) {
            let unfit = |words: String| AppError::Invalid(format!("rule {n}: {words}"));
            let rule = rule.checked().map_err(|error| unfit(error.to_string()))?;
            // One that stands already may name what is gone by now: it fits nothing, or assigns to nobody, and must not
            // keep the others from being changed.
            if known.contains(&rule) {
                checked.push(rule);
                continue;
            }
            let when = &rule.when;
            if when.client.is_some_and(|id| !clients.iter().any(|client| client.id == id)) {
                return Err(unfit("there is no such client".to_owned()));
            }
            if when.workflow.is_some_and(|id| !workflows.iter().any(|workflow| workflow.id == id)) {
                return Err(unfit("there is no such workflow".to_owned()));
            }
            if let Some(id) = when.pattern
                && self.store_of(actor).find_pattern(id).await?.is_none()
            {
                return Err(unfit("there is no such pattern".to_owned()));
            }
            if rule.assign_to.is_some_and(|id| !reviewers.iter().any(|r| r.person.id == id)) {
                return Err(unfit("there is nobody of this id who reviews".to_owned()));
            }
            checked.push(rule);
        }
        self.store_of(actor).update_queue_rules(&checked, self.clock().now()).await?;
        self.audit_by(actor, "queue.rules", actor.agency_id, &format!("{} rules", checked.len())).await?;
        Ok(checked)
    }

    /// What waits, how old it is, and what came and went in a period.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is not there; [`AppError::Forbidden`] for who does not review.
    pub async fn queue_summary(
        &self,
        actor: &Actor,
        workflows: Option<Vec<WorkflowId>>,
        client: Option<ClientId>,
        period: Period,
    ) -> Result<QueueSummary, AppError> {
        actor.must_review()?;
        let workflows = self.visible_of(actor, workflows, client).await?;
        let store = self.store_of(actor);
        let agency = store.find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        let (now, zone) = (self.clock().now(), agency.zone());
        let weeks = forecast::weeks_before(now, &zone);
        let whole = weeks
            .map_or(period, |weeks| Period { start: weeks.start.min(period.start), end: weeks.end.max(period.end) });
        let (ages, flow) = tokio::try_join!(
            store.find_queue_ages(workflows.as_deref(), now),
            store.list_queue_flow(workflows.as_deref(), whole),
        )?;
        let days_in = |period: Period| days_of(&flow, period, &zone);
        let forecast = weeks.map_or(Forecast::NoData, |weeks| forecast::of(&days_in(weeks), ages.open));
        Ok(QueueSummary {
            open: ages.open,
            overdue: ages.overdue,
            oldest: ages.oldest,
            median: ages.median,
            days: days_in(period),
            forecast,
        })
    }

    /// The patterns with the most that waits, the most first.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is not there; [`AppError::Forbidden`] for who does not review.
    pub async fn list_queue_patterns(
        &self,
        actor: &Actor,
        workflows: Option<Vec<WorkflowId>>,
        client: Option<ClientId>,
    ) -> Result<Vec<QueuePattern>, AppError> {
        actor.must_review()?;
        let workflows = self.visible_of(actor, workflows, client).await?;
        let store = self.store_of(actor);
        let waiting = store.list_queue_patterns(workflows.as_deref(), PATTERNS).await?;
        let ids: Vec<PatternId> = waiting.iter().map(|(id, _, _)| *id).collect();
        let mut patterns: HashMap<PatternId, PatternRow> =
            store.find_patterns(&ids).await?.into_iter().map(|pattern| (pattern.id, pattern)).collect();
        let of_pattern = |(id, open, oldest)| {
            let mut pattern: PatternRow = patterns.remove(&id)?;
            if !actor.role.sees_money() {
                pattern.wasted_nanos = 0;
            }
            Some(QueuePattern { pattern, open, oldest })
        };
        Ok(waiting.into_iter().filter_map(of_pattern).collect())
    }

    /// The value at stake of workflows changed, or that of their client's money: what waits gets a place anew.
    pub(crate) async fn revalue_queue(&self, actor: &Actor, workflows: &[Workflow]) -> Result<(), AppError> {
        let store = self.store_of(actor);
        let clients = store.list_clients().await?;
        let values: Vec<_> = workflows
            .iter()
            .map(|workflow| {
                let value = queue::value_at_stake(&workflow.settings);
                (workflow.id, value, queue::weight(value, units_per_usd(workflow, &clients)))
            })
            .collect();
        store.revalue_queue(&values).await?;
        Ok(())
    }

    /// Who may review in an agency, by name.
    pub(crate) async fn reviewers(&self, agency_id: steward_core::ids::AgencyId) -> Result<Vec<Reviewer>, AppError> {
        let store = self.agency(agency_id);
        let mut reviewers = Vec::new();
        for person in store.list_people().await? {
            if person.disabled_at.is_some() || person.role == Role::Client {
                continue;
            }
            let clients = if person.role.is_limited_to_clients() {
                Some(store.list_person_clients(person.id).await?)
            } else {
                None
            };
            reviewers.push(Reviewer { person, clients });
        }
        Ok(reviewers)
    }

    fn new_claim(&self, actor: &Actor) -> NewClaim {
        let now = self.clock().now();
        NewClaim { person_id: actor.person_id, person: actor.name.clone(), now, until: now.plus_ms(queue::LEASE_MS) }
    }

    /// Why an item is not the actor's, in words.
    pub(crate) async fn not_held(&self, actor: &Actor, id: ItemId) -> AppError {
        let item = match self.visible_item(actor, id).await {
            Ok((item, _)) => item,
            Err(error) => return error,
        };
        let now = self.clock().now();
        AppError::Conflict(match (&item.claim, item.closed_by) {
            (_, Some(queue::ClosedBy::Review)) => "somebody has closed it meanwhile".to_owned(),
            (_, Some(queue::ClosedBy::Muted)) => "its pattern is muted, so it no longer waits".to_owned(),
            (_, Some(queue::ClosedBy::Gone)) if item.kind == queue::ItemKind::Sample => {
                "its run was read again and is no longer claimed completed, so it no longer waits".to_owned()
            }
            (_, Some(queue::ClosedBy::Gone)) => {
                "its run was read again and no longer has it, so it no longer waits".to_owned()
            }
            (Some(claim), None) if claim.person_id != actor.person_id && claim.holds(now) => {
                format!("{} works on it; take another, or try again when they are done", claim.person)
            }
            _ => "you do not hold it: claim it first".to_owned(),
        })
    }

    async fn changed_item(&self, actor: &Actor, id: ItemId) -> Result<QueueItem, AppError> {
        let (mut item, _) = self.visible_item(actor, id).await?;
        self.tell_queue(actor, item.workflow_id);
        hide_money(actor, &mut item);
        Ok(item)
    }

    /// Tells open pages that what waits of a workflow changed.
    pub(crate) fn tell_queue(&self, actor: &Actor, workflow: WorkflowId) {
        self.live().tell(Change { agency_id: actor.agency_id, workflows: vec![workflow], n_runs: 0 });
    }
}

/// Somebody who may review.
#[derive(Debug, Clone)]
pub(crate) struct Reviewer {
    pub(crate) person: Person,
    /// The clients that they are limited to; `None` is all.
    clients: Option<Vec<ClientId>>,
}

impl Reviewer {
    /// Whether they may see a workflow.
    pub(crate) fn may_see(&self, workflow: &Workflow) -> bool {
        match (&self.clients, workflow.client_id) {
            (None, _) => true,
            (Some(clients), Some(client)) => clients.contains(&client),
            (Some(_), None) => false,
        }
    }
}

/// How many units of the money of a workflow's client one US dollar costs.
fn units_per_usd(workflow: &Workflow, clients: &[Client]) -> f64 {
    let client = workflow.client_id.and_then(|id| clients.iter().find(|client| client.id == id));
    client.map_or(1.0, |client| client.settings.units_per_usd)
}

/// The order that an actor gets: an order by value tells values.
#[must_use]
pub fn queue_sort_for(actor: &Actor, sort: QueueSort) -> QueueSort {
    if sort == QueueSort::Rank && !actor.role.sees_money() { QueueSort::Due } else { sort }
}

fn hide_money(actor: &Actor, item: &mut QueueItem) {
    if !actor.role.sees_money() {
        (item.value_nanos, item.rank) = (None, 0);
    }
}

/// What may be gone.
fn found<T>(result: Result<T, AppError>) -> Result<Option<T>, AppError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(AppError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Hours into local days; days with nothing in them are there too.
fn days_of(flow: &[(i32, Flow, i64)], period: Period, zone: &jiff::tz::TimeZone) -> Vec<QueueDay> {
    let date_of = |at: Timestamp| at.to_jiff().to_zoned(zone.clone()).date();
    let last = date_of(Timestamp(period.end.0 - 1));
    let mut days: Vec<QueueDay> = Vec::new();
    let mut date = date_of(period.start);
    while date <= last && days.len() < 4_000 {
        days.push(QueueDay { date, arrived: 0, closed: 0, reviewed: 0 });
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    let hours = period.start.hour()..period.end.plus_micros(HOUR_MICROS - 1).hour();
    for (hour, what, n) in flow.iter().filter(|(hour, ..)| hours.contains(hour)) {
        let date = date_of(Timestamp(i64::from(*hour) * HOUR_MICROS));
        let at = days.partition_point(|day| day.date < date).min(days.len().saturating_sub(1));
        let Some(day) = days.get_mut(at) else { continue };
        match what {
            Flow::Arrived | Flow::Back => day.arrived += n,
            Flow::Closed(by) => {
                day.closed += n;
                day.reviewed += if *by == queue::ClosedBy::Review { *n } else { 0 };
            }
        }
    }
    days
}
