//! Patterns: exceptions that are the same problem, and what people make of them.
//!
//! [`mine`](App::mine_patterns) gives each exception its pattern; people name patterns, say what state they are in,
//! put two together or set some shapes apart, and take all of it back. What they say is kept beside what was mined, and
//! every later mining respects it.

mod mine;

use std::collections::BTreeSet;

use steward_core::ids::{ClientId, DraftId, PatternId, WorkflowId};
use steward_core::money::{Currency, Nanos};
use steward_core::patterns::PatternState;
use steward_core::tallies::Metric;
use steward_core::time::{DAY_MICROS, HOUR_MICROS, Period, Timestamp};
use steward_core::workflow::Workflow;
use steward_stats::intervals::{newcombe_difference, wilson};
use steward_store::tenant::{
    DraftKind, ExceptionFilter, ExceptionRow, Facet, MiningCommit, Moved, OwnedShape, PatternChange, PatternCursor,
    PatternDraft, PatternFilter, PatternListed, PatternRow, PatternSort, TallyQuery, Variant,
};

use crate::figures::reviewer_rate;
use crate::{Actor, App, AppError};

/// The most patterns that one page of a list shows.
pub const MAX_PAGE: u32 = 200;
/// The most characters of a pattern's name.
pub const MAX_NAME_CHARS: usize = 200;
/// The most characters of a draft.
pub const MAX_DRAFT_CHARS: usize = 10_000;
/// The most drafts on a pattern.
const MAX_DRAFTS: usize = 50;
/// The most shapes that are set apart at once.
const MAX_SPLIT: usize = 200;
/// Examples that a pattern's page shows.
const EXAMPLES: u32 = 8;
/// The longest time before and after a resolution that is compared.
const MOST_COMPARED_DAYS: i64 = 28;

/// One page of a list of patterns.
#[derive(Debug, Clone)]
pub struct PatternsPage {
    /// The patterns.
    pub patterns: Vec<PatternListed>,
    /// Where the next page begins. `None` on the last.
    pub next: Option<PatternCursor>,
}

/// A pattern as its page shows it.
#[derive(Debug, Clone)]
pub struct PatternDetail {
    /// The pattern.
    pub pattern: PatternRow,
    /// Its workflow.
    pub workflow: Workflow,
    /// Days of the period that it was seen on: the day since the epoch, exceptions, runs.
    pub days: Vec<(i32, i64, i64)>,
    /// Finished runs of the workflow in the period.
    pub runs: u64,
    /// The releases of its latest exceptions.
    pub releases: Vec<Facet>,
    /// Their models.
    pub models: Vec<Facet>,
    /// Their tools.
    pub tools: Vec<Facet>,
    /// In how many ways they are written.
    pub variants: Vec<Variant>,
    /// The latest.
    pub examples: Vec<ExceptionRow>,
    /// Patterns that are part of it.
    pub merged: Vec<PatternRow>,
    /// The pattern that it is part of.
    pub part_of: Option<PatternRow>,
    /// What came of calling it resolved; `None` when nobody did.
    pub resolution: Option<Resolution>,
    /// What is prepared to cure it.
    pub drafts: Vec<PatternDraft>,
    /// What it costs.
    pub cost: PatternCost,
}

/// What a pattern costs: the runs that were paid for and did not do their job, and what people spent on its exceptions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PatternCost {
    /// What the runs cost, in nano-US-dollars.
    pub wasted_nanos: i64,
    /// Active time of reviews, in milliseconds, as far as it is known.
    pub review_ms: i64,
    /// Minutes that putting things right took beside the reviews.
    pub cleanup_minutes: i64,
    /// What these minutes cost at the reviewer's rate, in nano-units of `currency`. `None` when no rate is set, and for
    /// who sees no money.
    pub human: Option<Nanos>,
    /// The client's currency.
    pub currency: Currency,
}

/// How often a pattern was seen before and after it was called resolved, in runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// Days before, and as many after, that are compared.
    pub days: f64,
    /// Runs with the pattern, and all finished runs, before.
    pub before: (u64, u64),
    /// The same after.
    pub after: (u64, u64),
}

impl Resolution {
    /// The 95 % intervals of the two shares; `None` where there were no runs.
    #[must_use]
    pub fn intervals(&self) -> [Option<(f64, f64)>; 2] {
        [wilson(self.before.0, self.before.1), wilson(self.after.0, self.after.1)]
    }

