//! Workflows as things: the list, a new one, whose it is, how its runs are read, and putting it away.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::clients::ClientChanges;
use steward_app::figures::Scope;
use steward_app::tenant::RunFilter;
use steward_app::workflows::NewWorkflow;
use steward_core::ids::{ClientId, WorkflowId};
use steward_core::money::Nanos;
use steward_core::workflow::{RunUnit, ValueBasis, Workflow, WorkflowSettings};

use crate::extract::Path;
use crate::flash::{SeeOther, Undo};
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, Facts};
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Flash;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::{self, Time};
use crate::view::html::Link;
use crate::view::page::Page;
use crate::view::pages::clients::{ClientForm, Clients};
use crate::view::pages::workflow::{WorkflowAssign, WorkflowSettingsPage, workflow_tabs};
use crate::view::shell::Crumb;
use crate::{Routes, WebState};

use super::around::{Visit, mend, put_errors};
use super::runs::{count, short_table};
use super::settings::privacy;
use super::workflow::workflow_shell;

/// Workflows as things.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/workflows", list)
        .get("/workflows/new", show_new)
        .post("/workflows/new", create)
        .get("/workflows/{id}/assign", show_assign)
        .post("/workflows/{id}/assign", assign)
        .get("/workflows/{id}/settings", show_settings)
        .post("/workflows/{id}/settings", update)
        .post("/workflows/{id}/archive", archive)
        .post("/workflows/{id}/unarchive", unarchive)
}

async fn list(State(state): State<WebState>, visit: Visit) -> Result<Page<Clients>, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let chosen = visit.period();
    let figures = app.figures(actor, &Scope::default(), chosen.period).await?;
    let clients = app.visible_clients(actor, true).await?;
    let needs = app.today(actor).await?;
    let with_archived = visit.get("archived") == "1";
    let mut shell = visit.shell("Workflows", "Which agents run, and for whom?", "/clients");
    shell.path = vec![Crumb::new("Clients", "/clients"), Crumb::new("Workflows", "")];
    shell.period = Some(chosen.picker.clone());
    if visit.operates() {
        shell.actions = vec![Action::open("Add a workflow", "/workflows/new").with_icon(Icon::Plus).primary()];
    }
    let mut rows: Vec<(String, Row)> = figures
        .workflows
        .iter()
        .filter(|(workflow, _)| workflow.client_id.is_some() && (with_archived || workflow.archived_at.is_none()))
        .map(|(workflow, sums)| {
            let client = clients
                .iter()
                .find(|client| Some(client.id) == workflow.client_id)
                .map(|client| client.name.clone())
                .unwrap_or_default();
            let rate = (sums.verified() > 0)
                .then(|| sums.outcome(steward_core::outcome::Outcome::Completed) as f64 / sums.verified() as f64);
            let rate = match rate {
                Some(rate) => Cell::number(format::percent(rate)),
                None if sums.runs() > 0 => Cell::Unknown("no run has a verified outcome".to_owned()),
                None => Cell::number("no data"),
            };
            let cells = vec![
                Cell::Name(workflow.name.clone(), workflow.source_name.clone()),
                Cell::text(client.clone()),
                Cell::number(count(sums.runs())),
                rate,
            ];
            let row = Row {
                is_off: workflow.archived_at.is_some(),
                ..Row::opens(format!("/workflows/{}{}", workflow.id, chosen.query), cells)
            };
            (format!("{client}\u{1}{}", workflow.name), row)
        })
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let n_archived = figures.workflows.iter().filter(|(workflow, _)| workflow.archived_at.is_some()).count();
    let archived = match (with_archived, n_archived) {
        (_, 0) => None,
        (true, _) => Some(Link::new("Without archived workflows", "/workflows")),
        (false, n) => Some(Link::new(format!("{n} archived"), "/workflows?archived=1")),
    };
    let columns =
        vec![Column::new("Workflow"), Column::new("Client"), Column::number("Runs"), Column::number("Completed")];
    let empty = Empty::new(
        Icon::Workflow,
        "No workflow yet",
        "A workflow appears with its first run, or when you add one here.",
    );
    let page = Clients {
        table: Table::new("Workflows", columns, rows.into_iter().map(|(_, row)| row).collect()).or_empty(empty),
        unassigned: super::clients::workflows_table(&visit, None, &figures, &needs, &chosen.query),
        archived,
    };
    Ok(Page::new(visit.wanted, shell, page))
}

