//! A unary call of gRPC, spoken in HTTP/2 frames by hand: the program under test has no client of its own.

use std::net::SocketAddr;

use axum::http::Request;
use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::net::TcpStream;

/// What a unary call came to.
#[derive(Debug, Clone)]
pub struct Called {
    /// gRPC's status.
    pub code: i32,
    /// Its message, percent-encoded as it is sent.
    pub message: String,
    /// Whether details came with the status: what may be tried again says when in them.
    pub has_details: bool,
    /// The answer; empty when there is none.
    pub answer: Bytes,
}

/// Makes one unary call on a connection of its own. `packed` says that the message is compressed with gzip.
///
/// # Panics
///
/// When there is no connection, or no answer in HTTP/2.
#[expect(clippy::expect_used, reason = "in tests a panic is the report")]
pub async fn call(at: SocketAddr, path: &str, headers: &[(&str, &str)], message: &[u8], packed: bool) -> Called {
    let stream = TcpStream::connect(at).await.expect("connected");
    let (mut send, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let driving = tokio::spawn(connection);
    let mut request = Request::builder()
        .method("POST")
        .uri(format!("http://{at}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if packed {
        request = request.header("grpc-encoding", "gzip");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (response, mut body) = send.send_request(request.body(()).expect("a request"), false).expect("sent");
    let mut frame = BytesMut::new();
    frame.put_u8(u8::from(packed));
    frame.put_u32(u32::try_from(message.len()).expect("short"));
    frame.extend_from_slice(message);
    body.send_data(frame.freeze(), true).expect("sent");
    let response = response.await.expect("an answer");
    let head = response.headers().clone();
    let mut body = response.into_body();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.expect("whole");
        body.flow_control().release_capacity(chunk.len()).expect("released");
        bytes.extend_from_slice(&chunk);
    }
    let trailers = body.trailers().await.expect("trailers").unwrap_or(head);
    let text = |name: &str| trailers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    driving.abort();
    Called {
        code: text("grpc-status").parse().expect("a status"),
        message: text("grpc-message"),
        has_details: trailers.contains_key("grpc-status-details-bin"),
        answer: if bytes.len() >= 5 { bytes.freeze().slice(5..) } else { Bytes::new() },
    }
}