    /// The 95 % interval of the difference, after less before; `None` where there were no runs.
    #[must_use]
    pub fn difference(&self) -> Option<(f64, f64)> {
        newcombe_difference(self.before, self.after)
    }
}

impl App {
    /// Lists patterns that a filter finds, as far as the actor may see them.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is not there; else an [`AppError`] when the database does not answer.
    pub async fn list_patterns(
        &self,
        actor: &Actor,
        filter: &PatternFilter,
        client: Option<ClientId>,
        sort: PatternSort,
        behind: Option<PatternCursor>,
        limit: u32,
    ) -> Result<PatternsPage, AppError> {
        let limit = limit.clamp(1, MAX_PAGE);
        // An order by cost tells costs.
        let sort = if sort == PatternSort::Cost && !actor.role.sees_money() { PatternSort::Count } else { sort };
        let mut filter = filter.clone();
        filter.workflows = self.visible_of(actor, filter.workflows, client).await?;
        let store = self.store_of(actor);
        let agency = store.find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        // Patterns of clients with different currencies are compared in that of the runs' costs.
        let rate =
            reviewer_rate(&agency, Currency::USD, 1.0).and_then(Nanos::from_units).filter(|_| actor.role.sees_money());
        let nanos_per_ms = rate.map_or(0, |hour| hour.0 / 3_600_000);
        let mut patterns = store.list_patterns(&filter, sort, Some(nanos_per_ms), behind, limit + 1).await?;
        let more = patterns.len() > limit as usize;
        patterns.truncate(limit as usize);
        let next = patterns.last().filter(|_| more).map(|listed| PatternCursor::behind(listed, sort));
        if !actor.role.sees_money() {
            for listed in &mut patterns {
                (listed.wasted_nanos, listed.cost_nanos, listed.pattern.wasted_nanos) = (0, 0, 0);
            }
        }
        Ok(PatternsPage { patterns, next })
    }

    /// How many patterns there are in each state, as far as the actor may see them.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is not there; else an [`AppError`] when the database does not answer.
    pub async fn count_patterns(
        &self,
        actor: &Actor,
        workflows: Option<Vec<WorkflowId>>,
        client: Option<ClientId>,
    ) -> Result<Vec<(PatternState, i64)>, AppError> {
        let workflows = self.visible_of(actor, workflows, client).await?;
        Ok(self.store_of(actor).count_patterns(workflows.as_deref()).await?)
    }

    /// Limits workflows to those that an actor may see, and to those of a client. `None` is all.
    pub(crate) async fn visible_of(
        &self,
        actor: &Actor,
        wanted: Option<Vec<WorkflowId>>,
        client: Option<ClientId>,
    ) -> Result<Option<Vec<WorkflowId>>, AppError> {
        if let Some(client) = client {
            self.get_client(actor, client).await?;
        }
        if actor.clients.is_none() && client.is_none() {
            return Ok(wanted);
        }
        let visible = self.visible_workflows(actor, true).await?.into_iter();
        let visible = visible.filter(|workflow| client.is_none() || workflow.client_id == client).map(|w| w.id);
        Ok(Some(visible.filter(|id| wanted.as_ref().is_none_or(|wanted| wanted.contains(id))).collect()))
    }

    /// Gets a pattern that an actor may see.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or they may not see it.
    pub async fn get_pattern(&self, actor: &Actor, id: PatternId) -> Result<(PatternRow, Workflow), AppError> {
        let store = self.store_of(actor);
        let mut pattern = store.find_pattern(id).await?.ok_or(AppError::NotFound("pattern"))?;
        let workflow = store.find_workflow(pattern.workflow_id).await?;
        let workflow = workflow.filter(|w| actor.may_see_workflow(w)).ok_or(AppError::NotFound("pattern"))?;
        if !actor.role.sees_money() {
            pattern.wasted_nanos = 0;
        }
        Ok((pattern, workflow))
    }

