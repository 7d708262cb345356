//! Steps into a run: merging reports of the same span, counting tokens and money once, and deciding the outcome.
//!
//! Everything here is a pure function of the set of steps, so the order of arrival, repeats and splits
//! change nothing, and a rebuild from the inbox gives the same run.

use std::cmp::Ordering;

use foldhash::{HashMap, HashSet};
use jiff::tz::TimeZone;

use crate::calendar::BusinessHours;
use crate::errors;
use crate::exceptions;
use crate::money::Nanos;
use crate::outcome::{Evidence, EvidenceKind, Outcome, Verdict};
use crate::parts;
use crate::prices::PriceBook;
use crate::privacy::{Masked, add_masked};
use crate::run::{CallFacts, CostSource, ResultFacts, RunFacts};
use crate::step::{Declared, Role, Score, Step, StepError, StepKind, StepStatus, cut_text};
use crate::time::Timestamp;
use crate::usage::Usage;
use crate::workflow::{DECIDING_SCORES, RunUnit, WorkflowSettings};

/// Two reports of one model call start within so many microseconds of each other.
const SAME_CALL_MICROS: i64 = 50_000;
/// The most durations of one tool or model that a run keeps.
const MAX_DURATIONS: usize = 256;
/// The most unmapped keys that a run keeps.
const MAX_UNMAPPED: usize = 50;
/// The most tools, and the most models, that a run is counted under; more is a name made of data.
const MAX_NAMES: usize = 64;

/// What a run is read with besides its steps.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The workflow's settings.
    pub settings: &'a WorkflowSettings,
    /// Prices of models.
    pub prices: &'a PriceBook,
    /// When the client is open.
    pub hours: &'a BusinessHours,
    /// The client's zone.
    pub zone: &'a TimeZone,
    /// A person's word on the outcome, if there is one.
    pub verdict: Option<&'a Verdict>,
    /// The time at which the run is read; decides only whether an open run has gone quiet.
    pub now: Timestamp,
}

/// Adds steps to those of a run. Of two reports of one whole span the fuller one stays; reports of parts of a span
/// add to it, see [`parts`].
///
/// The result is sorted by start, then by span, and does not depend on the order of arrival.
#[must_use]
pub fn merge(known: Vec<Step>, added: Vec<Step>) -> Vec<Step> {
    let mut steps = known;
    if steps.is_empty() {
        steps = added;
    } else {
        steps.extend(added);
    }
    // Mostly each span is reported once, and in order: steps are large, and moving them is what costs.
    let by_start = |a: &Step, b: &Step| (a.started_at, a.key()).cmp(&(b.started_at, b.key()));
    if are_distinct(&steps) {
        steps.sort_by(by_start);
        return steps;
    }
    steps.sort_by(|a, b| a.key().cmp(&b.key()));
    let mut merged: Vec<Step> = Vec::with_capacity(steps.len());
    let mut of_parts: Vec<Step> = Vec::new();
    let mut steps = steps.into_iter().peekable();
    while let Some(mut step) = steps.next() {
        while let Some(other) = steps.next_if(|other| other.key() == step.key()) {
            if of_parts.is_empty() && step.extent.is_whole() && other.extent.is_whole() {
                step = fuller_of(step, other);
            } else {
                of_parts.push(other);
            }
        }
        if !of_parts.is_empty() {
            of_parts.push(step);
            step = parts::join(std::mem::take(&mut of_parts), fuller_of);
        }
        merged.push(step);
    }
    merged.sort_by(by_start);
    merged
}

/// Whether no two steps are reports of one span.
fn are_distinct(steps: &[Step]) -> bool {
    let mut keys: Vec<(&str, &str)> = steps.iter().map(Step::key).collect();
    keys.sort_unstable();
    keys.windows(2).all(|pair| pair[0] != pair[1])
}

fn fuller_of(mut a: Step, mut b: Step) -> Step {
    a.received_at = a.received_at.min(b.received_at);
    b.received_at = a.received_at;
    if fuller(&a, &b).is_lt() { b } else { a }
}

/// An order on reports of one span: the later phase, then the later end, then the one that says more, then any fixed order.
fn fuller(a: &Step, b: &Step) -> Ordering {
    let said = |s: &Step| s.input.len() + s.output.len() + s.scores.len() + s.attributes.len();
    let rank = |s: &Step| (s.reading.phase, s.ended_at, s.reading.n_attributes, said(s));
    let text = |s: &Step| serde_json::to_string(s).unwrap_or_default();
    rank(a).cmp(&rank(b)).then_with(|| if a == b { Ordering::Equal } else { text(a).cmp(&text(b)) })
}

