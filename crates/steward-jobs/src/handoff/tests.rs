//! Sending over the network, to stubs of a mail server and of a program.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};
use steward_app::handoff::{ChannelChoice, ChannelKind, ChannelScope, MadeChannel, NewChannel};
use steward_app::secrets::Secret;
use steward_testkit::steward_core::ids::{ChannelId, WorkflowId};
use steward_testkit::steward_core::time::Timestamp;
use steward_testkit::{Answer, Seat, TestApp, TestDb, db_tests};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{Carrier, MailSecurity, MailServer};
use crate::fetch::Reach;

/// Headers and body of each request.
type Got = Arc<Mutex<Vec<(axum::http::HeaderMap, String)>>>;

/// A program that takes requests, and answers with one status.
struct Stub {
    url: String,
    status: Arc<Mutex<u16>>,
    got: Got,
}

impl Stub {
    async fn start() -> Self {
        let got: Got = Arc::default();
        let status = Arc::new(Mutex::new(200));
        let (to_keep, to_answer) = (Arc::clone(&got), Arc::clone(&status));
        let router = Router::new().fallback(move |request: Request| {
            let (got, status) = (Arc::clone(&to_keep), Arc::clone(&to_answer));
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
                got.lock().expect("no panic").push((parts.headers, String::from_utf8_lossy(&body).into_owned()));
                let status = *status.lock().expect("no panic");
                let response = Response::builder().status(status).header("location", "/elsewhere");
                response.body(Body::empty()).expect("a response")
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook?key=hunter2", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, status, got }
    }

    fn answers(&self, status: u16) {
        *self.status.lock().expect("no panic") = status;
    }

    fn got(&self) -> Vec<(axum::http::HeaderMap, String)> {
        std::mem::take(&mut *self.got.lock().expect("no panic"))
    }
}

/// A mail server that takes whatever comes, or refuses every recipient.
struct MailStub {
    server: MailServer,
    mails: Arc<Mutex<Vec<String>>>,
}

impl MailStub {
    async fn start(refuses: bool) -> Self {
        let mails: Arc<Mutex<Vec<String>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let kept = Arc::clone(&mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = take_mail(stream, &kept, refuses).await;
            }
        });
        let server = MailServer {
            host: "127.0.0.1".to_owned(),
            port,
            security: MailSecurity::None,
            credentials: None,
            from: "Steward <steward@example.com>".to_owned(),
        };
        Self { server, mails }
    }

    fn mails(&self) -> Vec<String> {
        std::mem::take(&mut *self.mails.lock().expect("no panic"))
    }
}

async fn take_mail(stream: TcpStream, mails: &Mutex<Vec<String>>, refuses: bool) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"220 stub\r\n").await?;
    let (mut line, mut mail, mut in_data) = (String::new(), String::new(), false);
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = if in_data {
            mail.push_str(&line);
            if line != ".\r\n" {
                continue;
            }
            in_data = false;
            mails.lock().expect("no panic").push(std::mem::take(&mut mail));
            "250 taken\r\n"
        } else if line.starts_with("DATA") {
            in_data = true;
            "354 go on\r\n"
        } else if line.starts_with("RCPT") && refuses {
            "550 no such mailbox\r\n"
        } else if line.starts_with("QUIT") {
            stream.get_mut().write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "250 ok\r\n"
        };
        stream.get_mut().write_all(answer.as_bytes()).await?;
    }
}

struct World {
    app: TestApp,
    owner: Seat,
    workflow: WorkflowId,
    carrier: Carrier,
}

impl World {
    async fn new(db: TestDb, mail: Option<MailServer>) -> Self {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        let client = owner.with_client("Shop").await;
        let workflow = owner.with_workflow("bot", Some(client.id)).await.id;
        let carrier = Carrier::new(mail, Reach::Private).expect("a carrier");
        Self { app, owner, workflow, carrier }
    }

