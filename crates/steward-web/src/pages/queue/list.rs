//! The list: what waits, in the order of what waiting costs.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use steward_app::figures::last_days;
use steward_app::queue::{COUNT_UP_TO, Forecast, QueueSummary, forecast_in_words};
use steward_app::run_query::write_pairs;
use steward_app::tenant::{QueueCursor, QueueFilter, QueueSort};
use steward_core::exceptions::ExceptionKind;
use steward_core::money::Currency;
use steward_core::queue::QueueItem;

use crate::problem::PageError;
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::filters::{Chip, FilterBar};
use crate::view::components::form::{Choice, Field};
use crate::view::components::icon::Icon;
use crate::view::components::table::{Bulk, Cell, Column, Pager, Row, Sorted, Table};
use crate::view::components::tabs::{Tab, Tabs};
use crate::view::format::{self, Time};
use crate::view::page::Page;
use crate::view::pages::queue::QueuePage;
use crate::{Problem, Routes, WebState};

use super::super::around::{Visit, sentence};
use super::super::runs::Names;
use super::words::{self, Colleagues};
use super::{Asked, DUE, item_path};

/// Over so many days arrivals and closings are counted.
const DAYS: i32 = 14;
/// Items on a page of the list.
const PAGE: u32 = 50;

const SORTS: [(QueueSort, &str); 3] =
    [(QueueSort::Rank, "cost"), (QueueSort::Due, "due"), (QueueSort::Arrived, "arrived")];

pub(super) fn routes() -> Routes {
    Routes::new().get("/queue", show)
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Response, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let asked = Asked::read(&visit.query, &visit)?;
    let sort = SORTS.into_iter().find(|(_, word)| *word == visit.get("sort")).map_or(QueueSort::Rank, |(sort, _)| sort);
    let after = visit.get("after");
    let behind = after
        .split_once('.')
        .and_then(|(value, id)| Some(QueueCursor { value: value.parse().ok()?, id: id.parse().ok()? }));
    if behind.is_none() && !after.is_empty() {
        return Err(Problem::invalid("after= is not a place in the queue").into());
    }
    let first: u64 = visit.get("n").parse().unwrap_or(0);
    let period = last_days(visit.now, DAYS, &visit.zone);
    let (page, summary) = tokio::try_join!(
        app.list_queue(actor, &asked.filter, asked.client, sort, behind, PAGE),
        app.queue_summary(actor, asked.filter.workflows.clone(), asked.client, period),
    )?;
    let names = Names::load(&state, &visit).await?;
    let colleagues = Colleagues::load(&state, &visit).await?;
    let n_here = page.items.len() as u64;
    let workflows = asked.filter.workflows.clone();
    let n_all = match page.next {
        None => format::count(first + n_here),
        // The summary has counted the same already, all of it.
        Some(_) if asked.filter == (QueueFilter { workflows, ..QueueFilter::default() }) => format::count(summary.open),
        Some(_) => format::count_up_to(app.count_queue(actor, &asked.filter, asked.client).await?, COUNT_UP_TO),
    };
    let address = address_of(&asked, &visit);
    let next = page.next.map(|next| {
        address("", &[("after", format!("{}.{}", next.value, next.id)), ("n", (first + n_here).to_string())])
    });
    let words = match n_here {
        0 => String::new(),
        n => format!("{}–{} of {n_all}", format::count(first + 1), format::count(first + n)),
    };
    let table = Table {
        id: "queue".to_owned(),
        pager: Some(Pager {
            words,
            previous: if behind.is_some() { address("", &[]) } else { String::new() },
            next: next.unwrap_or_default(),
        }),
        bulk: Some(Bulk {
            href: "/queue/selected".to_owned(),
            csrf: visit.csrf(),
            what: "selected".to_owned(),
            buttons: bulk_buttons(&visit),
        }),
        ..Table::new(
            "What waits, in the order of what waiting costs",
            columns(sort, &address),
            page.items.iter().map(|item| row(item, &visit, &names, &colleagues, &asked)).collect(),
        )
        .or_empty(empty(&asked, &visit))
    };
    let mut shell = visit.shell("Queue", "What waits for a person, and what first?", "/queue");
    shell.wide = true;
    if summary.open > 0 {
        let fields = asked.pairs.clone();
        shell.actions = vec![
            Action {
                how: crate::view::components::button::How::Post(visit.csrf(), fields),
                ..Action::post("Review next", "/queue/next", visit.csrf())
            }
            .with_key("n")
            .primary(),
        ];
    }
    let live = match (asked.filter.workflows.as_deref(), asked.client) {
        _ if behind.is_some() => String::new(),
        (Some([one]), _) => format!("/live?workflow={one}"),
        (_, Some(client)) => format!("/live?client={client}"),
        _ => "/live".to_owned(),
    };
    let view = QueuePage {
        live,
        facts: facts(&summary, &visit),
        forecast: forecast(&summary),
        tabs: tabs(&asked, &summary),
        filters: filter_bar(&asked, &visit, &names, &colleagues),
        table,
    };
    Ok(Page::new(visit.wanted, shell, view).into_response())
}

