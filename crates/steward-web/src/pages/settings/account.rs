//! One's own account, and what was done in the agency.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};

use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{self, Fields, SignedForm};
use crate::view::components::empty::Empty;
use crate::view::components::form::{Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Flash;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::Time;
use crate::view::page::Page;
use crate::view::pages::settings::{SettingsPage, SettingsPart};
use crate::{Routes, WebState};

use super::super::around::{Visit, mend};
use super::{must_operate, page};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/settings/account", show)
        .get("/settings/password", show)
        .post("/settings/password", set_password)
        .get("/settings/audit", show_audit)
}

/// The most acts that are listed.
const MAX_ACTS: u32 = 200;

fn account_page(visit: &Visit, error: String) -> Page<SettingsPage> {
    let has = visit.who.has_password;
    let fields = vec![
        Field::line("password", "password", "New password", "")
            .with_autocomplete("new-password")
            .with_hint("At least 12 characters."),
        Field::line("password", "again", "The same again", "").with_autocomplete("new-password").with_error(error),
    ];
    let form = Form {
        note: "All your other sessions end.".to_owned(),
        ..Form::new(
            "/settings/password",
            visit.csrf(),
            if has { "Change the password" } else { "Set the password" },
            fields,
        )
    };
    let title = if has { "Password" } else { "Choose a password" };
    let note = format!("{}, {}, {}.", visit.who.actor.name, visit.email(), visit.who.actor.role.as_str());
    let part = SettingsPart { title: title.to_owned(), note, form: Some(form), ..SettingsPart::default() };
    page(visit, "account", "Your account", vec![part])
}

async fn show(visit: Visit) -> Page<SettingsPage> {
    account_page(&visit, String::new())
}

async fn set_password(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let again = |words| Ok(account_page(&visit, words).with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    let password = form.get("password").unwrap_or_default();
    if form.get("again") != Some(password) {
        return again("The two are not the same.".to_owned());
    }
    match state.app.set_password(&who.actor, password).await {
        Ok(session) => {
            let mut response = SeeOther::to("/settings/account")
                .saying(Flash::good("The password was set. Other sessions have ended."))
                .into_response();
            response.headers_mut().append(SET_COOKIE, session::begin(&state, &session));
            Ok(response)
        }
        Err(error) => again(mend(error)?),
    }
}

async fn show_audit(State(state): State<WebState>, visit: Visit) -> Result<Page<SettingsPage>, PageError> {
    must_operate(&visit)?;
    let entries = state.app.list_audit(&visit.who.actor, MAX_ACTS).await?;
    let rows = entries.iter().map(|entry| {
        Row::plain(vec![
            Cell::Name(entry.action.clone(), entry.details.clone()),
            Cell::text(entry.person.clone()),
            Cell::text(entry.object.clone()),
            Cell::Time(Time::new(entry.at, visit.now, &visit.zone)),
        ])
    });
    let columns = vec![Column::new("What"), Column::new("Who"), Column::new("To what"), Column::new("When")];
    let empty = Empty::new(
        Icon::Clipboard,
        "Nothing was done yet",
        "Whatever somebody changes stands here, with who it was and when.",
    );
    let part = SettingsPart {
        title: "What was done".to_owned(),
        note: format!("The last {MAX_ACTS} acts that changed something."),
        table: Some(Table::new("What was done", columns, rows.collect()).or_empty(empty)),
        ..SettingsPart::default()
    };
    Ok(page(&visit, "audit", "What was done", vec![part]))
}
