//! Exceptions: which problems are there, and one of them with what people make of it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use steward_app::patterns::{PatternDetail, Resolution};
use steward_app::run_query::{RunQuery, write_pairs};
use steward_app::tenant::{DraftKind, Facet, PatternCursor, PatternFilter, PatternListed, PatternRow, PatternSort};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{DraftId, PatternId};
use steward_core::metrics::{Good, Unit};
use steward_core::money::{Currency, Nanos};
use steward_core::patterns::PatternState;
use steward_core::report::{Chart, ChartKind, Series, SeriesRole};
use steward_core::time::{DAY_MICROS, Timestamp};

use crate::extract::Path;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::{Action, How};
use crate::view::components::chart::ChartBlock;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::filters::{Chip, FilterBar};
use crate::view::components::form::{Choice, Control, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::{Flash, Notice};
use crate::view::components::table::{Bulk, Cell, Column, Pager, Row, Sorted, Table};
use crate::view::format::{self, Time};
use crate::view::html::{Html, Link};
use crate::view::page::Page;
use crate::view::pages::pattern::PatternPage;
use crate::view::pages::runs::Runs;
use crate::view::shell::Crumb;
use crate::{Problem, Routes, WebState};

use super::around::{Visit, compare, mend, sentence};
use super::queue::pattern::OfPattern;
use super::runs::{Names, count};

/// Patterns on a page of the list.
const PAGE: u32 = 50;
/// Patterns that are offered to put another into.
const OFFERED: u32 = 100;

/// The list of patterns, and one of them.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/exceptions", list).get("/patterns/{id}", show).post("/patterns/{id}", change)
}

/// The badge of a pattern's state.
pub(super) fn state_badge(state: PatternState) -> Badge {
    let (icon, tone) = match state {
        PatternState::New => (Icon::Flag, Tone::Warn),
        PatternState::Regressed => (Icon::Warning, Tone::Bad),
        PatternState::Known => (Icon::Eye, Tone::Info),
        PatternState::Muted => (Icon::Silent, Tone::Neutral),
        PatternState::Resolved => (Icon::Completed, Tone::Good),
    };
    Badge::new(icon, state.as_str(), tone)
}

/// Where a pattern's page is.
pub(super) fn pattern_path(id: PatternId) -> String {
    format!("/patterns/{id}")
}

/// What a pattern is about, in a line: its tool, agent or step, and its class and code.
pub(super) fn about(pattern: &PatternRow) -> String {
    let head = &pattern.head;
    let place = [head.tool.as_str(), head.agent.as_str(), head.stage.as_str()];
    let place = place.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let sort = if head.class.is_empty() { head.kind.as_str() } else { head.class.as_str() };
    let all = [place, sort, head.code.as_str()];
    let mut parts: Vec<&str> = all.into_iter().filter(|part| !part.is_empty()).collect();
    parts.dedup();
    parts.join(" · ")
}

const SORTS: [(PatternSort, &str); 4] = [
    (PatternSort::Count, "count"),
    (PatternSort::Trend, "trend"),
    (PatternSort::Cost, "cost"),
    (PatternSort::LastSeen, "seen"),
];

/// The filters of the list, as they stand in the address.
const FILTERS: [&str; 8] = ["client", "workflow", "state", "kind", "tool", "class", "release", "q"];

