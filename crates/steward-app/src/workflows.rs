//! Workflows: made, assigned to clients, and how their runs are read.
//!
//! Settings decide what every run of a workflow counts as, the past ones too: with new settings all of them are read
//! again, so a figure never mixes two readings for long. What new settings would say is shown before they are saved.

mod check;
mod preview;

use std::sync::Arc;

use jiff::tz::TimeZone;
use steward_core::calendar::BusinessHours;
use steward_core::expectations::Expectation;
use steward_core::ids::{AgencyId, ClientId, WorkflowId};
use steward_core::prices::PriceBook;
use steward_core::privacy::Content;
use steward_core::rules::ResultValue;
use steward_core::workflow::{ValueBasis, Workflow, WorkflowSettings};

use crate::agencies::{name_of, or_conflict};
use crate::{Actor, App, AppError};

pub use preview::{MAX_PREVIEW, Preview, PreviewedRun, Reading, Totals};

/// The most characters of the name that telemetry gives a workflow.
const MAX_SOURCE_CHARS: usize = 200;

/// A workflow to make.
#[derive(Debug, Clone)]
pub struct NewWorkflow {
    /// Its name.
    pub name: String,
    /// The client whose process it serves. `None` leaves it unassigned.
    pub client_id: Option<ClientId>,
    /// The name that telemetry gives it; `None` takes one made of its name.
    pub source_name: Option<String>,
    /// How its runs are read.
    pub settings: WorkflowSettings,
}

/// A workflow with all that its runs are read with.
#[derive(Debug, Clone)]
pub struct WorkflowContext {
    /// The workflow.
    pub workflow: Workflow,
    /// When its client is open.
    pub hours: BusinessHours,
    /// Its client's zone, or the agency's.
    pub zone: TimeZone,
    /// Prices of models.
    pub prices: Arc<PriceBook>,
    /// How many units of the client's currency one US dollar costs.
    pub units_per_usd: f64,
}

impl App {
    /// Makes a workflow.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such client; [`AppError::Conflict`] when a name is taken;
    /// [`AppError::Invalid`] in words for the person.
    pub async fn create_workflow(&self, actor: &Actor, new: NewWorkflow) -> Result<Workflow, AppError> {
        actor.must_operate()?;
        let name = name_of(&new.name, "the workflow")?;
        if let Some(client) = new.client_id {
            self.get_client(actor, client).await?;
        }
        self.check_name_is_free(actor, &name, new.client_id, None).await?;
        let source_name = match new.source_name.as_deref().map(str::trim).filter(|s| !s.is_empty()) {
            Some(source) => source_of(source)?,
            None => slug(&name),
        };
        check::check_settings(&new.settings)?;
        let workflow = Workflow {
            id: WorkflowId::from_uuid(self.ids().make()),
            client_id: new.client_id,
            name,
            source_name,
            settings: new.settings,
            settings_version: 1,
            created_at: self.clock().now(),
            archived_at: None,
        };
        if !self.store_of(actor).record_workflow(&workflow).await? {
            return Err(source_taken(&workflow.source_name));
        }
        self.audit_by(actor, "workflow.create", workflow.id, &workflow.name).await?;
        self.forget_readers(actor.agency_id);
        Ok(workflow)
    }

    /// Assigns a workflow to a client. Its past runs are read again with that client's hours.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such workflow or client; [`AppError::Conflict`] when the client has a
    /// workflow of this name.
    pub async fn assign_workflow(&self, actor: &Actor, id: WorkflowId, client: ClientId) -> Result<Workflow, AppError> {
        actor.must_operate()?;
        let mut workflow = self.get_workflow(actor, id).await?;
        let client = self.get_client(actor, client).await?;
        if workflow.client_id == Some(client.id) {
            return Ok(workflow);
        }
        self.check_name_is_free(actor, &workflow.name, Some(client.id), Some(id)).await?;
        if workflow.client_id.replace(client.id).is_some() {
            // Whoever was told for the client before is not for this one; first, so that nothing goes out between.
            self.store_of(actor).close_handoff_of(id, self.clock().now()).await?;
        }
        self.write_workflow(actor, &workflow, "workflow.assign", &client.name).await?;
        self.revalue_queue(actor, std::slice::from_ref(&workflow)).await?;
        self.enqueue_rereads(actor.agency_id, &[id], None).await?;
        Ok(workflow)
    }

    /// Renames a workflow, and changes the name that telemetry gives it when that is said.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Conflict`] when a name is taken;
    /// [`AppError::Invalid`] in words for the person.
    pub async fn rename_workflow(
        &self,
        actor: &Actor,
        id: WorkflowId,
        name: &str,
        source_name: Option<&str>,
    ) -> Result<Workflow, AppError> {
        actor.must_operate()?;
        let mut workflow = self.get_workflow(actor, id).await?;
        workflow.name = name_of(name, "the workflow")?;
        if let Some(source) = source_name {
            workflow.source_name = source_of(source)?;
        }
        self.check_name_is_free(actor, &workflow.name, workflow.client_id, Some(id)).await?;
        self.write_workflow(actor, &workflow, "workflow.rename", &workflow.name).await?;
        Ok(workflow)
    }

    /// Puts a workflow away, or takes it back; its runs stay, and what still arrives for it is still taken in. Nothing of
    /// it is sent out meanwhile.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none.
    pub async fn archive_workflow(&self, actor: &Actor, id: WorkflowId, archived: bool) -> Result<Workflow, AppError> {
        actor.must_operate()?;
        let mut workflow = self.get_workflow(actor, id).await?;
        if workflow.archived_at.is_some() == archived {
            return Ok(workflow);
        }
        workflow.archived_at = archived.then(|| self.clock().now());
        let action = if archived { "workflow.archive" } else { "workflow.unarchive" };
        self.write_workflow(actor, &workflow, action, &workflow.name).await?;
        Ok(workflow)
    }

