//! What runs are read with: each workflow's settings, read from the database when they are too old.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use steward_core::ids::{AgencyId, WorkflowId};
use steward_core::step::Step;
use steward_core::workflow::{RunUnit, Workflow, WorkflowSettings};
use tokio::time::Instant;

use super::work::source_name;
use crate::workflows::WorkflowContext;
use crate::{App, AppError};

/// How long settings of a workflow are used before they are read again.
const CONTEXT_AGE: Duration = Duration::from_secs(2);

/// Settings of workflows, as assembly last read them.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    by_agency: Mutex<HashMap<AgencyId, Arc<AgencyReaders>>>,
}

#[derive(Debug)]
pub(super) struct AgencyReaders {
    read_at: Instant,
    by_id: HashMap<WorkflowId, Arc<WorkflowContext>>,
    by_source: HashMap<String, WorkflowId>,
}

impl AgencyReaders {
    /// The workflow that steps belong to, where it is known: that of their key, else the one that they name.
    fn find(&self, id: Option<WorkflowId>, source_name: Option<&str>) -> Option<&Arc<WorkflowContext>> {
        self.by_id.get(&id.or_else(|| self.by_source.get(source_name?).copied())?)
    }

    /// Whether steps belong to a workflow whose run is a conversation.
    pub(super) fn is_conversation(&self, id: Option<WorkflowId>, steps: &[Step]) -> bool {
        self.has_conversations()
            && self
                .find(id, source_name(steps))
                .is_some_and(|context| context.workflow.settings.run_unit == RunUnit::Conversation)
    }

    /// Whether any workflow's run is a conversation.
    pub(super) fn has_conversations(&self) -> bool {
        self.by_id.values().any(|context| context.workflow.settings.run_unit == RunUnit::Conversation)
    }
}

impl App {
    /// The workflow that steps belong to, made *unassigned* where telemetry names one that is not known.
    pub(super) async fn context_of(
        &self,
        agency_id: AgencyId,
        id: Option<WorkflowId>,
        steps: &[Step],
    ) -> Result<Option<Arc<WorkflowContext>>, AppError> {
        if steps.is_empty() {
            return Ok(None);
        }
        let name = source_name(steps).unwrap_or("unknown service");
        if let Some(context) = self.readers(agency_id).await?.find(id, Some(name)) {
            return Ok(Some(Arc::clone(context)));
        }
        if id.is_none() {
            let workflow = Workflow {
                id: WorkflowId::from_uuid(self.ids().make()),
                client_id: None,
                name: name.to_owned(),
                source_name: name.to_owned(),
                settings: WorkflowSettings::default(),
                settings_version: 1,
                created_at: self.clock().now(),
                archived_at: None,
            };
            self.agency(agency_id).record_workflow(&workflow).await?;
        }
        self.forget_readers(agency_id);
        Ok(self.readers(agency_id).await?.find(id, Some(name)).map(Arc::clone))
    }

    pub(super) async fn readers(&self, agency_id: AgencyId) -> Result<Arc<AgencyReaders>, AppError> {
        {
            let known = self.inner.readers.by_agency.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(readers) = known.get(&agency_id).filter(|r| r.read_at.elapsed() < CONTEXT_AGE) {
                return Ok(Arc::clone(readers));
            }
        }
        let mut readers = AgencyReaders { read_at: Instant::now(), by_id: HashMap::new(), by_source: HashMap::new() };
        let workflows = self.agency(agency_id).list_workflows().await?;
        for context in self.load_contexts(agency_id, workflows).await? {
            readers.by_source.insert(context.workflow.source_name.clone(), context.workflow.id);
            readers.by_id.insert(context.workflow.id, Arc::new(context));
        }
        let readers = Arc::new(readers);
        let mut known = self.inner.readers.by_agency.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(agency_id, Arc::clone(&readers));
        Ok(readers)
    }

    /// Reads the settings of an agency's workflows again when they are next needed.
    pub(crate) fn forget_readers(&self, agency_id: AgencyId) {
        self.inner.readers.by_agency.lock().unwrap_or_else(PoisonError::into_inner).remove(&agency_id);
        self.forget_policies(agency_id);
    }
}