async fn client_choices(
    state: &WebState,
    visit: &Visit,
    chosen: &str,
    none: Option<&str>,
) -> Result<Vec<Choice>, PageError> {
    let clients = state.app.visible_clients(&visit.who.actor, false).await?;
    let mut pairs: Vec<(String, String)> = none.map(|label| (String::new(), label.to_owned())).into_iter().collect();
    pairs.extend(clients.into_iter().map(|client| (client.id.to_string(), client.name)));
    Ok(Choice::list(&pairs, chosen))
}

async fn new_page(
    state: &WebState,
    visit: &Visit,
    filled: &Fields,
    error: String,
) -> Result<Page<ClientForm>, PageError> {
    let value = |name: &str| filled.get(name).unwrap_or_default().to_owned();
    let client = if value("client").is_empty() { visit.get("client").to_owned() } else { value("client") };
    let fields = vec![
        Field::text("name", "Name", value("name")).with_hint("As people and reports call it: “Receptionist”."),
        Field::select("client", "It works for", client_choices(state, visit, &client, Some("no client yet")).await?),
        Field::text("source_name", "Named by telemetry", value("source_name"))
            .optional()
            .with_hint("What senders put into steward.workflow or service.name. Empty is made of the name."),
    ];
    let mut shell = visit.shell("Add a workflow", "Which agent, and for whom?", "/clients");
    shell.path = vec![
        Crumb::new("Clients", "/clients"),
        Crumb::new("Workflows", "/workflows"),
        Crumb::new("Add a workflow", ""),
    ];
    let form = Form {
        error,
        cancel: "/workflows".to_owned(),
        note: "A workflow that telemetry names appears by itself; this is for those that have not run yet.".to_owned(),
        ..Form::new("/workflows/new", visit.csrf(), "Add the workflow", fields)
    };
    Ok(Page::new(visit.wanted, shell, ClientForm { form }))
}

async fn show_new(State(state): State<WebState>, visit: Visit) -> Result<Page<ClientForm>, PageError> {
    visit.who.actor.must_operate()?;
    new_page(&state, &visit, &Fields::default(), String::new()).await
}

