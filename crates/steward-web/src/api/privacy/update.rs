//! `PATCH /api/v1/privacy`

use axum::extract::State;
use serde::Deserialize;
use steward_app::agencies::AgencyChanges;
use utoipa::ToSchema;

use super::{ContentWord, MaskWord, PrivacyJson};
use crate::api::caller::Writer;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// What to change; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrivacyChanges {
    /// How much is kept.
    content: Option<ContentWord>,
    /// Kinds that are left as they are where the rest is masked.
    spared: Option<Vec<MaskWord>>,
    /// Words that are masked: at most 200, of 2 to 80 characters.
    words: Option<Vec<String>>,
}

/// Changes what the agency keeps of what was said, from what arrives then on.
#[utoipa::path(
    patch, path = "/privacy", tag = "settings", operation_id = "update_privacy",
    request_body = PrivacyChanges,
    security(("session" = [])),
    responses(
        (status = 200, body = PrivacyJson, description = "What is kept then"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.privacy.update", skip_all)]
pub(crate) async fn update_privacy(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Json(changes): Json<PrivacyChanges>,
) -> Result<Json<PrivacyJson>, Problem> {
    actor.must_operate()?;
    let mut privacy = state.app.get_agency(&actor).await?.privacy;
    if let Some(content) = changes.content {
        privacy.content = Some(content.into());
    }
    if let Some(spared) = changes.spared {
        privacy.spared = spared.into_iter().map(Into::into).collect();
    }
    if let Some(words) = changes.words {
        privacy.words = words;
    }
    let changes = AgencyChanges { privacy: Some(privacy), ..AgencyChanges::default() };
    Ok(Json(state.app.update_agency(&actor, changes).await?.privacy.into()))
}
