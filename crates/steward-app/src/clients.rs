//! Clients: what is agreed with the businesses that an agency works for.
//!
//! Who sees no money is given clients without it.

use steward_core::calendar::BusinessHours;
use steward_core::clients::{Client, ClientSettings};
use steward_core::ids::ClientId;
use steward_core::money::Nanos;

use crate::agencies::{currency_of, name_of, or_conflict, zone_of};
use crate::{Actor, App, AppError};

/// The most openings of one weekday, and the most days on which a business is closed.
const MAX_OPENINGS: usize = 12;
const MAX_CLOSED_DAYS: usize = 400;
/// The most characters of business hours as text.
const MAX_HOURS_CHARS: usize = 8_000;
/// No currency is worth less than a billionth of a dollar or more than a billion.
const MAX_UNITS_PER_USD: f64 = 1.0e9;

/// What to change of a client; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct ClientChanges {
    /// Its name.
    pub name: Option<String>,
    /// The currency in which its values stand, three capital letters.
    pub currency: Option<String>,
    /// How many units of its currency one US dollar costs.
    pub units_per_usd: Option<f64>,
    /// Its time zone, by IANA name; empty takes the agency's.
    pub time_zone: Option<String>,
    /// When it is open, in lines such as `Mon-Fri 09:00-17:00`.
    pub business_hours: Option<String>,
    /// What it pays a month, in nano-units of its currency; `Some(None)` for nothing agreed.
    pub retainer_nanos: Option<Option<Nanos>>,
}

impl App {
    /// Lists the clients that an actor may see, by name; archived ones left out unless asked for.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn visible_clients(&self, actor: &Actor, with_archived: bool) -> Result<Vec<Client>, AppError> {
        let clients = self.store_of(actor).list_clients().await?.into_iter();
        let seen = clients.filter(|c| actor.may_see_client(c.id) && (with_archived || c.archived_at.is_none()));
        Ok(seen.map(|client| as_seen_by(actor, client)).collect())
    }

    /// Gets a client that an actor may see.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or they may not see it.
    pub async fn get_client(&self, actor: &Actor, id: ClientId) -> Result<Client, AppError> {
        let found = self.store_of(actor).find_client(id).await?;
        let client = found.filter(|c| actor.may_see_client(c.id)).ok_or(AppError::NotFound("client"))?;
        Ok(as_seen_by(actor, client))
    }

    /// Makes a client.
    ///
    /// # Errors
    ///
    /// [`AppError::Conflict`] when there is one of this name; [`AppError::Invalid`] in words for the person.
    pub async fn create_client(&self, actor: &Actor, name: &str, changes: ClientChanges) -> Result<Client, AppError> {
        actor.must_operate()?;
        // Whoever says nothing else agrees in the agency's currency; its rate must then be said, unless it is the dollar.
        let agency = self.get_agency(actor).await?;
        let settings = ClientSettings { currency: agency.currency, ..ClientSettings::default() };
        let mut client = Client {
            id: ClientId::from_uuid(self.ids().make()),
            name: name_of(name, "the client")?,
            settings,
            created_at: self.clock().now(),
            archived_at: None,
        };
        apply(&mut client, ClientChanges { name: None, ..changes })?;
        let taken = || name_taken(&client.name);
        self.store_of(actor).create_client(&client).await.map_err(|error| or_conflict(error, taken))?;
        self.audit_by(actor, "client.create", client.id, &client.name).await?;
        Ok(client)
    }

    /// Updates a client. With other hours or another zone its runs are read again.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Conflict`] when another has this name;
    /// [`AppError::Invalid`] in words for the person.
    pub async fn update_client(&self, actor: &Actor, id: ClientId, changes: ClientChanges) -> Result<Client, AppError> {
        actor.must_operate()?;
        let before = self.get_client(actor, id).await?;
        let mut client = before.clone();
        apply(&mut client, changes)?;
        if client == before {
            return Ok(client);
        }
        let taken = || name_taken(&client.name);
        self.store_of(actor).update_client(&client).await.map_err(|error| or_conflict(error, taken))?;
        self.audit_by(actor, "client.update", id, &client.name).await?;
        let (old, new) = (&before.settings, &client.settings);
        if old.units_per_usd != new.units_per_usd {
            let mut workflows = self.store_of(actor).list_workflows().await?;
            workflows.retain(|workflow| workflow.client_id == Some(id));
            self.revalue_queue(actor, &workflows).await?;
        }
        if old.business_hours != new.business_hours || old.time_zone != new.time_zone {
            let workflows = self.store_of(actor).list_workflows().await?;
            let ids: Vec<_> = workflows.into_iter().filter(|w| w.client_id == Some(id)).map(|w| w.id).collect();
            self.enqueue_rereads(actor.agency_id, &ids, None).await?;
        }
        self.forget_readers(actor.agency_id);
        Ok(client)
    }

    /// Puts a client away, or takes it back; its runs and reports stay, and nothing of it is sent out meanwhile.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none.
    pub async fn archive_client(&self, actor: &Actor, id: ClientId, archived: bool) -> Result<Client, AppError> {
        actor.must_operate()?;
        let mut client = self.get_client(actor, id).await?;
        if client.archived_at.is_some() == archived {
            return Ok(client);
        }
        client.archived_at = archived.then(|| self.clock().now());
        self.store_of(actor).update_client(&client).await?;
        let action = if archived { "client.archive" } else { "client.unarchive" };
        self.audit_by(actor, action, id, &client.name).await?;
        Ok(client)
    }
}

