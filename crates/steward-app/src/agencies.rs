//! The agency: its first set-up, its name, zone, currency and brand.
//!
//! The brand goes into documents that clients read, so a logo is taken only when nothing in it can run or fetch.

mod logo;

use jiff::tz::TimeZone;
use steward_core::clients::{Agency, Brand};
use steward_core::ids::{AgencyId, PersonId};
use steward_core::money::{Currency, Nanos};
use steward_core::people::Role;
use steward_core::privacy::Privacy;
use steward_store::tenant::{AuditEntry, Person};

use crate::sign_in::{check_password, hash_password};
use crate::{Actor, App, AppError};

/// The most characters of a name.
const MAX_NAME_CHARS: usize = 120;
/// The most characters of an address; RFC 5321 knows none longer.
const MAX_EMAIL_CHARS: usize = 254;
/// The most characters of the contact on reports.
const MAX_CONTACT_CHARS: usize = 300;

/// Of two first set-ups at once only one finds the program without an agency.
static SETTING_UP: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// An agency to make, with its first owner.
#[derive(Clone)]
pub struct NewAgency {
    /// Its name, as shown to clients.
    pub agency_name: String,
    /// Its time zone, by IANA name.
    pub time_zone: String,
    /// Its currency, three capital letters.
    pub currency: String,
    /// The owner's name.
    pub person_name: String,
    /// The owner's address.
    pub email: String,
    /// The owner's password. `None` for an owner who signs in by a link.
    pub password: Option<String>,
}

impl std::fmt::Debug for NewAgency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAgency").field("agency_name", &self.agency_name).finish_non_exhaustive()
    }
}

/// What to change of an agency; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct AgencyChanges {
    /// Its name.
    pub name: Option<String>,
    /// Its time zone, by IANA name.
    pub time_zone: Option<String>,
    /// Its currency, three capital letters.
    pub currency: Option<String>,
    /// What a reviewer's hour costs, in nano-units of its currency.
    pub reviewer_rate_nanos: Option<Nanos>,
    /// How its reports look.
    pub brand: Option<Brand>,
    /// What is kept of what was said where a workflow chooses nothing.
    pub privacy: Option<Privacy>,
}