async fn list(State(state): State<WebState>, visit: Visit) -> Result<Response, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let pairs: Vec<(String, String)> = visit
        .query
        .iter()
        .filter(|(key, value)| FILTERS.contains(&key.as_str()) && !value.is_empty())
        .cloned()
        .collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let said = ["client", "workflow", "tool", "release", "q"];
    let said = pairs.iter().filter(|(key, _)| said.contains(&key.as_str())).map(|(key, value)| (key, value));
    let RunQuery { client, filter } = RunQuery::read(said, visit.now, &visit.zone)?;
    let states = match value("state") {
        "" => Vec::new(),
        // What needs somebody: new and regressed.
        "open" => vec![PatternState::New, PatternState::Regressed],
        word => vec![PatternState::parse(word).ok_or_else(|| Problem::invalid("state= takes a state of patterns"))?],
    };
    let kind = match value("kind") {
        "" => None,
        word => Some(ExceptionKind::parse(word).ok_or_else(|| Problem::invalid("kind= takes a sort of exceptions"))?),
    };
    let chosen = visit.period();
    let class = value("class");
    let pattern_filter = PatternFilter {
        workflows: filter.workflows,
        states,
        period: Some(chosen.period),
        kind,
        tool: filter.tool,
        class: (!class.is_empty()).then(|| class.to_owned()),
        release: filter.release,
        text: filter.text,
    };
    let sort =
        SORTS.into_iter().find(|(_, word)| *word == visit.get("sort")).map_or(PatternSort::Count, |(sort, _)| sort);
    let sort = if sort == PatternSort::Cost && !visit.sees_money() { PatternSort::Count } else { sort };
    let after = visit.get("after");
    let behind = after
        .split_once('.')
        .and_then(|(value, id)| Some(PatternCursor { value: value.parse().ok()?, id: id.parse::<PatternId>().ok()? }));
    if behind.is_none() && !after.is_empty() {
        return Err(Problem::invalid("after= is not a place in a list of patterns").into());
    }
    let first: u64 = visit.get("n").parse().unwrap_or(0);
    let page = app.list_patterns(actor, &pattern_filter, client, sort, behind, PAGE).await?;
    let names = Names::load(&state, &visit).await?;
    let counts = app.count_patterns(actor, pattern_filter.workflows.clone(), client).await?;

    let keep: Vec<(String, String)> = visit
        .query
        .iter()
        .filter(|(key, value)| !value.is_empty() && ["period", "from", "to", "days", "sort"].contains(&key.as_str()))
        .cloned()
        .collect();
    let address = |without: &str, more: &[(&str, String)]| {
        let all = pairs.iter().chain(&keep).filter(|(key, _)| key != without).cloned();
        let text = write_pairs(all.chain(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone()))));
        if text.is_empty() { "/exceptions".to_owned() } else { format!("/exceptions?{text}") }
    };
    let head = |column: Column, by: PatternSort| {
        let word = SORTS.into_iter().find(|(sort, _)| *sort == by).map_or("", |(_, word)| word);
        let now = if by == sort { Sorted::Descending } else { Sorted::Not };
        column.sorted(address("sort", &[("sort", word.to_owned())]), now)
    };
    let mut columns = vec![
        Column::new("Pattern"),
        Column::new("State"),
        head(Column::number("Exceptions").titled("In the period"), PatternSort::Count),
        head(Column::number("Change").titled("Against the period before"), PatternSort::Trend),
        Column::number("Runs").titled("Runs with at least one, in the period"),
    ];
    if visit.sees_money() {
        columns.push(head(
            Column::number("Cost")
                .titled("What the runs cost that did not do their job, and the time of people, in the period"),
            PatternSort::Cost,
        ));
    }
    columns.push(Column::new("First seen"));
    columns.push(head(Column::new("Last seen"), PatternSort::LastSeen));
    let rows = page.patterns.iter().map(|listed| row(&visit, &names, listed));
    let n_here = page.patterns.len() as u64;
    let range = format!("{}–{}", format::count(first + 1), format::count(first + n_here));
    let next = page.next.map(|next| {
        address("", &[("after", format!("{}.{}", next.value, next.id)), ("n", (first + n_here).to_string())])
    });
    let words = match (&next, n_here) {
        (_, 0) => String::new(),
        (None, _) => format!("{range} of {}", format::count(first + n_here)),
        (Some(_), _) => format!("{range} of more"),
    };
    let empty = if pairs.is_empty() {
        Empty::new(
            Icon::Exceptions,
            "No exception in this period",
            "What goes wrong in a run appears here a moment after the run has ended, the same problem as one pattern.",
        )
    } else {
        Empty::new(Icon::Exceptions, "No pattern fits", "Take a filter off, or look at a longer period.")
            .with_action(Action::open("Show all patterns", "/exceptions"))
    };
    let table = Table {
        id: "patterns".to_owned(),
        pager: Some(Pager {
            words,
            previous: if behind.is_some() { address("", &[]) } else { String::new() },
            next: next.unwrap_or_default(),
        }),
        ..Table::new("Patterns", columns, rows.collect()).or_empty(empty)
    };
    let sums = PatternState::ALL.into_iter().filter_map(|state| {
        let n = counts.iter().find(|(known, _)| *known == state).map_or(0, |(_, n)| *n);
        (n > 0).then(|| (state.as_str().to_owned(), count(n)))
    });
    let mut shell = visit.shell("Exceptions", "Which problems are there, and which need me?", "/exceptions");
    shell.wide = true;
    shell.period = Some(chosen.picker.clone());
    visit.get("q").clone_into(&mut shell.search);
    let live = match pattern_filter.workflows.as_deref() {
        _ if behind.is_some() => String::new(),
        Some([one]) => format!("/live?workflow={one}"),
        _ => client.map_or_else(|| "/live".to_owned(), |client| format!("/live?client={client}")),
    };
    let part = Runs {
        live,
        receipt: None,
        filters: filter_bar(&pairs, &keep, &names),
        sums: sums.collect(),
        table,
        exports: Vec::new(),
    };
    Ok(Page::new(visit.wanted, shell, part).into_response())
}