    /// Updates how a workflow's runs are read, and queues reading its past runs again. Does nothing when nothing changes.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Invalid`] in words for the person.
    pub async fn update_settings(
        &self,
        actor: &Actor,
        id: WorkflowId,
        settings: WorkflowSettings,
    ) -> Result<Workflow, AppError> {
        actor.must_operate()?;
        check::check_settings(&settings)?;
        let mut workflow = self.get_workflow(actor, id).await?;
        if workflow.settings == settings {
            return Ok(workflow);
        }
        let before = std::mem::replace(&mut workflow.settings, settings);
        workflow.settings_version = workflow.settings_version.saturating_add(1);
        let details = format!("version {}", workflow.settings_version);
        self.write_workflow(actor, &workflow, "workflow.settings", &details).await?;
        self.revalue_queue(actor, std::slice::from_ref(&workflow)).await?;
        if before.privacy != workflow.settings.privacy {
            let word = |settings: &WorkflowSettings| settings.privacy.content.map_or("as the agency", Content::as_str);
            let details = format!("{} → {}", word(&before), word(&workflow.settings));
            self.audit_by(actor, "workflow.privacy", id, &details).await?;
        }
        // What is kept concerns what arrives: no past run reads otherwise for it.
        if (WorkflowSettings { privacy: before.privacy.clone(), ..workflow.settings.clone() }) != before {
            self.enqueue_rereads(actor.agency_id, &[id], None).await?;
        }
        Ok(workflow)
    }

    /// Loads what the runs of a workflow are read with.
    pub(crate) async fn load_context(
        &self,
        agency_id: AgencyId,
        workflow: Workflow,
    ) -> Result<WorkflowContext, AppError> {
        let mut contexts = self.load_contexts(agency_id, vec![workflow]).await?;
        contexts.pop().ok_or(AppError::NotFound("workflow"))
    }

    /// Loads what the runs of workflows are read with, in the same order. Costs as many queries for all as for one.
    pub(crate) async fn load_contexts(
        &self,
        agency_id: AgencyId,
        workflows: Vec<Workflow>,
    ) -> Result<Vec<WorkflowContext>, AppError> {
        let store = self.agency(agency_id);
        let agency = store.find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        let prices = self.price_book(agency_id).await?;
        let clients = match workflows.as_slice() {
            [one] => match one.client_id {
                Some(id) => store.find_client(id).await?.into_iter().collect(),
                None => Vec::new(),
            },
            _ => store.list_clients().await?,
        };
        let agency_zone = agency.zone();
        let context = |workflow: Workflow| {
            let client = clients.iter().find(|c| workflow.client_id == Some(c.id));
            let own_zone = client.map(|c| c.settings.time_zone.as_str()).filter(|name| !name.is_empty());
            WorkflowContext {
                hours: client.map(|c| c.settings.business_hours.clone()).unwrap_or_default(),
                zone: own_zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(|| agency_zone.clone()),
                prices: Arc::clone(&prices),
                units_per_usd: client.map_or(1.0, |c| c.settings.units_per_usd),
                workflow,
            }
        };
        Ok(workflows.into_iter().map(context).collect())
    }

    async fn write_workflow(
        &self,
        actor: &Actor,
        workflow: &Workflow,
        action: &str,
        details: &str,
    ) -> Result<(), AppError> {
        let taken = || source_taken(&workflow.source_name);
        self.store_of(actor).update_workflow(workflow).await.map_err(|error| or_conflict(error, taken))?;
        self.forget_readers(actor.agency_id);
        self.audit_by(actor, action, workflow.id, details).await
    }

    /// Refuses a name that another workflow of the same client has.
    async fn check_name_is_free(
        &self,
        actor: &Actor,
        name: &str,
        client: Option<ClientId>,
        but: Option<WorkflowId>,
    ) -> Result<(), AppError> {
        let workflows = self.store_of(actor).list_workflows().await?;
        if workflows.iter().any(|w| w.client_id == client && w.name == name && Some(w.id) != but) {
            return Err(AppError::Conflict(format!("this client has a workflow “{name}” already")));
        }
        Ok(())
    }
}

/// A workflow without what is agreed about money.
#[must_use]
pub fn without_money(mut workflow: Workflow) -> Workflow {
    workflow.settings.value = ValueBasis::None;
    workflow.settings.expectations.retain(|expected| !matches!(expected, Expectation::CostsAtMost { .. }));
    for rule in &mut workflow.settings.result_rules {
        if matches!(rule.value, ResultValue::Fixed { .. }) {
            rule.value = ResultValue::None;
        }
    }
    workflow
}

/// A name as programs write it: lower case, everything else than letters and digits one hyphen.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "workflow".to_owned() } else { slug.to_owned() }
}

fn source_of(text: &str) -> Result<String, AppError> {
    let source = text.trim();
    if source.is_empty() || source.chars().count() > MAX_SOURCE_CHARS || source.chars().any(char::is_control) {
        return Err(AppError::Invalid(format!(
            "the name that telemetry gives it has 1 to {MAX_SOURCE_CHARS} characters"
        )));
    }
    Ok(source.to_owned())
}

fn source_taken(source: &str) -> AppError {
    AppError::Conflict(format!("telemetry named “{source}” belongs to another workflow already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_what_programs_write() {
        assert_eq!(slug("  Front desk: Zürich (voice) "), "front-desk-zürich-voice");
        assert_eq!(slug("!!!"), "workflow");
    }
}