/// Reads a run from its steps, which must be merged. `None` when there are none.
#[must_use]
pub fn derive(steps: &[Step], context: &Context<'_>) -> Option<RunFacts> {
    let first = steps.first()?;
    let tree = Tree::of(steps);
    let started_at = steps.iter().map(|s| s.started_at).min().unwrap_or(first.started_at);
    let ended_at = steps.iter().map(|s| s.ended_at).max().unwrap_or(first.ended_at);
    let errors = errors_of(steps, &tree);
    let declared = Declarations::of(steps);
    let end = end_of(steps, &declared, context, started_at);
    let counted = Counted::of(steps, &tree, &errors, context.prices, declared.cost);
    let claimed = if end.finished { decide(steps, &declared, context) } else { nothing("the run has not ended") };
    let verdict = context.verdict.filter(|_| end.finished);
    let in_hours = context.hours.is_open(started_at, context.zone);
    let cycle_ms = ended_at.ms_since(started_at);
    let mut unmapped: Vec<String> = steps.iter().flat_map(|s| s.reading.unmapped.iter().cloned()).collect();
    let n_unmapped = unmapped.len();
    unmapped.sort_unstable();
    unmapped.dedup();
    unmapped.truncate(MAX_UNMAPPED);
    let mut facts = RunFacts {
        started_at,
        ended_at,
        finished: end.finished,
        due_at: end.due_at,
        final_at: end.final_at,
        cycle_ms,
        waiting_ms: declared.waiting_ms.clamp(0, cycle_ms),
        cost_nanos: counted.cost.total(),
        known_cost_nanos: Nanos(counted.cost.known),
        cost_source: counted.cost.source(),
        cost_estimated: counted.cost.estimated,
        n_unpriced_calls: counted.cost.unknown,
        usage: counted.usage,
        n_steps: count(steps.len()),
        n_model_calls: counted.models.iter().map(|m| m.calls).sum(),
        n_tool_calls: counted.tools.iter().map(|t| t.calls).sum(),
        n_exceptions: 0,
        exceptions: Vec::new(),
        first_error: errors
            .iter()
            .zip(steps)
            .find_map(|(error, step)| error.as_ref().map(|e| first_error_words(step, &e.message)))
            .unwrap_or_default(),
        release: cut_text(&declared.release, 80),
        environment: cut_text(&declared.environment, 80),
        test: declared.test,
        title: title_of(steps, &declared),
        user_id: cut_text(&declared.user_id, 200),
        conversation_id: cut_text(&declared.conversation_id, 200),
        results: results_of(steps, &declared, context),
        models: counted.models,
        tools: counted.tools,
        in_hours,
        dialects: distinct(steps.iter().map(|s| s.reading.dialect.as_str())),
        n_attributes: steps.iter().map(|s| s.reading.n_attributes).sum(),
        n_unmapped: count(n_unmapped),
        unmapped,
        n_late_steps: end.n_late_steps,
        masked: steps.iter().fold(Masked::new(), |mut sum, step| {
            add_masked(&mut sum, &step.reading.masked);
            sum
        }),
        without_content: steps.iter().any(|s| s.reading.without_content),
        claimed: verdict.map(|_| claimed.outcome),
        evidence: verdict.map_or(claimed, evidence_of),
    };
    facts.exceptions = exceptions::extract(&facts, steps, &tree, &errors, context.settings);
    facts.n_exceptions = count(facts.exceptions.len());
    Some(facts)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for word in words.filter(|w| !w.is_empty()) {
        if !distinct.iter().any(|d| d == word) {
            distinct.push(word.to_owned());
        }
    }
    distinct.sort_unstable();
    distinct
}

/// The error of each step, by its place.
pub(crate) type StepErrors = Vec<Option<StepError>>;

/// The error of each step: what its reader found, else what a tool's answer says in words.
///
/// An error that a step only passes on from a step inside it is the inner step's. An error of one execution of a
/// tool that two spans report is counted once, at the outer one.
fn errors_of(steps: &[Step], tree: &Tree) -> StepErrors {
    let mut errors: StepErrors = steps
        .iter()
        .map(|step| match &step.error {
            Some(error) if matters(step) => {
                let mut error = error.clone();
                if error.message.is_empty() {
                    error.message = error.code.clone().unwrap_or_default();
                }
                Some(error)
            }
            Some(_) => None,
            None => errors::of_tool_text(step),
        })
        .collect();
    let mut decided: HashSet<usize> = HashSet::default();
    // The last attempt comes first here, and what came of it came of the call.
    for &i in tree.order.iter().rev() {
        let Some(outer) = same_call_around(steps, tree, i) else { continue };
        let is_last = decided.insert(outer);
        if errors[outer].is_some() {
            errors[i] = None;
        } else if is_last && steps[outer].status != StepStatus::Ok {
            errors[outer] = errors[i].take();
        }
    }
    errors
}

/// Errors of agents, chains and plain spans are those of the calls inside them, passed on.
fn matters(step: &Step) -> bool {
    matches!(
        step.kind,
        StepKind::Model | StepKind::Tool | StepKind::Embedding | StepKind::Retrieval | StepKind::Guardrail
    ) || step.parent_span_id.is_none()
}

fn first_error_words(step: &Step, message: &str) -> String {
    let name = step.tool.as_deref().or(step.model.as_deref()).unwrap_or(&step.name);
    let message = message.lines().next().unwrap_or_default();
    cut_text(&if message.is_empty() { format!("{name} failed") } else { format!("{name}: {message}") }, 240)
}

/// What the steps declare of the run, the strongest word of each.
#[derive(Debug, Default)]
struct Declarations {
    outcome: Option<(Outcome, String, String)>,
    ended: bool,
    ended_received_at: Option<Timestamp>,
    /// The greatest amount that was declared; of equal ones, one that is no estimate.
    cost: Option<CostSum>,
    waiting_ms: i64,
    release: String,
    environment: String,
    user_id: String,
    conversation_id: String,
    title: String,
    test: bool,
}