/// Parts of an address, by name.
type Pairs<'a> = [(&'a str, String)];

/// Makes addresses of the list without some part of what is set, and with more.
fn address_of<'a>(asked: &'a Asked, visit: &'a Visit) -> impl Fn(&str, &Pairs<'_>) -> String + 'a {
    let sort: Vec<(String, String)> =
        visit.query.iter().filter(|(key, value)| key == "sort" && !value.is_empty()).cloned().collect();
    move |without, more| {
        let all = asked.pairs.iter().chain(&sort).filter(|(key, _)| key != without).cloned();
        let text = write_pairs(all.chain(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone()))));
        if text.is_empty() { "/queue".to_owned() } else { format!("/queue?{text}") }
    }
}

fn columns(sort: QueueSort, address: &dyn Fn(&str, &Pairs<'_>) -> String) -> Vec<Column> {
    let head = |column: Column, by: QueueSort, now: Sorted| {
        let word = SORTS.into_iter().find(|(sort, _)| *sort == by).map_or("", |(_, word)| word);
        let now = if by == sort { now } else { Sorted::Not };
        column.sorted(address("sort", &[("sort", word.to_owned())]), now)
    };
    vec![
        Column::new("What happened"),
        head(
            Column::new("Why now").titled("The value at stake times an urgency that doubles every day"),
            QueueSort::Rank,
            Sorted::Descending,
        ),
        Column::new("Whose"),
        head(Column::new("Due"), QueueSort::Due, Sorted::Ascending),
        head(Column::new("Since"), QueueSort::Arrived, Sorted::Ascending),
        Column::new(""),
    ]
}

fn row(item: &QueueItem, visit: &Visit, names: &Names, colleagues: &Colleagues, asked: &Asked) -> Row {
    let place = names.of(item.workflow_id);
    let kind = item.exception_kind.map_or("sample", ExceptionKind::as_str);
    let mut about: Vec<&str> =
        [place.as_str(), kind, item.tool.as_str()].into_iter().filter(|s| !s.is_empty()).collect();
    about.dedup();
    let (why, tone) = words::why(item, visit, currency_of(names, item));
    let id = item.id;
    let query = asked.query();
    let mine = item.held_by(visit.now).is_some_and(|claim| claim.person_id == visit.who.actor.person_id);
    let claim = match item.held_by(visit.now) {
        Some(_) if !mine => Cell::Blank,
        _ => {
            let label = if mine { "Go on" } else { "Claim" };
            Cell::Actions(vec![Action::submit(label, format!("/queue/{id}/claim{query}")).with_key("c")])
        }
    };
    Row {
        key: id.to_string(),
        ..Row::opens(
            format!("{}{query}", item_path(id)),
            vec![
                Cell::Name(title_of(item), about.join(" · ")),
                Cell::Reason(why, tone),
                Cell::text(words::whose(item, visit, colleagues)),
                Cell::Time(Time::new(item.due_at, visit.now, &visit.zone)),
                Cell::Time(Time::new(item.arrived_at, visit.now, &visit.zone)),
                claim,
            ],
        )
    }
}

/// What an item is called.
pub(super) fn title_of(item: &QueueItem) -> String {
    if item.message.is_empty() { "It says nothing".to_owned() } else { item.message.clone() }
}

/// The currency in which an item's value is told.
pub(super) fn currency_of(names: &Names, item: &QueueItem) -> Currency {
    names.client_of(item.workflow_id).map_or(Currency::USD, |client| client.settings.currency)
}

fn bulk_buttons(visit: &Visit) -> Vec<(String, String)> {
    let mut buttons = vec![("review".to_owned(), "Review together".to_owned())];
    if visit.operates() {
        buttons.insert(0, ("assign".to_owned(), "Assign".to_owned()));
    }
    buttons
}

fn facts(summary: &QueueSummary, visit: &Visit) -> Facts {
    if summary.open == 0 && summary.days.iter().all(|day| day.arrived == 0 && day.closed == 0) {
        return Facts::default();
    }
    let n_days = summary.days.len().max(1) as f64;
    let a_day = |of: &dyn Fn(&steward_app::queue::QueueDay) -> i64| {
        let sum: i64 = summary.days.iter().map(of).sum();
        format::significant(sum as f64 / n_days)
    };
    let aged = |since: Option<steward_core::time::Timestamp>| match since {
        Some(at) => FactValue::Text(words::age(at, visit.now), format::instant_in_full(at, &visit.zone)),
        None => FactValue::Unknown("nothing waits".to_owned()),
    };
    let days = format!("Over the last {} days", summary.days.len());
    let facts = vec![
        Fact::text("Open", format::count(summary.open)),
        Fact::text("Late", format::count(summary.overdue)),
        Fact::new("Oldest", aged(summary.oldest)),
        Fact::new("Half wait longer than", aged(summary.median)),
        Fact::new("Arrive a day", FactValue::Text(a_day(&|day| day.arrived), days.clone())),
        Fact::new("Closed a day", FactValue::Text(a_day(&|day| day.closed), days)),
    ];
    Facts { facts, across: true }
}

/// Where it is going, in a sentence.
fn forecast(summary: &QueueSummary) -> String {
    match summary.forecast {
        Forecast::NoData | Forecast::Clear => String::new(),
        ref known => sentence(&format!("if it goes on as in the last four weeks, it {}", forecast_in_words(known))),
    }
}

fn tabs(asked: &Asked, summary: &QueueSummary) -> Tabs {
    let other = |more: &[(&str, String)]| {
        let others = asked.pairs.iter().filter(|(key, _)| key != "assignee" && key != DUE).cloned();
        let text = write_pairs(others.chain(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone()))));
        if text.is_empty() { "/queue".to_owned() } else { format!("/queue?{text}") }
    };
    let (whose, due) = (asked.value("assignee"), asked.value(DUE));
    let late = if summary.overdue > 0 { format::count(summary.overdue) } else { String::new() };
    Tabs {
        label: "Which of them".to_owned(),
        tabs: vec![
            Tab::new("All", other(&[]), whose.is_empty() && due.is_empty()),
            Tab::new("Mine", other(&[("assignee", "me".to_owned())]), whose == "me"),
            Tab::new("Nobody's", other(&[("assignee", "nobody".to_owned())]), whose == "nobody"),
            Tab { count: late, ..Tab::new("Late", other(&[(DUE, "over".to_owned())]), due == "over") },
        ],
        at_side: false,
    }
}

