//! Settings of a workflow that its form sends: tried over past runs, and only then saved.

use axum::http::StatusCode;
use steward_app::Actor;
use steward_app::workflows::{MAX_PREVIEW, Preview};
use steward_core::workflow::{Workflow, WorkflowSettings};

use super::around::{mend, sentence};
use crate::WebState;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::Fields;
use crate::view::components::notice::Flash;
use crate::view::html::Link;

/// What came of them.
pub(super) enum Tried {
    /// They were tried.
    Preview(Preview),
    /// They are saved, or are as they were.
    Saved(SeeOther),
    /// Nothing was saved, and why.
    Refused(StatusCode, String),
}

/// Tries settings, or saves them when the form says so and nobody changed them since it was opened. `what` names both
/// what of them the form is about and its page: `rules`.
pub(super) async fn try_settings(
    state: &WebState,
    actor: &Actor,
    workflow: &Workflow,
    settings: &WorkflowSettings,
    form: &Fields,
    what: &str,
) -> Result<Tried, PageError> {
    let id = workflow.id;
    let refused = |error| Ok(Tried::Refused(StatusCode::UNPROCESSABLE_ENTITY, mend(error)?));
    if form.all("do").last() != Some("save") {
        return match state.app.preview_settings(actor, id, settings, MAX_PREVIEW).await {
            Ok(preview) => Ok(Tried::Preview(preview)),
            Err(error) => refused(error),
        };
    }
    let edited = form.get("version").and_then(|text| text.parse::<i32>().ok());
    if edited.is_some_and(|version| version != workflow.settings_version) {
        let words = "Nothing was saved: somebody changed the settings meanwhile. Yours are below; save again to put them in place of theirs.";
        return Ok(Tried::Refused(StatusCode::CONFLICT, words.to_owned()));
    }
    let back = SeeOther::to(format!("/workflows/{id}/{what}"));
    if *settings == workflow.settings {
        return Ok(Tried::Saved(back.saying(Flash::good(format!("The {what} are as they were.")))));
    }
    match state.app.update_settings(actor, id, settings.clone()).await {
        Ok(_) => {
            let link = Link::new("See how far it is", format!("/workflows/{id}"));
            let words = sentence(&format!("{what} saved. Past runs are being read again."));
            Ok(Tried::Saved(back.saying(Flash { link: Some(link), ..Flash::good(words) })))
        }
        Err(error) => refused(error),
    }
}
