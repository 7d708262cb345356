//! The edge: what happens around every request, and the one place that writes what went wrong.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use steward_app::mistakes::Mistake;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use tracing::Instrument as _;

use crate::meters::RouteClass;
use crate::problem::{Kind, Problem};
use crate::{WebState, api, error_page, flash, headers, ingest};

/// How long a handler may take to begin its answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Requests slower than this are worth a line in the log.
const SLOW: Duration = Duration::from_secs(2);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// How errors are told at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// As problem documents, or as pages.
    Ours,
    /// As OTLP does.
    Otlp,
    /// As Langfuse's interface does.
    Langfuse,
}

impl Dialect {
    fn of(path: &str) -> Self {
        if ingest::speaks_otlp(path) {
            Self::Otlp
        } else if ingest::speaks_langfuse(path) {
            Self::Langfuse
        } else {
            Self::Ours
        }
    }
}

/// Puts the edge around all routes.
pub(crate) fn around(routes: Router<WebState>, state: &WebState) -> Router<WebState> {
    let body_pause = Duration::from_secs(state.config().body_pause_seconds);
    routes
        .fallback(not_found)
        .layer(from_fn_with_state(state.clone(), api::once::once))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT))
        .layer(RequestBodyTimeoutLayer::new(body_pause))
        .layer(from_fn_with_state(state.clone(), pass))
}

async fn pass(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let class = RouteClass::of(request.uri().path());
    let dialect = Dialect::of(request.uri().path());
    let id = state.request_ids().make();
    let method = request.method().clone();
    // Paths may hold secrets, such as one-time links; what the route is called does not.
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let asked = request.headers().clone();
    let span = tracing::info_span!("http.request", request.id = %id, http.method = %method, http.route = route);
    let path = request.uri().path().to_owned();
    async move {
        let mut response = next.run(request).await;
        let is_bare = response.extensions().get::<Problem>().is_none();
        if response.status() == StatusCode::METHOD_NOT_ALLOWED
            && is_bare
            && let Some((mistake, words)) = ingest::mistaken_address(&method, &path, &asked)
        {
            let problem = Problem::new(Kind::MethodNotAllowed).because(words).mistaken(mistake);
            response.extensions_mut().insert(problem);
        }
        let told = response.extensions().get::<Problem>();
        let mistake = told.and_then(|problem| Some((problem.mistake()?, ingest::words(problem))));
        let is_address = matches!(mistake, Some((Mistake::Path | Mistake::Method, _)));
        let class = if is_address { RouteClass::Ingest } else { class };
        if let Some((mistake, words)) = mistake.filter(|_| class == RouteClass::Ingest) {
            let sender = ingest::find_sender(&state, &asked).await;
            state.app.note_mistake(sender, mistake, &words).await;
        }
        let mut response = write_problem(response, (class, dialect), &asked, &id.to_string());
        headers::harden(response.headers_mut(), class, state.is_https());
        flash::forget_shown(&asked, &mut response);
        if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let status = response.status().as_u16();
        state.meters().count(class, status);
        let ms = started.elapsed().as_millis();
        if started.elapsed() > SLOW && class != RouteClass::Live {
            tracing::info!(http.status = status, duration_ms = ms, "{method} {route} answered {status} after {ms} ms");
        } else {
            tracing::debug!(http.status = status, duration_ms = ms, "{method} {route} answered {status} after {ms} ms");
        }
        response
    }
    .instrument(span)
    .await
}

/// What no route answers: nothing, or the address that was probably meant.
async fn not_found(method: Method, uri: Uri, headers: HeaderMap) -> Problem {
    match ingest::mistaken_address(&method, uri.path(), &headers) {
        Some((mistake, words)) => Problem::new(Kind::NotFound).because(words).mistaken(mistake),
        None => Problem::new(Kind::NotFound),
    }
}

/// Writes the problem that a response carries, or that its bare status means, as the asker reads it.
fn write_problem(
    mut response: Response,
    (class, dialect): (RouteClass, Dialect),
    asked: &HeaderMap,
    request_id: &str,
) -> Response {
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        // The timeout's own status: clients are told that trying again may help.
        None if status == StatusCode::GATEWAY_TIMEOUT => Problem::new(Kind::TimedOut).retry_after(5),
        None if (status.is_client_error() || status.is_server_error())
            && !response.headers().contains_key(CONTENT_TYPE) =>
        {
            Problem::new(Kind::of_status(status))
        }
        None => return response,
    };
    let mut written = match class {
        RouteClass::Page => error_page::page(&problem, asked, request_id),
        RouteClass::Ingest if dialect == Dialect::Otlp => {
            ingest::status(&problem, ingest::Encoding::of(asked).unwrap_or(ingest::Encoding::Json))
        }
        RouteClass::Ingest if dialect == Dialect::Langfuse => ingest::langfuse_error(&problem),
        _ => {
            let body = crate::extract::Json(problem.document(request_id));
            (problem.kind().status(), [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
        }
    };
    // What the handler said beside the problem stays said: Allow, Location, Set-Cookie.
    for (name, value) in response.headers() {
        if name != CONTENT_TYPE && name != axum::http::header::CONTENT_LENGTH {
            written.headers_mut().append(name, value.clone());
        }
    }
    if let Some(seconds) = problem.retry_after_seconds() {
        written.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.kind() == Kind::Unauthorized && matches!(class, RouteClass::Api | RouteClass::Ingest) {
        written.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"steward\""));
    }
    written
}

/// A handler that panicked: a bug of ours, logged once, and the next request works.
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words");
    tracing::error!(panic = words, "a handler panicked: {words}");
    Problem::new(Kind::Internal).into_response()
}