fn filter_bar(asked: &Asked, visit: &Visit, names: &Names, colleagues: &Colleagues) -> FilterBar {
    let address = address_of(asked, visit);
    let name_of = |key: &str, value: &str| {
        let known = match key {
            "client" => names.client_choices(),
            "workflow" => names.workflow_choices(),
            "assignee" => colleagues.choices(),
            _ => Vec::new(),
        };
        let known = known.into_iter().find(|(id, _)| id == value).map(|(_, name)| name);
        known.unwrap_or_else(|| match key {
            "age" => format!("at least {value} h"),
            _ => value.to_owned(),
        })
    };
    // What the tabs say needs no chip.
    let is_tab = |key: &str, value: &str| key == DUE || (key == "assignee" && ["me", "nobody"].contains(&value));
    let chips = asked.pairs.iter().filter(|(key, value)| !is_tab(key, value)).map(|(key, value)| Chip {
        name: key.clone(),
        value: name_of(key, value),
        remove: address(key, &[]),
    });
    let any = |words: Vec<(String, String)>, chosen: &str| {
        let mut all = vec![(String::new(), "any".to_owned())];
        all.extend(words);
        Choice::list(&all, chosen)
    };
    let same =
        |words: &[&str]| words.iter().map(|word| ((*word).to_owned(), word.replace('_', " "))).collect::<Vec<_>>();
    let mut kinds = same(&ExceptionKind::ALL.map(ExceptionKind::as_str));
    kinds.push(("sample".to_owned(), "sample for quality".to_owned()));
    let classes = ["auth", "rate_limit", "timeout", "server", "bad_request", "validation", "money", "other"];
    let ages = [("4", "4 hours or more"), ("24", "a day or more"), ("72", "3 days or more"), ("168", "a week or more")];
    let ages = ages.map(|(hours, words)| (hours.to_owned(), words.to_owned())).to_vec();
    let mut whose = vec![("me".to_owned(), "me".to_owned()), ("nobody".to_owned(), "nobody".to_owned())];
    whose.extend(colleagues.choices());
    let mut fields = vec![
        Field::select("client", "Client", any(names.client_choices(), asked.value("client"))),
        Field::select("workflow", "Workflow", any(names.workflow_choices(), asked.value("workflow"))),
        Field::select("kind", "Sort", any(kinds, asked.value("kind"))),
        Field::select("class", "Class of error", any(same(&classes), asked.value("class"))),
        Field::select("age", "Waits", any(ages, asked.value("age"))),
        Field::select("assignee", "Whose", any(whose, asked.value("assignee"))),
        Field::text("tool", "Tool", asked.value("tool")).optional(),
    ];
    if visit.sees_money() {
        fields.push(Field::number("value", "Value at least", asked.value("value")).optional());
    }
    for field in &mut fields {
        field.id = format!("filter-{}", field.name);
    }
    let mut keep: Vec<(String, String)> =
        visit.query.iter().filter(|(key, value)| key == "sort" && !value.is_empty()).cloned().collect();
    let kept = |key: &str| key == DUE || key == "pattern";
    keep.extend(asked.pairs.iter().filter(|(key, _)| kept(key)).cloned());
    FilterBar {
        path: "/queue".to_owned(),
        chips: chips.collect(),
        fields,
        keep,
        clear: "/queue".to_owned(),
        ..FilterBar::default()
    }
}

fn empty(asked: &Asked, visit: &Visit) -> Empty {
    if !asked.pairs.is_empty() {
        return Empty::new(Icon::Queue, "Nothing that waits fits", "Take a filter off to see what else waits.")
            .with_action(Action::open("Show all that waits", "/queue"));
    }
    let empty = Empty::new(
        Icon::Queue,
        "Nothing waits for anybody",
        "What an agent could not finish appears here a few seconds after its run has ended: errors, what was handed to a \
         person, what a client flagged, expectations that were broken. What waiting costs most stands first.",
    );
    if visit.operates() { empty.with_action(Action::open("Say whose it will be", "/settings/queue")) } else { empty }
}
