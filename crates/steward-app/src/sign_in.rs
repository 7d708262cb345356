//! Sign-in: passwords, one-time links and sessions.
//!
//! A password is checked in the same time whether the address is known or not, and the answer is the same. Failures
//! count against the address and against where they come from; only a few checks run at once, and each looks at the
//! counts after it has its turn, so a burst cannot slip past them. Secrets are stored as hashes only.

use std::net::IpAddr;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use steward_core::ids::{AgencyId, PersonId};
use steward_core::time::Timestamp;
use steward_store::tenant::Person;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::agencies::email_of;
use crate::secrets::Secret;
use crate::{Actor, App, AppError};

/// How long a session lasts.
const SESSION_MS: i64 = 14 * 86_400_000;
/// How long failures of sign-in count.
const WINDOW_MS: i64 = 15 * 60_000;
/// Failures of one address after which it has to wait.
const MAX_FAILURES_OF_ADDRESS: i64 = 10;
/// Failures from one origin after which it has to wait.
const MAX_FAILURES_FROM: i64 = 30;
/// The fewest and the most characters of a password.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 12..=200;
/// The longest that a link may be good for.
const MAX_LINK_MINUTES: i64 = 30 * 24 * 60;
/// A hash takes 19 MiB and tens of milliseconds, so only a few are made at once.
static HASHING: Semaphore = Semaphore::const_new(2);
/// The hash of a password that nobody has: what is checked where there is nothing to check.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c3Rld2FyZC1uby1vbmUtMA$mOzLj0J9ZBU1Nn8Pz4l4kUpgA0zLkUr1Ovt3nZ1wJZo";

/// What a browser keeps after sign-in.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The session's secret.
    pub secret: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Who asks, by their session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The person, and what they may reach.
    pub actor: Actor,
    /// The token that their forms carry.
    pub csrf: String,
    /// Whether they have set a password.
    pub has_password: bool,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// Whom a one-time link is for, before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFor {
    /// The agency's name.
    pub agency: String,
    /// The person.
    pub person: Person,
}

impl App {
    /// Signs somebody in by address and password; `from` is the network address that the request came from.
    ///
    /// # Errors
    ///
    /// [`AppError::Invalid`] with the same words for an unknown address and for a wrong password;
    /// [`AppError::TooMany`] after too many failures.
    pub async fn sign_in(&self, email: &str, password: &str, from: &str) -> Result<NewSession, AppError> {
        let wrong = || AppError::Invalid("the address or the password is wrong".to_owned());
        // What is no address is nobody's; it counts against its origin like any other failure.
        let email = email_of(email).unwrap_or_default();
        let buckets = [
            (format!("address:{email}"), MAX_FAILURES_OF_ADDRESS),
            (format!("from:{}", origin(from)), MAX_FAILURES_FROM),
        ];
        let _turn = HASHING.acquire().await.map_err(|_| busy())?;
        let now = self.clock().now();
        for (bucket, most) in &buckets {
            if self.store().count_sign_in_failures(bucket, now.plus_ms(-WINDOW_MS)).await? >= *most {
                return Err(AppError::TooMany { retry_after_seconds: (WINDOW_MS / 1_000) as u32 });
            }
        }
        let found = self.store().find_person_by_email(&email).await?;
        let hash = found.as_ref().and_then(|(_, _, hash)| hash.clone());
        let has_hash = hash.is_some();
        let holds = verify(password.to_owned(), hash.unwrap_or_else(|| NOBODYS_HASH.to_owned())).await?;
        let signed_in = found.filter(|(_, person, _)| holds && has_hash && person.disabled_at.is_none());
        let Some((agency_id, person, _)) = signed_in else {
            for (bucket, _) in &buckets {
                self.store().record_sign_in_failure(bucket, now).await?;
            }
            return Err(wrong());
        };
        self.begin_session(agency_id, person.id).await
    }

