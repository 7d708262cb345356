//! People: invited, changed, shut out and let in again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::people::{Member, NewPerson, PersonChanges};
use steward_core::clients::Client;
use steward_core::ids::{ClientId, PersonId};
use steward_core::people::Role;

use crate::extract::Path;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::button::Action;
use crate::view::components::confirm::Confirm;
use crate::view::components::form::{Choice, Control, Field, Form};
use crate::view::components::notice::Flash;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::Time;
use crate::view::page::Page;
use crate::view::pages::ask::Ask;
use crate::view::pages::settings::{Once, SettingsPage, SettingsPart};
use crate::{Problem, Routes, WebState};

use super::super::around::{Visit, mend};
use super::{page, shell};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/settings/people", show)
        .post("/settings/people", invite)
        .get("/settings/people/{id}", show_one)
        .post("/settings/people/{id}", update)
        .post("/settings/people/{id}/link", make_link)
        .get("/settings/people/{id}/disable", ask_disable)
        .post("/settings/people/{id}/disable", disable)
        .post("/settings/people/{id}/enable", enable)
}

const ROLES: [(&str, &str); 3] = [
    ("operator", "operator: everything but people"),
    ("contractor", "contractor: assigned clients, no money"),
    ("owner", "owner: everything"),
];

fn must_manage(visit: &Visit) -> Result<(), PageError> {
    visit.who.actor.must_manage_people().map_err(|error| Problem::from(error).into())
}

fn role_of(form: &Fields) -> Role {
    form.get("role").and_then(Role::parse).unwrap_or(Role::Operator)
}

fn clients_of(form: &Fields) -> Vec<ClientId> {
    form.0.iter().filter(|(name, _)| name == "client").filter_map(|(_, id)| id.parse().ok()).collect()
}

fn client_fields(clients: &[Client], ticked: impl Fn(ClientId) -> bool) -> Vec<Field> {
    let field = |client: &Client| Field {
        id: format!("client-{}", client.id),
        control: Control::Check(ticked(client.id)),
        required: false,
        ..Field::text("client", &format!("As contractor: {}", client.name), client.id.to_string())
    };
    clients.iter().map(field).collect()
}

