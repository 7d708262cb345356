//! One item: all that is needed to judge it, and the review that closes it.
//!
//! Looking claims nothing. Who claims holds it under a lease, which the page keeps while somebody is at it; who closes
//! it is taken to the next one at once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::AppError;
use steward_app::queue::QueueItemDetail;
use steward_app::runs::RunDetail;
use steward_app::tenant::{QueueSort, Whose};
use steward_core::conversation::conversation;
use steward_core::exceptions::ExceptionKind;
use steward_core::handoff::Worked;
use steward_core::ids::{ItemId, ReviewId};
use steward_core::queue::{ClosedBy, ItemKind, QueueItem};
use steward_core::reviews::Review;
use steward_core::step::{Role, cut_text};

use crate::extract::Path;
use crate::flash::{SeeOther, Undo};
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::{Action, How, Look};
use crate::view::components::conversation::Conversation;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::{Flash, Notice};
use crate::view::components::packet::PacketCard;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::Time;
use crate::view::page::Page;
use crate::view::pages::review::{PacketPart, ReviewForm, ReviewPage};
use crate::view::shell::Crumb;
use crate::{Problem, Routes, WebState};

use super::super::around::{Visit, mend};
use super::super::exceptions::pattern_path;
use super::super::run::talk;
use super::super::runs::Names;
use super::bulk::bulk_path;
use super::list::{currency_of, title_of};
use super::words::{self, Colleagues};
use super::{Asked, asking, item_path};

/// Time is not counted after so long without doing anything, in milliseconds.
pub(super) const IDLE_MS: i64 = 60_000;
/// How many items behind a skipped one are tried, before the queue is begun from its head again.
const TRIED: u32 = 20;
/// The most characters of what was asked.
const MAX_ASKED_CHARS: usize = 1_200;
/// The most lines of what was done.
const MAX_DONE: usize = 12;

pub(super) fn routes() -> Routes {
    Routes::new()
        .post("/queue/next", next)
        .get("/queue/{id}", show)
        .post("/queue/{id}/claim", claim)
        .post("/queue/{id}/keep", keep)
        .post("/queue/{id}/release", release)
        .post("/queue/{id}/skip", skip)
        .post("/queue/{id}/assign", assign)
        .post("/queue/{id}/review", review)
        .post("/reviews/{id}/undo", undo)
}

async fn show(State(state): State<WebState>, visit: Visit, Path(id): Path<ItemId>) -> Result<Response, PageError> {
    let detail = state.app.get_queue_item(&visit.who.actor, id).await?;
    // What somebody took back is where they go on from.
    let me = visit.who.actor.person_id;
    let undone = detail.reviews.iter().find(|review| review.undone_at.is_some() && review.reviewer_id == me);
    let filled = undone.map(|review| asking::fields_of(&review.judgement)).unwrap_or_default();
    Ok(page(&state, &visit, &detail, &filled, String::new()).await?.into_response())
}

async fn page(
    state: &WebState,
    visit: &Visit,
    detail: &QueueItemDetail,
    filled: &Fields,
    error: String,
) -> Result<Page<ReviewPage>, PageError> {
    let item = &detail.item;
    let asked = Asked::read(&visit.query, visit).unwrap_or_default();
    let names = Names::load(state, visit).await?;
    let colleagues = Colleagues::load(state, visit).await?;
    let title: String = title_of(item).chars().take(120).collect();
    let mut shell = visit.shell(title.clone(), "What is to be done about it?", "/queue");
    shell.path = vec![Crumb::new("Queue", format!("/queue{}", asked.query()))];
    if let Some(client) = names.client(&detail.workflow) {
        shell.path.push(Crumb::new(client.name.clone(), format!("/queue?client={}", client.id)));
    }
    shell.path.push(Crumb::new(detail.workflow.name.clone(), format!("/queue?workflow={}", detail.workflow.id)));
    shell.path.push(Crumb::new(title, ""));
    shell.wide = true;
    let (why, tone) = words::why(item, visit, currency_of(&names, item));
    let holds = item.held_by(visit.now).is_some_and(|claim| claim.person_id == visit.who.actor.person_id);
    let form = holds.then(|| form(visit, detail, &asked, filled, error));
    let (holder, claims) = if holds { (String::new(), Vec::new()) } else { instead(visit, detail, &asked) };
    let packet = match item.exception_id().filter(|_| detail.exception.is_some()) {
        Some(id) => Some(state.app.get_packet(&visit.who.actor, id).await?),
        None => None,
    };
    // The run's own conversation, with what each tool answered, stands below.
    let packet = packet.map(|mut packet| {
        if detail.run.is_some() {
            packet.said.clear();
        }
        if packet.worked.is_empty() {
            packet.worked = worked(&detail.resolutions);
        }
        PacketCard::new(packet)
    });
    let has_packet = packet.is_some();
    let parts = if has_packet { Vec::new() } else { detail.run.as_ref().map(parts).unwrap_or_default() };
    let view = ReviewPage {
        // In the flow rather than over the form.
        said: shell.flash.take(),
        notices: notices(detail),
        badges: badges(item),
        stopped: if title_of(item).chars().count() > 120 { title_of(item) } else { String::new() },
        why: if item.is_open() { why } else { String::new() },
        tone,
        facts: facts(visit, detail, &names, &colleagues),
        packet,
        parts,
        conversation: detail.run.as_ref().map_or_else(
            || Conversation {
                turns: Vec::new(),
                empty: Some(Empty::new(
                    Icon::Message,
                    "The run is kept no longer",
                    "What is known of it stands above; what was counted stays.",
                )),
            },
            |run| talk(run, &conversation(&run.run.steps)),
        ),
        // The packet says it too.
        before: if has_packet { Table::default() } else { before(visit, &detail.resolutions) },
        reviews: reviews(visit, detail),
        holder,
        claims,
        form,
        assigning: (visit.operates() && item.is_open()).then(|| assigning(visit, item, &asked, &colleagues)),
    };
    Ok(Page::new(visit.wanted, shell, view))
}

