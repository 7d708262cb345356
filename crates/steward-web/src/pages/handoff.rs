//! Handing over: the packet of an exception with its links, and the page that a link opens without a sign-in.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use steward_app::AppError;
use steward_app::handoff::{ChannelScope, LINK_DAYS, MadeLink, OpenedLink};
use steward_app::secrets::Secret;
use steward_app::tenant::{HandoffAnswer, HandoffLink};
use steward_core::ids::{ExceptionId, LinkId};
use steward_core::time::Timestamp;

use super::around::{Visit, mend, sentence};
use super::runs::count;
use crate::caller::CallerAddress;
use crate::extract::Path;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, OpenForm, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::form::{Control, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::{Flash, Notice};
use crate::view::components::packet::PacketCard;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::{self, Time};
use crate::view::html::Csrf;
use crate::view::page::Page;
use crate::view::pages::handoff::{HandedOver, HandoffPage, answers_table};
use crate::view::pages::settings::Once;
use crate::view::shell::{Crumb, Shell};
use crate::{Routes, WebState};

/// The packet of an exception and its links.
pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/exceptions/{id}/handoff", show)
        .post("/exceptions/{id}/handoff", create)
        .post("/links/{id}/revoke", revoke)
        .get("/h/{token}", open)
        .post("/h/{token}", answer)
}

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

async fn handoff_page(
    state: &WebState,
    visit: &Visit,
    id: ExceptionId,
    made: Option<&MadeLink>,
    sent: Option<&Fields>,
    error: String,
) -> Result<Page<HandoffPage>, PageError> {
    let actor = &visit.who.actor;
    let exception = state.app.get_exception(actor, id).await?;
    let packet = state.app.get_packet(actor, id).await?;
    let (links, answers) = state.app.list_handoff_links(actor, id).await?;
    let workflow = state.app.get_workflow(actor, exception.workflow_id).await?;
    let title: String = exception.message.chars().take(120).collect();
    let mut shell = visit.shell(title.clone(), "What does somebody need to finish it?", "/exceptions");
    shell.path = vec![
        Crumb::new("Exceptions", "/exceptions"),
        Crumb::new(workflow.name.clone(), format!("/exceptions?workflow={}", workflow.id)),
        Crumb::new("Run", format!("/runs/{}", exception.run_id)),
        Crumb::new("Handoff", ""),
    ];
    let value = |name: &str| sent.and_then(|form| form.get(name)).unwrap_or_default().to_owned();
    let days = value("days");
    let fields = vec![
        Field::text("for", "For whom", value("for")).optional().with_hint("Only for you, to tell links apart"),
        Field {
            control: Control::Number("1", Some("1")),
            ..Field::number("days", "Ends after", if days.is_empty() { LINK_DAYS.to_string() } else { days })
        }
        .with_unit("days"),
    ];
    let archived = state.app.find_archived(actor, ChannelScope::Workflow(workflow.id)).await?;
    let note = archived.map_or_else(String::new, |archived| {
        format!("The {} is archived: no link opens and none is made until it is taken back.", archived.as_str())
    });
    let form =
        Form { error, note, ..Form::new(format!("/exceptions/{id}/handoff"), visit.csrf(), "Make a link", fields) };
    let page = HandoffPage {
        packet: PacketCard::new(packet),
        once: made.map(|made| Once {
            title: "The link".to_owned(),
            value: made.url.reveal().to_owned(),
            note: "It is shown only now: Steward keeps its hash. Whoever has it reads this packet.".to_owned(),
        }),
        links: links_table(visit, &links, archived.is_some()),
        form: visit.operates().then_some(form),
        answers: answers_table(answers.iter().map(|answer| answer_row(answer, visit.now, &visit.zone)).collect()),
    };
    Ok(Page::new(visit.wanted, shell, page))
}