async fn list_page(
    state: &WebState,
    visit: &Visit,
    sent: Option<&Fields>,
    error: String,
    once: Option<Once>,
) -> Result<Page<SettingsPage>, PageError> {
    must_manage(visit)?;
    let members = state.app.list_people(&visit.who.actor).await?;
    let clients = state.app.visible_clients(&visit.who.actor, false).await?;
    let rows = members.iter().map(|Member { person, clients: own }| {
        let names: Vec<&str> = clients.iter().filter(|c| own.contains(&c.id)).map(|c| c.name.as_str()).collect();
        let sees = match (person.role.is_limited_to_clients(), names.is_empty()) {
            (false, _) => "all clients".to_owned(),
            (true, true) => "no client yet".to_owned(),
            (true, false) => names.join(", "),
        };
        let state = if person.disabled_at.is_some() {
            "shut out"
        } else if person.has_password {
            "active"
        } else {
            "invited, no password yet"
        };
        let path = format!("/settings/people/{}", person.id);
        let mut actions = vec![Action::open("Change", path.clone())];
        if person.disabled_at.is_some() {
            actions.push(Action::post("Let in again", format!("{path}/enable"), visit.csrf()));
        } else {
            actions.push(Action::post("New link", format!("{path}/link"), visit.csrf()));
            if person.id != visit.who.actor.person_id {
                actions.push(Action::ask("Shut out", format!("{path}/disable")));
            }
        }
        Row {
            is_off: person.disabled_at.is_some(),
            ..Row::plain(vec![
                Cell::Name(person.name.clone(), person.email.clone()),
                Cell::text(person.role.as_str()),
                Cell::text(sees),
                Cell::text(state),
                Cell::Time(Time::new(person.created_at, visit.now, &visit.zone)),
                Cell::Actions(actions),
            ])
        }
    });
    let columns = vec![
        Column::new("Person"),
        Column::new("Role"),
        Column::new("Sees"),
        Column::new("State"),
        Column::new("Invited"),
        Column::new(""),
    ];
    let people = SettingsPart {
        title: "People".to_owned(),
        note: "Operators do everything but people; contractors see assigned clients and no money.".to_owned(),
        table: Some(Table::new("People", columns, rows.collect())),
        once,
        ..SettingsPart::default()
    };
    let value = |name: &str| sent.and_then(|form| form.get(name)).unwrap_or_default().to_owned();
    let chosen = sent.map(clients_of).unwrap_or_default();
    let mut fields = vec![
        Field::text("name", "Name", value("name")),
        Field::line("email", "email", "Address", value("email")).with_autocomplete("off"),
        Field::select("role", "Role", Choice::list(&ROLES, sent.map_or("operator", |form| role_of(form).as_str()))),
    ];
    fields.extend(client_fields(&clients, |id| chosen.contains(&id)));
    let invite = SettingsPart {
        title: "Invite somebody".to_owned(),
        note: "You get a link for them that works once, for a week.".to_owned(),
        form: Some(Form {
            in_pairs: true,
            error,
            ..Form::new("/settings/people", visit.csrf(), "Make the invitation", fields)
        }),
        ..SettingsPart::default()
    };
    Ok(page(visit, "people", "People", vec![people, invite]))
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page<SettingsPage>, PageError> {
    list_page(&state, &visit, None, String::new(), None).await
}

fn once(state: &WebState, title: String, secret: &str) -> Once {
    Once {
        title,
        value: format!("{}/sign-in/link/{secret}", state.app.public_url()),
        note: "It is shown only now, and works once. Hand it over by a way that you trust.".to_owned(),
    }
}

async fn invite(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_manage(&visit)?;
    let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let new = NewPerson { email: text("email"), name: text("name"), role: role_of(&form), clients: clients_of(&form) };
    match state.app.invite_person(&who.actor, new).await {
        Ok((member, link)) => {
            let once = once(&state, format!("The invitation of {}", member.person.name), link.reveal());
            Ok(list_page(&state, &visit, None, String::new(), Some(once)).await?.into_response())
        }
        Err(error) => {
            let page = list_page(&state, &visit, Some(&form), mend(error)?, None).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn make_link(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<PersonId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_manage(&visit)?;
    let member = state.app.get_person(&who.actor, id).await?;
    let link = state.app.make_reset_link(&who.actor, id).await?;
    let once = once(&state, format!("The link of {}", member.person.name), link.reveal());
    Ok(list_page(&state, &visit, None, String::new(), Some(once)).await?.into_response())
}

async fn person_page(
    state: &WebState,
    visit: &Visit,
    member: &Member,
    sent: Option<&Fields>,
    error: String,
) -> Result<Page<SettingsPage>, PageError> {
    let person = &member.person;
    let clients = state.app.visible_clients(&visit.who.actor, false).await?;
    let chosen = sent.map_or_else(|| member.clients.clone(), clients_of);
    let role = sent.map_or(person.role, role_of);
    let name = sent.and_then(|form| form.get("name")).map_or_else(|| person.name.clone(), str::to_owned);
    let mut fields =
        vec![Field::text("name", "Name", name), Field::select("role", "Role", Choice::list(&ROLES, role.as_str()))];
    fields.extend(client_fields(&clients, |id| chosen.contains(&id)));
    let form = Form {
        in_pairs: true,
        error,
        cancel: "/settings/people".to_owned(),
        ..Form::new(format!("/settings/people/{}", person.id), visit.csrf(), "Save", fields)
    };
    let part = SettingsPart {
        title: person.name.clone(),
        note: person.email.clone(),
        form: Some(form),
        ..SettingsPart::default()
    };
    Ok(page(visit, "people", &person.name, vec![part]))
}

async fn show_one(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<PersonId>,
) -> Result<Page<SettingsPage>, PageError> {
    must_manage(&visit)?;
    let member = state.app.get_person(&visit.who.actor, id).await?;
    person_page(&state, &visit, &member, None, String::new()).await
}

async fn update(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<PersonId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_manage(&visit)?;
    let changes = PersonChanges {
        name: form.get("name").map(str::to_owned),
        role: Some(role_of(&form)),
        clients: Some(clients_of(&form)),
    };
    match state.app.update_person(&who.actor, id, changes).await {
        Ok(member) => Ok(SeeOther::to("/settings/people")
            .saying(Flash::good(format!("{} was saved.", member.person.name)))
            .into_response()),
        Err(error) => {
            let words = mend(error)?;
            let member = state.app.get_person(&who.actor, id).await?;
            let page = person_page(&state, &visit, &member, Some(&form), words).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn ask_disable(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<PersonId>,
) -> Result<Page<Ask>, PageError> {
    must_manage(&visit)?;
    let member = state.app.get_person(&visit.who.actor, id).await?;
    let confirm = Confirm {
        title: format!("Shut {} out?", member.person.name),
        text: "All their sessions end at once.".to_owned(),
        lines: vec!["What they did stays.".to_owned(), "You can let them in again.".to_owned()],
        button: "Shut them out".to_owned(),
        action: format!("/settings/people/{id}/disable"),
        csrf: visit.csrf(),
        back: "/settings/people".to_owned(),
        is_danger: true,
        ..Confirm::default()
    };
    Ok(Page::new(visit.wanted, shell(&visit, "Shut out"), Ask { confirm, about: Table::default() }))
}

async fn disable(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<PersonId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_manage(&visit)?;
    match state.app.disable_person(&who.actor, id).await {
        Ok(()) => Ok(SeeOther::to("/settings/people")
            .saying(Flash::good("They are shut out; “Let in again” takes it back."))
            .into_response()),
        Err(error) => {
            let page = list_page(&state, &visit, None, mend(error)?, None).await?;
            Ok(page.with_status(StatusCode::CONFLICT).into_response())
        }
    }
}

async fn enable(
    State(state): State<WebState>,
    Path(id): Path<PersonId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    state.app.enable_person(&who.actor, id).await?;
    Ok(SeeOther::to("/settings/people").saying(Flash::good("They may sign in again.")))
}