fn row(visit: &Visit, names: &Names, listed: &PatternListed) -> Row {
    let pattern = &listed.pattern;
    let place = names.of(pattern.workflow_id);
    let sub = [place.as_str(), &about(pattern)].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · ");
    let change = compare(listed.n as f64, listed.n_before as f64, Unit::Count, Good::Down, Currency::USD);
    let time = |at| Cell::Time(Time::new(at, visit.now, &visit.zone));
    let mut cells = vec![
        Cell::Name(pattern.title().to_owned(), sub),
        Cell::Badge(state_badge(pattern.state)),
        Cell::Number(count(listed.n), format!("{} in all", count(pattern.n))),
        change.filter(|_| listed.n_before > 0).map_or_else(
            || Cell::Unknown("there was none in the period before".to_owned()),
            |change| Cell::Change(String::new(), change),
        ),
        Cell::number(count(listed.n_runs)),
    ];
    if visit.sees_money() {
        let people = match listed.human_ms {
            0 => String::new(),
            ms => format!("{} of people’s time", format::duration_ms(ms)),
        };
        cells.push(Cell::Number(format::money(Nanos(listed.cost_nanos), Currency::USD), people));
    }
    cells.push(time(pattern.first_seen));
    cells.push(time(pattern.last_seen));
    let is_off = matches!(pattern.state, PatternState::Muted | PatternState::Resolved);
    Row { is_off, ..Row::opens(pattern_path(pattern.id), cells) }
}