fn form(visit: &Visit, detail: &QueueItemDetail, asked: &Asked, filled: &Fields, error: String) -> ReviewForm {
    let id = detail.item.id;
    let query = asked.query();
    let stands = detail.run.as_ref().map(|run| run.run.facts.outcome());
    let action = format!("{}/review{query}", item_path(id));
    let mut asking = asking::asking(action, visit.csrf(), "Close and go on", stands, filled);
    asking.error = error;
    let claim = detail.item.claim.as_ref();
    let until = claim.map(|claim| claim.until.to_jiff().to_zoned(visit.zone.clone()).strftime("%H:%M").to_string());
    let counted_ms = claim.and_then(|claim| claim.active_ms).unwrap_or(0);
    let minutes = filled.text("active_minutes").to_owned();
    ReviewForm {
        held: until.map(|until| format!("Yours until {until}")).unwrap_or_default(),
        keep: format!("{}/keep", item_path(id)),
        idle_ms: IDLE_MS,
        counted_ms,
        counted: words::clock(counted_ms),
        corrected: !minutes.is_empty(),
        correction: vec![
            Field { required: false, ..Field::number("active_minutes", "Minutes that it took", minutes) },
            Field::text("active_note", "Why", filled.text("active_note")).optional(),
        ],
        asking,
        others: vec![
            Action::submit("Skip", format!("{}/skip{query}", item_path(id))).with_key("s").with_look(Look::Quiet),
            Action::submit("Release", format!("{}/release{query}", item_path(id))).with_look(Look::Quiet),
        ],
    }
}

fn assigning(visit: &Visit, item: &QueueItem, asked: &Asked, colleagues: &Colleagues) -> Form {
    let mut people = vec![(String::new(), "nobody: whoever is free".to_owned())];
    people.extend(colleagues.choices());
    let chosen = item.assignee.map(|id| id.to_string()).unwrap_or_default();
    let field = Field::select("person", "Whose it is", Choice::list(&people, &chosen));
    Form::new(format!("{}/assign{}", item_path(item.id), asked.query()), visit.csrf(), "Assign", vec![field])
}

/// What stands instead of the form, and what can be done there.
fn instead(visit: &Visit, detail: &QueueItemDetail, asked: &Asked) -> (String, Vec<Action>) {
    let item = &detail.item;
    let id = item.id;
    let claim = Action::post("Claim and review", format!("{}/claim{}", item_path(id), asked.query()), visit.csrf())
        .with_key("c")
        .primary();
    let next = Action {
        how: How::Post(visit.csrf(), asked.pairs.clone()),
        ..Action::post("Review next", "/queue/next", visit.csrf())
    }
    .with_key("n");
    match (item.closed_at, item.closed_by) {
        (Some(_), Some(ClosedBy::Muted)) => {
            ("Its pattern is muted. It waits again when somebody takes that back.".to_owned(), vec![next])
        }
        (Some(_), Some(ClosedBy::Gone)) => {
            let words = match item.kind {
                ItemKind::Exception => "Its run was read again and does not have it any more.",
                ItemKind::Sample => "Its run was read again and is no longer claimed completed.",
            };
            (words.to_owned(), vec![next])
        }
        (Some(_), _) => {
            let standing = detail.reviews.iter().find(|review| review.undone_at.is_none());
            let words =
                standing.map_or_else(|| "It is closed.".to_owned(), |review| format!("{} closed it.", review.reviewer));
            let undo = standing.map(|review| match review.bulk_id {
                Some(bulk) => Action::open("Reviewed with others", bulk_path(bulk)),
                None => Action::post("Undo", format!("/reviews/{}/undo", review.id), visit.csrf())
                    .with_icon(Icon::Undo)
                    .with_key("u"),
            });
            (words, undo.into_iter().chain([next]).collect())
        }
        (None, _) => match item.held_by(visit.now) {
            Some(held) => {
                let until = held.until.to_jiff().to_zoned(visit.zone.clone()).strftime("%H:%M");
                (format!("{} works on it, until {until} at least.", held.person), vec![next])
            }
            None => ("Nobody works on it. Looking claims nothing.".to_owned(), vec![claim]),
        },
    }
}

