//! Many at once: selected items, or all of a pattern. Each says what it will do to how many before it does it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::AppError;
use steward_app::queue::COUNT_UP_TO;
use steward_app::tenant::{BulkReview, BulkState, PatternRow, QueueFilter, QueueSort};
use steward_core::ids::{BulkId, ItemId, PatternId, ReviewId};
use steward_core::queue::QueueItem;
use steward_core::reviews::ActiveCorrection;

use crate::extract::Path;
use crate::flash::{SeeOther, Undo};
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::{Flash, Notice};
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::{self, Time};
use crate::view::page::Page;
use crate::view::pages::queue::{QueueAssign, QueueBulk, QueueJob};
use crate::view::pages::review::Keyed;
use crate::view::shell::Crumb;
use crate::{Problem, Routes, WebState};

use super::super::around::{Visit, mend};
use super::super::exceptions::pattern_path;
use super::super::runs::count;
use super::list::title_of;
use super::words::{self, Colleagues};
use super::{asking, item_path};

/// The most items that are selected: as many as a page of the list has.
const MOST_SELECTED: usize = 50;
/// How many of a pattern's items a page shows before they are closed.
const SHOWN: u32 = 8;

pub(super) fn routes() -> Routes {
    Routes::new()
        .post("/queue/selected", selected)
        .post("/queue/selected/assign", assign_selected)
        .post("/queue/selected/review", review_selected)
        .post("/reviews/undo", undo_selected)
        .get("/patterns/{id}/review", ask_pattern)
        .post("/patterns/{id}/review", review_pattern)
        .get("/queue/bulk/{id}", show)
        .post("/queue/bulk/{id}/undo", undo)
}

/// The items that a form selects.
fn keys_of(form: &Fields) -> Result<Vec<ItemId>, Problem> {
    let ids: Result<Vec<ItemId>, _> = form.all("key").take(MOST_SELECTED + 1).map(str::parse).collect();
    let mut ids = ids.map_err(|_| Problem::no_such("item of the queue"))?;
    ids.sort_unstable();
    ids.dedup();
    match ids.len() {
        0 => Err(Problem::invalid("Select at least one.")),
        n if n > MOST_SELECTED => {
            Err(Problem::invalid("At most 50 are selected at once; take their pattern for more."))
        }
        _ => Ok(ids),
    }
}

/// Says what will be done to what is selected.
async fn selected(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { form, .. }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let ids = keys_of(&form)?;
    match form.text("do") {
        "assign" => Ok(assign_page(&state, &visit, &ids, String::new()).await?.into_response()),
        "review" => Ok(review_page(&state, &visit, &ids, &Fields::default(), String::new()).await?.into_response()),
        _ => Err(Problem::invalid("Choose what to do with what is selected.").into()),
    }
}

/// The items that are selected, as far as they may be seen.
async fn items_of(state: &WebState, visit: &Visit, ids: &[ItemId]) -> Result<Vec<QueueItem>, PageError> {
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        items.push(state.app.get_queue_item(&visit.who.actor, *id).await?.item);
    }
    Ok(items)
}

fn table_of(visit: &Visit, items: &[QueueItem]) -> Table {
    let rows = items.iter().map(|item| {
        let held = item.held_by(visit.now).filter(|claim| claim.person_id != visit.who.actor.person_id);
        let note = match (held, item.is_open()) {
            (_, false) => "closed already".to_owned(),
            (Some(claim), _) => format!("{} works on it", claim.person),
            (None, _) => String::new(),
        };
        Row {
            is_off: !note.is_empty(),
            ..Row::opens(
                item_path(item.id),
                vec![Cell::Name(title_of(item), note), Cell::Time(Time::new(item.arrived_at, visit.now, &visit.zone))],
            )
        }
    });
    Table::new("What is selected", vec![Column::new("What happened"), Column::new("Since")], rows.collect())
}

/// How many of what is selected can be reviewed now.
fn n_free(visit: &Visit, items: &[QueueItem]) -> usize {
    let me = visit.who.actor.person_id;
    let free = |item: &&QueueItem| item.is_open() && item.held_by(visit.now).is_none_or(|claim| claim.person_id == me);
    items.iter().filter(free).count()
}

fn things(n: usize) -> String {
    if n == 1 { "1 item".to_owned() } else { format!("{} items", format::count(n as u64)) }
}

fn hidden(ids: &[ItemId]) -> Vec<(String, String)> {
    ids.iter().map(|id| ("key".to_owned(), id.to_string())).collect()
}

