//! What a person may reach: the agency they belong to, their role in it, and the clients they are limited to.
//!
//! Every use case that a person asks for takes an [`Actor`]; what lies outside of it is *not found*.

use steward_core::ids::{AgencyId, ClientId, PersonId, WorkflowId};
use steward_core::people::Role;
use steward_core::workflow::Workflow;
use steward_store::AgencyStore;

use crate::{App, AppError};

/// A person who asks for something.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Who.
    pub person_id: PersonId,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// The agency.
    pub agency_id: AgencyId,
    /// The clients that they are limited to; `None` is all.
    pub clients: Option<Vec<ClientId>>,
}

impl Actor {
    /// Whether they may see a client.
    #[must_use]
    pub fn may_see_client(&self, id: ClientId) -> bool {
        self.clients.as_ref().is_none_or(|clients| clients.contains(&id))
    }

    /// Whether they may see a workflow; unassigned ones only by who sees all clients.
    #[must_use]
    pub fn may_see_workflow(&self, workflow: &Workflow) -> bool {
        match workflow.client_id {
            Some(client) => self.may_see_client(client),
            None => self.clients.is_none(),
        }
    }

    /// Refuses whoever may not operate.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`].
    pub fn must_operate(&self) -> Result<(), AppError> {
        if self.role.operates() { Ok(()) } else { Err(AppError::Forbidden("only owners and operators change things")) }
    }

    /// Refuses whoever may not manage people.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`].
    pub fn must_manage_people(&self) -> Result<(), AppError> {
        if self.role.manages_people() { Ok(()) } else { Err(AppError::Forbidden("only owners manage people")) }
    }
}

impl App {
    /// The rows of the actor's agency.
    #[must_use]
    pub fn store_of(&self, actor: &Actor) -> AgencyStore {
        self.agency(actor.agency_id)
    }

    /// The workflows that an actor may see, by name; archived ones left out unless asked for.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn visible_workflows(&self, actor: &Actor, with_archived: bool) -> Result<Vec<Workflow>, AppError> {
        let mut workflows = self.store_of(actor).list_workflows().await?;
        workflows.retain(|w| actor.may_see_workflow(w) && (with_archived || w.archived_at.is_none()));
        Ok(workflows)
    }

    /// A workflow that an actor may see.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or they may not see it.
    pub async fn get_workflow(&self, actor: &Actor, id: WorkflowId) -> Result<Workflow, AppError> {
        let found = self.store_of(actor).find_workflow(id).await?;
        found.filter(|w| actor.may_see_workflow(w)).ok_or(AppError::NotFound("workflow"))
    }
}
