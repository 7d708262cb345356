//! The list of clients, and the form of one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::clients::ClientChanges;
use steward_app::figures::{Figures, Scope};
use steward_app::today::Attention;
use steward_core::clients::Client;
use steward_core::ids::ClientId;
use steward_core::metrics::{Good, HumanWork, Sums, Unit, value_delivered};
use steward_core::money::{Currency, Nanos};
use steward_core::outcome::Outcome;
use steward_core::tallies::Metric;
use steward_core::workflow::Workflow;

use crate::extract::Path;
use crate::flash::{SeeOther, Undo};
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::form::{Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Flash;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format;
use crate::view::html::Link;
use crate::view::page::Page;
use crate::view::pages::clients::{ClientForm, Clients};
use crate::view::shell::Crumb;
use crate::{Routes, WebState};

use super::around::{Visit, compare, mend, money, put_errors};
use super::set_up::currency_choices;
use super::today::{client_path, needs_badge};

/// The list of clients, and the form of one.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/clients", show)
        .get("/clients/new", show_new)
        .post("/clients/new", create)
        .get("/clients/{id}/edit", show_edit)
        .post("/clients/{id}/edit", update)
        .post("/clients/{id}/archive", archive)
        .post("/clients/{id}/unarchive", unarchive)
}

/// Sums of some workflows in the period and before, with the value that they delivered.
#[derive(Debug, Default)]
struct Part {
    now: Sums,
    before: Sums,
    value: Option<f64>,
    value_before: Option<f64>,
}

impl Part {
    fn of(figures: &Figures, belongs: impl Fn(&Workflow) -> bool) -> Self {
        let mut part = Self::default();
        let none = Sums::default();
        for (workflow, sums) in figures.workflows.iter().filter(|(workflow, _)| belongs(workflow)) {
            let before = figures.workflows_before.get(&workflow.id).unwrap_or(&none);
            part.now.merge(sums);
            part.before.merge(before);
            let plus =
                |sum: Option<f64>, value: Option<f64>| value.map_or(sum, |value| Some(sum.unwrap_or(0.0) + value));
            let value = |sums: &Sums| value_delivered(sums, &workflow.settings, HumanWork::of(sums, None).as_ref());
            part.value = plus(part.value, value(sums));
            part.value_before = plus(part.value_before, value(before));
        }
        part
    }

    /// Needs, runs, completion and escalation; cost and value for who sees money.
    fn cells(&self, with_money: bool, currency: Currency, units_per_usd: f64) -> Vec<Cell> {
        let rate =
            |sums: &Sums, outcome| (sums.verified() > 0).then(|| sums.outcome(outcome) as f64 / sums.verified() as f64);
        let share = |outcome, good| {
            let Some(now) = rate(&self.now, outcome) else {
                return if self.now.runs() > 0 {
                    Cell::Unknown("no run has a verified outcome".to_owned())
                } else {
                    Cell::number("no data")
                };
            };
            let change =
                rate(&self.before, outcome).and_then(|before| compare(now, before, Unit::Share, good, currency));
            change
                .map_or_else(|| Cell::number(format::percent(now)), |change| Cell::Change(format::percent(now), change))
        };
        let runs = u64::try_from(self.now.runs()).unwrap_or(0);
        let mut cells = vec![
            Cell::number(format::count(runs)),
            share(Outcome::Completed, Good::Up),
            share(Outcome::Escalated, Good::Down),
        ];
        if with_money {
            cells.push(self.cost(currency, units_per_usd));
            cells.push(match (self.value, self.value_before) {
                (None, _) => Cell::Unknown("no value is agreed".to_owned()),
                (Some(value), before) => {
                    let text = money(value, currency);
                    let change = before.and_then(|before| compare(value, before, Unit::Money, Good::Up, currency));
                    change.map_or_else(
                        || Cell::Number(text.text.clone(), text.full.clone()),
                        |change| Cell::Change(text.text.clone(), change),
                    )
                }
            });
        }
        cells
    }