impl Declarations {
    /// Root steps speak before others, earlier ones before later ones; of outcomes the last word counts.
    fn of(steps: &[Step]) -> Self {
        let mut all = Self::default();
        let said = || steps.iter().filter_map(|s| s.declared.as_deref().map(|d| (s, d)));
        let first = |field: fn(&Declared) -> Option<&String>| -> String {
            let of_roots = said().filter(|(s, _)| s.parent_span_id.is_none()).find_map(|(_, d)| field(d));
            of_roots.or_else(|| said().find_map(|(_, d)| field(d))).cloned().unwrap_or_default()
        };
        all.release = first(|d| d.release.as_ref());
        all.environment = first(|d| d.environment.as_ref());
        all.user_id = first(|d| d.user_id.as_ref());
        all.conversation_id = first(|d| d.conversation_id.as_ref());
        all.title = first(|d| d.title.as_ref());
        for (step, declared) in said() {
            if declared.ended {
                all.ended = true;
                all.ended_received_at = earlier(all.ended_received_at, step.received_at);
            }
            all.test |= declared.test;
            if let Some(nanos) = declared.cost_nanos {
                let said = CostSum { estimated: declared.cost_estimated, ..CostSum::reported(nanos) };
                let rank = |cost: &CostSum| (cost.known, !cost.estimated);
                all.cost = Some(all.cost.filter(|held| rank(held) >= rank(&said)).unwrap_or(said));
            }
            all.waiting_ms = all.waiting_ms.max(declared.waiting_ms.unwrap_or(0));
        }
        let outcomes = said().filter_map(|(s, d)| Some((s, d, d.outcome.filter(|o| *o != Outcome::Unverified)?)));
        all.outcome = outcomes.max_by_key(|(s, ..)| (s.ended_at, s.parent_span_id.is_none())).map(|(s, d, outcome)| {
            let words = match &d.outcome_reason {
                Some(reason) => format!("the agent said {}: {}", outcome.as_str(), cut_text(reason, 300)),
                None => format!("the agent said {}", outcome.as_str()),
            };
            (outcome, words, s.span_id.clone())
        });
        all
    }
}

fn earlier(known: Option<Timestamp>, at: Timestamp) -> Option<Timestamp> {
    Some(known.map_or(at, |known| known.min(at)))
}

struct End {
    finished: bool,
    due_at: Option<Timestamp>,
    final_at: Option<Timestamp>,
    n_late_steps: u32,
}

/// Settles whether a run has ended: an explicit end, its root's end, a quiet period, or its greatest age.
fn end_of(steps: &[Step], declared: &Declarations, context: &Context<'_>, started_at: Timestamp) -> End {
    let settings = context.settings;
    let last_received_at = steps.iter().map(|s| s.received_at).max().unwrap_or_default();
    let root_received_at = match settings.run_unit {
        // A conversation goes on after the root of one trace has ended.
        RunUnit::Conversation => None,
        RunUnit::Trace => steps.iter().filter(|s| s.parent_span_id.is_none()).map(|s| s.received_at).min(),
    };
    let said_received_at = match (declared.ended_received_at, root_received_at) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let first_received_at = steps.iter().map(|s| s.received_at).min().unwrap_or_default();
    // A run that was imported long after it happened has its age counted from when it was received.
    let oldest_at = started_at.max(first_received_at).plus_ms(settings.max_age_ms);
    let quiet_at = last_received_at.plus_ms(settings.quiet_ms).min(oldest_at);
    let ended_received_at = said_received_at.or_else(|| (quiet_at <= context.now).then_some(quiet_at));
    let Some(ended_received_at) = ended_received_at else {
        return End { finished: false, due_at: Some(quiet_at), final_at: None, n_late_steps: 0 };
    };
    let late_after = ended_received_at.plus_ms(settings.settle_ms);
    let n_late_steps = count(steps.iter().filter(|s| s.received_at > late_after).count());
    let final_at = last_received_at.max(ended_received_at).plus_ms(settings.settle_ms);
    End { finished: true, due_at: None, final_at: Some(final_at), n_late_steps }
}

/// The steps as a tree by parent; what would be a cycle is cut.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) parent: Vec<Option<usize>>,
    /// Parents before their children.
    order: Vec<usize>,
}

impl Tree {
    fn of(steps: &[Step]) -> Self {
        let index: HashMap<(&str, &str), usize> = steps.iter().enumerate().map(|(i, s)| (s.key(), i)).collect();
        let mut parent: Vec<Option<usize>> = steps
            .iter()
            .enumerate()
            .map(|(i, s)| {
                let parent = s.parent_span_id.as_deref()?;
                index.get(&(s.trace_id.as_str(), parent)).copied().filter(|p| *p != i)
            })
            .collect();
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
        for (i, p) in parent.iter().enumerate() {
            if let Some(p) = p {
                children[*p].push(i);
            }
        }
        let mut order: Vec<usize> = (0..steps.len()).filter(|i| parent[*i].is_none()).collect();
        let mut seen = vec![false; steps.len()];
        order.iter().for_each(|i| seen[*i] = true);
        let mut next = 0;
        let mut uncut = 0;
        loop {
            while next < order.len() {
                for child in &children[order[next]] {
                    if !seen[*child] {
                        seen[*child] = true;
                        order.push(*child);
                    }
                }
                next += 1;
            }
            // What is left hangs in a cycle: cut it at its first member.
            while uncut < steps.len() && seen[uncut] {
                uncut += 1;
            }
            if uncut == steps.len() {
                break;
            }
            parent[uncut] = None;
            seen[uncut] = true;
            order.push(uncut);
        }
        Self { parent, order }
    }

