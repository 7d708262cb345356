//! Every route of the program, as a table and as a router: what is not in the table is not answered, and the test
//! that walks every route and every role walks this table.

use axum::Router;
use axum::extract::State;
use axum::handler::Handler;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use crate::extract::Path;
use crate::flash::SeeOther;
use crate::problem::Kind;
use crate::{Problem, WebState, api, assets, health, ingest, live, pages};

/// One route of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The path as axum reads it: `/runs/{id}`.
    pub path: String,
    /// The method.
    pub method: String,
}

/// Routes under construction: a table, and the router that answers them.
#[derive(Debug, Default)]
pub struct Routes {
    table: Vec<Route>,
    router: Router<WebState>,
}

impl Routes {
    /// No routes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route that reads; HEAD is answered with it.
    #[must_use]
    pub fn get<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, WebState>,
        T: 'static,
    {
        self.add(Method::GET, path, on(MethodFilter::GET, handler))
    }

    /// Adds a route that a form or a program posts to.
    #[must_use]
    pub fn post<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, WebState>,
        T: 'static,
    {
        self.add(Method::POST, path, on(MethodFilter::POST, handler))
    }

    fn add(mut self, method: Method, path: &str, route: MethodRouter<WebState>) -> Self {
        self.table.push(Route { path: path.to_owned(), method: method.to_string() });
        Self { router: self.router.route(path, route), ..self }
    }

    /// Adds routes that were built elsewhere, with their table.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.table.extend(other.table);
        Self { router: self.router.merge(other.router), ..self }
    }

    /// Adds a router with its table.
    #[must_use]
    pub fn with_router(mut self, table: Vec<Route>, router: Router<WebState>) -> Self {
        self.table.extend(table);
        Self { router: self.router.merge(router), ..self }
    }

    /// Compresses the answers of these routes where the asker takes gzip.
    #[must_use]
    pub fn compressed(self) -> Self {
        let small = DefaultPredicate::new()
            .and(NotForContentType::const_new("font/"))
            .and(NotForContentType::const_new("application/pdf"))
            .and(NotForContentType::const_new("application/vnd.apache.parquet"));
        Self { router: self.router.layer(CompressionLayer::new().compress_when(small)), ..self }
    }

    /// The table, in order of path and method.
    #[must_use]
    pub fn table(&self) -> Vec<Route> {
        let mut table = self.table.clone();
        table.sort();
        table
    }

    pub(crate) fn into_router(self) -> Router<WebState> {
        self.router
    }
}

/// Every route of the program.
#[must_use]
pub fn routes() -> Routes {
    let for_people = Routes::new()
        .get("/assets/{*path}", asset)
        .get("/favicon.ico", favicon)
        .get("/robots.txt", robots)
        .get("/problems/{kind}", problem)
        .merge(pages::routes())
        .merge(api::routes())
        .compressed();
    Routes::new()
        .get("/healthz", health::healthz)
        .get("/readyz", health::readyz)
        .get("/metrics", health::metrics)
        .get("/live", live::live)
        .merge(ingest::routes())
        .merge(for_people)
}

/// Sends a file that pages need.
async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = assets::find(&path) else { return Problem::no_such("file").into_response() };
    let told = [(ETAG, asset.etag.clone()), (CACHE_CONTROL, asset.cache_control.to_owned())];
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag)) {
        return (StatusCode::NOT_MODIFIED, told).into_response();
    }
    (told, [(CONTENT_TYPE, asset.content_type)], asset.bytes).into_response()
}

async fn favicon() -> SeeOther {
    SeeOther::to(assets::asset_url("favicon.svg"))
}

/// What is somebody's business is nothing for search engines.
async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /\n"
}

/// Says what a kind of problem means: the address that problem documents give as their type.
async fn problem(State(state): State<WebState>, Path(slug): Path<String>) -> Result<String, Problem> {
    let found = Kind::ALL.into_iter().find(|kind| kind.slug() == slug);
    let kind = found.ok_or_else(|| Problem::no_such("kind of problem"))?;
    let url = format!("{}/problems/{slug}", state.app.public_url());
    Ok(format!("{url}\n\n{} ({})\n\n{}\n", kind.title(), kind.status(), kind.advice()))
}