    /// Gets a pattern with all that its page shows.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or the actor may not see it.
    pub async fn get_pattern_detail(
        &self,
        actor: &Actor,
        id: PatternId,
        period: Period,
    ) -> Result<PatternDetail, AppError> {
        let (pattern, workflow) = self.get_pattern(actor, id).await?;
        let store = self.store_of(actor);
        let filter = ExceptionFilter { pattern: Some(id), ..ExceptionFilter::default() };
        let part_of = match pattern.merged_into {
            Some(into) => store.find_pattern(into).await?,
            None => None,
        };
        let [releases, models, tools] = store.list_facets(id).await?;
        let mut examples = store.list_exceptions(&filter, None, EXAMPLES).await?;
        if !actor.role.sees_money() {
            examples.iter_mut().for_each(|example| example.wasted_nanos = 0);
        }
        Ok(PatternDetail {
            days: store.list_pattern_days(id, period).await?,
            runs: self.finished_runs(actor, workflow.id, period).await?,
            releases,
            models,
            tools,
            variants: store.list_variants(id, 20).await?,
            examples,
            merged: store.list_merged(id, 50).await?,
            part_of,
            resolution: self.resolution(actor, &pattern).await?,
            drafts: store.list_pattern_drafts(id).await?,
            cost: self.pattern_cost(actor, &pattern, &workflow).await?,
            pattern,
            workflow,
        })
    }

    /// What a pattern costs, the minutes of people at the rate of their agency in the client's currency.
    async fn pattern_cost(
        &self,
        actor: &Actor,
        pattern: &PatternRow,
        workflow: &Workflow,
    ) -> Result<PatternCost, AppError> {
        let store = self.store_of(actor);
        let (review_ms, cleanup_minutes) =
            store.sum_pattern_reviews(&[pattern.id], None).await?.remove(&pattern.id).unwrap_or_default();
        let agency = store.find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        let client = match workflow.client_id {
            Some(id) => store.find_client(id).await?,
            None => None,
        };
        let (currency, per_usd) =
            client.map_or((agency.currency, 1.0), |client| (client.settings.currency, client.settings.units_per_usd));
        let rate = reviewer_rate(&agency, currency, per_usd).filter(|_| actor.role.sees_money());
        let hours = review_ms as f64 / 3_600_000.0 + cleanup_minutes as f64 / 60.0;
        let human = rate.and_then(|rate| Nanos::from_units(rate * hours));
        Ok(PatternCost { wasted_nanos: pattern.wasted_nanos, review_ms, cleanup_minutes, human, currency })
    }

    async fn finished_runs(&self, actor: &Actor, workflow: WorkflowId, period: Period) -> Result<u64, AppError> {
        let query = TallyQuery {
            workflows: vec![workflow],
            period,
            slice: String::new(),
            release: None,
            metrics: vec![Metric::Runs],
        };
        let sums = self.store_of(actor).sum_tallies(&query).await?;
        Ok(sums.iter().map(|(_, sums)| sums.runs().unsigned_abs()).sum())
    }

    /// How often a pattern was seen before and after it was called resolved.
    async fn resolution(&self, actor: &Actor, pattern: &PatternRow) -> Result<Option<Resolution>, AppError> {
        let Some(at) = pattern.resolved_at else { return Ok(None) };
        if !matches!(pattern.state, PatternState::Resolved | PatternState::Regressed) {
            return Ok(None);
        }
        let hour = |at: Timestamp| Timestamp(at.0.div_euclid(HOUR_MICROS) * HOUR_MICROS);
        // Tallies are kept by the hour: the one in which it was resolved is in neither.
        let start = hour(at.plus_micros(HOUR_MICROS));
        let long = (hour(self.clock().now()).0 - start.0).clamp(0, MOST_COMPARED_DAYS * DAY_MICROS);
        let after = Period { start, end: start.plus_micros(long) };
        let before = Period { start: hour(at).plus_micros(-long), end: hour(at) };
        let mut counted = [(0, 0); 2];
        for (counted, period) in counted.iter_mut().zip([before, after]) {
            let filter =
                ExceptionFilter { pattern: Some(pattern.id), period: Some(period), ..ExceptionFilter::default() };
            let seen = self.store_of(actor).count_exception_runs(&filter).await?;
            *counted = (seen, self.finished_runs(actor, pattern.workflow_id, period).await?);
        }
        let [before, after] = counted;
        Ok(Some(Resolution { at, days: long as f64 / DAY_MICROS as f64, before, after }))
    }