    /// Whether something inside each step is what is looked for.
    pub(crate) fn with_inner(&self, steps: &[Step], is: impl Fn(&Step) -> bool) -> Vec<bool> {
        let mut inside = vec![false; steps.len()];
        for &i in self.order.iter().rev() {
            if let Some(parent) = self.parent[i] {
                inside[parent] |= inside[i] || is(&steps[i]);
            }
        }
        inside
    }

    /// The tool's step around another one that reports the same execution.
    pub(crate) fn same_call_around(&self, steps: &[Step], i: usize) -> Option<usize> {
        same_call_around(steps, self, i)
    }
}

/// Money of a part of a run.
#[derive(Debug, Clone, Copy, Default)]
struct CostSum {
    known: i64,
    unknown: u32,
    reported: bool,
    priced: bool,
    estimated: bool,
}

impl CostSum {
    fn reported(nanos: Nanos) -> Self {
        Self { known: nanos.0.max(0), reported: true, ..Self::default() }
    }

    fn add(&mut self, other: Self) {
        self.known = self.known.saturating_add(other.known);
        self.unknown += other.unknown;
        self.reported |= other.reported;
        self.priced |= other.priced;
        self.estimated |= other.estimated;
    }

    /// The whole cost; `None` when a part is unknown, or when nothing at all is known.
    fn total(&self) -> Option<Nanos> {
        (self.unknown == 0 && (self.reported || self.priced)).then_some(Nanos(self.known))
    }

    fn source(&self) -> CostSource {
        match (self.unknown, self.reported, self.priced) {
            (0, true, false) => CostSource::Reported,
            (0, false, true) => CostSource::Priced,
            (0, true, true) => CostSource::Mixed,
            _ => CostSource::Unknown,
        }
    }
}

/// Tokens, money and calls, each counted once.
struct Counted {
    usage: Usage,
    cost: CostSum,
    models: Vec<CallFacts>,
    tools: Vec<CallFacts>,
}

impl Counted {
    fn of(steps: &[Step], tree: &Tree, errors: &StepErrors, prices: &PriceBook, declared: Option<CostSum>) -> Self {
        let n = steps.len();
        let repeated = repeated_calls(steps, tree);
        // Whether something inside a step reports usage, is a model call, or reports money.
        let mut usage_inside = vec![false; n];
        let mut model_inside = vec![false; n];
        let mut sums = vec![CostSum::default(); n];
        let mut counted =
            Self { usage: Usage::default(), cost: CostSum::default(), models: Vec::new(), tools: Vec::new() };
        for &i in tree.order.iter().rev() {
            let step = &steps[i];
            let inside = sums[i];
            let mut own = CostSum::default();
            let mut own_known = None;
            let counts_usage = step.usage.is_some() && !usage_inside[i] && !repeated[i];
            let is_call = step.kind.is_inference() && !model_inside[i] && !repeated[i];
            if let (true, Some(usage)) = (counts_usage, &step.usage) {
                counted.usage = counted.usage.plus(usage);
            }
            let whole = match step.cost_nanos {
                // What a step reports is for all inside it, unless what is inside reports for itself.
                Some(nanos) if !repeated[i] && !inside.reported => {
                    own_known = Some(nanos);
                    CostSum { estimated: step.estimated, ..CostSum::reported(nanos) }
                }
                Some(_) => inside,
                None => {
                    if let (true, Some(usage)) = (counts_usage, &step.usage) {
                        let price = step
                            .model
                            .as_deref()
                            .and_then(|m| prices.cost(m, step.provider.as_deref(), step.started_at, usage));
                        match price {
                            Some(nanos) => {
                                own_known = Some(nanos);
                                own = CostSum { known: nanos.0, priced: true, estimated: step.estimated, ..own };
                            }
                            None => own.unknown = 1,
                        }
                    } else if is_call && step.usage.is_none() && errors[i].is_none() && !usage_inside[i] {
                        own.unknown = 1;
                    }
                    let mut whole = inside;
                    whole.add(own);
                    whole
                }
            };
            if is_call {
                let name = step.model.as_deref().unwrap_or("unknown model");
                let tokens = step.usage.map_or(0, |u| u.total());
                add_call(&mut counted.models, name, step, errors[i].as_ref(), tokens, own_known.unwrap_or_default());
            }
            if step.kind == StepKind::Tool && same_call_around(steps, tree, i).is_none() {
                let name = step.tool.as_deref().unwrap_or(&step.name);
                add_call(&mut counted.tools, name, step, errors[i].as_ref(), 0, Nanos(0));
            }
            match tree.parent[i] {
                Some(p) => {
                    sums[p].add(whole);
                    usage_inside[p] |= usage_inside[i] || step.usage.is_some();
                    model_inside[p] |= model_inside[i] || step.kind.is_inference();
                }
                None => counted.cost.add(whole),
            }
        }
        if let Some(declared) = declared {
            counted.cost = declared;
        }
        counted.models.sort_by(|a, b| a.name.cmp(&b.name));
        counted.tools.sort_by(|a, b| a.name.cmp(&b.name));
        counted
    }
}