    fn cost(&self, currency: Currency, units_per_usd: f64) -> Cell {
        let unpriced = self.now.total(Metric::CostUnknown).0;
        if self.now.runs() == 0 {
            return Cell::number("no data");
        }
        if self.now.total(Metric::Cost).0 == 0 {
            return Cell::Unknown("no run has a known cost".to_owned());
        }
        let text = money(self.now.known_cost().units() * units_per_usd, currency);
        let full = if unpriced > 0 { format!("{}; {unpriced} runs have no known cost", text.full) } else { text.full };
        Cell::Number(text.text, full)
    }
}

fn columns(first: &str, with_money: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::new(first),
        Column::new("Needs you"),
        Column::number("Runs"),
        Column::number("Completed").titled("Completed runs over runs with a verified outcome"),
        Column::number("Escalated").titled("Runs handed to a person over runs with a verified outcome"),
    ];
    if with_money {
        columns.push(Column::number("Cost"));
        columns.push(Column::number("Value").titled("Beside the period before"));
    }
    columns
}

/// A row for each client.
pub(super) fn table(visit: &Visit, clients: &[Client], figures: &Figures, needs: &[Attention], query: &str) -> Table {
    let rows = clients.iter().map(|client| {
        let part = Part::of(figures, |workflow| workflow.client_id == Some(client.id));
        let workflows: Vec<&str> = figures
            .workflows
            .iter()
            .filter(|(w, _)| w.client_id == Some(client.id) && w.archived_at.is_none())
            .map(|(w, _)| w.name.as_str())
            .collect();
        let under = if workflows.is_empty() { "no workflow yet".to_owned() } else { workflows.join(", ") };
        let mut cells =
            vec![Cell::Name(client.name.clone(), under), needs_badge(needs, |need| need.client_id == Some(client.id))];
        cells.extend(part.cells(visit.sees_money(), client.settings.currency, client.settings.units_per_usd));
        Row { is_off: client.archived_at.is_some(), ..Row::opens(format!("{}{query}", client_path(client.id)), cells) }
    });
    let empty = Empty::new(
        Icon::Clients,
        "No client yet",
        "Each business that you work for is a client; its workflows, figures and reports stand under it.",
    );
    let empty = if visit.operates() {
        empty.with_action(Action::open("Add a client", "/clients/new").primary())
    } else {
        empty
    };
    Table::new("Clients", columns("Client", visit.sees_money()), rows.collect()).or_empty(empty)
}

/// A row for each workflow of some figures.
pub(super) fn workflows_table(
    visit: &Visit,
    client: Option<&Client>,
    figures: &Figures,
    needs: &[Attention],
    query: &str,
) -> Table {
    let (currency, units_per_usd) =
        client.map_or((Currency::USD, 1.0), |c| (c.settings.currency, c.settings.units_per_usd));
    let belongs =
        |workflow: &Workflow| workflow.client_id == client.map(|client| client.id) && workflow.archived_at.is_none();
    let rows = figures.workflows.iter().filter(|(workflow, _)| belongs(workflow)).map(|(workflow, _)| {
        let part = Part::of(figures, |other| other.id == workflow.id);
        let mut cells = vec![
            Cell::Name(workflow.name.clone(), workflow.source_name.clone()),
            needs_badge(needs, |need| need.workflow_id == workflow.id),
        ];
        cells.extend(part.cells(visit.sees_money(), currency, units_per_usd));
        let mut row = Row::opens(format!("/workflows/{}{query}", workflow.id), cells);
        if client.is_none() && visit.operates() {
            row.cells.push(Cell::Actions(vec![
                Action::open("Assign", format!("/workflows/{}/assign", workflow.id)).primary(),
            ]));
        }
        row
    });
    let mut columns = columns("Workflow", visit.sees_money());
    if client.is_none() && visit.operates() {
        columns.push(Column::new(""));
    }
    let empty = Empty::new(
        Icon::Workflow,
        "No workflow yet",
        "A workflow appears with its first run, or when you assign one that telemetry named.",
    );
    let empty = if visit.operates() {
        empty.with_action(Action::open("Make a key", "/settings/keys#new").primary())
    } else {
        empty
    };
    let table = Table::new("Workflows", columns, rows.collect());
    if client.is_some() { table.or_empty(empty) } else { table }
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page<Clients>, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let chosen = visit.period();
    let with_archived = visit.get("archived") == "1";
    let all = app.visible_clients(actor, true).await?;
    let n_archived = all.iter().filter(|client| client.archived_at.is_some()).count();
    let shown: Vec<Client> = all.into_iter().filter(|client| with_archived || client.archived_at.is_none()).collect();
    let figures = app.figures(actor, &Scope::default(), chosen.period).await?;
    let needs = app.today(actor).await?;
    let mut shell = visit.shell("Clients", "How is each client served?", "/clients");
    shell.period = Some(chosen.picker.clone());
    if visit.operates() {
        shell.actions = vec![Action::open("Add a client", "/clients/new").with_icon(Icon::Plus).primary()];
    }
    let archived = match (with_archived, n_archived) {
        (_, 0) => None,
        (true, _) => Some(Link::new("Without archived clients", "/clients")),
        (false, 1) => Some(Link::new("1 archived client", "/clients?archived=1")),
        (false, n) => Some(Link::new(format!("{n} archived clients"), "/clients?archived=1")),
    };
    let page = Clients {
        table: table(&visit, &shown, &figures, &needs, &chosen.query),
        unassigned: workflows_table(&visit, None, &figures, &needs, &chosen.query),
        archived,
    };
    Ok(Page::new(visit.wanted, shell, page))
}