    async fn channel(&self, kind: ChannelKind, to: &str, choice: ChannelChoice) -> MadeChannel {
        let new = NewChannel { kind, name: "Floor".to_owned(), to: Secret::sent(to), choice };
        let made = self.app.app().create_channel(&self.owner.actor, ChannelScope::Workflow(self.workflow), new).await;
        made.expect("a channel")
    }

    /// Runs whose refund is refused, that end at the present time.
    async fn refuse(&self, ids: std::ops::Range<u32>) {
        let now = self.app.clock().now();
        let at = |ms: i64| now.plus_ms(ms).rfc3339();
        let run = |id: u32| {
            json!({
                "id": format!("r{id}"), "workflow": "bot", "started_at": at(-30_000), "ended_at": at(0), "outcome": "failed",
                "cost_usd": 0.25,
                "steps": [
                    {"id": "m", "kind": "model", "started_at": at(-29_000), "ended_at": at(-28_000),
                     "input": [{"role": "user", "content": format!("Refund order {id}, <b>now</b>")}], "output": "One moment."},
                    {"id": "r", "kind": "tool", "tool": "refund_order", "started_at": at(-5_000), "ended_at": at(-4_000),
                     "input": {"order_id": id}, "error": {"code": "403", "message": "forbidden"}},
                ],
            })
        };
        let runs: Vec<Value> = ids.map(run).collect();
        self.owner.take_in(&runs).await;
        self.app.app().mine_patterns().await.expect("mined");
        self.app.app().fill_queue().await.expect("filled");
    }

    /// Sends all that is due.
    async fn send(&self) -> usize {
        let mut n = 0;
        while self.app.app().send_next_handoff(|parcel| self.carrier.carry(parcel)).await.expect("sent") {
            n += 1;
            assert!(n < 500, "there is no end to it");
        }
        n
    }

    async fn counts(&self, id: ChannelId) -> (u64, u64, u64, Option<String>) {
        let (channel, counts) = self.app.app().get_channel(&self.owner.actor, id).await.expect("a channel");
        (counts.waiting, counts.sent, counts.dead, channel.error)
    }
}

fn verified(secret: &str, headers: &axum::http::HeaderMap, body: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).expect("a header").to_owned();
    let at = Timestamp::from_seconds(text("webhook-timestamp").parse().expect("seconds"));
    let signed = steward_testkit::steward_wire::platforms::sign_standard(secret, &text("webhook-id"), at, body);
    signed.expect("a secret") == text("webhook-signature")
}