    /// Names a pattern, or says what state it is in.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Invalid`] for a name that is too long, or a state that
    /// only mining gives; [`AppError::Conflict`] when it is part of another.
    pub async fn update_pattern(
        &self,
        actor: &Actor,
        id: PatternId,
        name: Option<&str>,
        state: Option<PatternState>,
        resolved_in: Option<&str>,
    ) -> Result<PatternRow, AppError> {
        let (pattern, _) = self.get_pattern(actor, id).await?;
        actor.must_operate()?;
        if pattern.merged_into.is_some() {
            return Err(AppError::Conflict("this pattern is part of another: change that one".to_owned()));
        }
        let name = name.map(|name| text_of(name, MAX_NAME_CHARS, "the name")).transpose()?;
        let resolved_in = resolved_in.map(|release| text_of(release, MAX_NAME_CHARS, "the release")).transpose()?;
        if state == Some(PatternState::Regressed) && pattern.resolved_at.is_none() {
            return Err(AppError::Invalid("a pattern regresses when it is seen after it was resolved".to_owned()));
        }
        let now = self.clock().now();
        let resolves = state == Some(PatternState::Resolved) && pattern.state != PatternState::Resolved;
        let change = PatternChange {
            name: name.clone(),
            state,
            resolved_at: resolves.then_some(now),
            resolved_in: resolved_in.or_else(|| resolves.then(String::new)),
            regressed_at: None,
        };
        if !self.store_of(actor).update_pattern(id, &change, &actor.name, now).await? {
            return Err(AppError::NotFound("pattern"));
        }
        if let Some(state) = state.filter(|state| *state != pattern.state) {
            let details = format!("{} → {}", pattern.state.as_str(), state.as_str());
            self.audit_by(actor, "pattern.state", id, &details).await?;
        }
        if let Some(name) = name.filter(|name| *name != pattern.name) {
            self.audit_by(actor, "pattern.name", id, &name).await?;
        }
        Ok(self.get_pattern(actor, id).await?.0)
    }

    /// Puts a pattern into another of the same workflow: what belongs to the one is shown with the other, also what
    /// comes later.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when one is not there; [`AppError::Invalid`] when they cannot be one;
    /// [`AppError::Conflict`] when the pattern is part of another already.
    pub async fn merge_patterns(&self, actor: &Actor, id: PatternId, into: PatternId) -> Result<PatternRow, AppError> {
        let (mut pattern, _) = self.get_pattern(actor, id).await?;
        let (other, _) = self.get_pattern(actor, into).await?;
        actor.must_operate()?;
        if pattern.workflow_id != other.workflow_id {
            return Err(AppError::Invalid("only patterns of one workflow can be one".to_owned()));
        }
        if pattern.merged_into.is_some() {
            return Err(AppError::Conflict("this pattern is part of another already".to_owned()));
        }
        let versioned = self.store_of(actor).find_versioned(pattern.workflow_id).await?;
        let merged = |id| versioned.patterns.iter().find(|p| p.id == id).and_then(|p: &PatternRow| p.merged_into);
        let root = mine::root_of(into, merged);
        if root == id {
            return Err(AppError::Invalid("a pattern cannot be part of itself".to_owned()));
        }
        let mut shown =
            versioned.patterns.iter().find(|p| p.id == root).cloned().ok_or(AppError::NotFound("pattern"))?;
        shown.first_seen = shown.first_seen.min(pattern.first_seen);
        shown.last_seen = shown.last_seen.max(pattern.last_seen);
        pattern.merged_into = Some(root);
        pattern.merged_by.clone_from(&actor.name);
        let moved = vec![Moved { from: id, to: root, shapes: None }];
        self.commit_by_hand(actor, versioned.version, vec![pattern, shown], Vec::new(), moved).await?;
        self.audit_by(actor, "pattern.merge", id, &format!("into {root}")).await?;
        Ok(self.get_pattern(actor, root).await?.0)
    }