fn notices(detail: &QueueItemDetail) -> Vec<Notice> {
    let mut notices = Vec::new();
    if detail.item.is_open() && detail.item.kind == ItemKind::Sample {
        notices.push(Notice::new(
            Tone::Info,
            "Taken by chance, to see whether completed means completed",
            "Leave the outcome as it is where the run did its job, and correct it where it did not. A claim falls, too, \
             when the agent was wrong and no outcome is said.",
        ));
    }
    if detail.item.is_open() && detail.item.exception_id().is_some() && detail.exception.is_none() {
        notices.push(Notice::new(
            Tone::Info,
            "Its run is kept no longer",
            "What it said stands here; it can be reviewed all the same.",
        ));
    }
    notices
}

fn badges(item: &QueueItem) -> Vec<Badge> {
    let kind = match item.exception_kind {
        None => Badge::new(Icon::Target, "sample for quality", Tone::Info),
        Some(kind) => {
            let (icon, tone) = match kind {
                ExceptionKind::Escalation => (Icon::Escalated, Tone::Info),
                ExceptionKind::Flag => (Icon::Flag, Tone::Warn),
                _ => (Icon::Exceptions, Tone::Bad),
            };
            Badge::new(icon, kind.as_str(), tone)
        }
    };
    let mut badges = vec![kind];
    badges.extend(words::closed_badge(item));
    badges
}

fn facts(visit: &Visit, detail: &QueueItemDetail, names: &Names, colleagues: &Colleagues) -> Facts {
    let item = &detail.item;
    let time = |at| FactValue::Time(Time::new(at, visit.now, &visit.zone));
    let mut all =
        vec![Fact::link("Workflow", names.place(&detail.workflow), format!("/workflows/{}", item.workflow_id))];
    if let Some(run) = &detail.run {
        let title =
            if run.run.facts.title.is_empty() { "Open the run".to_owned() } else { run.run.facts.title.clone() };
        all.push(Fact::link("Run", title, format!("/runs/{}", item.run_id)));
        all.push(Fact::new("Outcome", FactValue::Badge(Badge::outcome(run.run.facts.outcome()))));
    }
    if let Some(pattern) = &detail.pattern {
        all.push(Fact::link("Pattern", pattern.title(), pattern_path(pattern.id)));
    }
    let sort = [item.tool.as_str(), item.class.as_str()];
    let sort: Vec<&str> = sort.into_iter().filter(|text| !text.is_empty()).collect();
    if !sort.is_empty() {
        all.push(Fact::text("In", sort.join(" · ")));
    }
    all.push(Fact::new("Since", time(item.arrived_at)));
    all.push(Fact::new("Due", time(item.due_at)));
    if let Some(person) = item.assignee {
        all.push(Fact::text("Assigned to", colleagues.name(person)));
    }
    Facts { facts: all, across: true }
}

/// What was asked and what was done, from the run.
fn parts(detail: &RunDetail) -> Vec<PacketPart> {
    let steps = &detail.run.steps;
    let said = conversation(steps);
    let asked = said.iter().find(|one| one.message.role == Role::User && !one.message.text.trim().is_empty());
    let done: Vec<String> = steps
        .iter()
        .filter_map(|step| {
            let tool = step.tool.as_deref()?;
            Some(match &step.error {
                Some(error) => format!("{tool}: failed: {}", cut_text(&error.message, 160)),
                None => format!("{tool}: done"),
            })
        })
        .collect();
    let left_out = done.len().saturating_sub(MAX_DONE);
    let mut lines: Vec<String> = done.into_iter().take(MAX_DONE).collect();
    if left_out > 0 {
        lines.push(format!("and {left_out} more"));
    }
    let part = |head: &str, text: String, lines: Vec<String>| PacketPart { head: head.to_owned(), text, lines };
    let mut parts = Vec::new();
    if let Some(asked) = asked {
        parts.push(part("What was asked", cut_text(&asked.message.text, MAX_ASKED_CHARS), Vec::new()));
    }
    if !lines.is_empty() {
        parts.push(part("What was done", String::new(), lines));
    }
    parts
}