impl App {
    /// Whether anybody can sign in: there is an agency with somebody in it.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn is_set_up(&self) -> Result<bool, AppError> {
        for agency in self.store().list_agencies().await? {
            if !self.agency(agency.id).list_people().await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes the first agency, from the page that a fresh program shows. The owner needs a password.
    ///
    /// # Errors
    ///
    /// [`AppError::Conflict`] when there is one already; [`AppError::Invalid`] in words for the person.
    pub async fn set_up(&self, agency: NewAgency) -> Result<(AgencyId, PersonId), AppError> {
        if agency.password.is_none() {
            return Err(AppError::Invalid("choose a password".to_owned()));
        }
        let _alone = SETTING_UP.lock().await;
        if self.is_set_up().await? {
            return Err(AppError::Conflict("Steward is set up already; sign in instead".to_owned()));
        }
        self.create_agency_with_owner(agency).await
    }

    /// Makes an agency with its owner, whether there are others or not: for the command line and the demo.
    ///
    /// # Errors
    ///
    /// [`AppError::Conflict`] when somebody has the address already; [`AppError::Invalid`] in words for the person.
    pub async fn create_agency_with_owner(&self, new: NewAgency) -> Result<(AgencyId, PersonId), AppError> {
        let email = email_of(&new.email)?;
        let now = self.clock().now();
        let agency = Agency {
            id: AgencyId::from_uuid(self.ids().make()),
            name: name_of(&new.agency_name, "the agency")?,
            time_zone: zone_of(&new.time_zone)?,
            reviewer_rate_nanos: Nanos(0),
            currency: currency_of(&new.currency)?,
            brand: Brand::default(),
            privacy: Privacy::default(),
            created_at: now,
        };
        let owner = Person {
            id: PersonId::from_uuid(self.ids().make()),
            email,
            name: name_of(&new.person_name, "the person")?,
            role: Role::Owner,
            has_password: false,
            created_at: now,
            disabled_at: None,
        };
        if let Some(password) = &new.password {
            check_password(password, &owner.email)?;
        }
        if self.store().find_person_by_email(&owner.email).await?.is_some() {
            return Err(address_taken());
        }
        let hash = match new.password {
            Some(password) => Some(hash_password(password, self.ids().secret()).await?),
            None => None,
        };
        self.store().create_agency(&agency).await?;
        let store = self.agency(agency.id);
        store.create_person(&owner).await.map_err(|error| or_conflict(error, address_taken))?;
        if let Some(hash) = hash {
            store.update_password(owner.id, &hash).await?;
        }
        self.audit(agency.id, &owner.name, "agency.create", agency.id, &agency.name).await?;
        Ok((agency.id, owner.id))
    }

    /// Gets the actor's agency. What a reviewer's hour costs is left out for who sees no money.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when it is gone.
    pub async fn get_agency(&self, actor: &Actor) -> Result<Agency, AppError> {
        let mut agency = self.store_of(actor).find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        if !actor.role.sees_money() {
            agency.reviewer_rate_nanos = Nanos(0);
        }
        Ok(agency)
    }

    /// Updates the actor's agency. With another zone, runs of clients without a zone of their own are read again.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::Invalid`] in words for the person.
    pub async fn update_agency(&self, actor: &Actor, changes: AgencyChanges) -> Result<Agency, AppError> {
        actor.must_operate()?;
        let before = self.get_agency(actor).await?;
        let mut agency = before.clone();
        if let Some(name) = changes.name {
            agency.name = name_of(&name, "the agency")?;
        }
        if let Some(zone) = changes.time_zone {
            agency.time_zone = zone_of(&zone)?;
        }
        if let Some(currency) = changes.currency {
            agency.currency = currency_of(&currency)?;
        }
        if let Some(rate) = changes.reviewer_rate_nanos {
            if rate.0 < 0 {
                return Err(AppError::Invalid("what a reviewer's hour costs cannot be below 0".to_owned()));
            }
            agency.reviewer_rate_nanos = rate;
        }
        if let Some(brand) = changes.brand {
            agency.brand = checked_brand(brand)?;
        }
        if let Some(privacy) = changes.privacy {
            if let Some(words) = privacy.problem() {
                return Err(AppError::Invalid(words));
            }
            agency.privacy = privacy;
        }
        if agency == before {
            return Ok(agency);
        }
        self.store_of(actor).update_agency(&agency).await?;
        self.audit_by(actor, "agency.update", agency.id, &agency.name).await?;
        if agency.privacy != before.privacy {
            let details = format!("{} → {}", before.privacy.content().as_str(), agency.privacy.content().as_str());
            self.audit_by(actor, "agency.privacy", agency.id, &details).await?;
        }
        if agency.time_zone != before.time_zone {
            let clients = self.store_of(actor).list_clients().await?;
            let own_zone = |id| clients.iter().any(|c| c.id == id && !c.settings.time_zone.is_empty());
            let workflows = self.store_of(actor).list_workflows().await?;
            let workflows = workflows.into_iter().filter(|w| !w.client_id.is_some_and(own_zone));
            let ids: Vec<_> = workflows.map(|w| w.id).collect();
            self.enqueue_rereads(actor.agency_id, &ids, None).await?;
        }
        self.forget_readers(actor.agency_id);
        Ok(agency)
    }

    /// What was done lately in the actor's agency, and by whom, newest first.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn list_audit(&self, actor: &Actor, limit: u32) -> Result<Vec<AuditEntry>, AppError> {
        actor.must_operate()?;
        Ok(self.store_of(actor).list_audit(i64::from(limit.clamp(1, 1_000))).await?)
    }

    /// Records what an actor did.
    pub(crate) async fn audit_by(
        &self,
        actor: &Actor,
        action: &str,
        object: impl std::fmt::Display,
        details: &str,
    ) -> Result<(), AppError> {
        self.audit(actor.agency_id, &actor.name, action, object, details).await
    }

    /// Records what somebody did, by name: a person, or the command line.
    pub(crate) async fn audit(
        &self,
        agency_id: AgencyId,
        by: &str,
        action: &str,
        object: impl std::fmt::Display,
        details: &str,
    ) -> Result<(), AppError> {
        let entry = AuditEntry {
            at: self.clock().now(),
            person: by.to_owned(),
            action: action.to_owned(),
            object: object.to_string(),
            details: details.to_owned(),
        };
        Ok(self.agency(agency_id).record_audit(self.ids().make(), &entry).await?)
    }
}

