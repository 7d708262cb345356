//! `GET /api/v1/runs/{id}/payloads`

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use steward_app::system::InboxEntry;
use steward_core::ids::RunId;
use utoipa::ToSchema;

use crate::api::List;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Payloads above this size are named without their bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// A payload as it came.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payload)]
pub(crate) struct PayloadJson {
    /// Its id.
    id: String,
    /// When it came.
    #[schema(format = DateTime)]
    received_at: String,
    /// In what form: `otlp_protobuf`, `otlp_json`, `native`, `transcript`, `tau_bench` or `tau2_bench`; a platform: `vapi`,
    /// `retell`, `elevenlabs`, `n8n`, `make`, `zapier`, `langgraph`, `twilio` or `event`; or `steps` where only structure is kept.
    kind: String,
    /// How many bytes it has.
    n_bytes: usize,
    /// The bytes, where they are text. Null for others, and above 1 MiB.
    text: Option<String>,
    /// The bytes in base64, where they are no text. Null for others, and above 1 MiB.
    base64: Option<String>,
}

impl From<InboxEntry> for PayloadJson {
    fn from(entry: InboxEntry) -> Self {
        let n_bytes = entry.body.len();
        let (text, base64) = match String::from_utf8(entry.body) {
            _ if n_bytes > MAX_BYTES => (None, None),
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(STANDARD.encode(error.as_bytes()))),
        };
        let (id, received_at, kind) =
            (entry.id.to_string(), entry.received_at.rfc3339(), entry.kind.as_str().to_owned());
        Self { id, received_at, kind, n_bytes, text, base64 }
    }
}

/// Lists the raw payloads that a run was read from, as far as retention has kept them; the first 20.
#[utoipa::path(
    get, path = "/runs/{id}/payloads", tag = "runs", operation_id = "list_run_payloads",
    params(("id" = String, Path, description = "The run's id", example = "run_01930000000070008000000000000001")),
    responses(
        (status = 200, body = List<PayloadJson>, description = "The payloads"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.runs.list_payloads", skip_all)]
pub(crate) async fn list_run_payloads(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<RunId>,
) -> Result<Json<List<PayloadJson>>, Problem> {
    let payloads = state.app.list_run_payloads(&actor, id).await?;
    Ok(List::of(payloads.into_iter().map(PayloadJson::from)))
}
