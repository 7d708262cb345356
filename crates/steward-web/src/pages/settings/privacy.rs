//! Privacy: what is kept of what was said, and one end user's data.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::AppError;
use steward_app::agencies::AgencyChanges;
use steward_core::ids::ClientId;
use steward_core::privacy::{Content, MaskKind, Privacy};

use crate::download::download_user_data;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::empty::Empty;
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Flash;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::{self, Time};
use crate::view::page::Page;
use crate::view::pages::settings::{SettingsPage, SettingsPart};
use crate::{Routes, WebState};

use super::super::around::{Visit, mend};
use super::{must_operate, page};

/// Acts that are looked through for those that concern privacy.
const MAX_ACTS: u32 = 1_000;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/settings/privacy", show)
        .post("/settings/privacy", save)
        .post("/settings/privacy/export", export)
        .post("/settings/privacy/delete", delete)
}

/// Kinds that can be left as they are, each with its box.
const BOXES: [(MaskKind, &str, &str); 5] = [
    (MaskKind::Email, "mask_email", "Mask e-mail addresses"),
    (MaskKind::Phone, "mask_phone", "Mask telephone numbers"),
    (MaskKind::Card, "mask_card", "Mask card numbers"),
    (MaskKind::Iban, "mask_iban", "Mask bank accounts"),
    (MaskKind::Secret, "mask_secret", "Mask passwords, keys and tokens"),
];

/// What the choices mean, for beside them.
pub(in crate::pages) const CHOICES: &str = "Everything keeps what was said as it was sent. Masked puts [e-mail], [phone] and the like in place of what is \
     ticked below, before anything is stored. Only structure keeps names, kinds, times, tokens, costs and classes of \
     errors, and nothing that was said. A change concerns what arrives from then on.";

/// The privacy settings as they stand in a form.
pub(in crate::pages) fn values(privacy: &Privacy) -> Vec<(String, String)> {
    let mut values = vec![
        ("content".to_owned(), privacy.content.map_or("", Content::as_str).to_owned()),
        ("mask_words".to_owned(), privacy.words.join("\n")),
    ];
    let masked = BOXES.iter().filter(|(kind, ..)| !privacy.spared.contains(kind));
    values.extend(masked.map(|(_, name, _)| ((*name).to_owned(), "on".to_owned())));
    values
}

/// The fields of a form for privacy settings. With `inherited`, a workflow may do as its agency does.
pub(in crate::pages) fn fields(filled: &Fields, inherited: Option<Content>) -> Vec<Field> {
    let words = |content: Content| match content {
        Content::Full => "everything",
        Content::Masked => "everything, masked",
        Content::None => "only structure",
    };
    let mut choices: Vec<(String, String)> =
        inherited.map(|content| (String::new(), format!("as the agency: {}", words(content)))).into_iter().collect();
    choices.extend(Content::ALL.map(|content| (content.as_str().to_owned(), words(content).to_owned())));
    let chosen = match filled.get("content") {
        None | Some("") if inherited.is_none() => Content::Full.as_str(),
        chosen => chosen.unwrap_or_default(),
    };
    let mut fields = vec![Field {
        wide: true,
        ..Field::select("content", "What is kept of what was said", Choice::list(&choices, chosen)).with_hint(CHOICES)
    }];
    fields.extend(BOXES.map(|(_, name, label)| Field::check(name, label, filled.has(name))));
    fields.push(Field {
        wide: true,
        ..Field::lines("mask_words", "Words to mask", filled.get("mask_words").unwrap_or_default(), 3)
            .optional()
            .with_hint(
                "One a line: names of people or projects. Whole words, in any case; a workflow's beside its agency's.",
            )
    });
    fields
}

