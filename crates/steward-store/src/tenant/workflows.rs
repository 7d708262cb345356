//! Workflows.

use sea_orm::Value;
use steward_core::ids::{ClientId, WorkflowId};
use steward_core::time::Timestamp;
use steward_core::workflow::Workflow;
use uuid::Uuid;

use super::AgencyStore;
use crate::StoreError;
use crate::sql::Row;

const COLUMNS: &str = "id, client_id, name, source_name, settings, settings_version, created_at, archived_at";

fn read_workflow(mut row: Row) -> Result<Workflow, StoreError> {
    Ok(Workflow {
        id: WorkflowId::from_uuid(row.take()?),
        client_id: row.take::<Option<Uuid>>()?.map(ClientId::from_uuid),
        name: row.take()?,
        source_name: row.take()?,
        settings: row.take_json("workflows", "settings")?,
        settings_version: row.take()?,
        created_at: Timestamp(row.take()?),
        archived_at: row.take::<Option<i64>>()?.map(Timestamp),
    })
}

/// What is written of a workflow, new or changed, in the order of its columns.
fn written(workflow: &Workflow) -> [Value; 6] {
    [
        workflow.id.as_uuid().into(),
        workflow.client_id.map(ClientId::as_uuid).into(),
        workflow.name.clone().into(),
        workflow.source_name.clone().into(),
        serde_json::to_string(&workflow.settings).unwrap_or_default().into(),
        workflow.settings_version.into(),
    ]
}

impl AgencyStore {
    /// Lists all workflows by name, archived and unassigned ones included.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_workflows(&self) -> Result<Vec<Workflow>, StoreError> {
        let rows =
            self.read(format!("SELECT {COLUMNS} FROM workflows WHERE agency_id = $1 ORDER BY name, id")).all().await?;
        rows.into_iter().map(read_workflow).collect()
    }

    /// Finds a workflow. `None` when the agency has no such workflow.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_workflow(&self, id: WorkflowId) -> Result<Option<Workflow>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM workflows WHERE agency_id = $1 AND id = $2");
        self.read(text).bind(id.as_uuid()).first().await?.map(read_workflow).transpose()
    }

    /// Creates a workflow, unless the agency has one of the same source name already. Gives whether it did.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_workflow(&self, workflow: &Workflow) -> Result<bool, StoreError> {
        let changed = self
            .write(
                "INSERT INTO workflows (agency_id, id, client_id, name, source_name, settings, settings_version, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (agency_id, source_name) DO NOTHING",
            )
            .bind_all(written(workflow))
            .bind(workflow.created_at.0)
            .run()
            .await?;
        Ok(changed == 1)
    }

    /// Updates a workflow's client, names, settings and whether it is archived, which closes what waits to be sent of it.
    /// Does nothing when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the agency has another workflow of this source name.
    pub async fn update_workflow(&self, workflow: &Workflow) -> Result<(), StoreError> {
        let tx = self.store.begin_write().await?;
        let text =
            "UPDATE workflows SET client_id = $3, name = $4, source_name = $5, settings = $6, settings_version = $7, archived_at = $8
             WHERE agency_id = $1 AND id = $2";
        self.store
            .within(&tx, text)
            .bind(self.agency_id().as_uuid())
            .bind_all(written(workflow))
            .bind(workflow.archived_at.map(|at| at.0))
            .run()
            .await?;
        self.close_archived_deliveries(&tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// When each workflow's last run ended; workflows without runs are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn last_runs(&self) -> Result<Vec<(WorkflowId, Timestamp)>, StoreError> {
        // One descent into an index for each workflow, rather than a walk through all runs.
        let rows = self
            .read(
                "SELECT w.id, (SELECT r.ended_at FROM runs r WHERE r.agency_id = $1 AND r.workflow_id = w.id
                               ORDER BY r.ended_at DESC LIMIT 1)
                 FROM workflows w WHERE w.agency_id = $1",
            )
            .all()
            .await?;
        let mut last = Vec::new();
        for mut row in rows {
            let id = WorkflowId::from_uuid(row.take()?);
            if let Some(at) = row.take::<Option<i64>>()? {
                last.push((id, Timestamp(at)));
            }
        }
        Ok(last)
    }
}
