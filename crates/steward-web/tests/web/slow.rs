//! Senders that are too slow: with their question, with their next one, in the middle of a body.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use steward_testkit::{TestApp, TestDb};
use steward_web::{WebConfig, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::payload::{PROTOBUF, protobuf, span};

/// Longer than anything below may take, and shorter than what holds when nothing is set.
const PATIENCE: Duration = Duration::from_secs(10);

async fn listen(app: &TestApp, config: WebConfig) -> (SocketAddr, SocketAddr) {
    let bind = || TcpListener::bind("127.0.0.1:0");
    let (http, grpc) = (bind().await.expect("a port"), bind().await.expect("a port"));
    let at = (http.local_addr().expect("an address"), grpc.local_addr().expect("an address"));
    tokio::spawn(serve(app.app().clone(), config, http, Some(grpc), std::future::pending()));
    at
}

/// Sends something, and gives what comes until the other side closes.
async fn until_closed(at: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).await.expect("connected");
    stream.write_all(sent).await.expect("sent");
    let mut answer = Vec::new();
    // A reset is an end as well.
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "still open after {:?}", String::from_utf8_lossy(sent));
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn who_does_not_ask_is_not_waited_for() {
    steward_testkit::run(async {
        let app = TestApp::new(TestDb::sqlite()).await;
        let (http, grpc) = listen(&app, WebConfig { head_seconds: 1, ..WebConfig::default() }).await;
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let asking = async {
            tokio::join!(
                until_closed(http, b""),
                until_closed(http, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "),
                until_closed(http, &preface[..10]),
                until_closed(http, preface),
                until_closed(grpc, b""),
                until_closed(grpc, &preface[..10]),
                until_closed(grpc, preface),
            )
        };
        let others = async {
            for _ in 0..5 {
                let answer = until_closed(http, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::join!(asking, others);
    });
}

#[test]
fn a_connection_is_kept_for_the_next_question_and_not_for_ever() {
    steward_testkit::run(async {
        let app = TestApp::new(TestDb::sqlite()).await;
        let (http, _) = listen(&app, WebConfig { idle_seconds: 1, ..WebConfig::default() }).await;
        let question = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        let answers = until_closed(http, question.repeat(2).as_bytes()).await;
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
        let half = format!("{question}GET /healthz HTTP/1.1\r\nHost");
        let answers = until_closed(http, half.as_bytes()).await;
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1, "{answers}");
    });
}

#[test]
fn an_answer_may_take_longer_than_a_question() {
    steward_testkit::run(async {
        let app = TestApp::new(TestDb::sqlite()).await;
        let key = app.agency("north").await.with_key(None).await;
        let config = WebConfig { head_seconds: 1, idle_seconds: 1, ..WebConfig::default() };
        let (http, _) = listen(&app, config).await;
        // A body that takes its time is no question that does.
        let body = protobuf(vec![span(1)]);
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {PROTOBUF}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
            key.key,
            body.len()
        );
        let mut stream = TcpStream::connect(http).await.expect("connected");
        stream.write_all(head.as_bytes()).await.expect("sent");
        for piece in body.chunks(body.len().div_ceil(4)) {
            tokio::time::sleep(Duration::from_millis(600)).await;
            stream.write_all(piece).await.expect("sent");
        }
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("in time").expect("read");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    });
}

#[test]
fn a_body_that_pauses_is_not_waited_for_and_may_be_sent_again() {
    steward_testkit::run(async {
        let app = TestApp::new(TestDb::sqlite()).await;
        let key = app.agency("north").await.with_key(None).await;
        let (http, grpc) = listen(&app, WebConfig { body_pause_seconds: 1, ..WebConfig::default() }).await;
        for (path, kind) in [("/v1/traces", PROTOBUF), ("/v1/runs", "application/json")] {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nAuthorization: Bearer {}\r\nContent-Length: 100\r\n\r\n[",
                key.key
            );
            let answer = until_closed(http, head.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
            assert!(answer.to_ascii_lowercase().contains("\r\nretry-after: 1\r\n"), "{answer}");
            assert!(answer.contains("paused for too long"), "{answer}");
        }

        let stream = TcpStream::connect(grpc).await.expect("connected");
        let (mut send, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        tokio::spawn(connection);
        let request = axum::http::Request::builder()
            .method("POST")
            .uri(format!("http://{grpc}/opentelemetry.proto.collector.trace.v1.TraceService/Export"))
            .header("content-type", "application/grpc")
            .header("x-api-key", &key.key);
        let (response, mut body) = send.send_request(request.body(()).expect("a request"), false).expect("sent");
        body.send_data(Bytes::from_static(&[0, 0, 0, 0, 100, 1]), false).expect("sent");
        let response = tokio::time::timeout(PATIENCE, response).await.expect("in time").expect("an answer");
        assert_ne!(response.headers()["grpc-status"], "0");
    });
}