/// Model calls that are a second report of a call beside them, as a wrapper and a provider's instrumentation make.
///
/// Known by the provider's response id, else by the same parent, model and tokens within 50 ms.
pub(crate) fn repeated_calls(steps: &[Step], tree: &Tree) -> Vec<bool> {
    let mut repeated = vec![false; steps.len()];
    let calls: Vec<usize> =
        (0..steps.len()).filter(|i| steps[*i].kind.is_inference() && steps[*i].usage.is_some()).collect();
    let mut by_response: HashMap<&str, usize> = HashMap::default();
    for (position, &i) in calls.iter().enumerate() {
        let step = &steps[i];
        if let Some(response) = step.response_id.as_deref() {
            match by_response.get(response) {
                // An ancestor is settled by "leaf-most", not here.
                Some(&j) if !is_ancestor(tree, j, i) && !is_ancestor(tree, i, j) => repeated[i] = true,
                _ => {
                    by_response.insert(response, i);
                }
            }
            continue;
        }
        repeated[i] = calls[..position]
            .iter()
            .rev()
            .take_while(|&&j| step.started_at.0 - steps[j].started_at.0 <= SAME_CALL_MICROS)
            .any(|&j| {
                let other = &steps[j];
                other.response_id.is_none()
                    && tree.parent[i].is_some()
                    && tree.parent[i] == tree.parent[j]
                    && other.model == step.model
                    && other.usage == step.usage
                    && other.reading.dialect != step.reading.dialect
            });
    }
    repeated
}

fn is_ancestor(tree: &Tree, ancestor: usize, of: usize) -> bool {
    std::iter::successors(tree.parent[of], |i| tree.parent[*i]).any(|i| i == ancestor)
}

/// The tool's step around another one that reports the same execution, as the Model Context Protocol's own spans do,
/// of which there may be two, the client's and the server's.
fn same_call_around(steps: &[Step], tree: &Tree, i: usize) -> Option<usize> {
    if steps[i].kind != StepKind::Tool {
        return None;
    }
    std::iter::successors(tree.parent[i], |p| tree.parent[*p])
        .take(4)
        .find(|p| steps[*p].kind == StepKind::Tool && is_same_tool(&steps[*p], &steps[i]))
}

fn is_same_tool(outer: &Step, inner: &Step) -> bool {
    if outer.tool == inner.tool {
        return true;
    }
    if inner.attributes.get("mcp.method.name").is_none_or(|method| method != "tools/call") {
        return false;
    }
    match (outer.tool.as_deref(), inner.tool.as_deref()) {
        // Agents know a server's tools with the server's name before them: `mcp__crm__find_client`.
        (Some(outer), Some(inner)) => {
            inner == "tools/call"
                || outer.strip_suffix(inner).is_some_and(|server| server.ends_with(|c: char| !c.is_alphanumeric()))
        }
        _ => true,
    }
}

fn add_call(calls: &mut Vec<CallFacts>, name: &str, step: &Step, error: Option<&StepError>, tokens: u64, cost: Nanos) {
    let full = calls.len() >= MAX_NAMES;
    let name = if full && !calls.iter().any(|c| c.name == name) { "others" } else { name };
    let at = calls.iter().position(|c| c.name == name).unwrap_or_else(|| {
        calls.push(CallFacts { name: cut_text(name, 120), ..CallFacts::default() });
        calls.len() - 1
    });
    let facts = &mut calls[at];
    facts.calls += 1;
    facts.tokens += tokens;
    facts.cost_nanos = facts.cost_nanos.plus(cost);
    if facts.durations_ms.len() < MAX_DURATIONS {
        facts.durations_ms.push(u32::try_from(step.duration_ms()).unwrap_or(u32::MAX));
    }
    if let Some(StepError { class, .. }) = error {
        match facts.errors.iter_mut().find(|(c, _)| c == class) {
            Some((_, n)) => *n += 1,
            None => facts.errors.push((*class, 1)),
        }
        facts.errors.sort_unstable();
    }
}

fn nothing(words: &str) -> Evidence {
    Evidence { outcome: Outcome::Unverified, kind: EvidenceKind::Nothing, words: words.to_owned(), span_id: None }
}

/// A person's word, which is stronger than anything else.
fn evidence_of(verdict: &Verdict) -> Evidence {
    let words = if verdict.comment.is_empty() {
        format!("{} looked at it", verdict.by)
    } else {
        format!("{}: {}", verdict.by, verdict.comment)
    };
    Evidence { outcome: verdict.outcome, kind: EvidenceKind::Verdict, words, span_id: None }
}