/// What was done about others of the pattern, each thing once.
fn worked(resolutions: &[Review]) -> Vec<Worked> {
    let mut worked: Vec<Worked> = Vec::new();
    for review in resolutions {
        let resolution = &review.judgement.resolution;
        match worked.iter_mut().find(|known| known.resolution == *resolution) {
            Some(known) => {
                known.n += 1;
                known.last_at = known.last_at.max(review.closed_at);
            }
            None => {
                worked.push(Worked { resolution: resolution.clone(), n: 1, last_at: review.closed_at });
            }
        }
    }
    worked
}

/// What was done about others of the pattern.
fn before(visit: &Visit, resolutions: &[Review]) -> Table {
    let rows = resolutions.iter().map(|review| {
        let cause = review.judgement.cause.map(|cause| words::cause_label(cause).to_lowercase()).unwrap_or_default();
        Row::opens(
            item_path(review.item_id),
            vec![
                Cell::Name(review.judgement.resolution.clone(), format!("by {}", review.reviewer)),
                Cell::text(cause),
                Cell::Time(Time::new(review.closed_at, visit.now, &visit.zone)),
            ],
        )
    });
    Table::new(
        "What was done about others of the pattern",
        vec![Column::new("What was done"), Column::new("Cause"), Column::new("When")],
        rows.collect(),
    )
}

fn reviews(visit: &Visit, detail: &QueueItemDetail) -> Table {
    let rows = detail.reviews.iter().map(|review| {
        let judgement = &review.judgement;
        let texts = [judgement.resolution.as_str(), judgement.comment.as_str()];
        let texts = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
        let told = [words::judgement(judgement), texts].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
        Row {
            is_off: review.undone_at.is_some(),
            ..Row::plain(vec![
                Cell::Name(told.join(". "), words::reviewed_by(review)),
                Cell::Time(Time::new(review.closed_at, visit.now, &visit.zone)),
            ])
        }
    });
    Table::new("Reviews of it", vec![Column::new("Review"), Column::new("When")], rows.collect())
}

/// Where somebody goes with the filters that they came with.
fn with_query(path: String, asked: &Asked) -> String {
    format!("{path}{}", asked.query())
}

/// Claims what waiting costs most and goes there; to the queue where nothing is free.
async fn go_on(state: &WebState, visit: &Visit, asked: &Asked) -> Result<(SeeOther, bool), PageError> {
    let next = state.app.claim_next(&visit.who.actor, &asked.filter, asked.client).await?;
    Ok(match next {
        Some(item) => (SeeOther::to(with_query(item_path(item.id), asked)), true),
        None => (SeeOther::to(with_query("/queue".to_owned(), asked)), false),
    })
}

