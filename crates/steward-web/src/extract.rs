//! Extractors that answer problems. axum's own answer plain text, and are banned by `clippy.toml`.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Problem;
use crate::problem::Kind;

/// The parts of a path. What cannot be read names nothing: it is not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[expect(clippy::disallowed_types, reason = "this is where its rejection becomes a problem")]
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::new(Kind::NotFound)),
        }
    }
}

/// The query of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        #[expect(clippy::disallowed_types, reason = "this is where its rejection becomes a problem")]
        let read: Result<axum::extract::Query<T>, QueryRejection> = axum::extract::Query::try_from_uri(&parts.uri);
        match read {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => Err(Problem::new(Kind::BadRequest).because(inner_words(&rejection))),
        }
    }
}

/// A body in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        #[expect(clippy::disallowed_types, reason = "this is where its rejection becomes a problem")]
        let read = axum::extract::Json::<T>::from_request(request, state).await;
        match read {
            Ok(json) => Ok(Self(json.0)),
            Err(rejection) => Err(match &rejection {
                JsonRejection::MissingJsonContentType(_) => {
                    Problem::new(Kind::UnsupportedMediaType).because("send Content-Type: application/json")
                }
                JsonRejection::JsonDataError(_) => Problem::invalid(inner_words(&rejection)),
                JsonRejection::JsonSyntaxError(_) => Problem::new(Kind::BadRequest).because(inner_words(&rejection)),
                other => Problem::new(Kind::of_status(other.status())),
            }),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an answer could not be written as JSON");
                Problem::new(Kind::Internal).into_response()
            }
        }
    }
}

/// The innermost reason, which says what is wrong without what the program calls it.
fn inner_words(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
