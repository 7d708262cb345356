//! People of an agency.

use steward_core::ids::{ClientId, PersonId};
use steward_core::people::Role;
use steward_core::time::Timestamp;

use super::AgencyStore;
use crate::StoreError;
use crate::sql::Row;

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Their address, lower case; unique over all agencies.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they have set a password.
    pub has_password: bool,
    /// When they were invited.
    pub created_at: Timestamp,
    /// When they were shut out.
    pub disabled_at: Option<Timestamp>,
}

pub(crate) const COLUMNS: &str = "id, email, name, role, password_hash IS NOT NULL, created_at, disabled_at";

pub(crate) fn read_person(row: &mut Row) -> Result<Person, StoreError> {
    Ok(Person {
        id: PersonId::from_uuid(row.take()?),
        email: row.take()?,
        name: row.take()?,
        role: Role::parse(&row.take::<String>()?).ok_or(StoreError::Corrupt { table: "people", column: "role" })?,
        has_password: row.take()?,
        created_at: Timestamp(row.take()?),
        disabled_at: row.take::<Option<i64>>()?.map(Timestamp),
    })
}

impl AgencyStore {
    /// Lists all people by name.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_people(&self) -> Result<Vec<Person>, StoreError> {
        let rows =
            self.read(format!("SELECT {COLUMNS} FROM people WHERE agency_id = $1 ORDER BY name, id")).all().await?;
        rows.into_iter().map(|mut row| read_person(&mut row)).collect()
    }

    /// Finds a person. `None` when the agency has no such person.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_person(&self, id: PersonId) -> Result<Option<Person>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM people WHERE agency_id = $1 AND id = $2");
        let row = self.read(text).bind(id.as_uuid()).first().await?;
        row.map(|mut row| read_person(&mut row)).transpose()
    }

    /// Creates a person without a password.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when somebody has this address already.
    pub async fn create_person(&self, person: &Person) -> Result<(), StoreError> {
        self.write("INSERT INTO people (agency_id, id, email, name, role, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(person.id.as_uuid())
            .bind(person.email.clone())
            .bind(person.name.clone())
            .bind(person.role.as_str())
            .bind(person.created_at.0)
            .run()
            .await
            .map(|_| ())
    }

    /// Updates a person's name, role and whether they are shut out.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_person(&self, person: &Person) -> Result<(), StoreError> {
        self.write("UPDATE people SET name = $3, role = $4, disabled_at = $5 WHERE agency_id = $1 AND id = $2")
            .bind(person.id.as_uuid())
            .bind(person.name.clone())
            .bind(person.role.as_str())
            .bind(person.disabled_at.map(|at| at.0))
            .run()
            .await
            .map(|_| ())
    }

    /// Sets a person's password hash.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_password(&self, id: PersonId, hash: &str) -> Result<(), StoreError> {
        self.write("UPDATE people SET password_hash = $3 WHERE agency_id = $1 AND id = $2")
            .bind(id.as_uuid())
            .bind(hash)
            .run()
            .await
            .map(|_| ())
    }

    /// The clients that a person is assigned to.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_person_clients(&self, id: PersonId) -> Result<Vec<ClientId>, StoreError> {
        let rows = self
            .read("SELECT client_id FROM person_clients WHERE agency_id = $1 AND person_id = $2 ORDER BY client_id")
            .bind(id.as_uuid())
            .all()
            .await?;
        rows.into_iter().map(|mut row| Ok(ClientId::from_uuid(row.take()?))).collect()
    }

    /// Replaces the clients that a person is assigned to.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_person_clients(&self, id: PersonId, clients: &[ClientId]) -> Result<(), StoreError> {
        let tx = self.store.begin_write().await?;
        let agency = self.agency_id().as_uuid();
        self.store
            .within(&tx, "DELETE FROM person_clients WHERE agency_id = $1 AND person_id = $2")
            .bind(agency)
            .bind(id.as_uuid())
            .run()
            .await?;
        for client in clients {
            self.store
                .within(&tx, "INSERT INTO person_clients (agency_id, person_id, client_id) VALUES ($1, $2, $3)")
                .bind(agency)
                .bind(id.as_uuid())
                .bind(client.as_uuid())
                .run()
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