async fn next(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { form, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let asked = Asked::read(&form.0, &visit)?;
    let (there, found) = go_on(&state, &visit, &asked).await?;
    if found {
        return Ok(there);
    }
    let text = "Nothing here is free: others work on what waits, or nothing does.";
    Ok(there.saying(Flash { tone: Tone::Info, ..Flash::good(text) }))
}

async fn claim(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ItemId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let asked = Asked::read(&visit.query, &visit)?;
    let there = SeeOther::to(with_query(item_path(id), &asked));
    match state.app.claim_item(&who.actor, id).await {
        Ok(_) => Ok(there),
        // Somebody was quicker: the page says who.
        Err(error) => Ok(there.saying(Flash { tone: Tone::Warn, ..Flash::good(mend(error)?) })),
    }
}

/// Takes in active time, and keeps the claim. Not for eyes: the page's script calls it.
async fn keep(
    State(state): State<WebState>,
    Path(id): Path<ItemId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<StatusCode, PageError> {
    // What is no number is refused as a time that cannot be.
    let active_ms = form.text("active_ms").parse().unwrap_or(-1);
    state.app.keep_claim(&who.actor, id, active_ms).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn release(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ItemId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let asked = Asked::read(&visit.query, &visit)?;
    state.app.release_item(&who.actor, id).await?;
    let back = SeeOther::to(with_query("/queue".to_owned(), &asked));
    Ok(back.saying(Flash::good("It is nobody's again.")))
}

/// Leaves an item to others and goes to the next behind it that is free.
async fn skip(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ItemId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let (app, actor) = (&state.app, &who.actor);
    let asked = Asked::read(&visit.query, &visit)?;
    let detail = app.get_queue_item(actor, id).await?;
    app.release_item(actor, id).await?;
    // The place in the order in which this person gets the queue: the rank is hidden from who sees no money.
    let sort = steward_app::queue::queue_sort_for(actor, QueueSort::Rank);
    let behind = steward_app::tenant::QueueCursor::behind(&detail.item, sort);
    // As “Review next” does: what is somebody else's is left to them, unless one asks for it.
    let mut filter = asked.filter.clone();
    filter.assignee = filter.assignee.or(Some(Whose::OfOrNobody(actor.person_id)));
    let page = app.list_queue(actor, &filter, asked.client, sort, Some(behind), TRIED).await?;
    for item in page.items.iter().filter(|item| item.held_by(visit.now).is_none()) {
        match app.claim_item(actor, item.id).await {
            Ok(_) => return Ok(SeeOther::to(with_query(item_path(item.id), &asked))),
            Err(AppError::Conflict(_) | AppError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let back = SeeOther::to(with_query("/queue".to_owned(), &asked));
    Ok(back.saying(Flash { tone: Tone::Info, ..Flash::good("That was the last one. What was skipped still waits.") }))
}

async fn assign(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ItemId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let asked = Asked::read(&visit.query, &visit)?;
    let person = match form.text("person") {
        "" => None,
        id => Some(id.parse().map_err(|_| Problem::no_such("person"))?),
    };
    state.app.assign_items(&who.actor, &[id], person).await?;
    let text = if person.is_some() { "It is assigned." } else { "It is nobody's now." };
    Ok(SeeOther::to(with_query(item_path(id), &asked)).saying(Flash::good(text)))
}

async fn review(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ItemId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let (app, actor) = (&state.app, &who.actor);
    let asked = Asked::read(&visit.query, &visit)?;
    let detail = app.get_queue_item(actor, id).await?;
    let again = async |error: String| -> Result<Response, PageError> {
        let detail = app.get_queue_item(actor, id).await?;
        let page = page(&state, &visit, &detail, &form, error).await?;
        Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
    };
    let answers = match asking::read(&form) {
        Ok(answers) => answers,
        Err(words) => return again(words).await,
    };
    let more_ms = unsent_ms(&form, &detail.item, visit.now);
    let review = match app.review_item(actor, id, answers.judgement, more_ms, answers.correction).await {
        Ok(review) => review,
        Err(error) => return again(mend(error)?).await,
    };
    let (there, found) = go_on(&state, &visit, &asked).await?;
    let title: String = title_of(&detail.item).chars().take(60).collect();
    let text = if found {
        format!("“{title}” is closed.")
    } else {
        format!("“{title}” is closed, and nothing else here is free.")
    };
    Ok(there.saying(Flash::good(text)).undoable(Undo::Review(review.id)).into_response())
}

/// The active time that a form brings along, in milliseconds.
///
/// A script says what it counted since it told last. Without one nothing was ever counted: then it is the time from the
/// claim to the form, of which no more counts than of somebody who does nothing.
fn unsent_ms(form: &Fields, item: &QueueItem, now: steward_core::time::Timestamp) -> i64 {
    let told = form.text("active_ms").parse::<i64>().unwrap_or(0).max(0);
    match &item.claim {
        Some(claim) if form.text("measured").is_empty() && claim.active_ms.is_none() => {
            now.ms_since(claim.at).clamp(0, IDLE_MS)
        }
        _ => told,
    }
}

/// Takes a review back, and its item in hand again.
async fn undo(
    State(state): State<WebState>,
    Path(id): Path<ReviewId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let review = state.app.get_review(&who.actor, id).await?;
    let there = SeeOther::to(item_path(review.item_id));
    if let Err(error) = state.app.undo_review(&who.actor, id).await {
        return Ok(there.saying(Flash { tone: Tone::Warn, ..Flash::good(mend(error)?) }));
    }
    // Where it is somebody else's by now, the page says so.
    let text = match state.app.claim_item(&who.actor, review.item_id).await {
        Ok(_) => "The review was taken back; it waits again, and is yours.".to_owned(),
        Err(AppError::Conflict(_) | AppError::NotFound(_)) => "The review was taken back; it waits again.".to_owned(),
        Err(error) => return Err(error.into()),
    };
    Ok(there.saying(Flash::good(text)))
}