fn filter_bar(pairs: &[(String, String)], keep: &[(String, String)], names: &Names) -> FilterBar {
    let value =
        |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let address = |pairs: Vec<(String, String)>| {
        let text = write_pairs(pairs.into_iter().chain(keep.iter().cloned()));
        if text.is_empty() { "/exceptions".to_owned() } else { format!("/exceptions?{text}") }
    };
    let name_of = |key: &str, value: &str| match key {
        "client" => names.client_choices().into_iter().find(|(id, _)| id == value).map(|(_, name)| name),
        "workflow" => names.workflow_choices().into_iter().find(|(id, _)| id == value).map(|(_, name)| name),
        _ => None,
    };
    let chips = pairs.iter().enumerate().map(|(at, (key, value))| Chip {
        name: if key == "q" { "text".to_owned() } else { key.clone() },
        value: name_of(key, value).unwrap_or_else(|| value.clone()),
        remove: address(pairs.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, pair)| pair.clone()).collect()),
    });
    let any = |words: Vec<(String, String)>, chosen: &str| {
        let mut all = vec![(String::new(), "any".to_owned())];
        all.extend(words);
        Choice::list(&all, chosen)
    };
    let same =
        |words: &[&str]| words.iter().map(|word| ((*word).to_owned(), word.replace('_', " "))).collect::<Vec<_>>();
    let mut states = vec![("open".to_owned(), "new or regressed".to_owned())];
    states.extend(same(&PatternState::ALL.map(PatternState::as_str)));
    let classes = ["auth", "rate_limit", "timeout", "server", "bad_request", "validation", "money", "other"];
    let mut fields = vec![
        Field::select("client", "Client", any(names.client_choices(), &value("client"))),
        Field::select("workflow", "Workflow", any(names.workflow_choices(), &value("workflow"))),
        Field::select("state", "State", any(states, &value("state"))),
        Field::select("kind", "Sort", any(same(&ExceptionKind::ALL.map(ExceptionKind::as_str)), &value("kind"))),
        Field::select("class", "Class of error", any(same(&classes), &value("class"))),
        Field::text("tool", "Tool", value("tool")).optional(),
        Field::text("release", "Release", value("release")).optional(),
    ];
    for field in &mut fields {
        field.id = format!("filter-{}", field.name);
    }
    FilterBar {
        path: "/exceptions".to_owned(),
        text_name: "q".to_owned(),
        text: value("q"),
        text_placeholder: "Words, tool or code".to_owned(),
        set: pairs.iter().filter(|(key, _)| key != "q").cloned().collect(),
        chips: chips.collect(),
        fields,
        keep: keep.to_vec(),
        clear: address(Vec::new()),
    }
}

