//! Reports: which months are told, and each report with its editor, its document and its revisions.

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html as HtmlBody, IntoResponse, Response};
use steward_app::AppError;
use steward_app::reports::{Edits, HIDEABLE, Report, ReportSummary, hideable_name};
use steward_core::ids::{ClientId, ReportId};
use steward_core::time::Month;

use crate::extract::Path;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::{Action, How};
use crate::view::components::confirm::Confirm;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::{Choice, Control, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::{Flash, Notice};
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::{self, Time};
use crate::view::html::Escaped;
use crate::view::page::Page;
use crate::view::pages::ask::Ask;
use crate::view::pages::clients::ClientForm;
use crate::view::pages::report::{ReportEditor, ReportPage};
use crate::view::pages::reports::{DraftForm, Reports};
use crate::view::shell::Crumb;
use crate::{Problem, Routes, WebState};

use super::around::{Visit, mend};
use super::today::client_path;

/// The list of reports, and each report.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/reports", show)
        .post("/reports", draft)
        .get("/reports/style.css", style)
        .get("/reports/{id}", show_report)
        .post("/reports/{id}", save)
        .get("/reports/{id}/page", document)
        .post("/reports/{id}/refresh", refresh)
        .get("/reports/{id}/publish", ask_publish)
        .post("/reports/{id}/publish", publish)
        .get("/reports/{id}/correct", ask_correct)
        .post("/reports/{id}/correct", correct)
        .get("/reports/{id}/delete", ask_delete)
        .post("/reports/{id}/delete", delete)
}

/// The document is framed by its own page, and loads nothing but its style sheet.
const DOCUMENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; frame-ancestors 'self'; base-uri 'none'";

fn report_path(id: ReportId) -> String {
    format!("/reports/{id}")
}

fn state_badge(row: &ReportSummary) -> Badge {
    match row.published_at {
        None => Badge::new(Icon::Edit, "draft", Tone::Info),
        Some(_) if row.superseded => Badge::new(Icon::Lock, "superseded", Tone::Neutral),
        Some(_) => Badge::new(Icon::Completed, "published", Tone::Good),
    }
}

/// Reports as a table, with the client's name where they are of several.
pub(super) fn table(visit: &Visit, reports: &[ReportSummary], with_client: bool) -> Table {
    let rows = reports.iter().map(|row| {
        let under = if with_client { row.client.clone() } else { String::new() };
        let published = row.published_at.map_or(Cell::Blank, |at| Cell::Time(Time::new(at, visit.now, &visit.zone)));
        Row {
            is_off: row.superseded,
            ..Row::opens(
                report_path(row.id),
                vec![
                    Cell::Name(row.month_words.clone(), under),
                    Cell::Badge(state_badge(row)),
                    Cell::number(row.revision.to_string()),
                    published,
                ],
            )
        }
    });
    let empty = Empty::new(
        Icon::Reports,
        "No report yet",
        "A report is a frozen account of a month for one client, as a page and as a PDF. It is published when you say so.",
    );
    let columns =
        vec![Column::new("Month"), Column::new("State"), Column::number("Revision"), Column::new("Published")];
    Table::new("Reports", columns, rows.collect()).or_empty(empty)
}

/// Who sees no money sees no reports: for them there are none.
fn must_see(visit: &Visit) -> Result<(), PageError> {
    if visit.sees_money() { Ok(()) } else { Err(Problem::no_such("page").into()) }
}