    /// Finds who a session belongs to. `None` when it has ended or its person is shut out.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn find_actor(&self, session: &Secret) -> Result<Option<SignedIn>, AppError> {
        if !looks_like(session, SESSION) {
            return Ok(None);
        }
        let Some(row) = self.store().find_session(&session.hash(), self.clock().now()).await? else { return Ok(None) };
        let actor = self.actor_of(row.agency_id, &row.person).await?;
        let has_password = row.person.has_password;
        Ok(Some(SignedIn { actor, csrf: row.csrf, has_password, expires_at: row.expires_at }))
    }

    /// A person as an actor: with their role and, where it limits them, their clients.
    pub(crate) async fn actor_of(&self, agency_id: AgencyId, person: &Person) -> Result<Actor, AppError> {
        let clients = if person.role.is_limited_to_clients() {
            Some(self.agency(agency_id).list_person_clients(person.id).await?)
        } else {
            None
        };
        Ok(Actor { person_id: person.id, name: person.name.clone(), role: person.role, agency_id, clients })
    }

    /// Finds an actor by address: for the command line, which whoever owns the data folder uses. `None` when nobody
    /// has the address, or who has it is shut out.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn find_actor_by_email(&self, email: &str) -> Result<Option<Actor>, AppError> {
        match self.store().find_person_by_email(&email.trim().to_lowercase()).await? {
            Some((agency_id, person, _)) if person.disabled_at.is_none() => {
                Ok(Some(self.actor_of(agency_id, &person).await?))
            }
            _ => Ok(None),
        }
    }

    /// Ends a session. Does nothing when there is none.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn sign_out(&self, session: &Secret) -> Result<(), AppError> {
        Ok(self.store().delete_session(&session.hash()).await?)
    }

    /// Says whom a one-time link is for, without using it.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when it is unknown, used or over, or its person is shut out.
    pub async fn peek_link(&self, link: &Secret) -> Result<LinkFor, AppError> {
        let (agency_id, person) = self.holder_of(link).await?;
        let agency = self.agency(agency_id).find_agency().await?.ok_or(LINK_GONE)?;
        Ok(LinkFor { agency: agency.name, person })
    }

    /// Signs somebody in by a one-time link, which is used up by it.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when it is unknown, used or over, or its person is shut out.
    pub async fn use_link(&self, link: &Secret) -> Result<NewSession, AppError> {
        let (agency_id, person) = self.holder_of(link).await?;
        if !self.store().use_sign_in_link(&link.hash(), self.clock().now()).await? {
            return Err(LINK_GONE);
        }
        self.begin_session(agency_id, person.id).await
    }

    /// Makes a one-time link for a person, good for some minutes.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such person; [`AppError::Conflict`] when they are shut out.
    pub async fn make_link(&self, agency_id: AgencyId, person_id: PersonId, minutes: i64) -> Result<Secret, AppError> {
        let person = self.agency(agency_id).find_person(person_id).await?.ok_or(AppError::NotFound("person"))?;
        if person.disabled_at.is_some() {
            return Err(AppError::Conflict(format!("{} is shut out; let them in again first", person.name)));
        }
        let link = Secret::of(LINK, self.ids().secret());
        let expires_at = self.clock().now().plus_ms(minutes.clamp(1, MAX_LINK_MINUTES) * 60_000);
        self.store().create_sign_in_link(&link.hash(), agency_id, person_id, expires_at).await?;
        Ok(link)
    }

    /// Makes a one-time link for whoever has an address: for the command line.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when nobody has the address; [`AppError::Conflict`] when they are shut out.
    pub async fn make_link_by_email(&self, email: &str, minutes: i64) -> Result<(Person, Secret), AppError> {
        let found = self.store().find_person_by_email(&email.trim().to_lowercase()).await?;
        let (agency_id, person, _) = found.ok_or(AppError::NotFound("person"))?;
        let link = self.make_link(agency_id, person.id, minutes).await?;
        self.audit(agency_id, "command line", "person.link", person.id, &person.email).await?;
        Ok((person, link))
    }

    /// Sets the actor's password and ends all their sessions, this one too; the new one takes its place.
    ///
    /// # Errors
    ///
    /// [`AppError::Invalid`] for a password that is too short, too long, or the address.
    pub async fn set_password(&self, actor: &Actor, new: &str) -> Result<NewSession, AppError> {
        let store = self.store_of(actor);
        let person = store.find_person(actor.person_id).await?.ok_or(AppError::NotFound("person"))?;
        check_password(new, &person.email)?;
        let hash = {
            let _turn = HASHING.acquire().await.map_err(|_| busy())?;
            hash_password(new.to_owned(), self.ids().secret()).await?
        };
        store.update_password(actor.person_id, &hash).await?;
        self.store().delete_sessions_of(actor.agency_id, actor.person_id).await?;
        self.audit_by(actor, "person.password", actor.person_id, "").await?;
        self.begin_session(actor.agency_id, actor.person_id).await
    }

    async fn begin_session(&self, agency_id: AgencyId, person_id: PersonId) -> Result<NewSession, AppError> {
        let secret = Secret::of(SESSION, self.ids().secret());
        let csrf = Secret::of("", self.ids().secret());
        let now = self.clock().now();
        let expires_at = now.plus_ms(SESSION_MS);
        self.store().create_session(&secret.hash(), agency_id, person_id, csrf.reveal(), [now, expires_at]).await?;
        Ok(NewSession { secret, expires_at })
    }

    async fn holder_of(&self, link: &Secret) -> Result<(AgencyId, Person), AppError> {
        if !looks_like(link, LINK) {
            return Err(LINK_GONE);
        }
        let found = self.store().find_sign_in_link(&link.hash(), self.clock().now()).await?;
        let (agency_id, person_id) = found.ok_or(LINK_GONE)?;
        let person = self.agency(agency_id).find_person(person_id).await?;
        let person = person.filter(|p| p.disabled_at.is_none()).ok_or(LINK_GONE)?;
        Ok((agency_id, person))
    }
}