/// Decides what is claimed of a finished run by the strongest evidence there is, people's words left out.
fn decide(steps: &[Step], declared: &Declarations, context: &Context<'_>) -> Evidence {
    if let Some((outcome, words, span_id)) = &declared.outcome {
        return Evidence {
            outcome: *outcome,
            kind: EvidenceKind::Explicit,
            words: words.clone(),
            span_id: Some(span_id.clone()),
        };
    }
    if let Some(evidence) = decide_by_score(steps, context.settings) {
        return evidence;
    }
    for rule in &context.settings.outcome_rules {
        if let Some((step, words)) = rule.decide(steps) {
            let span_id = step.map(|s| s.span_id.clone());
            return Evidence { outcome: rule.outcome, kind: EvidenceKind::Rule, words: cut_text(&words, 400), span_id };
        }
    }
    let last_root = steps.iter().filter(|s| s.parent_span_id.is_none()).max_by_key(|s| s.ended_at);
    match last_root {
        Some(root) if root.status == StepStatus::Error || root.error.is_some() => Evidence {
            outcome: Outcome::Failed,
            kind: EvidenceKind::Status,
            words: format!("{} ended with an error", cut_text(&root.name, 80)),
            span_id: Some(root.span_id.clone()),
        },
        _ => nothing("it ended without an error, and nothing says whether it did its job"),
    }
}

fn decide_by_score(steps: &[Step], settings: &WorkflowSettings) -> Option<Evidence> {
    let decides = |name: &str| {
        if settings.deciding_scores.is_empty() {
            DECIDING_SCORES.iter().any(|d| d.eq_ignore_ascii_case(name))
        } else {
            settings.deciding_scores.iter().any(|d| d == name)
        }
    };
    let scores = steps.iter().flat_map(|step| step.scores.iter().map(move |score| (step, score)));
    let deciding = scores.filter(|(_, score)| decides(&score.name) && outcome_of_score(score, settings).is_some());
    let (step, score) = deciding.max_by(|a, b| {
        let rank = |(step, score): &(&Step, &Score)| (score.by_human, step.ended_at);
        rank(a).cmp(&rank(b)).then_with(|| b.1.name.cmp(&a.1.name))
    })?;
    let outcome = outcome_of_score(score, settings)?;
    let said = match (score.value, &score.label) {
        (Some(value), _) => format!("score {} is {value}", score.name),
        (None, Some(label)) => format!("score {} is {label}", score.name),
        (None, None) => return None,
    };
    Some(Evidence { outcome, kind: EvidenceKind::Score, words: said, span_id: Some(step.span_id.clone()) })
}

fn outcome_of_score(score: &Score, settings: &WorkflowSettings) -> Option<Outcome> {
    if let Some(value) = score.value {
        return Some(if value >= settings.pass_at_least { Outcome::Completed } else { Outcome::Failed });
    }
    let label = score.label.as_deref()?.trim().to_ascii_lowercase();
    match label.as_str() {
        "pass" | "passed" | "true" | "yes" | "correct" | "good" => Some(Outcome::Completed),
        "fail" | "false" | "no" | "incorrect" | "bad" => Some(Outcome::Failed),
        other => Outcome::parse(other).filter(|o| *o != Outcome::Unverified),
    }
}

fn results_of(steps: &[Step], _declared: &Declarations, context: &Context<'_>) -> Vec<ResultFacts> {
    let fact = |name: &str, at: Timestamp, value_nanos: Option<Nanos>| ResultFacts {
        name: cut_text(name, 80),
        at,
        in_hours: context.hours.is_open(at, context.zone),
        value_nanos,
    };
    let by_rule =
        context.settings.result_rules.iter().flat_map(|rule| {
            rule.results(steps).into_iter().map(|(step, value)| fact(&rule.name, step.ended_at, value))
        });
    let declared = steps.iter().filter_map(|s| s.declared.as_deref().map(|d| (s, d)));
    let declared = declared.flat_map(|(s, d)| d.results.iter().map(|r| fact(&r.name, s.ended_at, r.value_nanos)));
    by_rule.chain(declared).take(1_000).collect()
}