    /// Takes a merge back: the pattern is shown by itself again, with all that belongs to it.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such pattern; [`AppError::Conflict`] when no person put it into another.
    pub async fn unmerge_pattern(&self, actor: &Actor, id: PatternId) -> Result<PatternRow, AppError> {
        let (mut pattern, _) = self.get_pattern(actor, id).await?;
        actor.must_operate()?;
        if pattern.merged_into.is_none() || pattern.merged_by.is_empty() {
            return Err(AppError::Conflict("nobody put this pattern into another".to_owned()));
        }
        let versioned = self.store_of(actor).find_versioned(pattern.workflow_id).await?;
        let merged = |id| versioned.patterns.iter().find(|p| p.id == id).and_then(|p: &PatternRow| p.merged_into);
        let root = mine::root_of(id, merged);
        // What was put into it before comes along.
        let mut own: BTreeSet<PatternId> = BTreeSet::from([id]);
        loop {
            let more = versioned.patterns.iter().filter(|p| p.merged_into.is_some_and(|into| own.contains(&into)));
            let more: Vec<PatternId> = more.map(|p| p.id).filter(|id| !own.contains(id)).collect();
            if more.is_empty() {
                break;
            }
            own.extend(more);
        }
        let own: Vec<PatternId> = own.into_iter().collect();
        let shapes = self.store_of(actor).list_shapes_of(&own).await?;
        let shapes = shapes.into_iter().map(|owned| owned.shape).collect();
        (pattern.merged_into, pattern.merged_by) = (None, String::new());
        let moved = vec![Moved { from: root, to: id, shapes: Some(shapes) }];
        self.commit_by_hand(actor, versioned.version, vec![pattern], Vec::new(), moved).await?;
        self.audit_by(actor, "pattern.unmerge", id, &format!("from {root}")).await?;
        Ok(self.get_pattern(actor, id).await?.0)
    }

    /// Sets some shapes of a pattern apart, as a pattern of their own.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such pattern; [`AppError::Invalid`] when the shapes are not of it, are
    /// all that it has, or are of several tools, classes or codes.
    pub async fn split_pattern(&self, actor: &Actor, id: PatternId, shapes: &[String]) -> Result<PatternRow, AppError> {
        let (pattern, _) = self.get_pattern(actor, id).await?;
        actor.must_operate()?;
        let wanted: BTreeSet<&String> = shapes.iter().collect();
        if wanted.is_empty() || wanted.len() > MAX_SPLIT {
            return Err(AppError::Invalid(format!("choose 1 to {MAX_SPLIT} ways of writing to set apart")));
        }
        let store = self.store_of(actor);
        let versioned = store.find_versioned(pattern.workflow_id).await?;
        let owned = store.list_shapes_of(&[id]).await?;
        let (apart, rest): (Vec<OwnedShape>, Vec<OwnedShape>) =
            owned.into_iter().partition(|owned| wanted.contains(&owned.shape));
        if apart.len() != wanted.len() {
            return Err(AppError::Invalid(
                "some of these are not of this pattern itself: what was put into it is taken out again by itself"
                    .to_owned(),
            ));
        }
        if rest.is_empty() {
            return Err(AppError::Invalid("these are all that the pattern has: there is nothing to part".to_owned()));
        }
        let head = apart[0].head.clone();
        let new = PatternId::from_uuid(self.ids().make());
        let apart: Vec<OwnedShape> =
            apart.into_iter().map(|owned| OwnedShape { pattern_id: new, by_hand: true, ..owned }).collect();
        let states = store.find_miners(pattern.workflow_id, std::slice::from_ref(&head)).await?;
        let miner = mine::miner_of(states.get(&head))
            .map_err(|_| AppError::Conflict("the patterns are being mined anew: try again in a moment".to_owned()))?;
        let mut all = store.list_shapes(pattern.workflow_id, std::slice::from_ref(&head)).await?;
        all.retain(|owned| !wanted.contains(&owned.shape));
        let groups = miner.consolidate(&mine::overrides_of(&head, all.iter().chain(&apart)));
        let group_of = |owned: &OwnedShape| {
            let key = owned.shape.rsplit('.').next().and_then(|key| key.parse().ok())?;
            groups.all().iter().find(|group| group.shapes.contains(&key))
        };
        let group = group_of(&apart[0]);
        let made = PatternRow {
            id: new,
            key: format!("{head}.{}", group.map_or_else(String::new, |group| group.key.to_string())),
            template: group.map_or_else(|| pattern.template.clone(), |group| group.template.clone()),
            because: group.map_or_else(String::new, steward_patterns::Group::because),
            name: String::new(),
            state: PatternState::New,
            n: 0,
            n_runs: 0,
            wasted_nanos: 0,
            resolved_at: None,
            resolved_in: String::new(),
            regressed_at: None,
            changed_at: Some(self.clock().now()),
            changed_by: actor.name.clone(),
            merged_into: None,
            merged_by: String::new(),
            split_from: Some(id),
            ..pattern.clone()
        };
        let mut left = pattern;
        if let Some(group) = rest.first().and_then(group_of) {
            (left.template, left.because) = (group.template.clone(), group.because());
        }
        let moved = vec![Moved { from: id, to: new, shapes: Some(apart.iter().map(|o| o.shape.clone()).collect()) }];
        self.commit_by_hand(actor, versioned.version, vec![made, left], apart, moved).await?;
        self.audit_by(actor, "pattern.split", id, &format!("{} shapes → {new}", wanted.len())).await?;
        Ok(self.get_pattern(actor, new).await?.0)
    }