async fn show(State(state): State<WebState>, visit: Visit, Path(id): Path<PatternId>) -> Result<Response, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let chosen = visit.period();
    let detail = app.get_pattern_detail(actor, id, chosen.period).await?;
    let names = Names::load(&state, &visit).await?;
    let title: String = detail.pattern.title().chars().take(120).collect();
    let mut shell = visit.shell(title.clone(), "What goes wrong, and what is done about it?", "/exceptions");
    shell.path = vec![Crumb::new("Exceptions", "/exceptions")];
    if let Some(client) = names.client(&detail.workflow) {
        shell.path.push(Crumb::new(client.name.clone(), format!("/clients/{}", client.id)));
    }
    shell.path.push(Crumb::new(detail.workflow.name.clone(), format!("/exceptions?workflow={}", detail.workflow.id)));
    shell.path.push(Crumb::new(title, ""));
    shell.period = Some(chosen.picker.clone());
    let may_change = visit.operates() && detail.pattern.merged_into.is_none();
    let others = if may_change {
        let filter = PatternFilter { workflows: Some(vec![detail.workflow.id]), ..PatternFilter::default() };
        app.list_patterns(actor, &filter, None, PatternSort::Count, None, OFFERED).await?.patterns
    } else {
        Vec::new()
    };
    let post = |label: &str, fields: &[(&str, &str)]| {
        let hidden = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Action { how: How::Post(visit.csrf(), hidden), ..Action::post(label, pattern_path(id), visit.csrf()) }
    };
    let was = PatternState::parse(visit.get("was")).filter(|was| may_change && *was != detail.pattern.state);
    let time = |at| Cell::Time(Time::new(at, visit.now, &visit.zone));
    let examples = detail.examples.iter().map(|example| {
        let step = if example.release.is_empty() {
            example.model.clone()
        } else {
            format!("{} · {}", example.release, example.model)
        };
        Row::opens(
            format!("/runs/{}", example.run_id),
            vec![Cell::Name(example.message.clone(), step.trim_end_matches(" · ").to_owned()), time(example.at)],
        )
    });
    let variants = detail.variants.iter().filter(|variant| !variant.shape.is_empty()).map(|variant| Row {
        key: variant.shape.clone(),
        ..Row::plain(vec![Cell::name(variant.message.clone()), Cell::number(count(variant.n)), time(variant.last_seen)])
    });
    let variants: Vec<Row> = variants.collect();
    let may_split = may_change && variants.len() > 1;
    let merged = detail.merged.iter().map(|pattern| {
        let take_out = may_change && !pattern.merged_by.is_empty();
        let of = pattern.id.to_string();
        let cell = if take_out {
            Cell::Actions(vec![post("Take out", &[("do", "unmerge"), ("pattern", &of)])])
        } else {
            Cell::Blank
        };
        let by = if pattern.merged_by.is_empty() {
            "found to be the same".to_owned()
        } else {
            format!("by {}", pattern.merged_by)
        };
        Row::opens(
            pattern_path(pattern.id),
            vec![Cell::Name(pattern.title().to_owned(), about(pattern)), Cell::text(by), cell],
        )
    });
    let drafts = detail.drafts.iter().map(|draft| {
        let id = draft.id.to_string();
        let remove = if visit.operates() {
            Cell::Actions(vec![post("Remove", &[("do", "undraft"), ("draft", &id)])])
        } else {
            Cell::Blank
        };
        Row::plain(vec![
            Cell::Name(draft.text.clone(), format!("by {}", draft.created_by)),
            Cell::text(draft.kind.as_str()),
            time(draft.created_at),
            remove,
        ])
    });
    let with =
        |what: &str, form: Form| Form { hidden: vec![("do".to_owned(), what.to_owned())], ..form }.with_ids(what);
    let form = |button: &str, fields: Vec<Field>| Form::new(pattern_path(id), visit.csrf(), button, fields);
    let into: Vec<(String, String)> = others
        .iter()
        .filter(|other| other.pattern.id != id)
        .map(|other| (other.pattern.id.to_string(), format!("{} ({})", other.pattern.title(), about(&other.pattern))))
        .collect();
    let queue = OfPattern::load(&state, &visit, &detail.pattern).await?;
    let page = PatternPage {
        queue: queue.facts,
        queue_actions: queue.actions,
        causes: queue.causes,
        notices: notices(&detail),
        undo: was.map(|was| post(&format!("Undo: {}", was.as_str()), &[("do", "state"), ("state", was.as_str())])),
        state: state_badge(detail.pattern.state),
        states: if may_change { states(&detail.pattern, &post) } else { Vec::new() },
        template: detail.pattern.template.clone(),
        because: together(&detail.pattern),
        facts: facts(&visit, &detail, &names, &chosen.picker.label),
        resolution: detail.resolution.as_ref().map(resolved).unwrap_or_default(),
        chart: chart(&detail, chosen.period),
        seen_in: [("Release", &detail.releases), ("Model", &detail.models), ("Tool", &detail.tools)]
            .into_iter()
            .filter_map(|(head, facets)| seen_in(head, facets))
            .collect(),
        examples: Table::new(
            "Latest exceptions",
            vec![Column::new("Message"), Column::new("When")],
            examples.collect(),
        )
        .or_empty(Empty::new(
            Icon::Exceptions,
            "None is kept",
            "Its runs are kept no longer; what was counted stays.",
        )),
        variants: Table {
            bulk: may_split.then(|| Bulk {
                href: pattern_path(id),
                csrf: visit.csrf(),
                what: "ways of writing".to_owned(),
                buttons: vec![("split".to_owned(), "Set apart".to_owned())],
            }),
            ..Table::new(
                "Ways of writing",
                vec![Column::new("For example"), Column::number("Exceptions"), Column::new("Last seen")],
                variants,
            )
        },
        merged: Table::new(
            "Patterns that are part of it",
            vec![Column::new("Pattern"), Column::new("How"), Column::new("")],
            merged.collect(),
        ),
        naming: may_change.then(|| {
            let name = Field::text("name", "Name", detail.pattern.name.clone()).optional();
            with("name", form("Save the name", vec![name.with_hint("Empty shows its words.")]))
        }),
        merging: (may_change && !into.is_empty()).then(|| {
            let field = Field::select("into", "This is the same problem as", Choice::list(&into, ""));
            with("merge", form("Put it there", vec![field]))
        }),
        drafts: Table::new(
            "Drafts",
            vec![Column::new("Draft"), Column::new("For a"), Column::new("Made"), Column::new("")],
            drafts.collect(),
        ),
        drafting: may_change.then(|| {
            let kinds = DraftKind::ALL.map(|kind| (kind.as_str(), kind.as_str()));
            let fields = vec![
                Field {
                    control: Control::Radios(Choice::list(&kinds, "request")),
                    ..Field::select("kind", "Make a", Vec::new())
                },
                Field { required: true, ..Field::lines("text", "What is to be done", "", 3) },
            ];
            with("draft", form("Keep the draft", fields))
        }),
    };
    Ok(Page::new(visit.wanted, shell, page).into_response())
}

