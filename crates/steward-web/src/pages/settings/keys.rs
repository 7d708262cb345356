//! Keys, and how an agent connects with them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_core::ids::{KeyId, WorkflowId};

use crate::extract::Path;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::confirm::Confirm;
use crate::view::components::empty::Empty;
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Flash;
use crate::view::components::snippet::Snippet;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::waiting::{Received, Waiting};
use crate::view::format::Time;
use crate::view::page::Page;
use crate::view::pages::ask::Ask;
use crate::view::pages::settings::{Connect, ConnectStep, KeysPage, Once, Platform};
use crate::{Problem, Routes, WebState};

use super::super::around::{Visit, mend};
use super::{must_operate, shell, side};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/settings/keys", show)
        .post("/settings/keys", make)
        .get("/settings/keys/{id}/revoke", ask_revoke)
        .post("/settings/keys/{id}/revoke", revoke)
}

/// What the lines for connecting are filled in with.
pub(in crate::pages) struct Snippets<'a> {
    /// Where people reach the program.
    pub public_url: &'a str,
    /// The key, while it can be shown.
    pub key: Option<&'a str>,
    /// The platform that is open.
    pub platform: &'a str,
    /// The page on which they stand.
    pub path: &'a str,
}

const PLATFORMS: [(&str, &str); 6] = [
    ("otlp", "Any OpenTelemetry"),
    ("python", "Python, OpenTelemetry"),
    ("openinference", "OpenInference"),
    ("openllmetry", "OpenLLMetry"),
    ("curl", "curl, JSON"),
    ("grpc", "gRPC"),
];

/// How to connect. With a key in hand every platform's lines are shown at once, since the key is shown only now.
pub(in crate::pages) fn connect(snippets: &Snippets<'_>, name: Option<&str>) -> Connect {
    let open = PLATFORMS.iter().find(|(word, _)| *word == snippets.platform).map_or("otlp", |(word, _)| word);
    let key = snippets.key.unwrap_or("stk_YOUR_KEY");
    let has_key = snippets.key.is_some();
    let shown = PLATFORMS.iter().filter(|(word, _)| has_key || *word == open);
    let mut steps: Vec<ConnectStep> = shown.map(|(word, title)| step(word, title, snippets.public_url, key)).collect();
    steps.push(ConnectStep { text: "Start your agent, and let it do one piece of work.".to_owned(), snippet: None });
    let platforms = PLATFORMS.iter().map(|(word, name)| Platform {
        name: (*name).to_owned(),
        href: format!("{}?platform={word}#connect", snippets.path),
        current: *word == open,
    });
    Connect {
        key: snippets.key.map(|key| Once {
            title: format!("The key “{}”", name.unwrap_or_default()),
            value: key.to_owned(),
            note: "It is shown only now: Steward keeps its hash.".to_owned(),
        }),
        platforms: if has_key { Vec::new() } else { platforms.collect() },
        steps,
        waiting: None,
    }
}