/// The privacy settings that a form says; `before` where it says none.
pub(in crate::pages) fn privacy_of(form: &Fields, before: &Privacy) -> Privacy {
    let Some(content) = form.get("content") else { return before.clone() };
    Privacy {
        content: Content::parse(content),
        spared: BOXES.iter().filter(|(_, name, _)| !form.has(name)).map(|(kind, ..)| *kind).collect(),
        words: form
            .text("mask_words")
            .lines()
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

async fn privacy_page(
    state: &WebState,
    visit: &Visit,
    sent: Option<&Fields>,
    errors: [String; 3],
) -> Result<Page<SettingsPage>, PageError> {
    let app = &state.app;
    let own = Fields(values(&visit.agency.privacy));
    let [of_settings, of_export, of_delete] = errors;
    let settings = Form {
        in_pairs: true,
        error: of_settings,
        note: "A workflow may choose otherwise in its own settings.".to_owned(),
        ..Form::new("/settings/privacy", visit.csrf(), "Save", fields(sent.unwrap_or(&own), None))
    };
    let clients = app.visible_clients(&visit.who.actor, true).await?;
    let mut choices = vec![(String::new(), "all clients".to_owned())];
    choices.extend(clients.into_iter().map(|client| (client.id.to_string(), client.name)));
    let whose = |error: &str| {
        let sent = sent.filter(|_| !error.is_empty());
        let value = |name: &str| sent.and_then(|form| form.get(name)).unwrap_or_default().to_owned();
        vec![
            Field::text("user_id", "End user", value("user_id")).with_hint("The id that senders give them."),
            Field::select("client", "In the runs of", Choice::list(&choices, &value("client"))),
        ]
    };
    let export = Form {
        in_pairs: true,
        error: of_export.clone(),
        ..Form::new("/settings/privacy/export", visit.csrf(), "Hand out as a file", whose(&of_export))
    }
    .with_ids("export-");
    let mut of_user = whose(&of_delete);
    of_user.push(Field::check("sure", "Yes, delete it: nothing brings it back", false));
    let delete = Form {
        in_pairs: true,
        note: "Published reports and figures stay: they hold sums and nobody's data.".to_owned(),
        error: of_delete,
        ..Form::new("/settings/privacy/delete", visit.csrf(), "Delete", of_user)
    }
    .with_ids("delete-");
    let acts = app.list_audit(&visit.who.actor, MAX_ACTS).await?;
    let acts = acts.iter().filter(|act| act.action.starts_with("user_data.") || act.action.ends_with(".privacy"));
    let rows = acts.map(|act| {
        Row::plain(vec![
            Cell::Name(act.action.clone(), act.details.clone()),
            Cell::text(act.person.clone()),
            Cell::text(act.object.clone()),
            Cell::Time(Time::new(act.at, visit.now, &visit.zone)),
        ])
    });
    let columns = vec![Column::new("What"), Column::new("Who"), Column::new("Whose"), Column::new("When")];
    let empty = Empty::new(
        Icon::Clipboard,
        "Nothing yet",
        "What is handed out or deleted, and each change of these settings, stands here.",
    );
    let parts = vec![
        SettingsPart { title: "What is kept".to_owned(), form: Some(settings), ..SettingsPart::default() },
        SettingsPart {
            title: "Hand out one end user's data".to_owned(),
            note: "All their runs with what was said in them, as JSON.".to_owned(),
            form: Some(export),
            ..SettingsPart::default()
        },
        SettingsPart {
            title: "Delete one end user's data".to_owned(),
            note: "Their runs, what people said of these, and their part of the raw payloads.".to_owned(),
            form: Some(delete),
            ..SettingsPart::default()
        },
        SettingsPart {
            title: "What was done".to_owned(),
            note: "In place of an end user's id stands one that is always the same for them and cannot be turned back."
                .to_owned(),
            table: Some(Table::new("What was done", columns, rows.collect()).or_empty(empty)),
            ..SettingsPart::default()
        },
    ];
    Ok(page(visit, "privacy", "Privacy", parts))
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page<SettingsPage>, PageError> {
    must_operate(&visit)?;
    privacy_page(&state, &visit, None, Default::default()).await
}

async fn again(state: &WebState, visit: &Visit, form: &Fields, errors: [String; 3]) -> Result<Response, PageError> {
    let page = privacy_page(state, visit, Some(form), errors).await?;
    Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

async fn save(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_operate(&visit)?;
    let privacy = privacy_of(&form, &visit.agency.privacy);
    let changes = AgencyChanges { privacy: Some(privacy), ..AgencyChanges::default() };
    match state.app.update_agency(&who.actor, changes).await {
        Ok(_) => Ok(SeeOther::to("/settings/privacy")
            .saying(Flash::good("Saved. It holds for what arrives from now on; what was kept before stays as it is."))
            .into_response()),
        Err(error) => again(&state, &visit, &form, [mend(error)?, String::new(), String::new()]).await,
    }
}

fn client_of(form: &Fields) -> Result<Option<ClientId>, AppError> {
    match form.text("client") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| AppError::NotFound("client")),
    }
}

async fn export(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_operate(&visit)?;
    match state.app.export_user_data(&who.actor, form.text("user_id"), client_of(&form)?).await {
        Ok(export) => Ok(download_user_data(export).await?),
        Err(error) => again(&state, &visit, &form, [String::new(), mend(error)?, String::new()]).await,
    }
}

async fn delete(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_operate(&visit)?;
    if !form.has("sure") {
        let words = "Tick the box to say that you are sure.".to_owned();
        return again(&state, &visit, &form, [String::new(), String::new(), words]).await;
    }
    match state.app.delete_user_data(&who.actor, form.text("user_id"), client_of(&form)?).await {
        Ok(deleted) => {
            let drafts = match deleted.drafts_naming {
                0 => String::new(),
                n => format!(" Look at {n} drafts of reports: their words name this id."),
            };
            let words = format!("{} runs were deleted.{drafts}", format::count(deleted.runs));
            Ok(SeeOther::to("/settings/privacy").saying(Flash::good(words)).into_response())
        }
        Err(error) => again(&state, &visit, &form, [String::new(), String::new(), mend(error)?]).await,
    }
}
