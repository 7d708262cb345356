//! Monthly reports: drafted by rules from the figures, edited by the operator, published, and never changed again.
//!
//! A draft keeps what the rules made of the figures and what the operator wrote apart; they meet when it is read, so
//! figures can be refreshed while the operator's words stay. A publication is one frozen document.
//!
//! Invariant: a published report is never written again. What was wrong in it is corrected by a revision that says
//! what changed.

mod charts;
mod draft;
mod figures;
mod material;
mod narrative;
mod receipts;
mod words;

use serde_json::json;
use steward_core::ids::{ClientId, ReportId};
use steward_core::report::{ReportDocument, ReportFigure};
use steward_core::time::{Month, Timestamp};
use steward_store::StoreError;
use steward_store::tenant::{AuditEntry, ReportRow, ReportState, RunFilter};

pub use draft::{Edits, HIDEABLE, Issue, hideable_name};
pub use receipts::{ReceiptRuns, Receipts};

use crate::{Actor, App, AppError};

/// A report as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportSummary {
    /// Its id.
    pub id: ReportId,
    /// The client.
    pub client_id: ClientId,
    /// The client's name.
    pub client: String,
    /// The month, `2026-10`.
    pub month: String,
    /// The month in words: "October 2026".
    pub month_words: String,
    /// 1 for the first; each correction counts one up.
    pub revision: i32,
    /// Draft or published.
    pub state: ReportState,
    /// Whether a later revision has been published.
    pub superseded: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// By whom, by name.
    pub published_by: Option<String>,
}

/// A report with its document.
#[derive(Debug, Clone)]
pub struct Report {
    /// What lists show of it.
    pub row: ReportSummary,
    /// The document: for a draft with the operator's words over the drafted ones, for a publication as it was frozen.
    pub document: ReportDocument,
    /// The drafted words alone, for beside the form; for a publication the same as the document.
    pub drafted: ReportDocument,
    /// What the operator wrote.
    pub edits: Edits,
    /// The runs behind its figures.
    pub receipts: Receipts,
}

/// Refuses whoever may not see a client's reports: they are about money.
pub(crate) fn must_see(actor: &Actor, client: ClientId) -> Result<(), AppError> {
    if actor.role.sees_money() && actor.may_see_client(client) { Ok(()) } else { Err(AppError::NotFound("report")) }
}

fn never_changes() -> AppError {
    AppError::Conflict("this report is published and never changes: correct it, which makes a new revision".to_owned())
}

/// Corrupt JSON in a row is a bug of ours or somebody's hand in the database.
fn read_json<T: serde::de::DeserializeOwned>(text: &str, column: &'static str) -> Result<T, AppError> {
    serde_json::from_str(text).map_err(|_| AppError::Store(StoreError::Corrupt { table: "reports", column }))
}

/// What is made of our own types always becomes JSON.
fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn is_published(row: &ReportRow) -> bool {
    row.state == ReportState::Published
}

impl App {
    /// Lists reports that an actor may see, newest month and revision first, of one client or of all.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is out of the actor's reach.
    pub async fn list_reports(&self, actor: &Actor, client: Option<ClientId>) -> Result<Vec<ReportSummary>, AppError> {
        let store = self.store_of(actor);
        if let Some(client) = client {
            must_see(actor, client)?;
            store.find_client(client).await?.ok_or(AppError::NotFound("client"))?;
        }
        if !actor.role.sees_money() {
            return Ok(Vec::new());
        }
        let clients = store.list_clients().await?;
        let rows = store.list_reports(client).await?;
        let summaries = rows.iter().filter(|row| actor.may_see_client(row.client_id)).map(|row| {
            let name = clients.iter().find(|c| c.id == row.client_id).map(|c| c.name.clone());
            summary(row, name.unwrap_or_default(), &rows)
        });
        Ok(summaries.collect())
    }