async fn create(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    who.actor.must_operate()?;
    let client = form.get("client").filter(|text| !text.is_empty()).and_then(|text| text.parse::<ClientId>().ok());
    let new = NewWorkflow {
        name: form.get("name").unwrap_or_default().to_owned(),
        client_id: client,
        source_name: form.get("source_name").map(str::to_owned),
        settings: WorkflowSettings::default(),
    };
    match state.app.create_workflow(&who.actor, new).await {
        Ok(workflow) => Ok(SeeOther::to(format!("/workflows/{}", workflow.id))
            .saying(Flash::good(format!("{} was added.", workflow.name)))
            .into_response()),
        Err(error) => {
            let page = new_page(&state, &visit, &form, mend(error)?).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn assign_page(
    state: &WebState,
    visit: &Visit,
    workflow: &Workflow,
    filled: &Fields,
    error: String,
) -> Result<Page<WorkflowAssign>, PageError> {
    let actor = &visit.who.actor;
    let id = workflow.id;
    let own = workflow.client_id.map(|id| id.to_string()).unwrap_or_default();
    let chosen = filled.get("client").unwrap_or(&own).to_owned();
    let mut choices = client_choices(state, visit, &chosen, None).await?;
    choices.push(Choice {
        value: "new".to_owned(),
        label: "a new client…".to_owned(),
        chosen: chosen == "new" || choices.is_empty(),
    });
    let fields = vec![
        Field::select("client", "It works for", choices),
        Field::text("new_client", "New client's name", filled.get("new_client").unwrap_or_default())
            .optional()
            .with_hint("Only with “a new client”."),
        Field::text("name", "Call it", filled.get("name").unwrap_or(&workflow.name)),
    ];
    let filter = RunFilter { workflows: Some(vec![id]), with_tests: true, ..RunFilter::default() };
    let runs = state.app.list_runs(actor, &filter, Default::default(), None, 8).await?.runs;
    let last = runs
        .first()
        .map_or_else(|| "none yet".to_owned(), |run| Time::new(run.ended_at, visit.now, &visit.zone).text().to_owned());
    let page = WorkflowAssign {
        facts: Facts {
            across: false,
            facts: vec![
                Fact::text("Named by telemetry", workflow.source_name.clone()),
                Fact::text("First seen", format::instant(workflow.created_at, &visit.zone)),
                Fact::text("Last run", last),
            ],
        },
        form: Form {
            error,
            note: "Its past runs are read again with that client's business hours.".to_owned(),
            cancel: format!("/workflows/{id}"),
            ..Form::new(format!("/workflows/{id}/assign"), visit.csrf(), "Assign", fields)
        },
        runs: short_table("Some of its runs", &runs, visit),
    };
    let shell = workflow_shell(state, visit, workflow, "Assign", "Whose agent is this?", "").await?;
    Ok(Page::new(visit.wanted, shell, page))
}

async fn show_assign(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
) -> Result<Page<WorkflowAssign>, PageError> {
    let workflow = state.app.get_workflow(&visit.who.actor, id).await?;
    visit.who.actor.must_operate()?;
    assign_page(&state, &visit, &workflow, &Fields::default(), String::new()).await
}

async fn assign(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let app = &state.app;
    let workflow = app.get_workflow(&who.actor, id).await?;
    who.actor.must_operate()?;
    let done = async {
        let client = match form.get("client").unwrap_or_default() {
            "new" => {
                app.create_client(&who.actor, form.get("new_client").unwrap_or_default(), ClientChanges::default())
                    .await?
                    .id
            }
            text => text.parse().map_err(|_| steward_app::AppError::Invalid("choose a client".to_owned()))?,
        };
        if let Some(name) = form.get("name").map(str::trim).filter(|name| !name.is_empty() && *name != workflow.name) {
            app.rename_workflow(&who.actor, id, name, None).await?;
        }
        app.assign_workflow(&who.actor, id, client).await
    };
    match done.await {
        Ok(workflow) => {
            let to = form.get("back").map_or_else(|| format!("/workflows/{id}"), str::to_owned);
            let flash = Flash::good(format!(
                "{} was assigned. Its past runs are being read again with that client's hours.",
                workflow.name
            ));
            Ok(SeeOther::to(to)
                .saying(Flash { link: Some(Link::new("Open it", format!("/workflows/{id}"))), ..flash })
                .into_response())
        }
        Err(error) => {
            let words = mend(error)?;
            let page = assign_page(&state, &visit, &workflow, &form, words).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

/// The settings of a workflow as they stand in its form.
fn fields_of(workflow: &Workflow) -> Fields {
    let settings = &workflow.settings;
    let number = |value: f64| value.to_string();
    let (basis, amount) = match &settings.value {
        ValueBasis::None => ("none", String::new()),
        ValueBasis::Results => ("results", String::new()),
        ValueBasis::PerCompletedRun { nanos } => ("per_completed_run", number(nanos.units())),
        ValueBasis::TimeSaved { nanos_per_hour } => ("time_saved", number(nanos_per_hour.units())),
    };
    let unit = match settings.run_unit {
        RunUnit::Trace => "trace",
        RunUnit::Conversation => "conversation",
    };
    let pairs = [
        ("name", workflow.name.clone()),
        ("source_name", workflow.source_name.clone()),
        ("client", workflow.client_id.map(|id| id.to_string()).unwrap_or_default()),
        ("run_unit", unit.to_owned()),
        ("quiet_minutes", number(settings.quiet_ms as f64 / 60_000.0)),
        ("max_age_hours", number(settings.max_age_ms as f64 / 3_600_000.0)),
        ("settle_minutes", number(settings.settle_ms as f64 / 60_000.0)),
        ("deciding_scores", settings.deciding_scores.join(", ")),
        ("pass_at_least", number(settings.pass_at_least)),
        ("baseline_minutes", settings.baseline_minutes.map(number).unwrap_or_default()),
        ("value", basis.to_owned()),
        ("value_amount", amount),
    ];
    let mut fields: Vec<(String, String)> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    fields.extend(privacy::values(&settings.privacy));
    Fields(fields)
}

/// The settings that a form says, or which of its fields cannot be read.
fn settings_of(form: &Fields, before: &WorkflowSettings) -> Result<WorkflowSettings, Vec<(&'static str, String)>> {
    let mut errors: Vec<(&'static str, String)> = Vec::new();
    let text = |name: &str| form.get(name).unwrap_or_default().trim().to_owned();
    let mut number = |name: &'static str, is_needed: bool| -> Option<f64> {
        let text = text(name);
        if text.is_empty() && !is_needed {
            return None;
        }
        let found = text.replace(',', ".").parse::<f64>().ok().filter(|value| value.is_finite() && value.abs() < 1e12);
        if found.is_none() {
            errors.push((
                name,
                if text.is_empty() {
                    "This may not stay empty.".to_owned()
                } else {
                    format!("“{}” is not a number.", text.chars().take(40).collect::<String>())
                },
            ));
        }
        found
    };
    let scaled = |value: Option<f64>, by: f64| (value.unwrap_or(0.0) * by).round() as i64;
    let quiet_ms = scaled(number("quiet_minutes", true), 60_000.0);
    let max_age_ms = scaled(number("max_age_hours", true), 3_600_000.0);
    let settle_ms = scaled(number("settle_minutes", true), 60_000.0);
    let pass_at_least = number("pass_at_least", true).unwrap_or(1.0);
    let baseline_minutes = number("baseline_minutes", false);
    let basis = text("value");
    let needs_amount = matches!(basis.as_str(), "per_completed_run" | "time_saved");
    let amount = number("value_amount", needs_amount).and_then(Nanos::from_units).unwrap_or_default();
    let value = match basis.as_str() {
        "results" => ValueBasis::Results,
        "per_completed_run" => ValueBasis::PerCompletedRun { nanos: amount },
        "time_saved" => ValueBasis::TimeSaved { nanos_per_hour: amount },
        _ => ValueBasis::None,
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(WorkflowSettings {
        run_unit: if text("run_unit") == "conversation" { RunUnit::Conversation } else { RunUnit::Trace },
        quiet_ms,
        max_age_ms,
        settle_ms,
        deciding_scores: text("deciding_scores")
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
        pass_at_least,
        baseline_minutes,
        value,
        privacy: privacy::privacy_of(form, &before.privacy),
        ..before.clone()
    })
}

async fn settings_page(
    state: &WebState,
    visit: &Visit,
    workflow: &Workflow,
    filled: &Fields,
    errors: &[(&str, String)],
    error: String,
) -> Result<Page<WorkflowSettingsPage>, PageError> {
    let actor = &visit.who.actor;
    let id = workflow.id;
    let value = |name: &str| filled.get(name).unwrap_or_default().to_owned();
    let currency = match workflow.client_id {
        Some(client) => state.app.get_client(actor, client).await?.settings.currency,
        None => visit.agency.currency,
    };
    let none = workflow.client_id.is_none().then_some("no client yet");
    let units = [("trace", "one trace"), ("conversation", "one whole conversation")];
    let bases = [
        ("none", "nothing agreed"),
        ("results", "its results' values"),
        ("per_completed_run", "each completed run"),
        ("time_saved", "time saved, by the hour"),
    ];
    let mut fields = vec![
        Field::text("name", "Name", value("name")),
        Field::select("client", "Client", client_choices(state, visit, &value("client"), none).await?),
        Field::text("source_name", "Named by telemetry", value("source_name")).with_hint("What senders put into steward.workflow or service.name."),
        Field::select("run_unit", "One run is", Choice::list(&units, &value("run_unit"))).with_hint("A conversation gathers all traces with the same conversation id. Past runs keep their bounds until a rebuild."),
        Field::number("quiet_minutes", "Over after so long without a sign", value("quiet_minutes")).with_unit("minutes"),
        Field::number("max_age_hours", "Over at the latest after", value("max_age_hours")).with_unit("hours"),
        Field::number("settle_minutes", "Late data is awaited for", value("settle_minutes")).with_unit("minutes"),
        Field::text("deciding_scores", "Scores that decide", value("deciding_scores")).optional().with_hint("Separated by commas; empty takes the usual names."),
        Field::number("pass_at_least", "A score passes from", value("pass_at_least")),
        Field::number("baseline_minutes", "A person needed", value("baseline_minutes")).with_unit("minutes a run").optional(),
        Field::select("value", "Its value is reckoned on", Choice::list(&bases, &value("value"))),
        Field::number("value_amount", "Value of a completed run, or of an hour", value("value_amount")).with_unit(currency.code()).optional(),
    ];
    fields.extend(privacy::fields(filled, Some(visit.agency.privacy.content())));
    put_errors(&mut fields, errors);
    let keys = state.app.list_keys(actor).await?;
    let rows = keys.iter().filter(|key| key.workflow_id == Some(id)).map(|key| Row {
        is_off: key.revoked_at.is_some(),
        ..Row::opens(
            "/settings/keys",
            vec![
                Cell::Name(key.name.clone(), format!("{}…", key.beginning)),
                key.last_used_at
                    .map_or_else(|| Cell::text("never"), |at| Cell::Time(Time::new(at, visit.now, &visit.zone))),
            ],
        )
    });
    let token = visit.csrf();
    let page = WorkflowSettingsPage {
        tabs: workflow_tabs(&id.to_string(), "settings"),
        form: Form {
            in_pairs: true,
            error,
            note: "Past runs are read again with the new settings; published reports stay as they are.".to_owned(),
            ..Form::new(format!("/workflows/{id}/settings"), visit.csrf(), "Save", fields)
        },
        facts: Facts {
            across: false,
            facts: vec![
                Fact::text("Settings", format!("version {}", workflow.settings_version)),
                Fact::text("Since", format::day(workflow.created_at, &visit.zone)),
                Fact::link(
                    "Rules",
                    format!(
                        "{} for outcomes, {} for results",
                        workflow.settings.outcome_rules.len(),
                        workflow.settings.result_rules.len()
                    ),
                    format!("/workflows/{id}/rules"),
                ),
            ],
        },
        keys: Table::new("Keys that write to it", vec![Column::new("Key"), Column::new("Last used")], rows.collect()),
        actions: vec![if workflow.archived_at.is_some() {
            Action::post("Take it back", format!("/workflows/{id}/unarchive"), token).with_icon(Icon::Undo)
        } else {
            Action::post("Archive the workflow", format!("/workflows/{id}/archive"), token).with_icon(Icon::Trash)
        }],
    };
    let shell = workflow_shell(
        state,
        visit,
        workflow,
        "Settings",
        "How are its runs read, and what are they worth?",
        "/settings",
    )
    .await?;
    Ok(Page::new(visit.wanted, shell, page))
}

async fn show_settings(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
) -> Result<Page<WorkflowSettingsPage>, PageError> {
    let workflow = state.app.get_workflow(&visit.who.actor, id).await?;
    visit.who.actor.must_operate()?;
    settings_page(&state, &visit, &workflow, &fields_of(&workflow), &[], String::new()).await
}

async fn update(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let app = &state.app;
    let workflow = app.get_workflow(&who.actor, id).await?;
    who.actor.must_operate()?;
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let settings = match settings_of(&form, &workflow.settings) {
        Ok(settings) => settings,
        Err(errors) => {
            let page = settings_page(&state, &visit, &workflow, &form, &errors, String::new()).await?;
            return Ok(page.with_status(refused).into_response());
        }
    };
    let is_reread =
        (WorkflowSettings { privacy: workflow.settings.privacy.clone(), ..settings.clone() }) != workflow.settings;
    let is_private = settings.privacy != workflow.settings.privacy;
    let done = async {
        let saved = app.update_settings(&who.actor, id, settings).await?;
        let name = form.get("name").unwrap_or_default().trim();
        let source = form.get("source_name").unwrap_or_default().trim();
        if name != saved.name || source != saved.source_name {
            app.rename_workflow(&who.actor, id, name, Some(source)).await?;
        }
        if let Some(client) = form.get("client").and_then(|text| text.parse::<ClientId>().ok()) {
            app.assign_workflow(&who.actor, id, client).await?;
        }
        Ok::<_, steward_app::AppError>(())
    };
    match done.await {
        Ok(()) => {
            let more =
                if is_reread { " Past runs are being read again; the workflow's page says how far it is." } else { "" };
            let from_now_on = if is_private { " What is kept holds for what arrives from now on." } else { "" };
            Ok(SeeOther::to(format!("/workflows/{id}/settings"))
                .saying(Flash::good(format!("Settings saved.{more}{from_now_on}")))
                .into_response())
        }
        Err(error) => {
            let words = mend(error)?;
            let page = settings_page(&state, &visit, &workflow, &form, &[], words).await?;
            Ok(page.with_status(refused).into_response())
        }
    }
}

async fn archive(
    State(state): State<WebState>,
    Path(id): Path<WorkflowId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let workflow = state.app.archive_workflow(&who.actor, id, true).await?;
    let flash = Flash::good(format!(
        "{} was archived. Its runs and figures stay, and nothing of it is sent out.",
        workflow.name
    ));
    Ok(SeeOther::to("/workflows").saying(flash).undoable(Undo::Workflow(id)))
}

async fn unarchive(
    State(state): State<WebState>,
    Path(id): Path<WorkflowId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let workflow = state.app.archive_workflow(&who.actor, id, false).await?;
    Ok(SeeOther::to(format!("/workflows/{id}")).saying(Flash::good(format!("{} was taken back.", workflow.name))))
}