    /// Takes a split back: what was set apart belongs to where it came from.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such pattern; [`AppError::Conflict`] when it was not set apart.
    pub async fn unsplit_pattern(&self, actor: &Actor, id: PatternId) -> Result<PatternRow, AppError> {
        let (mut pattern, _) = self.get_pattern(actor, id).await?;
        actor.must_operate()?;
        let Some(from) = pattern.split_from.filter(|_| pattern.merged_into.is_none()) else {
            return Err(AppError::Conflict("this pattern was not set apart from another".to_owned()));
        };
        let store = self.store_of(actor);
        let versioned = store.find_versioned(pattern.workflow_id).await?;
        let merged = |id| versioned.patterns.iter().find(|p| p.id == id).and_then(|p: &PatternRow| p.merged_into);
        let root = mine::root_of(from, merged);
        let shapes = store.list_shapes_of(&[id]).await?;
        let shapes = shapes.into_iter().map(|owned| OwnedShape { pattern_id: from, by_hand: false, ..owned }).collect();
        // Whoever has a link to it is led on.
        (pattern.merged_into, pattern.merged_by, pattern.split_from) = (Some(root), String::new(), None);
        let moved = vec![Moved { from: id, to: root, shapes: None }];
        self.commit_by_hand(actor, versioned.version, vec![pattern], shapes, moved).await?;
        self.audit_by(actor, "pattern.unsplit", id, &format!("into {root}")).await?;
        Ok(self.get_pattern(actor, root).await?.0)
    }

    async fn commit_by_hand(
        &self,
        actor: &Actor,
        version: i64,
        patterns: Vec<PatternRow>,
        shapes: Vec<OwnedShape>,
        moved: Vec<Moved>,
    ) -> Result<(), AppError> {
        let workflow_id = patterns.first().map(|pattern| pattern.workflow_id).ok_or(AppError::NotFound("pattern"))?;
        let commit =
            MiningCommit { workflow_id, version, patterns, shapes, miners: Vec::new(), assigned: Vec::new(), moved };
        Ok(self.store_of(actor).commit_mining(commit).await?)
    }

    /// Keeps a draft of a cure on a pattern: a request, a scenario or a rule that is not made yet.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such pattern; [`AppError::Invalid`] for a text that is empty or too long.
    pub async fn create_pattern_draft(
        &self,
        actor: &Actor,
        id: PatternId,
        kind: DraftKind,
        text: &str,
    ) -> Result<PatternDraft, AppError> {
        self.get_pattern(actor, id).await?;
        actor.must_operate()?;
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_DRAFT_CHARS || text.contains('\0') {
            return Err(AppError::Invalid(format!("a draft has 1 to {MAX_DRAFT_CHARS} characters")));
        }
        if self.store_of(actor).list_pattern_drafts(id).await?.len() >= MAX_DRAFTS {
            return Err(AppError::Invalid(format!("a pattern has at most {MAX_DRAFTS} drafts")));
        }
        let draft = PatternDraft {
            id: DraftId::from_uuid(self.ids().make()),
            pattern_id: id,
            kind,
            text: text.to_owned(),
            created_at: self.clock().now(),
            created_by: actor.name.clone(),
        };
        self.store_of(actor).create_pattern_draft(&draft).await?;
        self.audit_by(actor, "pattern.draft", id, kind.as_str()).await?;
        Ok(draft)
    }

    /// Takes a draft away.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such pattern or draft.
    pub async fn delete_pattern_draft(&self, actor: &Actor, id: PatternId, draft: DraftId) -> Result<(), AppError> {
        self.get_pattern(actor, id).await?;
        actor.must_operate()?;
        if !self.store_of(actor).delete_pattern_draft(id, draft).await? {
            return Err(AppError::NotFound("draft"));
        }
        self.audit_by(actor, "pattern.draft.delete", id, "").await
    }
}

/// A line of text within its length; nothing but white space is empty.
fn text_of(text: &str, most: usize, what: &str) -> Result<String, AppError> {
    let text = text.trim();
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(AppError::Invalid(format!("{what} has at most {most} characters, all of them in one line")));
    }
    Ok(text.to_owned())
}