    /// Gets a report with its document.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or the actor may not see it.
    pub async fn get_report(&self, actor: &Actor, id: ReportId) -> Result<Report, AppError> {
        let row = self.report_row(actor, id).await?;
        let siblings = self.store_of(actor).list_reports(Some(row.client_id)).await?;
        let drafted: ReportDocument = read_json(&row.document, "document")?;
        let edits: Edits = read_json(&row.edits, "edits")?;
        let mut document = drafted.clone();
        if !is_published(&row) {
            edits.apply(&mut document);
        }
        let row_summary = summary(&row, document.client.clone(), &siblings);
        Ok(Report { row: row_summary, document, drafted, edits, receipts: read_json(&row.receipts, "receipts")? })
    }

    /// Makes the draft of a client's month, or gives the one that is there. After a publication it is the next
    /// revision, which has to say what it corrects before it is published.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is out of reach; [`AppError::Invalid`] for a month that has not begun.
    pub async fn draft_report(&self, actor: &Actor, client: ClientId, month: Month) -> Result<ReportId, AppError> {
        must_see(actor, client)?;
        actor.must_operate()?;
        let store = self.store_of(actor);
        // A second try finds what another has drafted meanwhile.
        for _ in 0..2 {
            let rows = of_month(store.list_reports(Some(client)).await?, month);
            if let Some(draft) = rows.iter().find(|row| !is_published(row)) {
                return Ok(draft.id);
            }
            let latest = rows.iter().map(|row| row.revision).max().unwrap_or_default();
            let id = ReportId::from_uuid(self.ids().make());
            let now = self.clock().now();
            let mut row = ReportRow {
                id,
                client_id: client,
                month: month.to_string(),
                revision: latest + 1,
                state: ReportState::Draft,
                edits: to_json(&Edits::default()),
                document: String::new(),
                receipts: String::new(),
                created_at: now,
                changed_at: now,
                published_at: None,
                published_by: None,
            };
            self.make_document(actor, &mut row, &Edits::default(), &rows).await?;
            match store.create_report(&row).await {
                Ok(()) => return Ok(id),
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(AppError::Busy { retry_after_seconds: 1, source: None })
    }

    /// Makes a document of a client's month, with the operator's words in it, without keeping it.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is out of reach; [`AppError::Invalid`] for a month that has not begun.
    pub async fn compute_document(
        &self,
        actor: &Actor,
        issue: &Issue,
        edits: &Edits,
    ) -> Result<(ReportDocument, Receipts), AppError> {
        let material = self.material_of(actor, issue.client, issue.month).await?;
        let (mut document, receipts) =
            draft::document(&material, issue, &edits.hidden_figures, self.public_url(), None);
        edits.apply(&mut document);
        Ok((document, receipts))
    }

    /// Keeps the operator's words of a draft. Figures stay as they were drafted, unless other ones are left out.
    ///
    /// # Errors
    ///
    /// [`AppError::Conflict`] for a published report; [`AppError::Invalid`] for words that are too long.
    pub async fn update_report(&self, actor: &Actor, id: ReportId, edits: Edits) -> Result<(), AppError> {
        let mut row = self.draft_row(actor, id).await?;
        let edits = edits.checked()?;
        let known: Edits = read_json(&row.edits, "edits")?;
        if known.hidden_figures != edits.hidden_figures {
            let siblings = self.store_of(actor).list_reports(Some(row.client_id)).await?;
            self.make_document(actor, &mut row, &edits, &siblings).await?;
        }
        row.edits = to_json(&edits);
        self.write_draft(actor, row).await
    }

    /// Reads the figures of a draft anew; the operator's words stay.
    ///
    /// # Errors
    ///
    /// [`AppError::Conflict`] for a published report.
    pub async fn refresh_report(&self, actor: &Actor, id: ReportId) -> Result<(), AppError> {
        let mut row = self.draft_row(actor, id).await?;
        let edits: Edits = read_json(&row.edits, "edits")?;
        let siblings = self.store_of(actor).list_reports(Some(row.client_id)).await?;
        self.make_document(actor, &mut row, &edits, &siblings).await?;
        self.write_draft(actor, row).await
    }

    /// Publishes a draft as it stands: it is frozen and never changes again.
    ///
    /// # Errors
    ///
    /// [`AppError::Conflict`] when it is published already, when a correction does not say what it corrects, or when
    /// its figures are from before the end of a month that is over.
    pub async fn publish_report(&self, actor: &Actor, id: ReportId) -> Result<(), AppError> {
        let mut row = self.draft_row(actor, id).await?;
        let edits: Edits = read_json(&row.edits, "edits")?;
        let mut document: ReportDocument = read_json(&row.document, "document")?;
        let now = self.clock().now();
        if document.made_at < document.period.end && document.period.end <= now {
            let month = &document.period_words;
            return Err(AppError::Conflict(format!(
                "this draft was made before {month} was over: refresh its figures, look at them, then publish"
            )));
        }
        if row.revision > 1 && edits.correction.is_none() {
            return Err(AppError::Conflict(format!(
                "revision {} has to say what it corrects before it is published",
                row.revision
            )));
        }
        edits.apply(&mut document);
        document.draft = false;
        document.made_at = now;
        row.document = to_json(&document);
        row.state = ReportState::Published;
        row.published_at = Some(now);
        row.published_by = Some(actor.name.clone());
        let details = format!("{}, {}, revision {}", document.client, document.period_words, row.revision);
        self.write_draft(actor, row).await?;
        self.record_report_audit(actor, "report.publish", id, details).await
    }

    /// Makes the draft that corrects a published report, or says in the one that is there what it corrects.
    ///
    /// # Errors
    ///
    /// [`AppError::Conflict`] when the report is a draft itself; [`AppError::Invalid`] when nothing is said.
    pub async fn correct_report(&self, actor: &Actor, id: ReportId, correction: &str) -> Result<ReportId, AppError> {
        let row = self.report_row(actor, id).await?;
        actor.must_operate()?;
        if !is_published(&row) {
            return Err(AppError::Conflict(
                "this report is a draft: edit it, there is nothing to correct yet".to_owned(),
            ));
        }
        let correction = Edits { correction: Some(correction.to_owned()), ..Edits::default() }.checked()?.correction;
        if correction.is_none() {
            return Err(AppError::Invalid(
                "say in a sentence what is corrected: readers of the first revision will look for it".to_owned(),
            ));
        }
        let month = Month::parse(&row.month)
            .ok_or(AppError::Store(StoreError::Corrupt { table: "reports", column: "month" }))?;
        let is_new = !of_month(self.store_of(actor).list_reports(Some(row.client_id)).await?, month)
            .iter()
            .any(|r| !is_published(r));
        let draft = self.draft_report(actor, row.client_id, month).await?;
        let known: Edits = read_json(&self.report_row(actor, draft).await?.edits, "edits")?;
        // What was written for the first revision is where its correction begins.
        let words = if is_new { read_json(&row.edits, "edits")? } else { known };
        self.update_report(actor, draft, Edits { correction, ..words }).await?;
        let details = format!("{}, revision {}", row.month, row.revision);
        self.record_report_audit(actor, "report.correct", id, details).await?;
        Ok(draft)
    }

    /// Deletes a draft.
    ///
    /// # Errors
    ///
    /// [`AppError::Conflict`] for a published report.
    pub async fn delete_draft(&self, actor: &Actor, id: ReportId) -> Result<(), AppError> {
        let row = self.draft_row(actor, id).await?;
        if !self.store_of(actor).delete_report_draft(id).await? {
            return Err(never_changes());
        }
        self.record_report_audit(actor, "report.delete", id, format!("{}, revision {}", row.month, row.revision)).await
    }

    /// A report as PDF.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when it is out of reach; [`AppError::Paper`] when it cannot be typeset.
    pub async fn report_pdf(&self, actor: &Actor, id: ReportId) -> Result<Vec<u8>, AppError> {
        let document = self.get_report(actor, id).await?.document;
        off_thread(move || steward_paper::pdf(&document)).await
    }

    /// A report as a fragment of a page.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when it is out of reach; [`AppError::Paper`] when a chart cannot be drawn.
    pub async fn report_html(&self, actor: &Actor, id: ReportId) -> Result<String, AppError> {
        let document = self.get_report(actor, id).await?.document;
        off_thread(move || steward_paper::html(&document)).await
    }

    /// The figures of a client's month as JSON, for programs: of the client, and of each of its workflows.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is out of reach; [`AppError::Invalid`] for a month that has not begun.
    pub async fn report_json(
        &self,
        actor: &Actor,
        client: ClientId,
        month: Month,
    ) -> Result<serde_json::Value, AppError> {
        let material = self.material_of(actor, client, month).await?;
        let all = figures::View::of_client(&material);
        let narrator = narrative::Narrator { material: &material, client: &all, hidden: &[] };
        let workflows: Vec<_> = material
            .workflows
            .iter()
            .map(|w| {
                let results = crate::figures::results_of(&w.sums).into_iter().map(|result| {
                    json!({
                        "name": result.name,
                        "count": result.count(),
                        "in_hours": result.in_hours,
                        "out_of_hours": result.out_of_hours,
                        "value": result.value.map(steward_core::money::Nanos::units),
                    })
                });
                json!({
                    "id": w.workflow.id,
                    "name": w.workflow.name,
                    "value_basis": steward_core::metrics::basis_in_words(&w.workflow.settings.value),
                    "figures": draft::figures_json(&w.figures, &w.figures_before),
                    "results": results.collect::<Vec<_>>(),
                })
            })
            .collect();
        Ok(json!({
            "client": { "id": material.client.id, "name": material.client.name },
            "agency": material.agency.name,
            "month": month.to_string(),
            "period": {
                "start": material.period.start.rfc3339(),
                "end": material.period.end.rfc3339(),
                "time_zone": material.agency.time_zone,
            },
            "made_at": material.now.rfc3339(),
            "currency": material.currency(),
            "figures": draft::figures_json(&material.figures.now, &material.figures.before),
            "workflows": workflows,
            "data_gaps": narrator.gaps(),
        }))
    }

    /// The filter that lists exactly the runs behind a figure.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such report or code, or it is out of reach.
    pub async fn receipt_filter(&self, actor: &Actor, id: ReportId, code: &str) -> Result<RunFilter, AppError> {
        let row = self.report_row(actor, id).await?;
        let receipts: Receipts = read_json(&row.receipts, "receipts")?;
        receipts.get(code).map(ReceiptRuns::filter).ok_or(AppError::NotFound("receipt"))
    }

    /// Opens a receipt: the filter that lists exactly the runs behind a figure, and the figure.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such report or code, or it is out of reach.
    pub async fn open_receipt(
        &self,
        actor: &Actor,
        id: ReportId,
        code: &str,
    ) -> Result<(RunFilter, ReportFigure), AppError> {
        let report = self.get_report(actor, id).await?;
        let runs = report.receipts.get(code).ok_or(AppError::NotFound("receipt"))?;
        let figure = find_figure(&report.document, code).ok_or(AppError::NotFound("receipt"))?;
        Ok((runs.filter(), figure))
    }

    /// A report that an actor may see.
    async fn report_row(&self, actor: &Actor, id: ReportId) -> Result<ReportRow, AppError> {
        let row = self.store_of(actor).find_report(id).await?.ok_or(AppError::NotFound("report"))?;
        must_see(actor, row.client_id)?;
        Ok(row)
    }

    /// A draft that an actor may change.
    async fn draft_row(&self, actor: &Actor, id: ReportId) -> Result<ReportRow, AppError> {
        let row = self.report_row(actor, id).await?;
        actor.must_operate()?;
        if is_published(&row) { Err(never_changes()) } else { Ok(row) }
    }

    /// Makes a draft's document of the figures as they are, with what differs from the last publication.
    async fn make_document(
        &self,
        actor: &Actor,
        row: &mut ReportRow,
        edits: &Edits,
        siblings: &[ReportRow],
    ) -> Result<(), AppError> {
        let month = Month::parse(&row.month)
            .ok_or(AppError::Store(StoreError::Corrupt { table: "reports", column: "month" }))?;
        let same_month =
            siblings.iter().filter(|r| r.month == row.month && is_published(r) && r.revision < row.revision);
        let published: Option<ReportDocument> =
            same_month.max_by_key(|r| r.revision).map(|r| read_json(&r.document, "document")).transpose()?;
        let issue = Issue {
            id: row.id,
            client: row.client_id,
            month,
            revision: u32::try_from(row.revision).unwrap_or(1),
            draft: true,
        };
        let material = self.material_of(actor, row.client_id, month).await?;
        let (document, receipts) =
            draft::document(&material, &issue, &edits.hidden_figures, self.public_url(), published.as_ref());
        row.document = to_json(&document);
        row.receipts = to_json(&receipts);
        Ok(())
    }

    /// Writes a draft, unless it was published meanwhile.
    async fn write_draft(&self, actor: &Actor, row: ReportRow) -> Result<(), AppError> {
        let row = ReportRow { changed_at: self.clock().now(), ..row };
        if self.store_of(actor).update_report(&row).await? { Ok(()) } else { Err(never_changes()) }
    }

    async fn record_report_audit(
        &self,
        actor: &Actor,
        action: &str,
        id: ReportId,
        details: String,
    ) -> Result<(), AppError> {
        let entry = AuditEntry {
            at: self.clock().now(),
            person: actor.name.clone(),
            action: action.to_owned(),
            object: id.to_string(),
            details,
        };
        Ok(self.store_of(actor).record_audit(self.ids().make(), &entry).await?)
    }
}

fn of_month(rows: Vec<ReportRow>, month: Month) -> Vec<ReportRow> {
    let month = month.to_string();
    rows.into_iter().filter(|row| row.month == month).collect()
}

fn summary(row: &ReportRow, client: String, siblings: &[ReportRow]) -> ReportSummary {
    let later = |r: &&ReportRow| r.client_id == row.client_id && r.month == row.month && r.revision > row.revision;
    ReportSummary {
        id: row.id,
        client_id: row.client_id,
        client,
        month: row.month.clone(),
        month_words: Month::parse(&row.month).map_or_else(|| row.month.clone(), Month::in_words),
        revision: row.revision,
        state: row.state,
        superseded: siblings.iter().filter(later).any(is_published),
        created_at: row.created_at,
        changed_at: row.changed_at,
        published_at: row.published_at,
        published_by: row.published_by.clone(),
    }
}

/// The figure that bears a code; a result stands as a figure.
fn find_figure(document: &ReportDocument, code: &str) -> Option<ReportFigure> {
    let has = |receipt: &Option<steward_core::report::Receipt>| receipt.as_ref().is_some_and(|r| r.code == code);
    let pages = document.workflows.iter().flat_map(|workflow| &workflow.figures);
    if let Some(figure) = document.key_figures.iter().chain(pages).find(|figure| has(&figure.receipt)) {
        return Some(figure.clone());
    }
    let result =
        document.workflows.iter().flat_map(|workflow| &workflow.results).find(|result| has(&result.receipt))?;
    Some(ReportFigure {
        name: result.name.clone(),
        value: result.count.clone(),
        basis: result.hours.clone(),
        interval: None,
        before: result.before.clone(),
        change: steward_core::report::Change::Neither,
        receipt: result.receipt.clone(),
    })
}

/// Typesetting takes long enough to be kept off the threads that answer requests.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, steward_paper::PaperError> + Send + 'static,
) -> Result<T, AppError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(made) => made.map_err(AppError::Paper),
        Err(_) => Err(AppError::Busy { retry_after_seconds: 1, source: None }),
    }
}
