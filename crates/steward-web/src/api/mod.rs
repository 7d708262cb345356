//! The API for people's programs: JSON, problem documents, cursors; described at `/api/openapi.json`.
//!
//! One endpoint a file. What an endpoint takes and gives are types of its own, so that the API changes only when
//! somebody changes it.

mod bulk_reviews;
mod caller;
mod channels;
mod clients;
mod connections;
mod cursor;
mod exceptions;
mod exports;
mod figures;
mod handoff;
mod keys;
pub(crate) mod once;
mod patterns;
mod period;
mod prices;
mod privacy;
mod queue;
mod reports;
mod reviews;
mod runs;
mod sampling;
mod user_data;
mod words;
mod workflows;

use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{Route, Routes, WebState};

const DESCRIPTION: &str = "\
What Steward knows of an agency's agents: runs, figures, reports and how they are read.

Who may ask:

* A person who is signed in, by their session's cookie. Writes also carry the session's token in `X-CSRF-Token`.
* A program with an API key of the whole agency, as `Authorization: Bearer stk_…`. It reads what an operator reads, and \
changes nothing: writes are answered with 403. A key of one workflow only sends telemetry.

A write may carry an `Idempotency-Key` of its sender's choice: sent again within a day, it is answered as before and \
not done again. The same key with another request is refused (422), and while the first is under way it is too (409).

What belongs to somebody else is not found. Errors are problem documents (RFC 9457) with the request's id. Instants are \
RFC 3339 in UTC; days are days of the agency's zone; amounts that end in `_nanos` are whole billionths of a unit of the \
currency, of US dollars for costs. What is unknown is null, never 0.

Telemetry is sent to other addresses: OTLP to `/v1/traces`, native runs to `/v1/runs`, webhooks to the \
address of their connection.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Steward", description = DESCRIPTION, license(name = "Apache-2.0", identifier = "Apache-2.0")),
    servers((url = "/", description = "This program")),
    security(("session" = []), ("agency_key" = [])),
    modifiers(&Schemes),
    tags(
        (name = "clients", description = "The businesses that the agency works for"),
        (name = "workflows", description = "Agents, each attached to one business process, and how their runs are read"),
        (name = "runs", description = "Single executions, with their steps and evidence"),
        (name = "exceptions", description = "What went wrong, and the patterns that it makes"),
        (name = "queue", description = "What waits for a person, and what people made of it"),
        (name = "figures", description = "Metrics of any period, client, workflow, model, tool or release"),
        (name = "reports", description = "Frozen accounts of a month to a client"),
        (name = "settings", description = "Keys, prices and privacy"),
    )
)]
struct Description;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let session = ApiKey::Cookie(ApiKeyValue::new(crate::session::COOKIE_NAME));
        components.add_security_scheme("session", SecurityScheme::ApiKey(session));
        components.add_security_scheme("agency_key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// A whole list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The items.
    items: Vec<T>,
}

impl<T> List<T> {
    fn of(items: impl IntoIterator<Item = T>) -> crate::extract::Json<Self> {
        crate::extract::Json(Self { items: items.into_iter().collect() })
    }
}

/// A file that is no text.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct Binary(#[expect(dead_code, reason = "it describes what is sent")] Vec<u8>);