/// Makes a button that posts some fields to the pattern's page.
type Post<'a> = dyn Fn(&str, &[(&str, &str)]) -> Action + 'a;

fn states(pattern: &PatternRow, post: &Post<'_>) -> Vec<Action> {
    let offered = [
        (PatternState::Known, "I know of it"),
        (PatternState::Muted, "Mute"),
        (PatternState::Resolved, "Resolved"),
        (PatternState::New, "New again"),
    ];
    let mut actions: Vec<Action> = offered
        .into_iter()
        .filter(|(state, _)| *state != pattern.state)
        .filter(|(state, _)| *state != PatternState::New || pattern.state != PatternState::Regressed)
        .map(|(state, label)| post(label, &[("do", "state"), ("state", state.as_str())]))
        .collect();
    if pattern.split_from.is_some() {
        actions.push(post("Put back where it came from", &[("do", "unsplit")]));
    }
    actions
}

fn together(pattern: &PatternRow) -> String {
    let head = pattern.head.words().join(", ");
    let because = pattern.because.trim_start_matches("together because ");
    let why = if because.is_empty() { String::new() } else { format!("; {because}") };
    sentence(&format!("together because these are the same: {head}{why}"))
}

fn notices(detail: &PatternDetail) -> Vec<Notice> {
    let pattern = &detail.pattern;
    let mut notices = Vec::new();
    if let Some(into) = &detail.part_of {
        let text = if pattern.merged_by.is_empty() {
            "Its messages were found to be the same. What belongs to it is shown there.".to_owned()
        } else {
            format!(
                "{} said so. What belongs to it is shown there, and can be taken out again there.",
                pattern.merged_by
            )
        };
        let link = Some(Link::new("Go there", pattern_path(into.id)));
        notices.push(Notice { link, ..Notice::new(Tone::Info, format!("It is part of “{}”", into.title()), text) });
    }
    if pattern.state == PatternState::Regressed {
        let release =
            if pattern.resolved_in.is_empty() { String::new() } else { format!(" in {}", pattern.resolved_in) };
        let text = format!("It was called resolved{release}, and was seen in a run that began after that.");
        notices.push(Notice::new(Tone::Bad, "It came back", text));
    }
    notices
}