fn title_of(steps: &[Step], declared: &Declarations) -> String {
    if !declared.title.is_empty() {
        return cut_text(&declared.title, 120);
    }
    let said = steps.iter().flat_map(|s| &s.input).find(|m| m.role == Role::User && !m.text.trim().is_empty());
    let line = said.map_or("", |m| m.text.trim().lines().next().unwrap_or_default());
    cut_text(line, 120)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::{Condition, OutcomeRule};
    use crate::step::ErrorClass;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 + seconds)
    }

    fn step(id: &str, parent: Option<&str>, kind: StepKind) -> Step {
        Step {
            trace_id: "t".to_owned(),
            span_id: id.to_owned(),
            parent_span_id: parent.map(str::to_owned),
            kind,
            name: id.to_owned(),
            started_at: at(0),
            ended_at: at(10),
            received_at: at(11),
            ..Step::default()
        }
    }

    fn tokens(input: u64) -> Option<Usage> {
        Some(Usage { input, ..Usage::default() })
    }

    fn read(steps: Vec<Step>, settings: &WorkflowSettings, verdict: Option<&Verdict>) -> RunFacts {
        let context = Context {
            settings,
            prices: PriceBook::built_in(),
            hours: &BusinessHours::default(),
            zone: &TimeZone::UTC,
            verdict,
            now: at(20),
        };
        derive(&merge(Vec::new(), steps), &context).expect("steps")
    }

    #[test]
    fn usage_of_an_agent_counts_only_when_nothing_inside_reports_any() {
        let mut agent = step("agent", None, StepKind::Agent);
        agent.usage = tokens(100);
        let mut call = step("call", Some("agent"), StepKind::Model);
        call.usage = tokens(100);
        assert_eq!(read(vec![agent.clone(), call], &WorkflowSettings::default(), None).usage.total(), 100);
        assert_eq!(
            read(vec![agent], &WorkflowSettings::default(), None).usage.total(),
            100,
            "a remote agent keeps its own"
        );
    }

    #[test]
    fn two_reports_of_one_response_count_once() {
        let mut a = step("a", Some("root"), StepKind::Model);
        a.usage = tokens(7);
        a.response_id = Some("resp".to_owned());
        let mut b = a.clone();
        b.span_id = "b".to_owned();
        let facts = read(vec![step("root", None, StepKind::Agent), a, b], &WorkflowSettings::default(), None);
        assert_eq!((facts.usage.total(), facts.n_model_calls), (7, 1));
    }

    #[test]
    fn an_unknown_price_makes_the_cost_unknown_and_not_zero() {
        let mut call = step("call", None, StepKind::Model);
        call.model = Some("nobody-sells-this".to_owned());
        call.usage = tokens(7);
        let facts = read(vec![call.clone()], &WorkflowSettings::default(), None);
        assert_eq!((facts.cost_nanos, facts.cost_source, facts.n_unpriced_calls), (None, CostSource::Unknown, 1));
        call.cost_nanos = Some(Nanos(5));
        let facts = read(vec![call], &WorkflowSettings::default(), None);
        assert_eq!((facts.cost_nanos, facts.cost_source), (Some(Nanos(5)), CostSource::Reported));
    }

    #[test]
    fn money_reported_around_calls_beats_prices_and_is_counted_once() {
        let mut agent = step("agent", None, StepKind::Agent);
        agent.cost_nanos = Some(Nanos(900));
        let mut call = step("call", Some("agent"), StepKind::Model);
        call.model = Some("gpt-4o".to_owned());
        call.usage = tokens(1_000);
        let facts = read(vec![agent.clone(), call.clone()], &WorkflowSettings::default(), None);
        assert_eq!(facts.cost_nanos, Some(Nanos(900)));
        call.cost_nanos = Some(Nanos(800));
        let facts = read(vec![agent, call], &WorkflowSettings::default(), None);
        assert_eq!(facts.cost_nanos, Some(Nanos(800)), "the innermost report counts");
    }

    #[test]
    fn an_estimate_stays_marked_until_better_is_known() {
        let mut agent = step("agent", None, StepKind::Agent);
        agent.cost_nanos = Some(Nanos(900));
        agent.estimated = true;
        let facts = read(vec![agent.clone()], &WorkflowSettings::default(), None);
        assert_eq!((facts.cost_nanos, facts.cost_estimated), (Some(Nanos(900)), true));
        let mut call = step("call", Some("agent"), StepKind::Model);
        call.cost_nanos = Some(Nanos(800));
        let facts = read(vec![agent.clone(), call], &WorkflowSettings::default(), None);
        assert_eq!((facts.cost_nanos, facts.cost_estimated), (Some(Nanos(800)), false), "what is inside is reported");
        agent.declare().cost_nanos = Some(Nanos(1_000));
        agent.declare().cost_estimated = true;
        let facts = read(vec![agent.clone()], &WorkflowSettings::default(), None);
        assert_eq!((facts.cost_nanos, facts.cost_estimated), (Some(Nanos(1_000)), true));
    }

    #[test]
    fn of_two_phases_of_a_span_the_later_stays_though_it_ended_earlier() {
        let mut notice = step("root", None, StepKind::Agent);
        notice.ended_at = at(12);
        notice.reading.n_attributes = 90;
        notice.reading.phase = 1;
        let mut report = step("root", None, StepKind::Agent);
        report.reading.phase = 2;
        for order in [vec![notice.clone(), report.clone()], vec![report.clone(), notice]] {
            assert_eq!(merge(Vec::new(), order), [report.clone()]);
        }
    }

    #[test]
    fn a_run_without_evidence_is_unverified() {
        let facts = read(vec![step("root", None, StepKind::Agent)], &WorkflowSettings::default(), None);
        assert_eq!((facts.finished, facts.outcome()), (true, Outcome::Unverified));
    }

    #[test]
    fn evidence_is_taken_in_order_of_strength() {
        let mut root = step("root", None, StepKind::Agent);
        root.status = StepStatus::Error;
        let mut settings = WorkflowSettings::default();
        let kind = |root: &Step, settings: &WorkflowSettings, verdict| {
            let facts = read(vec![root.clone()], settings, verdict);
            (facts.evidence_kind(), facts.outcome())
        };
        assert_eq!(kind(&root, &settings, None), (EvidenceKind::Status, Outcome::Failed));
        settings.outcome_rules = vec![OutcomeRule {
            outcome: Outcome::Abandoned,
            when: vec![Condition::StepNamed { name: "root".to_owned() }],
        }];
        assert_eq!(kind(&root, &settings, None), (EvidenceKind::Rule, Outcome::Abandoned));
        root.scores.push(Score {
            name: "reward".to_owned(),
            value: Some(1.0),
            label: None,
            explanation: None,
            by_human: false,
        });
        assert_eq!(kind(&root, &settings, None), (EvidenceKind::Score, Outcome::Completed));
        root.declare().outcome = Some(Outcome::Escalated);
        assert_eq!(kind(&root, &settings, None), (EvidenceKind::Explicit, Outcome::Escalated));
        let verdict = Verdict { outcome: Outcome::Failed, by: "Ada".to_owned(), at: at(30), comment: String::new() };
        assert_eq!(kind(&root, &settings, Some(&verdict)), (EvidenceKind::Verdict, Outcome::Failed));
    }

    #[test]
    fn a_run_whose_root_never_came_ends_when_it_goes_quiet() {
        let settings = WorkflowSettings { quiet_ms: 5_000, ..WorkflowSettings::default() };
        let facts = read(vec![step("child", Some("gone"), StepKind::Model)], &settings, None);
        assert!(facts.finished, "received at 11, quiet at 16, read at 20");
        let facts = read(vec![step("child", Some("gone"), StepKind::Model)], &WorkflowSettings::default(), None);
        assert_eq!((facts.finished, facts.due_at), (false, Some(at(11 + 180))));
    }

    #[test]
    fn a_cycle_of_parents_is_cut() {
        let steps = vec![
            step("a", Some("b"), StepKind::Agent),
            step("b", Some("a"), StepKind::Agent),
            step("c", Some("c"), StepKind::Tool),
        ];
        assert_eq!(read(steps, &WorkflowSettings::default(), None).n_steps, 3);
    }

    #[test]
    fn an_mcp_span_inside_its_tool_span_is_the_same_call() {
        let mut outer = step("outer", None, StepKind::Tool);
        outer.tool = Some("book".to_owned());
        let mut inner = step("inner", Some("outer"), StepKind::Tool);
        inner.tool = Some("book".to_owned());
        assert_eq!(read(vec![outer, inner], &WorkflowSettings::default(), None).n_tool_calls, 1);
    }

    #[test]
    fn an_mcp_span_is_known_by_its_method_where_the_server_s_name_stands_before_the_tool_s() {
        let tool = |id: &str, parent: Option<&str>, tool: &str, mcp: bool| {
            let mut step = step(id, parent, StepKind::Tool);
            step.tool = Some(tool.to_owned());
            if mcp {
                step.attributes.insert("mcp.method.name".to_owned(), "tools/call".to_owned());
            }
            step
        };
        let calls = |steps| read(steps, &WorkflowSettings::default(), None).n_tool_calls;
        let outer = tool("outer", None, "mcp__crm__find_client", false);
        let client = tool("client", Some("outer"), "find_client", true);
        let server = tool("server", Some("client"), "find_client", true);
        assert_eq!(calls(vec![outer.clone(), client, server]), 1, "the client's and the server's span");
        assert_eq!(calls(vec![outer.clone(), tool("inner", Some("outer"), "find_client", false)]), 2);
        assert_eq!(calls(vec![outer, tool("inner", Some("outer"), "lient", true)]), 2, "a part of a word is no name");
    }

    #[test]
    fn an_error_of_one_execution_is_counted_once() {
        let tool = |id: &str, parent: Option<&str>, starts: i64, failed: bool| {
            let mut step = step(id, parent, StepKind::Tool);
            step.tool = Some("book".to_owned());
            step.started_at = at(starts);
            step.error = failed.then(|| StepError { class: ErrorClass::Server, code: None, message: "no".to_owned() });
            step
        };
        let read = |steps| {
            let facts = read(steps, &WorkflowSettings::default(), None);
            (facts.n_exceptions, facts.tools[0].errors.iter().map(|(_, n)| *n).sum::<u32>())
        };
        let outer = |failed| tool("outer", Some("gone"), 0, failed);
        assert_eq!(read(vec![outer(true), tool("a", Some("outer"), 1, true)]), (1, 1));
        assert_eq!(read(vec![outer(false), tool("a", Some("outer"), 1, true)]), (1, 1), "the outer one did not see it");
        let retried = vec![outer(false), tool("a", Some("outer"), 1, true), tool("b", Some("outer"), 2, false)];
        assert_eq!(read(retried), (1, 0), "the second attempt went well");
    }

    proptest! {
        #[test]
        fn order_repeats_and_splits_change_nothing(seed in proptest::collection::vec((0u8..12, 0u8..12, 0u8..5, 0u64..50), 1..30), split in 0usize..30) {
            let kinds = [StepKind::Model, StepKind::Tool, StepKind::Agent, StepKind::Chain, StepKind::Other];
            let steps: Vec<Step> = seed.iter().map(|(id, parent, kind, n)| {
                let mut s = step(&format!("s{id}"), (id != parent).then(|| format!("s{parent}")).as_deref(), kinds[usize::from(*kind)]);
                s.usage = (*n > 10).then(|| Usage { input: *n, ..Usage::default() });
                s.ended_at = at(i64::from(*id) + (*n).cast_signed());
                s.error = (*n == 3).then(|| StepError { class: ErrorClass::Other, code: None, message: "x".to_owned() });
                s
            }).collect();
            let whole = merge(Vec::new(), steps.clone());
            let mut reversed = steps.clone();
            reversed.reverse();
            let split = split.min(steps.len());
            let (first, second) = reversed.split_at(split);
            let again = merge(merge(merge(Vec::new(), second.to_vec()), first.to_vec()), steps);
            let keys = |steps: &[Step]| steps.iter().map(|s| (s.span_id.clone(), s.ended_at)).collect::<Vec<_>>();
            prop_assert_eq!(keys(&whole), keys(&again));
        }
    }
}
