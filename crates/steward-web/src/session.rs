//! Who is signed in, and proof that a form was sent by them from our own page.
//!
//! The session is one cookie that scripts cannot read. What changes something is a form with the session's token in
//! it, sent from our own origin: [`SignedForm`] checks both, and is the only way to a form's fields.

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::multipart::Multipart;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use steward_app::Actor;
use steward_app::secrets::Secret;
use steward_app::sign_in::{NewSession, is_same_secret};
use steward_core::people::Role;

use crate::problem::{Kind, PageError};
use crate::view::html::Csrf;
use crate::view::page::Wanted;
use crate::{Problem, WebState};

/// The cookie's name.
pub const COOKIE_NAME: &str = "steward_session";
/// The most bytes of a form.
const MAX_FORM_BYTES: usize = 1024 * 1024;
/// The most bytes of a form with a file.
const MAX_UPLOAD_BYTES: usize = 2 * 1024 * 1024;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Where a program sends the session's token instead of a form's field.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// The value of a cookie. `None` when it was not sent.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

/// The session that a request carries. `None` when it carries none.
#[must_use]
pub fn session_of(headers: &HeaderMap) -> Option<Secret> {
    cookie(headers, COOKIE_NAME).map(Secret::sent)
}

/// The `Set-Cookie` that begins a session.
#[must_use]
pub fn begin(state: &WebState, session: &NewSession) -> HeaderValue {
    let seconds = session.expires_at.ms_since(state.app.clock().now()) / 1_000;
    set_cookie(state, session.secret.reveal(), seconds)
}

/// The `Set-Cookie` that ends a session.
#[must_use]
pub fn end(state: &WebState) -> HeaderValue {
    set_cookie(state, "", 0)
}

fn set_cookie(state: &WebState, value: &str, seconds: i64) -> HeaderValue {
    let secure = if state.is_https() { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    // Secrets are letters, digits and underscores.
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Somebody who is signed in, on a page. Who is not is sent to sign in, and comes back afterwards.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The person, and what they may reach.
    pub actor: Actor,
    /// The token that their forms carry.
    pub csrf: Csrf,
    /// Whether they have set a password.
    pub has_password: bool,
    /// Their session.
    pub session: Secret,
}

impl FromRequestParts<WebState> for SignedIn {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
        match find_signed_in(&parts.headers, state).await? {
            // Those who are a client's own see a portal of their own, and nothing that the agency sees.
            Some(who) if who.actor.role == Role::Client => {
                Err(Problem::new(Kind::Forbidden).because("clients do not enter the agency's rooms").into())
            }
            Some(who) => Ok(who),
            None => Err(PageError::GoTo(sign_in_path(parts))),
        }
    }
}

/// Who is signed in, where nobody needs to be: sign-in itself.
#[derive(Debug, Clone)]
pub struct MaybeSignedIn(pub Option<SignedIn>);

impl FromRequestParts<WebState> for MaybeSignedIn {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
        Ok(Self(find_signed_in(&parts.headers, state).await?))
    }
}

/// Finds who is signed in by the cookie. `None` when nobody is.
pub(crate) async fn find_signed_in(headers: &HeaderMap, state: &WebState) -> Result<Option<SignedIn>, Problem> {
    let Some(session) = session_of(headers) else { return Ok(None) };
    let found = state.app.find_actor(&session).await?;
    Ok(found.map(|who| SignedIn { actor: who.actor, csrf: Csrf(who.csrf), has_password: who.has_password, session }))
}

/// Sign-in, and after it back to what was asked for; parts and posts are no pages to come back to.
fn sign_in_path(parts: &Parts) -> String {
    let back = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if parts.method != axum::http::Method::GET || Wanted::of(&parts.headers) == Wanted::Part || back == "/" {
        return "/sign-in".to_owned();
    }
    serde_urlencoded::to_string([("next", back)]).map_or("/sign-in".to_owned(), |query| format!("/sign-in?{query}"))
}

/// Refuses what another site sends.
///
/// Browsers say where a request comes from: in `Sec-Fetch-Site`, or in `Origin`. What says neither is no browser
/// that carries somebody's cookies unasked; the token still has to fit.
pub(crate) fn must_be_same_origin(headers: &HeaderMap, state: &WebState) -> Result<(), Problem> {
    let refused = || Err(Problem::new(Kind::CrossSite));
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text(&SEC_FETCH_SITE) {
        return if matches!(site, "same-origin" | "none") { Ok(()) } else { refused() };
    }
    let Some(origin) = text(&ORIGIN) else { return Ok(()) };
    let host_of =
        |address: &str| address.split_once("://").map(|(_, host)| host.split('/').next().unwrap_or(host).to_owned());
    let origin_host = host_of(origin);
    let ours = [text(&HOST).map(str::to_owned), host_of(state.app.public_url())];
    if origin_host.is_some() && ours.contains(&origin_host) { Ok(()) } else { refused() }
}