/// The beginning of a session's secret.
pub const SESSION: &str = "sts_";
/// The beginning of a link's secret.
pub const LINK: &str = "stl_";

const LINK_GONE: AppError = AppError::NotFound("link: it was used, or its time is over");

/// Whether two secrets are the same, found out in a time that says nothing about where they differ.
#[must_use]
pub fn is_same_secret(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Whether a secret has the shape of those that are made with a prefix; saves the look-up where it has not.
pub(crate) fn looks_like(secret: &Secret, prefix: &str) -> bool {
    let digits = secret.reveal().strip_prefix(prefix);
    digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Checks a new password; `email` is its owner's address, which is no password.
pub(crate) fn check_password(password: &str, email: &str) -> Result<(), AppError> {
    let n_chars = password.chars().count();
    let words = if n_chars < *PASSWORD_CHARS.start() {
        "a password has at least 12 characters"
    } else if n_chars > *PASSWORD_CHARS.end() {
        "a password has at most 200 characters"
    } else if password.trim().to_lowercase() == email {
        "the address is no password"
    } else if password.chars().all(|c| password.starts_with(c)) {
        "one character again and again is no password"
    } else {
        return Ok(());
    };
    Err(AppError::Invalid(words.to_owned()))
}

/// Hashes a password with Argon2id, off the threads that answer requests.
pub(crate) async fn hash_password(password: String, salt: [u8; 32]) -> Result<String, AppError> {
    let hashing = tokio::task::spawn_blocking(move || {
        let salt = salt.get(..16).unwrap_or_default();
        Argon2::default().hash_password_with_salt(password.as_bytes(), salt).map(|hash| hash.to_string())
    });
    hashing.await.map_err(|_| busy())?.map_err(|_| busy())
}

async fn verify(password: String, hash: String) -> Result<bool, AppError> {
    if password.chars().count() > *PASSWORD_CHARS.end() {
        return Ok(false);
    }
    let verifying = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    });
    verifying.await.map_err(|_| busy())
}

/// Where a request came from, as failures are counted: one IPv4 address, or the /64 that one IPv6 customer has.
pub(crate) fn origin(from: &str) -> String {
    match from.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V4(ip)) => ip.to_string(),
        Err(_) => from.chars().take(100).collect(),
    }
}

fn busy() -> AppError {
    AppError::Busy { retry_after_seconds: 2, source: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_can_be_checked_and_fits_nothing() {
        let hash = PasswordHash::new(NOBODYS_HASH).expect("a hash");
        for password in ["", "password", "correct horse battery"] {
            let error = Argon2::default().verify_password(password.as_bytes(), &hash).expect_err("fits nothing");
            // Any other error would come back at once and tell that nobody has the address.
            assert_eq!(error, argon2::password_hash::Error::PasswordInvalid);
        }
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_costs() {
        let real = Argon2::default().hash_password_with_salt(b"correct horse", &[7; 16]).expect("hashed").to_string();
        let parameters = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(&real), parameters(NOBODYS_HASH));
    }

    #[test]
    fn origins_of_one_customer_are_one() {
        assert_eq!(origin("2001:db8:1:2:3:4:5:6"), origin("2001:db8:1:2:ffff::1"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
        assert_eq!(origin("::ffff:192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn secrets_are_compared_as_wholes() {
        assert!(is_same_secret("abc", "abc"));
        assert!(!is_same_secret("abc", "abd"));
        assert!(!is_same_secret("abc", "ab"));
        assert!(is_same_secret("", ""), "callers refuse an empty token before they compare");
    }

    #[test]
    fn passwords_are_long_enough_and_no_address() {
        for password in ["short", "aaaaaaaaaaaaaaa", "ada.lovelace@example.com"] {
            assert!(check_password(password, "ada.lovelace@example.com").is_err(), "{password}");
        }
        assert!(check_password(&"ab".repeat(101), "a@b").is_err());
        assert!(check_password("zwölf Zeichen", "a@b").is_ok());
    }
}
