//! Who asks the API: a person with a session, or a program with a key of the whole agency.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use steward_app::Actor;
use steward_core::ids::PersonId;
use steward_core::people::Role;

use crate::ingest::{find_scope, key_in};
use crate::problem::Kind;
use crate::session::{CSRF_HEADER, find_signed_in, must_be_same_origin, must_be_token};
use crate::{Problem, WebState};

/// Somebody who may read.
pub(crate) struct Reader(pub(crate) Actor);

impl FromRequestParts<WebState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        if key_in(&parts.headers).is_none() {
            return Ok(Self(signed_in(parts, state).await?.actor));
        }
        let scope = find_scope(state, &parts.headers).await?;
        if scope.workflow_id.is_some() {
            let words = "this key is for one workflow: it sends telemetry, and reads nothing";
            return Err(Problem::new(Kind::Forbidden).because(words));
        }
        Ok(Self(Actor {
            // A key is nobody: what it may not do needs a person.
            person_id: PersonId::from_uuid(scope.key_id.as_uuid()),
            name: format!("API key {}", scope.key_id),
            role: Role::Operator,
            agency_id: scope.agency_id,
            clients: None,
        }))
    }
}

/// Somebody who may change things: a person, whose program sends their session's token with it.
pub(crate) struct Writer(pub(crate) Actor);

impl FromRequestParts<WebState> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        if key_in(&parts.headers).is_some() {
            find_scope(state, &parts.headers).await?;
            let words = "API keys read and send; to change something, use a person's session";
            return Err(Problem::new(Kind::Forbidden).because(words));
        }
        let who = signed_in(parts, state).await?;
        must_be_same_origin(&parts.headers, state)?;
        let token = parts.headers.get(&CSRF_HEADER).and_then(|value| value.to_str().ok());
        must_be_token(token, &who.csrf)?;
        Ok(Self(who.actor))
    }
}

async fn signed_in(parts: &Parts, state: &WebState) -> Result<crate::session::SignedIn, Problem> {
    match find_signed_in(&parts.headers, state).await? {
        Some(who) if who.actor.role == Role::Client => {
            Err(Problem::new(Kind::Forbidden).because("clients do not enter the agency's rooms"))
        }
        Some(who) => Ok(who),
        None => {
            Err(Problem::new(Kind::Unauthorized).because("send a session's cookie, or an API key of the whole agency"))
        }
    }
}