/// Refuses a token that is not the session's; found out in constant time.
pub(crate) fn must_be_token(sent: Option<&str>, csrf: &Csrf) -> Result<(), Problem> {
    let fits = !csrf.0.is_empty() && sent.is_some_and(|sent| is_same_secret(sent, &csrf.0));
    if fits { Ok(()) } else { Err(Problem::new(Kind::CrossSite)) }
}

/// A form that somebody who is signed in sent from our own page.
///
/// `T` is a flat structure, or [`Fields`] for forms whose fields repeat.
#[derive(Debug, Clone)]
pub struct SignedForm<T> {
    /// Who sent it.
    pub who: SignedIn,
    /// Its fields, the token left out of account.
    pub form: T,
}

impl<T: DeserializeOwned> FromRequest<WebState> for SignedForm<T> {
    type Rejection = PageError;

    async fn from_request(mut request: Request, state: &WebState) -> Result<Self, PageError> {
        let who: SignedIn = request.extract_parts_with_state(state).await?;
        must_be_same_origin(request.headers(), state)?;
        let body = form_body(request).await?;
        let fields: Fields = read_form(&body)?;
        must_be_token(fields.get("csrf"), &who.csrf)?;
        Ok(Self { who, form: read_form(&body)? })
    }
}

/// A form that nobody has to be signed in for: sign-in, set-up. Sent from our own page all the same.
#[derive(Debug, Clone)]
pub struct OpenForm<T>(pub T);

impl<T: DeserializeOwned> FromRequest<WebState> for OpenForm<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, PageError> {
        must_be_same_origin(request.headers(), state)?;
        Ok(Self(read_form(&form_body(request).await?)?))
    }
}

async fn form_body(request: Request) -> Result<Bytes, Problem> {
    let is_form = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if !is_form {
        return Err(Problem::new(Kind::UnsupportedMediaType).because("a form is application/x-www-form-urlencoded"));
    }
    let body = axum::body::to_bytes(request.into_body(), MAX_FORM_BYTES).await;
    body.map_err(|_| Problem::new(Kind::TooLarge).because("a form has at most 1 MiB"))
}

fn read_form<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_urlencoded::from_bytes(body).map_err(|error| Problem::invalid(error.to_string()))
}

/// The fields of a form in their order, repeated ones included.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The first field of a name. `None` when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The first field of a name without space around it; empty when there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default().trim()
    }

    /// Every field of a name.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box is ticked.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// A form with a file in it, that somebody who is signed in sent from our own page.
#[derive(Debug, Clone)]
pub struct SignedUpload {
    /// Who sent it.
    pub who: SignedIn,
    /// Its fields.
    pub fields: Fields,
    /// Its files that are not empty: the field's name, the file's own, and what is in it.
    pub files: Vec<(String, String, Bytes)>,
}

impl FromRequest<WebState> for SignedUpload {
    type Rejection = PageError;

    async fn from_request(mut request: Request, state: &WebState) -> Result<Self, PageError> {
        let who: SignedIn = request.extract_parts_with_state(state).await?;
        must_be_same_origin(request.headers(), state)?;
        let unreadable = || Problem::new(Kind::BadRequest).because("the form with its file cannot be read");
        let mut multipart = Multipart::from_request(request, state).await.map_err(|_| unreadable())?;
        let (mut fields, mut files, mut n_bytes) = (Fields::default(), Vec::new(), 0);
        while let Some(field) = multipart.next_field().await.map_err(|_| unreadable())? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let bytes =
                field.bytes().await.map_err(|_| Problem::new(Kind::TooLarge).because("a file has at most 2 MiB"))?;
            n_bytes += bytes.len();
            if n_bytes > MAX_UPLOAD_BYTES {
                return Err(Problem::new(Kind::TooLarge).because("a file has at most 2 MiB").into());
            }
            match file_name {
                Some(file_name) if !bytes.is_empty() => files.push((name, file_name, bytes)),
                Some(_) => {}
                None => fields.0.push((name, String::from_utf8_lossy(&bytes).into_owned())),
            }
        }
        must_be_token(fields.get("csrf"), &who.csrf)?;
        Ok(Self { who, fields, files })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; steward_session=sts_7"));
        headers.append(COOKIE, HeaderValue::from_static("b=2"));
        assert_eq!(cookie(&headers, COOKIE_NAME), Some("sts_7"));
        assert_eq!(cookie(&headers, "b"), Some("2"));
        assert_eq!(cookie(&headers, "session"), None);
    }

    #[test]
    fn a_token_fits_only_when_there_is_one() {
        assert!(must_be_token(Some("abc"), &Csrf("abc".to_owned())).is_ok());
        assert!(must_be_token(Some("abd"), &Csrf("abc".to_owned())).is_err());
        assert!(must_be_token(Some(""), &Csrf(String::new())).is_err());
        assert!(must_be_token(None, &Csrf("abc".to_owned())).is_err());
    }
}