async fn assign_page(
    state: &WebState,
    visit: &Visit,
    ids: &[ItemId],
    error: String,
) -> Result<Page<QueueAssign>, PageError> {
    visit.who.actor.must_operate()?;
    let items = items_of(state, visit, ids).await?;
    let colleagues = Colleagues::load(state, visit).await?;
    let title = format!("Assign {}", things(items.len()));
    let mut shell = visit.shell(title.clone(), "Whose work is this?", "/queue");
    shell.path = vec![Crumb::new("Queue", "/queue"), Crumb::new(title, "")];
    let mut people = vec![(String::new(), "nobody: whoever is free".to_owned())];
    people.extend(colleagues.choices());
    let me = visit.who.actor.person_id.to_string();
    let form = Form {
        hidden: hidden(ids),
        error,
        cancel: "/queue".to_owned(),
        note: "Whoever works on one of them now keeps it until they are done.".to_owned(),
        ..Form::new(
            "/queue/selected/assign",
            visit.csrf(),
            "Assign",
            vec![Field::select("person", "Whose they become", Choice::list(&people, &me))],
        )
    };
    Ok(Page::new(visit.wanted, shell, QueueAssign { form, some: table_of(visit, &items) }))
}

async fn assign_selected(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let ids = keys_of(&form)?;
    let person = match form.text("person") {
        "" => None,
        id => Some(id.parse().map_err(|_| Problem::no_such("person"))?),
    };
    match state.app.assign_items(&who.actor, &ids, person).await {
        Ok(n) => {
            let to = if person.is_some() { "assigned" } else { "nobody's now" };
            let text =
                if n == 1 { format!("1 item is {to}.") } else { format!("{} items are {to}.", format::count(n)) };
            Ok(SeeOther::to("/queue").saying(Flash::good(text)).into_response())
        }
        Err(error) => {
            let page = assign_page(&state, &visit, &ids, mend(error)?).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn review_page(
    state: &WebState,
    visit: &Visit,
    ids: &[ItemId],
    filled: &Fields,
    error: String,
) -> Result<Page<QueueBulk>, PageError> {
    let items = items_of(state, visit, ids).await?;
    let n = n_free(visit, &items);
    let title = format!("Review {} together", things(n));
    let mut shell = visit.shell(title.clone(), "What is said of all of them?", "/queue");
    shell.path = vec![Crumb::new("Queue", "/queue"), Crumb::new(title, "")];
    let mut form = asking::asking(
        "/queue/selected/review".to_owned(),
        visit.csrf(),
        &format!("Close {}", things(n)),
        None,
        filled,
    );
    form.hidden = hidden(ids);
    form.error = error;
    form.cancel = "/queue".to_owned();
    form.fields.push(time_taken(filled));
    let mut notices = Vec::new();
    if n < items.len() {
        let left = items.len() - n;
        let text = "Others work on them, or they are closed already.";
        notices.push(Notice::new(
            Tone::Warn,
            format!("{} left out", if left == 1 { "1 is".to_owned() } else { format!("{left} are") }),
            text,
        ));
    }
    let view = QueueBulk { facts: Facts::default(), notices, some: table_of(visit, &items), form };
    Ok(Page::new(visit.wanted, shell, view))
}

/// How long it took in all, which nothing measures where many are closed at once.
fn time_taken(filled: &Fields) -> Keyed {
    let minutes = filled.text("active_minutes");
    let field =
        Field::number("active_minutes", "It took me, all of them together", minutes).with_unit("minutes").optional();
    Keyed { key: "e".to_owned(), field }
}

async fn review_selected(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let (app, actor) = (&state.app, &who.actor);
    let ids = keys_of(&form)?;
    let again = async |error: String| -> Result<Response, PageError> {
        let page = review_page(&state, &visit, &ids, &form, error).await?;
        Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
    };
    let answers = match asking::read(&form) {
        Ok(answers) => answers,
        Err(words) => return again(words).await,
    };
    // What is wrong with the words is found before the first is closed.
    if let Err(error) = answers.judgement.clone().checked() {
        return again(super::super::around::sentence(&error.to_string())).await;
    }
    let all_ms = answers.correction.map(|correction| correction.active_ms);
    let mut done: Vec<ReviewId> = Vec::with_capacity(ids.len());
    let mut left = 0;
    for (at, id) in ids.iter().enumerate() {
        // The time is dealt out evenly, so that its sum is what was said.
        let n = ids.len() as i64;
        let correction = all_ms.map(|all_ms| ActiveCorrection {
            active_ms: all_ms * (at as i64 + 1) / n - all_ms * at as i64 / n,
            note: format!("{n} reviewed together"),
        });
        let closed = match app.claim_item(actor, *id).await {
            Ok(_) => app.review_item(actor, *id, answers.judgement.clone(), 0, correction).await,
            Err(error) => Err(error),
        };
        match closed {
            Ok(review) => done.push(review.id),
            // Somebody else has it, or has closed it meanwhile.
            Err(AppError::Conflict(_) | AppError::NotFound(_)) => left += 1,
            Err(error) => return again(mend(error)?).await,
        }
    }
    let mut text = format!(
        "{} closed.",
        if done.len() == 1 { "1 item is".to_owned() } else { format!("{} items are", done.len()) }
    );
    if left > 0 {
        text.push_str(&format!(" {left} were left out: others work on them, or they were closed before."));
    }
    let there = SeeOther::to("/queue").saying(Flash::good(text));
    Ok(if done.is_empty() { there } else { there.undoable(Undo::Reviews(done)) }.into_response())
}

/// Takes back what was closed together.
async fn undo_selected(
    State(state): State<WebState>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let ids: Result<Vec<ReviewId>, _> = form.all("review").take(MOST_SELECTED).map(str::parse).collect();
    let ids = ids.map_err(|_| Problem::no_such("review"))?;
    if ids.is_empty() {
        return Err(Problem::invalid("Say which reviews to take back.").into());
    }
    let mut n = 0;
    for id in ids {
        match state.app.undo_review(&who.actor, id).await {
            Ok(_) => n += 1,
            // It was taken back before.
            Err(AppError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = if n == 1 { "1 review was taken back.".to_owned() } else { format!("{n} reviews were taken back.") };
    Ok(SeeOther::to("/queue").saying(Flash::good(text)))
}

/// Says what closing everything of a pattern will do.
async fn ask_pattern(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<PatternId>,
) -> Result<Response, PageError> {
    let (pattern, _) = state.app.get_pattern(&visit.who.actor, id).await?;
    visit.who.actor.must_operate()?;
    Ok(pattern_page(&state, &visit, &pattern, &Fields::default(), String::new()).await?.into_response())
}

async fn pattern_page(
    state: &WebState,
    visit: &Visit,
    pattern: &PatternRow,
    filled: &Fields,
    error: String,
) -> Result<Page<QueueBulk>, PageError> {
    let (app, actor) = (&state.app, &visit.who.actor);
    let filter = QueueFilter { pattern: Some(pattern.id), ..QueueFilter::default() };
    let n = app.count_queue(actor, &filter, None).await?;
    let some = app.list_queue(actor, &filter, None, QueueSort::Arrived, None, SHOWN).await?.items;
    let name: String = pattern.title().chars().take(120).collect();
    let title = format!("Review all open of “{name}”");
    let mut shell = visit.shell(title, "What is said of all of them?", "/queue");
    shell.path = vec![
        Crumb::new("Exceptions", "/exceptions"),
        Crumb::new(name, pattern_path(pattern.id)),
        Crumb::new("Review all open", ""),
    ];
    let n_words = match n {
        1 => things(1),
        n => format!("{} items", format::count_up_to(n, COUNT_UP_TO)),
    };
    let action = format!("{}/review", pattern_path(pattern.id));
    let mut form = asking::asking(action, visit.csrf(), &format!("Close {n_words}"), None, filled);
    form.error = error;
    form.cancel = pattern_path(pattern.id);
    form.fields.push(time_taken(filled));
    let oldest = some.first().map_or_else(
        || FactValue::Unknown("nothing waits".to_owned()),
        |item| FactValue::Time(Time::new(item.arrived_at, visit.now, &visit.zone)),
    );
    let facts = vec![
        Fact::link("Wait now", n_words.clone(), format!("/queue?pattern={}", pattern.id)),
        Fact::new("The oldest since", oldest),
        Fact::text("What happens", "each is closed as reviewed by you, with what is said here; one button undoes all"),
        Fact::text("Left out", "what somebody works on at that moment, and what arrives later"),
    ];
    let notices = if n == 0 {
        vec![Notice::new(Tone::Info, "Nothing of this pattern waits", "There is nothing to close.")]
    } else {
        Vec::new()
    };
    let view = QueueBulk { facts: Facts { facts, across: true }, notices, some: table_of(visit, &some), form };
    Ok(Page::new(visit.wanted, shell, view))
}

async fn review_pattern(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<PatternId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let (pattern, _) = state.app.get_pattern(&who.actor, id).await?;
    who.actor.must_operate()?;
    let again = async |error: String| -> Result<Response, PageError> {
        let page = pattern_page(&state, &visit, &pattern, &form, error).await?;
        Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
    };
    let answers = match asking::read(&form) {
        Ok(answers) => answers,
        Err(words) => return again(words).await,
    };
    let active_ms = answers.correction.map(|correction| correction.active_ms);
    match state.app.start_bulk_review(&who.actor, id, answers.judgement, active_ms).await {
        Ok(bulk) => Ok(SeeOther::to(bulk_path(bulk.id)).into_response()),
        Err(error) => again(mend(error)?).await,
    }
}

pub(super) fn bulk_path(id: BulkId) -> String {
    format!("/queue/bulk/{id}")
}

async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<BulkId>,
) -> Result<Page<QueueJob>, PageError> {
    let bulk = state.app.find_bulk_review(&visit.who.actor, id).await?;
    let (pattern, _) = state.app.get_pattern(&visit.who.actor, bulk.pattern_id).await?;
    let name: String = pattern.title().chars().take(120).collect();
    let mut shell = visit.shell(format!("All open of “{name}”"), "How far is it, and what was said?", "/queue");
    shell.path = vec![
        Crumb::new("Queue", "/queue"),
        Crumb::new(name, pattern_path(pattern.id)),
        Crumb::new("Reviewed together", ""),
    ];
    Ok(Page::new(visit.wanted, shell, job(&visit, &bulk, &pattern)))
}

fn job(visit: &Visit, bulk: &BulkReview, pattern: &PatternRow) -> QueueJob {
    let (done, total) = (count(bulk.done), count(bulk.total));
    let (title, badge) = match bulk.state {
        BulkState::Running => (format!("{done} of {total} are closed"), Badge::new(Icon::Clock, "at work", Tone::Info)),
        BulkState::Done => (format!("{done} are closed"), Badge::new(Icon::Completed, "done", Tone::Good)),
        BulkState::Undoing => {
            (format!("{done} of {total} wait again"), Badge::new(Icon::Undo, "being taken back", Tone::Warn))
        }
        BulkState::Undone => (format!("{done} wait again"), Badge::new(Icon::Undo, "taken back", Tone::Neutral)),
    };
    let text = match bulk.outcomes_left {
        0 => String::new(),
        1 => "The outcome of 1 run is still to be corrected.".to_owned(),
        n => format!("The outcomes of {} runs are still to be corrected.", count(n)),
    };
    let goes_on = matches!(bulk.state, BulkState::Running | BulkState::Undoing) || bulk.outcomes_left > 0;
    let share = if bulk.total > 0 { bulk.done.clamp(0, bulk.total) * 100 / bulk.total } else { 100 };
    let mut facts = vec![
        Fact::link("Pattern", pattern.title(), pattern_path(pattern.id)),
        Fact::text("Said", words::judgement(&bulk.judgement)),
    ];
    if !bulk.judgement.resolution.is_empty() {
        facts.push(Fact::text("What was done", bulk.judgement.resolution.clone()));
    }
    facts.push(Fact::text("By", bulk.reviewer.clone()));
    facts.push(match bulk.active_ms {
        Some(ms) => Fact::text("It took", format::duration_ms(ms)),
        None => Fact::new("It took", FactValue::Unknown("nobody said".to_owned())),
    });
    facts.push(Fact::new("Begun", FactValue::Time(Time::new(bulk.created_at, visit.now, &visit.zone))));
    let mut actions = Vec::new();
    if matches!(bulk.state, BulkState::Running | BulkState::Done) {
        let undo = Action::post("Undo all of it", format!("{}/undo", bulk_path(bulk.id)), visit.csrf());
        actions.push(undo.with_icon(Icon::Undo).with_key("u"));
    }
    actions.push(Action::open("To the queue", "/queue"));
    QueueJob {
        again: if goes_on { bulk_path(bulk.id) } else { String::new() },
        title,
        text,
        badge,
        percent: u32::try_from(share).unwrap_or(0),
        facts: Facts { facts, across: false },
        actions,
    }
}

async fn undo(
    State(state): State<WebState>,
    Path(id): Path<BulkId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let there = SeeOther::to(bulk_path(id));
    match state.app.undo_bulk_review(&who.actor, id).await {
        Ok(_) => Ok(there),
        Err(error) => Ok(there.saying(Flash { tone: Tone::Bad, ..Flash::good(mend(error)?) })),
    }
}