db_tests! {
    async fn a_program_gets_a_packet_it_can_verify_with_a_link_that_opens(db: TestDb) {
        let (world, stub) = (World::new(db, None).await, Stub::start().await);
        let made = world.channel(ChannelKind::Webhook, &stub.url, ChannelChoice::default()).await;
        assert!(!made.channel.shown.contains("hunter2"), "{}", made.channel.shown);
        world.refuse(0..1).await;
        assert_eq!(world.send().await, 1);
        let got = stub.got();
        let (headers, body) = &got[0];
        let secret = made.secret.expect("a secret");
        assert!(verified(secret.reveal(), headers, body) && !verified(secret.reveal(), headers, &format!("{body} ")));
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!((&body["type"], &body["data"]["workflow"]["name"]), (&json!("handoff.packet"), &json!("bot")));
        assert_eq!(body["data"]["packet"]["asked_first"], "Refund order 0, <b>now</b>");
        assert!(!body.to_string().contains("0.25"), "no money is sent");
        let link = body["data"]["link"]["url"].as_str().expect("a link").trim_start_matches("http://steward.test");
        let page: Answer = world.app.get(link).await;
        assert!(page.status == 200 && page.text().contains("tried to refund order 0"), "{}", page.in_short());
        assert_eq!(world.counts(made.channel.id).await, (0, 1, 0, None));
        world.app.app().fill_queue().await.expect("filled");
        assert_eq!((world.send().await, stub.got().len()), (0, 0), "nothing is sent twice");
    }

    async fn a_mail_goes_out_in_both_its_forms(db: TestDb) {
        let mail = MailStub::start(false).await;
        let world = World::new(db, Some(mail.server.clone())).await;
        let made = world.channel(ChannelKind::Email, "ada@example.com, jo@example.com", ChannelChoice::default()).await;
        world.refuse(7..8).await;
        assert_eq!(world.send().await, 1);
        let mails = mail.mails();
        assert_eq!(mails.len(), 1, "one mail to both");
        let text = mails[0].replace("=\r\n", "");
        for part in ["From: Steward <steward@example.com>", "To: ada@example.com, jo@example.com", "Subject: Handoff: bot: forbidden",
            "text/plain", "text/html", "tried to refund order 7: access was refused, 403", "&lt;b&gt;now"] {
            assert!(text.contains(part), "“{part}” is missing in {text}");
        }
        assert!(text.contains("Message-ID: <dlv_"), "{text}");
        assert_eq!(world.counts(made.channel.id).await, (0, 1, 0, None));
    }

    async fn a_mail_that_is_refused_says_why_and_without_a_server_too(db: TestDb) {
        let mail = MailStub::start(true).await;
        let mut world = World::new(db, Some(mail.server.clone())).await;
        let made = world.channel(ChannelKind::Email, "nobody@example.com", ChannelChoice::default()).await;
        world.refuse(0..1).await;
        world.send().await;
        let (waiting, _, _, error) = world.counts(made.channel.id).await;
        assert!(waiting == 1 && error.as_deref().is_some_and(|e| e.contains("550")), "{error:?}");
        world.carrier = Carrier::new(None, Reach::Public).expect("a carrier");
        world.app.clock().advance_ms(3_600_000);
        world.send().await;
        let (_, _, _, error) = world.counts(made.channel.id).await;
        assert!(error.is_some_and(|e| e.contains("[mail] in steward.toml")));
    }

    async fn what_is_not_taken_is_said_and_a_redirect_is_not_followed(db: TestDb) {
        let (world, stub) = (World::new(db, None).await, Stub::start().await);
        let made = world.channel(ChannelKind::Webhook, &stub.url, ChannelChoice::default()).await;
        world.refuse(0..1).await;
        for (status, says) in [(404, "it answered 404"), (302, "sends on to another address")] {
            stub.answers(status);
            assert_eq!(world.send().await, 1);
            let (waiting, _, _, error) = world.counts(made.channel.id).await;
            assert!(waiting == 1 && error.as_deref().is_some_and(|e| e.contains(says)), "{status}: {error:?}");
            assert_eq!(stub.got().len(), 1, "{status}");
            world.app.clock().advance_ms(3_600_000);
        }
        stub.answers(204);
        assert_eq!(world.send().await, 1);
        assert_eq!(world.counts(made.channel.id).await, (0, 1, 0, None));
    }

    async fn private_addresses_are_not_sent_to_unless_that_is_allowed(db: TestDb) {
        let stub = Stub::start().await;
        let mut world = World::new(db, None).await;
        world.carrier = Carrier::new(None, Reach::Public).expect("a carrier");
        let made = world.channel(ChannelKind::Webhook, &stub.url, ChannelChoice::default()).await;
        world.refuse(0..1).await;
        world.send().await;
        let (_, sent, _, error) = world.counts(made.channel.id).await;
        assert!(sent == 0 && error.as_deref().is_some_and(|e| e.contains("private network")), "{error:?}");
        assert!(!error.unwrap_or_default().contains("hunter2"), "what is secret in an address is in no error");
        assert!(stub.got().is_empty());
    }
}

#[tokio::test]
async fn a_carrier_says_what_is_wrong_with_its_mail_server() {
    let server = MailServer {
        host: "mail.example.com".to_owned(),
        port: 587,
        security: MailSecurity::StartTls,
        credentials: Some(("steward".to_owned(), "hunter2".to_owned())),
        from: "nobody".to_owned(),
    };
    assert!(!format!("{server:?}").contains("hunter2"));
    let error = Carrier::new(Some(server), Reach::Public).err().expect("no address");
    assert!(error.0.contains("mail.from"), "{error}");
}