fn facts(visit: &Visit, detail: &PatternDetail, names: &Names, period: &str) -> Facts {
    let pattern = &detail.pattern;
    let n_runs: i64 = detail.days.iter().map(|(_, _, runs)| runs).sum();
    let whole = |n: i64| u64::try_from(n).unwrap_or(0);
    let time = |at| FactValue::Time(Time::new(at, visit.now, &visit.zone));
    let share = if detail.runs == 0 {
        "no run ended".to_owned()
    } else {
        let share = format::percent(n_runs as f64 / detail.runs as f64);
        format!("{} runs, {share}", format::of(whole(n_runs), detail.runs))
    };
    let mut all = vec![
        Fact::link("Workflow", names.place(&detail.workflow), format!("/workflows/{}", detail.workflow.id)),
        Fact::text(&format!("Runs, {period}"), share),
        Fact::text("In all", format!("{} exceptions in {} runs", count(pattern.n), count(pattern.n_runs))),
        Fact::new("First seen", time(pattern.first_seen)),
        Fact::new("Last seen", time(pattern.last_seen)),
    ];
    let cost = &detail.cost;
    if visit.sees_money() {
        let words = "What its runs cost that did not do their job.";
        let wasted = format::money(Nanos(cost.wasted_nanos), Currency::USD);
        all.push(Fact::new("Wasted", FactValue::Text(wasted, words.to_owned())));
    }
    if cost.review_ms > 0 || cost.cleanup_minutes > 0 {
        let spent = format::duration_ms(cost.review_ms.saturating_add(cost.cleanup_minutes.saturating_mul(60_000)));
        let human = cost.human.map(|nanos| format!(", {}", format::money(nanos, cost.currency))).unwrap_or_default();
        let words = "Active time of reviews and cleanup minutes, at the reviewer's rate where one is set.";
        all.push(Fact::new("Spent by people", FactValue::Text(format!("{spent}{human}"), words.to_owned())));
    }
    let is_resolved = matches!(pattern.state, PatternState::Resolved | PatternState::Regressed);
    if let Some(at) = pattern.resolved_at.filter(|_| is_resolved) {
        all.push(Fact::new("Resolved", time(at)));
    }
    if !pattern.changed_by.is_empty() {
        all.push(Fact::text("Changed by", pattern.changed_by.clone()));
    }
    Facts { facts: all, across: true }
}

/// What came of a resolution, with its intervals.
fn resolved(resolution: &Resolution) -> String {
    let [before, after] = resolution.intervals();
    let told = |(n, of): (u64, u64), interval: Option<(f64, f64)>| match interval {
        Some((low, high)) => format!("{} runs ({})", format::of(n, of), format::interval(low, high)),
        None => "no run".to_owned(),
    };
    let days = format::significant(resolution.days);
    let verdict = match resolution.difference() {
        None => "There are no runs to compare yet.",
        Some((_, high)) if high < 0.0 => "It is seen less often: more than chance explains.",
        Some((low, _)) if low > 0.0 => "It is seen more often: more than chance explains.",
        Some(_) => "That may be chance.",
    };
    format!(
        "In the {days} days before it was resolved: {}. In the {days} days after: {}. {verdict}",
        told(resolution.before, before),
        told(resolution.after, after)
    )
}

fn seen_in(head: &str, facets: &[Facet]) -> Option<Table> {
    if facets.iter().all(|facet| facet.name.is_empty()) {
        return None;
    }
    let rows = facets.iter().map(|facet| {
        let name = if facet.name.is_empty() { "not said".to_owned() } else { facet.name.clone() };
        Row::plain(vec![Cell::name(name), Cell::number(count(facet.n))])
    });
    Some(Table::new(head, vec![Column::new(head), Column::number("Exceptions")], rows.collect()))
}