fn fields_of(client: &Client) -> Fields {
    let settings = &client.settings;
    let pair = |name: &str, value: String| (name.to_owned(), value);
    Fields(vec![
        pair("name", client.name.clone()),
        pair("currency", settings.currency.code().to_owned()),
        pair("units_per_usd", settings.units_per_usd.to_string()),
        pair("time_zone", settings.time_zone.clone()),
        pair("retainer", settings.retainer_nanos.map(|nanos| nanos.units().to_string()).unwrap_or_default()),
        pair("business_hours", settings.business_hours.in_words()),
    ])
}

fn form(
    visit: &Visit,
    action: String,
    button: &str,
    filled: &Fields,
    errors: &[(&str, String)],
    error: String,
) -> Form {
    let value = |name: &str| filled.get(name).unwrap_or_default().to_owned();
    let currency =
        if value("currency").is_empty() { visit.agency.currency.code().to_owned() } else { value("currency") };
    let mut fields = vec![
        Field { wide: true, ..Field::text("name", "Name", value("name")).with_hint("As it stands on reports.") },
        Field::select("currency", "Currency of its values", currency_choices(&currency)),
        Field::number("units_per_usd", "One US dollar is", value("units_per_usd")).with_unit("of its currency").optional()
            .with_hint("Run costs come in US dollars. Empty is 1."),
        Field::text("time_zone", "Time zone", value("time_zone")).optional().with_hint("Of its business hours; empty takes the agency's."),
        Field::number("retainer", "Retainer a month", value("retainer")).with_unit("of its currency").optional(),
        Field::lines("business_hours", "Business hours", value("business_hours"), 3)
            .with_hint("A line for each stretch of days, such as Mon-Fri 09:00-17:00, and for each day on which it is closed, such as closed 2026-12-25."),
    ];
    put_errors(&mut fields, errors);
    Form { in_pairs: true, cancel: "/clients".to_owned(), error, ..Form::new(action, visit.csrf(), button, fields) }
}

/// What a form says, or which of its fields cannot be read.
fn changes_of(form: &Fields) -> Result<ClientChanges, Vec<(&'static str, String)>> {
    let value = |name: &str| form.get(name).map(str::trim);
    let mut errors = Vec::new();
    let mut number = |name: &'static str| match value(name) {
        None | Some("") => None,
        Some(text) => match text.replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => Some(number),
            None => {
                errors.push((name, format!("“{}” is not a number.", text.chars().take(40).collect::<String>())));
                None
            }
        },
    };
    let units_per_usd = number("units_per_usd");
    let retainer = number("retainer");
    if !errors.is_empty() {
        return Err(errors);
    }
    let text = |name: &str| value(name).map(str::to_owned);
    Ok(ClientChanges {
        name: text("name"),
        currency: text("currency"),
        units_per_usd: Some(units_per_usd.unwrap_or(1.0)),
        time_zone: text("time_zone"),
        business_hours: form.get("business_hours").map(str::to_owned),
        retainer_nanos: Some(retainer.and_then(Nanos::from_units)),
    })
}