fn router() -> OpenApiRouter<WebState> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(clients::list::list_clients))
        .routes(routes!(clients::get::get_client))
        .routes(routes!(workflows::list::list_workflows))
        .routes(routes!(workflows::get::get_workflow, workflows::update::update_workflow))
        .routes(routes!(workflows::preview::preview_workflow))
        .routes(routes!(
            sampling::get::get_sampling,
            sampling::update::update_sampling,
            sampling::delete::delete_sampling
        ))
        .routes(routes!(connections::list::list_connections, connections::create::create_connection))
        .routes(routes!(connections::rotate::rotate_connection))
        .routes(routes!(connections::delete::delete_connection))
        .routes(routes!(runs::list::list_runs))
        .routes(routes!(runs::get::get_run))
        .routes(routes!(runs::list_payloads::list_run_payloads))
        .routes(routes!(runs::give_verdict::give_verdict))
        .routes(routes!(exceptions::list::list_exceptions))
        .routes(routes!(exceptions::get::get_exception))
        .routes(routes!(handoff::get_packet::get_packet))
        .routes(routes!(handoff::list_links::list_handoff_links, handoff::create_link::create_handoff_link))
        .routes(routes!(handoff::revoke_link::revoke_handoff_link))
        .routes(routes!(channels::list::list_workflow_channels, channels::create::create_workflow_channel))
        .routes(routes!(channels::list::list_client_channels, channels::create::create_client_channel))
        .routes(routes!(channels::update::update_channel, channels::delete::delete_channel))
        .routes(routes!(channels::test::test_channel))
        .routes(routes!(patterns::list::list_patterns))
        .routes(routes!(patterns::get::get_pattern, patterns::update::update_pattern))
        .routes(routes!(patterns::merge::merge_pattern))
        .routes(routes!(patterns::split::split_pattern))
        .routes(routes!(patterns::create_draft::create_pattern_draft))
        .routes(routes!(patterns::delete_draft::delete_pattern_draft))
        .routes(routes!(bulk_reviews::start::review_pattern))
        .routes(routes!(queue::list::list_queue))
        .routes(routes!(queue::summary::get_queue_summary))
        .routes(routes!(queue::list_rules::list_queue_rules, queue::update_rules::update_queue_rules))
        .routes(routes!(queue::claim_next::claim_next))
        .routes(routes!(queue::assign::assign_items))
        .routes(routes!(queue::get::get_queue_item))
        .routes(routes!(queue::claim::claim_item))
        .routes(routes!(queue::keep::keep_claim))
        .routes(routes!(queue::release::release_item))
        .routes(routes!(queue::review::review_item))
        .routes(routes!(reviews::list::list_reviews))
        .routes(routes!(reviews::get::get_review))
        .routes(routes!(reviews::undo::undo_review))
        .routes(routes!(bulk_reviews::get::get_bulk_review))
        .routes(routes!(bulk_reviews::undo::undo_bulk_review))
        .routes(routes!(figures::get::get_figures))
        .routes(routes!(figures::list_definitions::list_definitions))
        .routes(routes!(figures::list_calls::list_calls))
        .routes(routes!(figures::list_days::list_days))
        .routes(routes!(reports::list::list_reports))
        .routes(routes!(reports::get::get_report))
        .routes(routes!(reports::get_pdf::get_report_pdf))
        .routes(routes!(keys::list::list_keys))
        .routes(routes!(prices::list::list_prices))
        .routes(routes!(privacy::get::get_privacy, privacy::update::update_privacy))
        .routes(routes!(user_data::export::export_user_data))
        .routes(routes!(user_data::delete::delete_user_data))
        .routes(routes!(exports::runs::export_runs));
    OpenApiRouter::with_openapi(Description::openapi()).nest("/api/v1", v1)
}

/// The description of the API.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    router().into_openapi()
}

/// Every address of the API.
pub(crate) fn routes() -> Routes {
    let (router, api) = router().split_for_parts();
    let mut table = Vec::new();
    for (path, item) in &api.paths.paths {
        let operations = [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PATCH", &item.patch),
            ("PUT", &item.put),
            ("DELETE", &item.delete),
        ];
        for (method, _) in operations.iter().filter(|(_, operation)| operation.is_some()) {
            table.push(Route { path: path.clone(), method: (*method).to_owned() });
        }
    }
    let text: &'static str = Box::leak(api.to_json().unwrap_or_default().into_boxed_str());
    Routes::new()
        .with_router(table, router)
        .get("/api/openapi.json", async move || ([("content-type", "application/json")], text).into_response())
}
