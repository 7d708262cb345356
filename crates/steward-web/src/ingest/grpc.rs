//! OTLP over gRPC, on a port of its own.
//!
//! The message is kept as the bytes that came, because the inbox keeps bytes: it is decoded once, by intake.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use steward_app::mistakes::Sender;
use steward_app::system::KeyScope;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};
use tonic::{Code, Status};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::body::{Read, Room};
use super::key::find_scope;
use super::otlp::{self, Signal};
use super::signals;
use super::status::{Encoding, RpcStatus, code, words};
use crate::meters::RouteClass;
use crate::problem::Kind;
use crate::{Problem, WebState};

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The collector services of OTLP. Metrics are taken and not kept.
pub(crate) fn grpc_router(state: &WebState) -> Router<WebState> {
    let body_pause = Duration::from_secs(state.config().body_pause_seconds);
    Router::new()
        .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(export_traces))
        .route("/opentelemetry.proto.collector.logs.v1.LogsService/Export", post(export_logs))
        .route("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", post(export_metrics))
        .fallback(async || Status::unimplemented("Steward takes OTLP traces and logs here").into_http::<Body>())
        .layer(CatchPanicLayer::new())
        .layer(RequestBodyTimeoutLayer::new(body_pause))
}

async fn export_traces(State(state): State<WebState>, request: Request) -> Response {
    export(state, request, Some(Signal::Traces)).await
}

async fn export_logs(State(state): State<WebState>, request: Request) -> Response {
    export(state, request, Some(Signal::Logs)).await
}

async fn export_metrics(State(state): State<WebState>, request: Request) -> Response {
    export(state, request, None).await
}

/// Without a signal that is kept, it is metrics.
async fn export(state: WebState, request: Request, signal: Option<Signal>) -> Response {
    let answering = answer(&state, request, signal);
    let response = tokio::time::timeout(TIMEOUT, answering)
        .await
        .unwrap_or_else(|_| to_status(&Problem::new(Kind::TimedOut).retry_after(5)).into_http::<Body>());
    state.meters().count(RouteClass::Ingest, response.status().as_u16());
    response.into_response()
}

async fn answer(state: &WebState, request: Request, signal: Option<Signal>) -> Response {
    match find_scope(state, request.headers()).await {
        Ok(scope) => {
            let most = state.config().max_body_bytes;
            let mut grpc = Grpc::new(RawCodec)
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd)
                .max_decoding_message_size(most);
            let exporter = Exporter { state: state.clone(), scope, signal };
            grpc.unary(exporter, request).await.map(Body::new)
        }
        Err(problem) => {
            if let Some(mistake) = problem.mistake() {
                state.app.note_mistake(Sender::Nobody, mistake, &words(&problem)).await;
            }
            to_status(&problem).into_http::<Body>()
        }
    }
}

struct Exporter {
    state: WebState,
    scope: KeyScope,
    signal: Option<Signal>,
}

impl UnaryService<Bytes> for Exporter {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (state, scope, signal) = (self.state.clone(), self.scope, self.signal);
        Box::pin(async move {
            let response = match signal {
                None => signals::response(),
                Some(signal) => {
                    let taken = take_in(&state, scope, signal, request.into_inner()).await;
                    otlp::response(taken.map_err(|problem| to_status(&problem))?)
                }
            };
            Ok(tonic::Response::new(response.encode_to_vec().into()))
        })
    }
}

async fn take_in(
    state: &WebState,
    scope: KeyScope,
    signal: Signal,
    bytes: Bytes,
) -> Result<steward_app::intake::Accepted, Problem> {
    let mut room = Room::new(state.body_room());
    room.grow_to(bytes.len())?;
    otlp::accept(state, scope, signal.kind(Encoding::Protobuf), Read { bytes, room }).await
}

/// A problem as gRPC tells it. What may be tried again says when, in a `RetryInfo`, as OTLP's exporters read it.
fn to_status(problem: &Problem) -> Status {
    let code = code(problem.kind());
    let message = words(problem);
    let Some(seconds) = problem.retry_after_seconds() else { return Status::new(Code::from(code), message) };
    let retry = RetryInfo { retry_delay: Some(Span { seconds: seconds.into() }) };
    let details = Detailed {
        status: RpcStatus { code, message: message.clone() },
        details: Any { type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(), value: retry.encode_to_vec() },
    };
    Status::with_details(Code::from(code), message, details.bytes())
}

/// `google.protobuf.Duration` in whole seconds.
#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, tag = "1")]
    retry_delay: Option<Span>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// The third field of `google.rpc.Status`, by itself.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

struct Detailed {
    status: RpcStatus,
    details: Any,
}

impl Detailed {
    /// The fields of one message may stand in any number of pieces, one behind the other.
    fn bytes(self) -> Bytes {
        let mut bytes = self.status.encode_to_vec();
        bytes.extend(Details { details: vec![self.details] }.encode_to_vec());
        bytes.into()
    }
}

/// Messages as the bytes that they are.
#[derive(Debug, Clone, Copy, Default)]
struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let n_bytes = from.remaining();
        Ok(Some(from.copy_to_bytes(n_bytes)))
    }
}