fn links_table(visit: &Visit, links: &[HandoffLink], is_archived: bool) -> Table {
    let time = |at| Cell::Time(Time::new(at, visit.now, &visit.zone));
    let rows = links.iter().map(|link| {
        let (state, is_open) = match link.revoked_at {
            Some(_) => (Badge::new(Icon::Lock, "revoked", Tone::Neutral), false),
            None if visit.now >= link.expires_at => (Badge::new(Icon::Provisional, "ended", Tone::Neutral), false),
            None if is_archived => (Badge::new(Icon::Silent, "archived", Tone::Neutral), true),
            None => (Badge::new(Icon::Completed, "open", Tone::Good), true),
        };
        let revoke = is_open && visit.operates();
        let made_for = if link.made_for.is_empty() { "Nobody named" } else { &link.made_for };
        let last = if revoke {
            Cell::Actions(vec![Action::post("Revoke", format!("/links/{}/revoke", link.id), visit.csrf())])
        } else {
            Cell::Blank
        };
        Row {
            is_off: !is_open,
            ..Row::plain(vec![
                Cell::Name(made_for.to_owned(), format!("by {}", link.created_by)),
                Cell::Badge(state),
                time(link.created_at),
                time(link.expires_at),
                Cell::number(count(link.n_opened)),
                last,
            ])
        }
    });
    let columns = vec![
        Column::new("For"),
        Column::new("State"),
        Column::new("Made"),
        Column::new("Ends"),
        Column::number("Opened").titled("How often it was opened"),
        Column::new(""),
    ];
    let empty = Empty::new(
        Icon::Key,
        "No link yet",
        "A link lets somebody without a sign-in read this packet, and nothing else.",
    );
    Table::new("Links", columns, rows.collect()).or_empty(empty)
}

fn answer_row(answer: &HandoffAnswer, now: Timestamp, zone: &TimeZone) -> Row {
    let what = if answer.resolution.is_empty() { "Done, without a word on how" } else { &answer.resolution };
    Row::plain(vec![
        Cell::text(what.to_owned()),
        Cell::text(answer.name.clone()),
        Cell::Time(Time::new(answer.at, now, zone)),
    ])
}

async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ExceptionId>,
) -> Result<Page<HandoffPage>, PageError> {
    handoff_page(&state, &visit, id, None, None, String::new()).await
}