fn step(word: &str, title: &str, url: &str, key: &str) -> ConnectStep {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host });
    let scheme = if url.starts_with("https") { "https" } else { "http" };
    let env = format!(
        "OTEL_EXPORTER_OTLP_ENDPOINT={url}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nOTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{key}\nOTEL_SERVICE_NAME=my-agent"
    );
    let (text, code) = match word {
        "python" => (
            "With the OpenTelemetry SDK: install opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http, then before your agent starts:",
            format!(
                "from opentelemetry import trace\nfrom opentelemetry.sdk.resources import Resource\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n\nprovider = TracerProvider(resource=Resource.create({{\"service.name\": \"my-agent\"}}))\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(\n    endpoint=\"{url}/v1/traces\",\n    headers={{\"authorization\": \"Bearer {key}\"}},\n)))\ntrace.set_tracer_provider(provider)"
            ),
        ),
        "openinference" => (
            "With OpenInference: install openinference-instrumentation-openai (or the one for your framework) and the OTLP exporter, then:",
            format!(
                "from opentelemetry.sdk.resources import Resource\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom openinference.instrumentation.openai import OpenAIInstrumentor\n\nprovider = TracerProvider(resource=Resource.create({{\"service.name\": \"my-agent\"}}))\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(\n    endpoint=\"{url}/v1/traces\",\n    headers={{\"authorization\": \"Bearer {key}\"}},\n)))\nOpenAIInstrumentor().instrument(tracer_provider=provider)"
            ),
        ),
        "openllmetry" => (
            "With OpenLLMetry: install traceloop-sdk, then before your agent starts:",
            format!(
                "from traceloop.sdk import Traceloop\n\nTraceloop.init(\n    app_name=\"my-agent\",\n    api_endpoint=\"{url}\",\n    headers={{\"authorization\": \"Bearer {key}\"}},\n)"
            ),
        ),
        "curl" => (
            "Without any SDK: one run as JSON.",
            format!(
                "curl -sS {url}/v1/runs \\\n  -H 'authorization: Bearer {key}' \\\n  -H 'content-type: application/json' \\\n  -d '{{\"workflow\": \"my-agent\", \"id\": \"first\", \"started_at\": \"2026-11-03T09:00:00Z\", \"ended_at\": \"2026-11-03T09:00:12Z\", \"outcome\": \"completed\"}}'"
            ),
        ),
        "grpc" => (
            "Over gRPC: the port is the one that Steward was started with, 4317 unless it was told otherwise.",
            format!(
                "OTEL_EXPORTER_OTLP_ENDPOINT={scheme}://{host}:4317\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{key}\nOTEL_SERVICE_NAME=my-agent"
            ),
        ),
        _ => ("Set these where your agent runs: every OpenTelemetry SDK reads them.", env),
    };
    ConnectStep { text: text.to_owned(), snippet: Some(Snippet::titled(title, code)) }
}

/// Whether something has come in.
pub(in crate::pages) async fn waiting(state: &WebState, visit: &Visit, from: &str) -> Result<Waiting, PageError> {
    let latest = state.app.list_runs(&visit.who.actor, &Default::default(), Default::default(), None, 1).await?;
    let received = match latest.runs.first() {
        None => None,
        Some(run) => {
            let workflow = state.app.get_workflow(&visit.who.actor, run.workflow_id).await?;
            Some(Received {
                text: format!("Received: a run of “{}”", workflow.name),
                at: Time::new(run.ended_at, visit.now, &visit.zone),
                href: format!("/runs/{}", run.id),
            })
        }
    };
    Ok(Waiting { id: "first-run".to_owned(), live: "/live".to_owned(), from: from.to_owned(), received })
}