fn new_page(visit: &Visit, filled: &Fields, errors: &[(&str, String)], error: String) -> Page<ClientForm> {
    let mut shell = visit.shell("Add a client", "For whom do the agents work?", "/clients");
    shell.path.insert(0, Crumb::new("Clients", "/clients"));
    let form = form(visit, "/clients/new".to_owned(), "Add the client", filled, errors, error);
    Page::new(visit.wanted, shell, ClientForm { form })
}

async fn show_new(visit: Visit) -> Result<Page<ClientForm>, PageError> {
    visit.who.actor.must_operate()?;
    let hours = ("business_hours".to_owned(), steward_core::calendar::BusinessHours::default().in_words());
    Ok(new_page(&visit, &Fields(vec![hours]), &[], String::new()))
}

async fn create(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    who.actor.must_operate()?;
    let again = |errors: &[(&str, String)], error| {
        Ok(new_page(&visit, &form, errors, error).with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
    };
    let changes = match changes_of(&form) {
        Ok(changes) => changes,
        Err(errors) => return again(&errors, String::new()),
    };
    match state.app.create_client(&who.actor, form.get("name").unwrap_or_default(), changes).await {
        Ok(client) => Ok(SeeOther::to(client_path(client.id))
            .saying(Flash::good(format!("{} was added.", client.name)))
            .into_response()),
        Err(error) => again(&[], mend(error)?),
    }
}

fn edit_page(
    visit: &Visit,
    client: &Client,
    filled: &Fields,
    errors: &[(&str, String)],
    error: String,
) -> Page<ClientForm> {
    let mut shell = visit.shell("Settings", "What is agreed with this client?", "/clients");
    shell.path = vec![
        Crumb::new("Clients", "/clients"),
        Crumb::new(client.name.clone(), client_path(client.id)),
        Crumb::new("Settings", ""),
    ];
    let token = visit.csrf();
    shell.actions = vec![if client.archived_at.is_some() {
        Action::post("Take it back", format!("/clients/{}/unarchive", client.id), token).with_icon(Icon::Undo)
    } else {
        Action::post("Archive", format!("/clients/{}/archive", client.id), token).with_icon(Icon::Trash)
    }];
    let mut form = form(visit, format!("/clients/{}/edit", client.id), "Save", filled, errors, error);
    form.cancel = client_path(client.id);
    form.note =
        "With other hours or another zone its runs are read again; published reports stay as they are.".to_owned();
    Page::new(visit.wanted, shell, ClientForm { form })
}

async fn show_edit(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ClientId>,
) -> Result<Page<ClientForm>, PageError> {
    let client = state.app.get_client(&visit.who.actor, id).await?;
    visit.who.actor.must_operate()?;
    Ok(edit_page(&visit, &client, &fields_of(&client), &[], String::new()))
}

async fn update(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ClientId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let client = state.app.get_client(&who.actor, id).await?;
    who.actor.must_operate()?;
    let again = |errors: &[(&str, String)], error| {
        Ok(edit_page(&visit, &client, &form, errors, error)
            .with_status(StatusCode::UNPROCESSABLE_ENTITY)
            .into_response())
    };
    let changes = match changes_of(&form) {
        Ok(changes) => changes,
        Err(errors) => return again(&errors, String::new()),
    };
    match state.app.update_client(&who.actor, id, changes).await {
        Ok(client) => {
            Ok(SeeOther::to(client_path(id)).saying(Flash::good(format!("{} was saved.", client.name))).into_response())
        }
        Err(error) => again(&[], mend(error)?),
    }
}

async fn archive(
    State(state): State<WebState>,
    Path(id): Path<ClientId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let client = state.app.archive_client(&who.actor, id, true).await?;
    let flash =
        Flash::good(format!("{} was archived. Its runs and reports stay, and nothing of it is sent out.", client.name));
    Ok(SeeOther::to("/clients").saying(flash).undoable(Undo::Client(id)))
}

async fn unarchive(
    State(state): State<WebState>,
    Path(id): Path<ClientId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let client = state.app.archive_client(&who.actor, id, false).await?;
    Ok(SeeOther::to(client_path(id)).saying(Flash::good(format!("{} was taken back.", client.name))))
}