async fn list_page(
    state: &WebState,
    visit: &Visit,
    client: &str,
    month: &str,
    error: Option<String>,
) -> Result<Page<Reports>, PageError> {
    must_see(visit)?;
    let clients = state.app.visible_clients(&visit.who.actor, false).await?;
    let reports = state.app.list_reports(&visit.who.actor, None).await?;
    let pairs: Vec<(String, String)> = clients.iter().map(|c| (c.id.to_string(), c.name.clone())).collect();
    let month =
        if month.is_empty() { Month::of(visit.now, &visit.zone).before().to_string() } else { month.to_owned() };
    let draft = (visit.operates() && !pairs.is_empty()).then(|| DraftForm {
        action: "/reports".to_owned(),
        csrf: visit.csrf(),
        fields: vec![
            Field::select("client", "Client", Choice::list(&pairs, client)),
            Field::line("month", "month", "Month", month)
                .with_placeholder("2026-10")
                .with_error(error.unwrap_or_default()),
        ],
    });
    let shell = visit.shell("Reports", "Which months are told, and to whom?", "/reports");
    Ok(Page::new(visit.wanted, shell, Reports { draft, table: table(visit, &reports, true) }))
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page<Reports>, PageError> {
    list_page(&state, &visit, visit.get("client"), visit.get("month"), None).await
}

async fn draft(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_see(&visit)?;
    let (client, month) = (form.get("client").unwrap_or_default(), form.get("month").unwrap_or_default());
    let id: ClientId = client.parse().map_err(|_| Problem::no_such("client"))?;
    let result = match Month::parse(month) {
        Some(month) => state.app.draft_report(&who.actor, id, month).await,
        None => Err(AppError::Invalid("write a month such as 2026-10".to_owned())),
    };
    match result {
        Ok(id) => Ok(SeeOther::to(report_path(id)).into_response()),
        Err(error) => {
            let page = list_page(&state, &visit, client, month, Some(mend(error)?)).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

fn lines_of(text: Option<&str>) -> Option<Vec<String>> {
    text.map(|text| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// What the form says, kept apart from the drafted words where it says the same.
fn edits_of(form: &Fields, report: &Report) -> Edits {
    let drafted = &report.drafted;
    let lines = |name: &str, drafted: &[String]| {
        let clean = |lines: &[String]| lines.iter().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
        lines_of(form.get(name)).filter(|lines| *lines != clean(drafted))
    };
    let headline =
        form.get("headline").map(str::trim).filter(|text| *text != drafted.headline.trim()).map(str::to_owned);
    let hidden = |id: &&&str| form.0.iter().any(|(name, value)| name == "hide" && value == **id);
    Edits {
        headline,
        narrative: lines("narrative", &drafted.narrative),
        changes: lines("changes", &drafted.changes),
        problems: lines("problems", &drafted.problems),
        asks: lines("asks", &drafted.asks),
        hidden_figures: HIDEABLE.iter().filter(hidden).map(|id| (*id).to_owned()).collect(),
        correction: form.get("correction").map(str::to_owned),
    }
}

fn editor(visit: &Visit, report: &Report, sent: Option<&Fields>, error: String) -> ReportEditor {
    let document = &report.document;
    let value = |name: &str, kept: String| sent.and_then(|form| form.get(name)).map_or(kept, str::to_owned);
    let mut fields = Vec::new();
    if report.row.revision > 1 {
        let kept = report.edits.correction.clone().unwrap_or_default();
        fields.push(
            Field {
                required: true,
                ..Field::lines("correction", "What this revision corrects", value("correction", kept), 2)
            }
            .with_hint("Readers of the earlier revision look for it."),
        );
    }
    let mut add = |name: &str, label: &str, kept: String, rows, hint: &str| {
        fields.push(Field::lines(name, label, value(name, kept), rows).with_hint(hint))
    };
    add(
        "headline",
        "Headline",
        document.headline.clone(),
        2,
        "The sentence or two that a busy owner reads. Empty takes the drafted one.",
    );
    add("narrative", "What it handled", document.narrative.join("\n"), 5, "A paragraph a line.");
    add("changes", "What changed", document.changes.join("\n"), 3, "A line each.");
    add("problems", "What went wrong and what we did", document.problems.join("\n"), 3, "A line each; never empty.");
    add("asks", "What we need from you", document.asks.join("\n"), 2, "A line each.");
    for id in HIDEABLE {
        let ticked = report.edits.hidden_figures.iter().any(|hidden| hidden == id);
        fields.push(Field {
            id: format!("hide-{id}"),
            control: Control::Check(ticked),
            required: false,
            ..Field::text("hide", &format!("Leave out: {}", hideable_name(id)), id)
        });
    }
    ReportEditor {
        action: report_path(report.row.id),
        csrf: visit.csrf(),
        error,
        fields,
        publish_note: "Publishing freezes it. A correction is a new revision that says what it changes.".to_owned(),
        may_publish: true,
        saved: format!("Saved {}", Time::new(report.row.changed_at, visit.now, &visit.zone).text()),
    }
}

async fn report_page(
    state: &WebState,
    visit: &Visit,
    id: ReportId,
    sent: Option<&Fields>,
    error: String,
) -> Result<Page<ReportPage>, PageError> {
    let report = state.app.get_report(&visit.who.actor, id).await?;
    let row = &report.row;
    let is_draft = row.published_at.is_none();
    let siblings: Vec<ReportSummary> = state
        .app
        .list_reports(&visit.who.actor, Some(row.client_id))
        .await?
        .into_iter()
        .filter(|other| other.month == row.month)
        .collect();
    let time = |at| Time::new(at, visit.now, &visit.zone);
    let mut facts = vec![
        Fact::link("Client", row.client.clone(), client_path(row.client_id)),
        Fact::text("Month", row.month_words.clone()),
        Fact::new("State", FactValue::Badge(state_badge(row))),
        Fact::text("Revision", row.revision.to_string()),
        Fact::text("Days of", report.document.time_zone.clone()),
        Fact::new("Figures of", FactValue::Time(time(report.document.made_at))),
    ];
    if let (Some(at), Some(by)) = (row.published_at, &row.published_by) {
        facts.push(Fact::new("Published", FactValue::Time(time(at))));
        facts.push(Fact::text("By", by.clone()));
    }
    let mut notices = Vec::new();
    let ended = report.document.period.end;
    if is_draft && visit.now < ended {
        notices.push(Notice::new(
            Tone::Warn,
            format!("{} is not over", row.month_words),
            "Figures go up to the moment at which they were drafted. Redraft them when the month has ended.",
        ));
    } else if is_draft && report.document.made_at < ended {
        notices.push(Notice::new(
            Tone::Warn,
            format!("This was drafted before {} was over", row.month_words),
            "Redraft it from the figures before you publish it; your texts stay.",
        ));
    }
    if row.superseded {
        notices.push(Notice::new(
            Tone::Info,
            "A later revision has been published",
            "This one stays as it was, for those who hold it.",
        ));
    }
    let mut shell = visit.shell(
        format!("{}, {}", row.client, row.month_words),
        "What did the client get for the money?",
        "/reports",
    );
    shell.path = vec![
        Crumb::new("Reports", "/reports"),
        Crumb::new(row.client.clone(), client_path(row.client_id)),
        Crumb::new(row.month_words.clone(), ""),
    ];
    shell.wide = is_draft;
    let mut actions = Vec::new();
    if visit.operates() {
        if is_draft {
            shell.actions =
                vec![Action::ask("Delete the draft", format!("/reports/{id}/delete")).with_icon(Icon::Trash)];
        } else {
            actions.push(Action::open("Correct it", format!("/reports/{id}/correct")).with_icon(Icon::Edit));
        }
    }
    let revisions = siblings.iter().map(|other| {
        let at = other.published_at.unwrap_or(other.changed_at);
        Row::opens(
            report_path(other.id),
            vec![
                Cell::name(format!("Revision {}", other.revision)),
                Cell::Badge(state_badge(other)),
                Cell::text(other.published_by.clone().unwrap_or_default()),
                Cell::Time(time(at)),
            ],
        )
    });
    let revision_columns =
        vec![Column::new("Revision"), Column::new("State"), Column::new("Published by"), Column::new("When")];
    let page = ReportPage {
        facts: Facts { facts, across: true },
        notices,
        editor: (is_draft && visit.operates()).then(|| editor(visit, &report, sent, error)),
        key_figures: report.document.key_figures.clone(),
        data_gaps: report.document.data_gaps.clone(),
        preview: format!("/reports/{id}/page"),
        files: vec![
            Action {
                how: How::OpenBeside,
                ..Action::open("Page", format!("/reports/{id}/page")).with_icon(Icon::External)
            },
            Action::download("PDF", format!("/reports/{id}.pdf")),
        ],
        revisions: Table::new("Revisions", revision_columns, revisions.collect()),
        actions,
    };
    Ok(Page::new(visit.wanted, shell, page))
}

async fn show_report(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let no_such = |_| Problem::no_such("report");
    if let Some(id) = name.strip_suffix(".pdf") {
        return pdf(&state, &visit, id.parse().map_err(no_such)?).await;
    }
    Ok(report_page(&state, &visit, name.parse().map_err(no_such)?, None, String::new()).await?.into_response())
}

async fn pdf(state: &WebState, visit: &Visit, id: ReportId) -> Result<Response, PageError> {
    let report = state.app.get_report(&visit.who.actor, id).await?;
    let bytes = state.app.report_pdf(&visit.who.actor, id).await?;
    let plain: String = report
        .row
        .client
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let plain = plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let name = format!("inline; filename=\"{plain}-{}-r{}.pdf\"", report.row.month, report.row.revision);
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("inline"));
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/pdf")), (CONTENT_DISPOSITION, name)], bytes)
        .into_response())
}

async fn style() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"))], steward_app::pictures::REPORT_CSS)
        .into_response()
}

/// The document as a page of its own, as its reader sees it.
async fn document(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ReportId>,
) -> Result<Response, PageError> {
    let html = state.app.report_html(&visit.who.actor, id).await?;
    let report = state.app.get_report(&visit.who.actor, id).await?;
    let title = format!("{}, {}", report.row.client, report.row.month_words);
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title><meta name=\"robots\" content=\"noindex\"><link rel=\"stylesheet\" href=\"/reports/style.css\"><base target=\"_top\"></head><body>{html}</body></html>",
        Escaped(&title)
    );
    let headers = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(DOCUMENT_POLICY)),
        (X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    ];
    Ok((headers, HtmlBody(page)).into_response())
}

async fn save(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ReportId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let report = state.app.get_report(&who.actor, id).await?;
    let saved = state.app.update_report(&who.actor, id, edits_of(&form, &report)).await;
    if let Err(error) = saved {
        let page = report_page(&state, &visit, id, Some(&form), mend(error)?).await?;
        return Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    }
    let to = report_path(id);
    Ok(match form.get("do") {
        Some("publish") => SeeOther::to(format!("{to}/publish")),
        Some("redraft") => {
            state.app.refresh_report(&who.actor, id).await?;
            SeeOther::to(to).saying(Flash::good("Figures and drafted words were made anew; your own words stayed."))
        }
        _ => SeeOther::to(to).saying(Flash::good("The draft was saved.")),
    }
    .into_response())
}

async fn refresh(
    State(state): State<WebState>,
    Path(id): Path<ReportId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    state.app.refresh_report(&who.actor, id).await?;
    Ok(SeeOther::to(report_path(id))
        .saying(Flash::good("Figures and drafted words were made anew; your own words stayed.")))
}

fn ask_page(visit: &Visit, confirm: Confirm) -> Page<Ask> {
    let shell = visit.shell(confirm.title.clone(), "", "/reports");
    Page::new(visit.wanted, shell, Ask { confirm, about: Table::default() })
}

async fn ask_publish(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ReportId>,
) -> Result<Page<Ask>, PageError> {
    let report = state.app.get_report(&visit.who.actor, id).await?;
    visit.who.actor.must_operate()?;
    let mut lines = vec![
        "It is frozen: neither its words nor its figures ever change again.".to_owned(),
        "What turns out wrong is corrected by a new revision.".to_owned(),
    ];
    if visit.now < report.document.period.end {
        lines.push(format!("{} is not over: the rest of the month will not be in it.", report.row.month_words));
    }
    Ok(ask_page(
        &visit,
        Confirm {
            title: format!("Publish the report of {} for {}?", report.row.month_words, report.row.client),
            text: report.document.headline.clone(),
            lines,
            button: "Publish the report".to_owned(),
            action: format!("/reports/{id}/publish"),
            csrf: visit.csrf(),
            back: report_path(id),
            ..Confirm::default()
        },
    ))
}

async fn publish(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ReportId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    if let Err(error) = state.app.publish_report(&who.actor, id).await {
        let words = mend(error)?;
        if state.app.get_report(&who.actor, id).await?.row.published_at.is_some() {
            return Ok(SeeOther::to(report_path(id))
                .saying(Flash { tone: Tone::Info, ..Flash::good(words) })
                .into_response());
        }
        let page = report_page(&state, &visit, id, None, words).await?;
        return Ok(page.with_status(StatusCode::CONFLICT).into_response());
    }
    Ok(SeeOther::to(report_path(id)).saying(Flash::good("The report is published.")).into_response())
}

fn correct_page(visit: &Visit, report: &Report, text: &str, error: String) -> Page<ClientForm> {
    let id = report.row.id;
    let mut shell = visit.shell(format!("Correct {}", report.row.month_words), "What was wrong in it?", "/reports");
    shell.path = vec![
        Crumb::new("Reports", "/reports"),
        Crumb::new(report.row.month_words.clone(), report_path(id)),
        Crumb::new("Correct", ""),
    ];
    let field = Field { required: true, ..Field::lines("correction", "What is corrected", text, 3) }
        .with_hint("In a sentence. It stands on the new revision.")
        .with_error(error);
    let form = Form {
        cancel: report_path(id),
        note: "Makes a draft of the next revision; this one stays as it is.".to_owned(),
        ..Form::new(format!("/reports/{id}/correct"), visit.csrf(), "Make the revision", vec![field])
    };
    Page::new(visit.wanted, shell, ClientForm { form })
}

async fn ask_correct(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ReportId>,
) -> Result<Page<ClientForm>, PageError> {
    let report = state.app.get_report(&visit.who.actor, id).await?;
    visit.who.actor.must_operate()?;
    Ok(correct_page(&visit, &report, "", String::new()))
}

async fn correct(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ReportId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let text = form.get("correction").unwrap_or_default();
    match state.app.correct_report(&who.actor, id, text).await {
        Ok(draft) => {
            Ok(SeeOther::to(report_path(draft)).saying(Flash::good("The next revision is drafted.")).into_response())
        }
        Err(error) => {
            let words = mend(error)?;
            let report = state.app.get_report(&who.actor, id).await?;
            Ok(correct_page(&visit, &report, text, words).with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn ask_delete(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ReportId>,
) -> Result<Page<Ask>, PageError> {
    let report = state.app.get_report(&visit.who.actor, id).await?;
    visit.who.actor.must_operate()?;
    Ok(ask_page(
        &visit,
        Confirm {
            title: format!("Delete the draft of {} for {}?", report.row.month_words, report.row.client),
            text: format!("It was last saved {}.", format::instant(report.row.changed_at, &visit.zone)),
            lines: vec![
                "The words that you wrote in it are lost.".to_owned(),
                "Runs, figures and published reports stay.".to_owned(),
            ],
            button: "Delete the draft".to_owned(),
            action: format!("/reports/{id}/delete"),
            csrf: visit.csrf(),
            back: report_path(id),
            is_danger: true,
            ..Confirm::default()
        },
    ))
}

async fn delete(
    State(state): State<WebState>,
    Path(id): Path<ReportId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    state.app.delete_draft(&who.actor, id).await?;
    Ok(SeeOther::to("/reports").saying(Flash::good("The draft was deleted.")))
}