async fn keys_page(
    state: &WebState,
    visit: &Visit,
    made: Option<(&str, &str)>,
    sent: Option<&Fields>,
    error: String,
) -> Result<Page<KeysPage>, PageError> {
    must_operate(visit)?;
    let keys = state.app.list_keys(&visit.who.actor).await?;
    let workflows = state.app.visible_workflows(&visit.who.actor, false).await?;
    let clients = state.app.visible_clients(&visit.who.actor, true).await?;
    let name_of = |id: WorkflowId| {
        let Some(workflow) = workflows.iter().find(|w| w.id == id) else { return "an archived workflow".to_owned() };
        let client = workflow.client_id.and_then(|id| clients.iter().find(|c| c.id == id));
        client.map_or_else(|| workflow.name.clone(), |client| format!("{} › {}", client.name, workflow.name))
    };
    let rows = keys.iter().map(|key| {
        let off = key.revoked_at.is_some();
        let used = key
            .last_used_at
            .map_or_else(|| Cell::text("never"), |at| Cell::Time(Time::new(at, visit.now, &visit.zone)));
        let last = if off {
            Cell::Badge(Badge::new(Icon::Lock, "revoked", Tone::Neutral))
        } else {
            Cell::Actions(vec![Action::ask("Revoke", format!("/settings/keys/{}/revoke", key.id))])
        };
        Row {
            is_off: off,
            ..Row::plain(vec![
                Cell::Name(key.name.clone(), format!("{}…", key.beginning)),
                Cell::text(key.workflow_id.map_or_else(|| "any workflow of the agency".to_owned(), name_of)),
                used,
                Cell::Time(Time::new(key.created_at, visit.now, &visit.zone)),
                last,
            ])
        }
    });
    let columns = vec![
        Column::new("Key"),
        Column::new("Writes to"),
        Column::new("Last used"),
        Column::new("Made"),
        Column::new(""),
    ];
    let empty = Empty::new(
        Icon::Key,
        "No key yet",
        "An agent sends its runs with a key: one for the whole agency, or one for each workflow.",
    );
    let table = Table::new("Keys", columns, rows.collect()).or_empty(empty);
    let mut pairs = vec![(String::new(), "any workflow of the agency".to_owned())];
    pairs.extend(workflows.iter().map(|w| (w.id.to_string(), name_of(w.id))));
    let value = |name: &str| sent.and_then(|form| form.get(name)).unwrap_or_default();
    let fields = vec![
        Field::text("name", "Name", value("name")).with_hint("Where it is used, so that you know which one to revoke."),
        Field::select("workflow", "Writes to", Choice::list(&pairs, value("workflow")))
            .with_hint("With a key for all, telemetry names the workflow."),
    ];
    let form = Form { in_pairs: true, error, ..Form::new("/settings/keys", visit.csrf(), "Make a key", fields) };
    let snippets = Snippets {
        public_url: state.app.public_url(),
        key: made.map(|(_, secret)| secret),
        platform: visit.get("platform"),
        path: "/settings/keys",
    };
    let mut connect = connect(&snippets, made.map(|(name, _)| name));
    connect.waiting = Some(waiting(state, visit, "/settings/keys").await?);
    let (made, connect) = if made.is_some() { (Some(connect), None) } else { (None, Some(connect)) };
    let page = KeysPage { side: side("keys", visit.who.actor.role), made, form: Some(form), table, connect };
    Ok(Page::new(visit.wanted, shell(visit, "Keys"), page))
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page<KeysPage>, PageError> {
    keys_page(&state, &visit, None, None, String::new()).await
}

async fn make(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_operate(&visit)?;
    let workflow = match form.get("workflow").filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => Some(id.parse::<WorkflowId>().map_err(|_| Problem::no_such("workflow"))?),
    };
    match state.app.create_key(&who.actor, form.get("name").unwrap_or_default(), workflow).await {
        Ok((key, secret)) => Ok(keys_page(&state, &visit, Some((&key.name, secret.reveal())), None, String::new())
            .await?
            .into_response()),
        Err(error) => {
            let page = keys_page(&state, &visit, None, Some(&form), mend(error)?).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn ask_revoke(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<KeyId>,
) -> Result<Page<Ask>, PageError> {
    must_operate(&visit)?;
    let keys = state.app.list_keys(&visit.who.actor).await?;
    let key =
        keys.into_iter().find(|key| key.id == id && key.revoked_at.is_none()).ok_or_else(|| Problem::no_such("key"))?;
    let used = key.last_used_at.map_or_else(
        || "It was never used.".to_owned(),
        |at| format!("It was last used {}.", Time::new(at, visit.now, &visit.zone).text()),
    );
    let confirm = Confirm {
        title: format!("Revoke the key “{}”?", key.name),
        text: used,
        lines: vec![
            "Whoever sends with it is refused from now on; it cannot be brought back.".to_owned(),
            "What came in with it stays.".to_owned(),
        ],
        button: "Revoke the key".to_owned(),
        action: format!("/settings/keys/{id}/revoke"),
        csrf: visit.csrf(),
        back: "/settings/keys".to_owned(),
        is_danger: true,
        ..Confirm::default()
    };
    Ok(Page::new(visit.wanted, shell(&visit, "Revoke a key"), Ask { confirm, about: Table::default() }))
}

async fn revoke(
    State(state): State<WebState>,
    Path(id): Path<KeyId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    state.app.revoke_key(&who.actor, id).await?;
    Ok(SeeOther::to("/settings/keys").saying(Flash::good("The key was revoked.")))
}
