//! A client: do its agents work, and are they worth their money?

use axum::extract::State;
use steward_app::figures::{Scope, results_of};
use steward_core::clients::Client;
use steward_core::ids::ClientId;
use steward_core::metrics::{Good, Unit};

use crate::extract::Path;
use crate::problem::PageError;
use crate::view::components::button::Action;
use crate::view::components::facts::{Fact, Facts};
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format;
use crate::view::page::Page;
use crate::view::pages::client::ClientPage;
use crate::view::shell::Crumb;
use crate::{Routes, WebState};

use super::around::{DAY_METRICS, Visit, card, charts, compare};
use super::today::{client_links, client_path, line};
use super::{clients, reports};

/// A client's page.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/clients/{id}", show)
}

async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ClientId>,
) -> Result<Page<ClientPage>, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let client = app.get_client(actor, id).await?;
    let chosen = visit.period();
    let scope = Scope { client: Some(id), ..Scope::default() };
    let figures = app.figures(actor, &scope, chosen.period).await?;
    let days = app.days(actor, &scope, chosen.period, &DAY_METRICS).await?;
    let mut needs = app.today(actor).await?;
    needs.retain(|need| need.client_id == Some(id));
    let siblings = app.visible_clients(actor, false).await?;
    let reports = if visit.sees_money() { app.list_reports(actor, Some(id)).await? } else { Vec::new() };

    let mut shell = visit.shell(client.name.clone(), "Do its agents work, and are they worth their money?", "/clients");
    shell.path = vec![
        Crumb::new("Clients", "/clients"),
        Crumb::switchable(client.name.clone(), client_path(id), client_links(&siblings)),
    ];
    shell.period = Some(chosen.picker.clone());
    if visit.operates() {
        shell.actions = vec![
            Action::open("Draft a report", format!("/reports?client={id}")).with_icon(Icon::Reports),
            Action::open("Handoff", format!("/clients/{id}/handoff")).with_icon(Icon::Message),
            Action::open("Settings", format!("/clients/{id}/edit")).with_icon(Icon::Settings),
        ];
    }
    let ids = [
        "runs",
        "completion_rate",
        "escalation_rate",
        "exception_rate",
        "cycle_time_p50",
        "run_cost",
        "cost_per_completed_run",
        "value_delivered",
        "return",
        "net_time_saved",
        "coverage",
    ];
    let page = ClientPage {
        live: format!("/live?client={id}"),
        attention: needs.iter().map(|need| line(need, &siblings)).collect(),
        figures: ids.iter().filter_map(|id| card(&figures, id, &days, String::new())).collect(),
        charts: charts(&days),
        workflows: clients::workflows_table(&visit, Some(&client), &figures, &needs, &chosen.query),
        results: results(&visit, &client, &figures),
        reports: reports::table(&visit, &reports, false),
        facts: facts(&visit, &client),
    };
    Ok(Page::new(visit.wanted, shell, page))
}

fn results(visit: &Visit, client: &Client, figures: &steward_app::figures::Figures) -> Table {
    let before = results_of(&figures.sums_before);
    let currency = client.settings.currency;
    let rows = results_of(&figures.sums).into_iter().map(|result| {
        let number = |n: i64| format::signed_count(n);
        let was = before.iter().find(|other| other.name == result.name).map(|other| other.count() as f64);
        let change = was.and_then(|was| compare(result.count() as f64, was, Unit::Count, Good::Up, currency));
        let mut cells = vec![
            Cell::name(result.name.clone()),
            change.map_or_else(
                || Cell::number(number(result.count())),
                |change| Cell::Change(number(result.count()), change),
            ),
            Cell::number(number(result.in_hours)),
            Cell::number(number(result.out_of_hours)),
        ];
        if visit.sees_money() {
            cells.push(result.value.map_or_else(
                || Cell::Unknown("no value is agreed".to_owned()),
                |value| Cell::number(format::money(value, currency)),
            ));
        }
        Row::plain(cells)
    });
    let mut columns = vec![
        Column::new("Result"),
        Column::number("Count"),
        Column::number("In business hours"),
        Column::number("Outside"),
    ];
    if visit.sees_money() {
        columns.push(Column::number("Value"));
    }
    Table::new("Results", columns, rows.collect())
}

fn facts(visit: &Visit, client: &Client) -> Facts {
    let settings = &client.settings;
    let zone = if settings.time_zone.is_empty() { visit.agency.time_zone.clone() } else { settings.time_zone.clone() };
    let mut facts = Vec::new();
    if visit.sees_money() {
        let code = settings.currency.code();
        let rate = if code == "USD" {
            code.to_owned()
        } else {
            format!("{code}, {} for a US dollar", format::significant(settings.units_per_usd))
        };
        facts.push(Fact::text("Currency", rate));
        let retainer =
            settings.retainer_nanos.map(|nanos| format!("{} a month", format::money(nanos, settings.currency)));
        facts.push(Fact::text("Retainer", retainer.unwrap_or_else(|| "none agreed".to_owned())));
    }
    facts.push(Fact::text("Zone", zone));
    facts.push(Fact::text("Hours", settings.business_hours.in_words().replace('\n', "; ")));
    if client.archived_at.is_some() {
        facts.push(Fact::text("State", "archived"));
    }
    Facts { facts, across: false }
}