async fn create(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ExceptionId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    // What is no number of days is refused like a number that is none.
    let days = form.text("days").parse().unwrap_or(0);
    match state.app.create_handoff_link(&who.actor, id, form.text("for"), days).await {
        Ok(made) => Ok(handoff_page(&state, &visit, id, Some(&made), None, String::new()).await?.into_response()),
        Err(error) => {
            let error = mend(error)?;
            let page = handoff_page(&state, &visit, id, None, Some(&form), error).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn revoke(
    State(state): State<WebState>,
    Path(id): Path<LinkId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let link = state.app.revoke_handoff_link(&who.actor, id).await?;
    let to = SeeOther::to(format!("/exceptions/{}/handoff", link.exception_id));
    Ok(to.saying(Flash::good("The link is revoked: whoever opens it reads that.")))
}

/// A page for whoever has a link: kept nowhere, found by nobody, and its address told to no other site.
fn for_anybody(status: StatusCode, page: HandedOver) -> Response {
    let shell = Shell { title: page.title.clone(), ..Shell::default() };
    let mut response = Page::bare_wide(shell, page).with_status(status).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

fn ended(status: StatusCode, title: &str, why: &str, what: &str) -> Response {
    let page = HandedOver {
        title: title.to_owned(),
        text: String::new(),
        notices: vec![Notice::new(Tone::Info, why, what)],
        packet: None,
        form: None,
        answers: Table::default(),
    };
    for_anybody(status, page)
}

/// Zone of those who have no agency: what is shown says that it is UTC.
const NOBODYS_ZONE: TimeZone = TimeZone::UTC;

fn instant(at: Timestamp) -> String {
    format!("{} UTC", format::instant(at, &NOBODYS_ZONE))
}

/// The page of a link, whatever state it is in.
async fn opened(
    state: &WebState,
    token: &str,
    from: &str,
    said: Option<Notice>,
    sent: Option<&Fields>,
    error: String,
) -> Result<Response, PageError> {
    let ask = "Ask whoever sent it for another.";
    match state.app.open_handoff_link(&Secret::sent(token), from).await {
        Ok(OpenedLink::Open { agency, workflow, at, expires_at, packet, answers }) => {
            let value = |name: &str| sent.and_then(|form| form.get(name)).unwrap_or_default();
            let fields = vec![
                Field::text("name", "Your name", value("name")).with_autocomplete("name"),
                Field::lines("resolution", "What you did", value("resolution"), 3)
                    .with_hint("It helps whoever has the same problem next"),
            ];
            let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            let form = Form { error, ..Form::new(format!("/h/{token}"), Csrf::default(), "It is done", fields) };
            let now = state.app.clock().now();
            let page = HandedOver {
                title: workflow,
                text: format!(
                    "Shared by {agency}. It happened on {}; this link ends on {}.",
                    instant(at),
                    instant(expires_at)
                ),
                notices: said.into_iter().collect(),
                packet: Some(PacketCard::new(*packet)),
                form: Some(form),
                answers: answers_table(answers.iter().map(|a| answer_row(a, now, &NOBODYS_ZONE)).collect()),
            };
            Ok(for_anybody(status, page))
        }
        Ok(OpenedLink::Expired(at)) => {
            let why = format!("It ended on {}", instant(at));
            Ok(ended(StatusCode::GONE, "This link has ended", &why, ask))
        }
        Ok(OpenedLink::Revoked) => {
            Ok(ended(StatusCode::GONE, "This link was revoked", "Whoever made it took it back", ask))
        }
        Ok(OpenedLink::Archived) => {
            let why = "The workflow or client that it belongs to was archived";
            Ok(ended(StatusCode::GONE, "This link has ended", why, "Ask whoever sent it."))
        }
        Ok(OpenedLink::Gone) => {
            let why = "What it led to is kept no longer";
            Ok(ended(StatusCode::GONE, "There is nothing left here", why, "Ask whoever sent it."))
        }
        Err(error) => refused(error),
    }
}

fn refused(error: AppError) -> Result<Response, PageError> {
    match error {
        AppError::NotFound(_) => {
            let why = "The address is not that of a link";
            let what = "Look whether it was copied whole, or ask whoever sent it for another.";
            Ok(ended(StatusCode::NOT_FOUND, "There is no such link", why, what))
        }
        AppError::TooMany { retry_after_seconds } => {
            let what = format!("Wait {} minutes and open it again.", retry_after_seconds.div_ceil(60));
            let mut response =
                ended(StatusCode::TOO_MANY_REQUESTS, "Too many tries", "Too many links that are none", &what);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            Ok(response)
        }
        other => Err(other.into()),
    }
}

async fn open(
    State(state): State<WebState>,
    CallerAddress(from): CallerAddress,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    opened(&state, &token, &from, None, None, String::new()).await
}

async fn answer(
    State(state): State<WebState>,
    CallerAddress(from): CallerAddress,
    Path(token): Path<String>,
    OpenForm(form): OpenForm<Fields>,
) -> Result<Response, PageError> {
    let (name, resolution) = (form.text("name"), form.text("resolution"));
    match state.app.answer_handoff_link(&Secret::sent(&token), &from, name, resolution).await {
        Ok(()) => {
            let said = Notice::new(Tone::Good, "Thank you, it is recorded", "Whoever shared this sees what you did.");
            opened(&state, &token, &from, Some(said), None, String::new()).await
        }
        Err(AppError::Invalid(words)) => opened(&state, &token, &from, None, Some(&form), sentence(&words)).await,
        // A link that has ended meanwhile says so itself.
        Err(AppError::NotFound(_)) => opened(&state, &token, &from, None, None, String::new()).await,
        Err(error) => refused(error),
    }
}
