//! People of an agency: who they are, what they may do, and which clients they are limited to.
//!
//! Invariant: an agency always has an owner who can sign in, so nobody takes themselves or the last owner out.

use steward_core::ids::{ClientId, PersonId};
use steward_core::people::Role;
use steward_store::tenant::Person;

use crate::agencies::{address_taken, email_of, name_of, or_conflict};
use crate::secrets::Secret;
use crate::{Actor, App, AppError};

/// How long an invitation is good for.
const INVITATION_MINUTES: i64 = 7 * 24 * 60;
/// How long a link to set a new password is good for.
const RESET_MINUTES: i64 = 24 * 60;

/// A person, with the clients that they are limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub person: Person,
    /// The clients; empty for who sees all.
    pub clients: Vec<ClientId>,
}

/// A person to invite.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The clients that a contractor is assigned to.
    pub clients: Vec<ClientId>,
}

/// What to change of a person; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct PersonChanges {
    /// Their name.
    pub name: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// The clients that a contractor is assigned to.
    pub clients: Option<Vec<ClientId>>,
}

impl App {
    /// Lists the people of the actor's agency by name.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn list_people(&self, actor: &Actor) -> Result<Vec<Member>, AppError> {
        actor.must_operate()?;
        let store = self.store_of(actor);
        let mut members = Vec::new();
        for person in store.list_people().await? {
            let clients = if person.role.is_limited_to_clients() {
                store.list_person_clients(person.id).await?
            } else {
                Vec::new()
            };
            members.push(Member { person, clients });
        }
        Ok(members)
    }

    /// Gets a person of the actor's agency.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Forbidden`] for who does not operate.
    pub async fn get_person(&self, actor: &Actor, id: PersonId) -> Result<Member, AppError> {
        actor.must_operate()?;
        let store = self.store_of(actor);
        let person = store.find_person(id).await?.ok_or(AppError::NotFound("person"))?;
        let clients =
            if person.role.is_limited_to_clients() { store.list_person_clients(id).await? } else { Vec::new() };
        Ok(Member { person, clients })
    }

    /// Invites somebody: makes the person, and a one-time link by which they sign in and set a password.
    ///
    /// # Errors
    ///
    /// [`AppError::Conflict`] when somebody has the address already; [`AppError::Invalid`] in words for the person.
    pub async fn invite_person(&self, actor: &Actor, new: NewPerson) -> Result<(Member, Secret), AppError> {
        actor.must_manage_people()?;
        check_role(new.role)?;
        let clients = self.checked_clients(actor, new.role, &new.clients).await?;
        let person = Person {
            id: PersonId::from_uuid(self.ids().make()),
            email: email_of(&new.email)?,
            name: name_of(&new.name, "the person")?,
            role: new.role,
            has_password: false,
            created_at: self.clock().now(),
            disabled_at: None,
        };
        let store = self.store_of(actor);
        store.create_person(&person).await.map_err(|error| or_conflict(error, address_taken))?;
        store.update_person_clients(person.id, &clients).await?;
        let link = self.make_link(actor.agency_id, person.id, INVITATION_MINUTES).await?;
        self.audit_by(actor, "person.invite", person.id, &format!("{} as {}", person.email, person.role.as_str()))
            .await?;
        Ok((Member { person, clients }, link))
    }

    /// Updates a person's name, role and clients.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Conflict`] where the agency would lose its last owner.
    pub async fn update_person(&self, actor: &Actor, id: PersonId, changes: PersonChanges) -> Result<Member, AppError> {
        actor.must_manage_people()?;
        let Member { mut person, clients } = self.get_person(actor, id).await?;
        if let Some(name) = changes.name {
            person.name = name_of(&name, "the person")?;
        }
        if let Some(role) = changes.role.filter(|role| *role != person.role) {
            check_role(role)?;
            self.keep_an_owner(actor, &person).await?;
            person.role = role;
        }
        let clients = self.checked_clients(actor, person.role, changes.clients.as_ref().unwrap_or(&clients)).await?;
        let store = self.store_of(actor);
        // Clients first: with a lesser role and the clients of the greater one, they would see too much for a moment.
        store.update_person_clients(id, &clients).await?;
        store.update_person(&person).await?;
        if person.role.is_limited_to_clients() {
            // What they see no longer is nobody's again, and not lost with them.
            let workflows = store.list_workflows().await?.into_iter();
            let seen = workflows.filter(|w| w.client_id.is_some_and(|id| clients.contains(&id))).map(|w| w.id);
            store.unassign_queue_items(id, &seen.collect::<Vec<_>>()).await?;
        }
        self.audit_by(actor, "person.update", id, &format!("{} is {}", person.email, person.role.as_str())).await?;
        Ok(Member { person, clients })
    }

    /// Shuts a person out and ends their sessions. Does nothing when they are shut out already.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Conflict`] for oneself and for the last owner.
    pub async fn disable_person(&self, actor: &Actor, id: PersonId) -> Result<(), AppError> {
        actor.must_manage_people()?;
        let Member { mut person, .. } = self.get_person(actor, id).await?;
        if id == actor.person_id {
            return Err(AppError::Conflict("nobody shuts themselves out; ask another owner".to_owned()));
        }
        if person.disabled_at.is_some() {
            return Ok(());
        }
        self.keep_an_owner(actor, &person).await?;
        person.disabled_at = Some(self.clock().now());
        self.store_of(actor).update_person(&person).await?;
        self.store().delete_sessions_of(actor.agency_id, id).await?;
        // What was theirs to do is nobody's again, and not lost with them.
        self.store_of(actor).unassign_queue_items(id, &[]).await?;
        self.audit_by(actor, "person.disable", id, &person.email).await
    }

    /// Lets a person in again. They sign in anew. Does nothing when they are not shut out.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none.
    pub async fn enable_person(&self, actor: &Actor, id: PersonId) -> Result<(), AppError> {
        actor.must_manage_people()?;
        let Member { mut person, .. } = self.get_person(actor, id).await?;
        if person.disabled_at.take().is_none() {
            return Ok(());
        }
        self.store_of(actor).update_person(&person).await?;
        self.audit_by(actor, "person.enable", id, &person.email).await
    }

    /// Makes a one-time link by which a person signs in and sets a new password.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Conflict`] when they are shut out.
    pub async fn make_reset_link(&self, actor: &Actor, id: PersonId) -> Result<Secret, AppError> {
        actor.must_manage_people()?;
        let Member { person, .. } = self.get_person(actor, id).await?;
        let link = self.make_link(actor.agency_id, id, RESET_MINUTES).await?;
        self.audit_by(actor, "person.link", id, &person.email).await?;
        Ok(link)
    }

    /// Refuses a change that takes the last owner who can sign in.
    async fn keep_an_owner(&self, actor: &Actor, person: &Person) -> Result<(), AppError> {
        let counts = |p: &Person| p.role == Role::Owner && p.disabled_at.is_none();
        if !counts(person) {
            return Ok(());
        }
        let others = self.store_of(actor).list_people().await?.into_iter().filter(|p| p.id != person.id && counts(p));
        if others.count() == 0 {
            return Err(AppError::Conflict("an agency needs an owner; make somebody else one first".to_owned()));
        }
        Ok(())
    }

    /// The clients that a role is limited to, each once; none for who sees all.
    async fn checked_clients(&self, actor: &Actor, role: Role, wanted: &[ClientId]) -> Result<Vec<ClientId>, AppError> {
        if !role.is_limited_to_clients() {
            return Ok(Vec::new());
        }
        let known = self.store_of(actor).list_clients().await?;
        if !wanted.iter().all(|id| known.iter().any(|client| client.id == *id)) {
            return Err(AppError::NotFound("client"));
        }
        let mut clients = wanted.to_vec();
        clients.sort_unstable();
        clients.dedup();
        Ok(clients)
    }
}

fn check_role(role: Role) -> Result<(), AppError> {
    match role {
        Role::Owner | Role::Operator | Role::Contractor => Ok(()),
        Role::Client => {
            Err(AppError::Invalid("people of clients cannot be invited: there is no client portal yet".to_owned()))
        }
    }
}
