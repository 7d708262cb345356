//! OTLP over gRPC, and the program as it listens.

use std::future::Future;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use steward_testkit::{KeyHolder, TestApp, TestDb, call, db_tests};
use steward_web::{WebConfig, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::logs::{record, request as logs};
use crate::payload::{PROTOBUF, gzip, protobuf, span};

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// A program that listens, as `steward serve` starts it.
struct Listening {
    http: std::net::SocketAddr,
    grpc: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    done: tokio::task::JoinHandle<()>,
}

async fn listen(app: &TestApp) -> Listening {
    let bind = || TcpListener::bind("127.0.0.1:0");
    let (http, grpc) = (bind().await.expect("a port"), bind().await.expect("a port"));
    let (stop, stopped) = oneshot::channel();
    let (http_at, grpc_at) = (http.local_addr().expect("an address"), grpc.local_addr().expect("an address"));
    let shutdown = async move { drop(stopped.await) };
    let done = tokio::spawn(serve(app.app().clone(), WebConfig::default(), http, Some(grpc), shutdown));
    Listening { http: http_at, grpc: grpc_at, stop, done }
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("in time")
}

async fn world(db: TestDb) -> (TestApp, KeyHolder, Listening) {
    let app = TestApp::new(db).await;
    let key = app.agency("north").await.with_key(None).await;
    let listening = listen(&app).await;
    (app, key, listening)
}

db_tests! {
    async fn traces_are_taken_in_over_grpc(db: TestDb) {
        let (app, key, program) = world(db).await;
        let bearer = format!("Bearer {}", key.key);
        let headers = [("authorization", bearer.as_str())];
        let plain = within(call(program.grpc, TRACES, &headers, &protobuf(vec![span(1)]), false)).await;
        assert_eq!((plain.code, plain.answer.len()), (0, 0), "{}", plain.message);
        let packed = within(call(program.grpc, TRACES, &[("x-api-key", &key.key)], &gzip(&protobuf(vec![span(2)])), true)).await;
        assert_eq!(packed.code, 0, "{}", packed.message);
        let mut bad = span(3);
        bad.span_id = Vec::new();
        let partial = within(call(program.grpc, TRACES, &headers, &protobuf(vec![bad, span(4)]), false)).await;
        let partial = ExportTraceServiceResponse::decode(partial.answer).expect("an answer").partial_success.expect("partial");
        assert_eq!(partial.rejected_spans, 1);
        app.assemble().await;
        let runs = key.get("/api/v1/runs").await.json();
        assert_eq!(runs["items"].as_array().expect("items").len(), 3);
    }

    async fn logs_are_taken_in_over_grpc(db: TestDb) {
        let (app, key, program) = world(db).await;
        let headers = [("x-api-key", key.key.as_str())];
        let traces = within(call(program.grpc, TRACES, &headers, &protobuf(vec![span(1)]), false)).await;
        assert_eq!(traces.code, 0, "{}", traces.message);
        let said = within(call(program.grpc, LOGS, &headers, &gzip(&logs(vec![record(1, "gen_ai.user.message")])), true)).await;
        assert_eq!((said.code, said.answer.len()), (0, 0), "{}", said.message);
        let others = within(call(program.grpc, LOGS, &headers, &logs(vec![record(1, "http.request")]), false)).await;
        let partial = ExportLogsServiceResponse::decode(others.answer).expect("an answer").partial_success.expect("a warning");
        assert_eq!(partial.rejected_log_records, 0);
        let broken = within(call(program.grpc, LOGS, &headers, &[0xff; 50], false)).await;
        assert_eq!(broken.code, 3, "{}", broken.message);
        app.assemble().await;
        let runs = key.get("/api/v1/runs").await.json();
        let run = key.get(&format!("/api/v1/runs/{}", runs["items"][0]["id"].as_str().expect("an id"))).await;
        assert!(run.text().contains("Are you open on Sunday?"), "{}", run.text());
    }

    async fn grpc_tells_what_is_wrong(db: TestDb) {
        let (_, key, program) = world(db).await;
        let headers = [("x-api-key", key.key.as_str())];
        let nobody = within(call(program.grpc, TRACES, &[], &protobuf(vec![span(1)]), false)).await;
        assert!(nobody.code == 16 && nobody.message.contains("API%20key"), "{} {}", nobody.code, nobody.message);
        let broken = within(call(program.grpc, TRACES, &headers, &[0xff; 50], false)).await;
        assert_eq!(broken.code, 3, "{}", broken.message);
        let bomb = within(call(program.grpc, TRACES, &headers, &gzip(&vec![0; 100 * 1024 * 1024]), true)).await;
        assert_ne!(bomb.code, 0);
        for path in [LOGS, METRICS] {
            assert_eq!(within(call(program.grpc, path, &headers, &[], false)).await.code, 0, "{path}");
        }
        let unknown = within(call(program.grpc, "/some.Service/Method", &headers, &[], false)).await;
        assert_eq!(unknown.code, 12);
        let good = within(call(program.grpc, TRACES, &headers, &protobuf(vec![span(1)]), false)).await;
        assert_eq!(good.code, 0, "{}", good.message);
    }
}

#[test]
fn a_refused_sender_gets_to_the_answer_and_stopping_finishes_what_is_under_way() {
    steward_testkit::run(async {
        let (_, key, program) = world(TestDb::sqlite()).await;
        // More than the program reads before it refuses: a connection that were closed at once would be reset.
        let mut stream = TcpStream::connect(program.http).await.expect("connected");
        let (mut reader, mut writer) = stream.split();
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\nAuthorization: Bearer {}\r\nContent-Length: 40000000\r\nConnection: close\r\n\r\n",
            key.key
        );
        let sending = async {
            writer.write_all(head.as_bytes()).await.expect("sent");
            let piece = vec![0; 1_000_000];
            for _ in 0..40 {
                writer.write_all(&piece).await.expect("sent to the end");
            }
        };
        let mut answer = String::new();
        let (_, read) = within(async { tokio::join!(sending, reader.read_to_string(&mut answer)) }).await;
        read.expect("read to the end");
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

        // A page that listens does not hold the program up.
        let mut slow = TcpStream::connect(program.http).await.expect("connected");
        let body = protobuf(vec![span(1)]);
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
            key.key,
            body.len()
        );
        slow.write_all(head.as_bytes()).await.expect("sent");
        slow.write_all(&body[..10]).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(100)).await;
        program.stop.send(()).expect("heard");
        tokio::time::sleep(Duration::from_millis(100)).await;
        slow.write_all(&body[10..]).await.expect("sent");
        let mut answer = [0; 15];
        within(slow.read_exact(&mut answer)).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        within(program.done).await.expect("no panic");
        assert!(TcpStream::connect(program.http).await.is_err(), "nothing new is taken");
    });
}