/// The answer to an address that somebody has already.
pub(crate) fn address_taken() -> AppError {
    AppError::Conflict("somebody has this address already".to_owned())
}

/// A failure of the storage layer, with words for the person where a unique key was in the way.
pub(crate) fn or_conflict(error: steward_store::StoreError, words: impl FnOnce() -> AppError) -> AppError {
    if matches!(error, steward_store::StoreError::Conflict(_)) { words() } else { error.into() }
}

/// A name without spaces around it, of at least one and not too many characters, on one line.
pub(crate) fn name_of(text: &str, whose: &str) -> Result<String, AppError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(AppError::Invalid(format!("{whose} needs a name")));
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(AppError::Invalid(format!("the name of {whose} has more than {MAX_NAME_CHARS} characters")));
    }
    if name.chars().any(char::is_control) {
        return Err(AppError::Invalid(format!("the name of {whose} has characters that cannot be shown")));
    }
    Ok(name.to_owned())
}

/// An address in lower case. Whether it exists only mail can tell; here it must look like one.
pub(crate) fn email_of(text: &str) -> Result<String, AppError> {
    let email = text.trim().to_lowercase();
    let well_formed = email.chars().count() <= MAX_EMAIL_CHARS
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && !host.is_empty()
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if well_formed { Ok(email) } else { Err(AppError::Invalid("write an address such as ada@example.com".to_owned())) }
}

/// A time zone by the name that the zone data gives it.
pub(crate) fn zone_of(name: &str) -> Result<String, AppError> {
    let name = name.trim();
    let found = TimeZone::get(name).ok();
    let known = found.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
    known.ok_or_else(|| AppError::Invalid(format!("“{}” is no time zone: write one such as Europe/Berlin", cut(name))))
}

/// A currency by its three letters.
pub(crate) fn currency_of(code: &str) -> Result<Currency, AppError> {
    let code = code.trim().to_ascii_uppercase();
    let found = Currency::parse(&code).filter(|c| c.code().bytes().all(|b| b.is_ascii_uppercase()));
    found.ok_or_else(|| AppError::Invalid(format!("“{}” is no currency: write three letters such as EUR", cut(&code))))
}

/// The beginning of what somebody wrote, to show it back.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

fn checked_brand(brand: Brand) -> Result<Brand, AppError> {
    let invalid = |words: &str| Err(AppError::Invalid(words.to_owned()));
    let colour = brand.colour.trim().to_ascii_lowercase();
    let digits = colour.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return invalid("write the colour as #rrggbb, such as #1f5fbf");
    }
    let name = if brand.name.trim().is_empty() { String::new() } else { name_of(&brand.name, "the brand")? };
    let contact = brand.contact.trim().to_owned();
    if contact.chars().count() > MAX_CONTACT_CHARS || contact.chars().any(|c| c.is_control() && c != '\n' && c != '\r')
    {
        return invalid("the contact has at most 300 characters");
    }
    let logo = brand.logo.trim().to_owned();
    logo::check(&logo).map_err(|words| AppError::Invalid(words.to_owned()))?;
    Ok(Brand { name, colour, logo, paper: brand.paper, contact })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_of_the_zone_data() {
        assert_eq!(zone_of(" europe/berlin ").ok().as_deref(), Some("Europe/Berlin"));
        for name in ["", "Mars/Olympus", "../etc/passwd", "CEST+1"] {
            assert!(zone_of(name).is_err(), "{name}");
        }
    }

    #[test]
    fn addresses_are_lower_case_and_look_like_one() {
        assert_eq!(email_of(" Ada@Example.COM ").ok().as_deref(), Some("ada@example.com"));
        for text in ["", "ada", "@example.com", "ada@", "a b@example.com", "a@b@c", "a@.b", "a@b\n.c"] {
            assert!(email_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_brand_has_a_colour_of_six_digits() {
        let brand = |colour: &str| checked_brand(Brand { colour: colour.to_owned(), ..Brand::default() });
        assert_eq!(brand("#AABBCC").map(|b| b.colour).ok().as_deref(), Some("#aabbcc"));
        for colour in ["", "#abc", "aabbcc", "#aabbcg", "#aabbccdd", "red;background:url(x)"] {
            assert!(brand(colour).is_err(), "{colour}");
        }
    }
}