/// A client without what is agreed about money.
#[must_use]
pub fn without_money(mut client: Client) -> Client {
    client.settings.retainer_nanos = None;
    client.settings.units_per_usd = ClientSettings::default().units_per_usd;
    client
}

fn as_seen_by(actor: &Actor, client: Client) -> Client {
    if actor.role.sees_money() { client } else { without_money(client) }
}

fn name_taken(name: &str) -> AppError {
    AppError::Conflict(format!("there is a client “{name}” already"))
}

fn apply(client: &mut Client, changes: ClientChanges) -> Result<(), AppError> {
    let invalid = |words: &str| Err(AppError::Invalid(words.to_owned()));
    if let Some(name) = changes.name {
        client.name = name_of(&name, "the client")?;
    }
    let settings = &mut client.settings;
    if let Some(currency) = changes.currency {
        settings.currency = currency_of(&currency)?;
    }
    if let Some(units) = changes.units_per_usd {
        if !units.is_finite() || units <= 0.0 || !(1.0 / MAX_UNITS_PER_USD..=MAX_UNITS_PER_USD).contains(&units) {
            return invalid(
                "the rate is how many units of the client's currency one US dollar costs: a number above 0",
            );
        }
        settings.units_per_usd = units;
    }
    if let Some(zone) = changes.time_zone {
        settings.time_zone = if zone.trim().is_empty() { String::new() } else { zone_of(&zone)? };
    }
    if let Some(text) = changes.business_hours {
        settings.business_hours = hours_of(&text)?;
    }
    if let Some(retainer) = changes.retainer_nanos {
        if retainer.is_some_and(|nanos| nanos.0 < 0) {
            return invalid("the retainer cannot be below 0");
        }
        settings.retainer_nanos = retainer;
    }
    Ok(())
}

fn hours_of(text: &str) -> Result<BusinessHours, AppError> {
    let invalid = |words: &str| AppError::Invalid(format!("business hours: {words}"));
    if text.chars().count() > MAX_HOURS_CHARS {
        return Err(invalid("the text is too long"));
    }
    let mut hours = BusinessHours::parse(text).map_err(|words| invalid(&words))?;
    if hours.weekdays.iter().any(|day| day.len() > MAX_OPENINGS) || hours.closed_on.len() > MAX_CLOSED_DAYS {
        return Err(invalid("there are too many openings or closed days"));
    }
    for day in &mut hours.weekdays {
        day.sort_unstable();
        if day.windows(2).any(|pair| matches!(pair, [a, b] if b.0 < a.1)) {
            return Err(invalid("two openings of one day overlap"));
        }
    }
    hours.closed_on.sort_unstable();
    hours.closed_on.dedup();
    Ok(hours)
}

#[cfg(test)]
mod tests {
    use steward_core::ids::ClientId;
    use steward_core::time::Timestamp;

    use super::*;

    fn client() -> Client {
        Client {
            id: ClientId::from_uuid(Default::default()),
            name: "North".to_owned(),
            settings: ClientSettings { retainer_nanos: Some(Nanos(7)), ..ClientSettings::default() },
            created_at: Timestamp(0),
            archived_at: None,
        }
    }

    #[test]
    fn a_rate_is_a_number_above_zero() {
        for units in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 1e-300] {
            let changes = ClientChanges { units_per_usd: Some(units), ..ClientChanges::default() };
            assert!(apply(&mut client(), changes).is_err(), "{units}");
        }
    }

    #[test]
    fn hours_are_sorted_and_do_not_overlap() {
        let hours = hours_of("Mon 13:00-17:00, 08:00-12:00\nclosed 2026-12-26\nclosed 2026-12-25\nclosed 2026-12-25")
            .expect("valid");
        assert_eq!(hours.in_words(), "Mon 08:00-12:00, 13:00-17:00\nclosed 2026-12-25\nclosed 2026-12-26");
        assert!(hours_of("Mon 08:00-12:00, 11:00-17:00").is_err());
    }

    #[test]
    fn who_sees_no_money_sees_no_retainer() {
        assert_eq!(without_money(client()).settings, ClientSettings::default());
    }
}