fn chart(detail: &PatternDetail, period: steward_core::time::Period) -> Option<ChartBlock> {
    let (first, last) = (period.start.0.div_euclid(DAY_MICROS), (period.end.0 - 1).div_euclid(DAY_MICROS));
    // A picture of more days than it has pixels says nothing.
    if detail.days.is_empty() || last - first > 400 {
        return None;
    }
    let days: Vec<i64> = (first..=last).collect();
    let n = |day: i64| detail.days.iter().find(|(known, ..)| i64::from(*known) == day).map_or(0, |(_, n, _)| *n);
    let marked = detail.pattern.resolved_at.map(|at| at.0.div_euclid(DAY_MICROS));
    let chart = Chart {
        title: "Exceptions, a day".to_owned(),
        kind: ChartKind::StackedBars,
        unit: "exceptions".to_owned(),
        labels: days.iter().map(|day| format::day(Timestamp(day * DAY_MICROS), &jiff::tz::TimeZone::UTC)).collect(),
        series: vec![Series {
            name: "exceptions".to_owned(),
            role: SeriesRole::Bad,
            values: days.iter().map(|day| Some(n(*day) as f64)).collect(),
        }],
        marks: marked
            .and_then(|at| days.iter().position(|day| *day == at))
            .map(|at| (at, "resolved".to_owned()))
            .into_iter()
            .collect(),
    };
    let svg = steward_app::pictures::chart(&chart, 640, 240).map(Html::trusted).unwrap_or_default();
    let block = ChartBlock::of(&chart, "Day", svg, None, |value| format::decimals(value, 0));
    Some(ChartBlock { legend: Vec::new(), note: "Days of UTC".to_owned(), ..block })
}

async fn change(
    State(state): State<WebState>,
    Path(id): Path<PatternId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let (app, actor) = (&state.app, &who.actor);
    let (before, _) = app.get_pattern(actor, id).await?;
    actor.must_operate()?;
    let here = pattern_path(id);
    let refused = |error| Ok(SeeOther::to(here.clone()).saying(Flash { tone: Tone::Bad, ..Flash::good(mend(error)?) }));
    let done = match form.text("do") {
        "state" => {
            let state = PatternState::parse(form.text("state"))
                .ok_or_else(|| Problem::invalid("Choose what to make of the pattern."))?;
            app.update_pattern(actor, id, None, Some(state), None).await.map(|pattern| {
                let text = format!("It is {} now.", pattern.state.as_str());
                (format!("{here}?was={}", before.state.as_str()), text)
            })
        }
        "name" => {
            let named = app.update_pattern(actor, id, Some(form.text("name")), None, None).await;
            named.map(|_| (here.clone(), "The name is saved.".to_owned()))
        }
        "merge" => {
            let into: PatternId = form.text("into").parse().map_err(|_| Problem::invalid("Choose a pattern."))?;
            let shown = app.merge_patterns(actor, id, into).await;
            shown.map(|shown| {
                let text = "They are one now. It can be taken out again below.".to_owned();
                (format!("{}#merged-head", pattern_path(shown.id)), text)
            })
        }
        "unmerge" => {
            let part = form.text("pattern").parse().unwrap_or(id);
            let alone = app.unmerge_pattern(actor, part).await;
            alone.map(|pattern| (pattern_path(pattern.id), "It stands by itself again.".to_owned()))
        }
        "split" => {
            let shapes: Vec<String> = form.all("key").map(str::to_owned).collect();
            let new = app.split_pattern(actor, id, &shapes).await;
            new.map(|new| (pattern_path(new.id), "It is a pattern of its own now, and can be put back.".to_owned()))
        }
        "unsplit" => {
            let shown = app.unsplit_pattern(actor, id).await;
            shown.map(|shown| (pattern_path(shown.id), "It is back where it came from.".to_owned()))
        }
        "draft" => {
            let kind = DraftKind::parse(form.text("kind")).ok_or_else(|| Problem::invalid("Choose what to make."))?;
            let draft = app.create_pattern_draft(actor, id, kind, form.text("text")).await;
            draft.map(|_| (format!("{here}#drafts"), "The draft is kept.".to_owned()))
        }
        "undraft" => {
            let draft: DraftId = form.text("draft").parse().map_err(|_| Problem::no_such("draft"))?;
            let gone = app.delete_pattern_draft(actor, id, draft).await;
            gone.map(|()| (format!("{here}#drafts"), "The draft is gone.".to_owned()))
        }
        _ => return Err(Problem::invalid("Choose what to do with the pattern.").into()),
    };
    match done {
        Ok((to, text)) => Ok(SeeOther::to(to).saying(Flash::good(text))),
        Err(error) => refused(error),
    }
}
