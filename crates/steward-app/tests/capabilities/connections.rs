use steward_app::Actor;
use steward_app::connections::{HookError, HookRequest, MadeConnection, NewConnection, Platform, Source};
use steward_app::secrets::Secret;
use steward_core::people::Role;
use steward_testkit::db_tests;
use steward_wire::platforms::signature::sign;

use crate::world::{World, words};

const SECRET: &str = "what the platform signs with";

async fn made(world: &World, owner: &Actor, source: &str) -> MadeConnection {
    let workflow = match world.app.visible_workflows(owner, false).await.expect("listed").pop() {
        Some(workflow) => workflow,
        None => world.workflow(owner, "Front desk", None).await,
    };
    let new =
        NewConnection { source: source.to_owned(), secret: Some(Secret::sent(SECRET)), ..NewConnection::default() };
    world.app.create_connection(owner, workflow.id, new).await.expect("a connection")
}

/// What is said of a delivery that was signed at the clock's time, changed by `change`, and sent when it stands at another.
async fn told(
    world: &World,
    made: &MadeConnection,
    platform: Platform,
    late_ms: i64,
    body: &str,
    sent: &str,
) -> String {
    let url = made.url.as_deref().expect("an address");
    let token = url.rsplit('/').next().expect("a token");
    let hook = world.app.find_hook(token).await.expect("an answer").expect("a hook");
    let headers = sign(platform, SECRET, url, body.as_bytes(), world.clock.now());
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.clock.advance_ms(late_ms);
    let request = HookRequest { method: "POST", url, headers: &headers, body: sent.to_owned().into() };
    let told = match world.app.take_hook(&hook, request, false).await {
        Ok(_) => "taken".to_owned(),
        Err(HookError::NotVerified(error)) => error.to_string(),
        Err(error) => panic!("{error}"),
    };
    world.clock.advance_ms(-late_ms);
    told
}

db_tests! {
    async fn a_signed_delivery_is_taken_only_whole_and_in_time(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        for (platform, body, window_ms) in [
            (Platform::Retell, r#"{"event":"call_ended","call":{"call_id":"c1"}}"#, Some(300_000)),
            (
                Platform::ElevenLabs,
                r#"{"type":"post_call_transcription","data":{"conversation_id":"c1"}}"#,
                Some(1_800_000),
            ),
            (Platform::Twilio, "CallSid=c1&CallStatus=completed", None),
        ] {
            let name = platform.as_str();
            let made = made(&world, &owner, name).await;
            assert_eq!(told(&world, &made, platform, 0, body, body).await, "taken", "{name}");
            let changed = body.replace("c1", "c2");
            assert!(told(&world, &made, platform, 0, body, &changed).await.contains("does not fit"), "{name}");
            let Some(window_ms) = window_ms else { continue };
            assert_eq!(told(&world, &made, platform, window_ms, body, body).await, "taken", "{name}: within its window");
            let late = told(&world, &made, platform, window_ms + 1_000, body, body).await;
            assert!(late.contains("it is late or repeated"), "{name}: {late}");
            assert!(
                told(&world, &made, platform, -400_000, body, body).await.contains("ahead of this machine's clock"),
                "{name}"
            );
        }
    }

    async fn without_a_secret_nothing_is_believed(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let workflow = world.workflow(&owner, "Front desk", None).await;
        let new = NewConnection { source: "retell".to_owned(), ..NewConnection::default() };
        let made = world.app.create_connection(&owner, workflow.id, new).await.expect("a connection");
        assert!(made.secret.is_none(), "Retell brings its own");
        assert!(told(&world, &made, Platform::Retell, 0, "{}", "{}").await.contains("has no secret"));
        let tried = world.app.send_test_event(&owner, made.connection.id).await;
        assert_eq!(words(tried), "invalid: enter the secret that Retell signs with, then try again");
        let rotated = world.app.rotate_connection(&owner, made.connection.id, None, false).await;
        assert_eq!(words(rotated), "invalid: Retell makes its own secret: enter the one that it shows");
    }

    async fn a_process_without_the_key_keeps_and_opens_no_secret(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let made = made(&world, &owner, "vapi").await;
        let other = world.another_process().await;
        let new = NewConnection { source: "vapi".to_owned(), ..NewConnection::default() };
        let refused = other.create_connection(&owner, made.connection.workflow_id, new).await;
        assert!(words(refused).contains("set secret_key in steward.toml"));
        let token = made.url.expect("an address").rsplit('/').next().expect("a token").to_owned();
        assert!(other.find_hook(&token).await.is_err(), "its platform sends again");
        assert!(world.app.find_hook(&token).await.expect("an answer").is_some());
    }

    async fn who_does_not_operate_and_who_is_elsewhere_sees_no_connection(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let stranger = world.agency("south").await;
        let client = world.client(&owner, "Shop").await;
        let contractor = world.person(&owner, "c@north.test", Role::Contractor, &[client.id]).await;
        let made = made(&world, &owner, "n8n").await;
        let (id, workflow) = (made.connection.id, made.connection.workflow_id);
        for (actor, expected) in [(&stranger, "not found: no such "), (&contractor, "forbidden")] {
            let told = [
                words(world.app.get_connection(actor, id).await.map(drop)),
                words(world.app.delete_connection(actor, id).await.map(drop)),
                words(world.app.rotate_connection(actor, id, None, false).await.map(drop)),
                words(world.app.send_test_event(actor, id).await.map(drop)),
                words(world.app.list_connections(actor, workflow).await.map(drop)),
                words(world.app.list_unreadable(actor, workflow).await.map(drop)),
            ];
            for told in told {
                assert!(told.starts_with(expected), "{told}");
            }
        }
        assert_eq!(Source::find(&made.connection.source).map(|source| source.name), Some("n8n"));
        assert!(world.audit(&owner).await.iter().any(|line| line.contains("connection.create")));
    }

    async fn the_secret_before_is_valid_for_a_day_and_not_when_it_is_refused(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let made = made(&world, &owner, "retell").await;
        let told = async || told(&world, &made, Platform::Retell, 0, "{}", "{}").await;
        let rotate = async |secret: &str, refuse_old| {
            let secret = Some(Secret::sent(secret));
            world.app.rotate_connection(&owner, made.connection.id, secret, refuse_old).await.expect("changed");
        };
        rotate("the next", false).await;
        world.clock.advance_ms(24 * 3_600_000 - 1);
        assert_eq!(told().await, "taken", "for a day");
        world.clock.advance_ms(1);
        assert!(told().await.contains("does not fit"), "and no longer");
        rotate(SECRET, false).await;
        assert_eq!(told().await, "taken");
        rotate("one that nobody knows", true).await;
        assert!(told().await.contains("does not fit"), "at once");
    }

    async fn the_key_before_is_good_until_the_next_change_or_the_end(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let first = made(&world, &owner, "otel_python").await;
        let id = first.connection.id;
        let change = async |refuse_old| {
            let made = world.app.rotate_connection(&owner, id, None, refuse_old).await.expect("changed");
            made.key.expect("a key")
        };
        let is_good = async |key: &Secret| world.app.find_key_scope(key).await.expect("an answer").is_some();
        let first = first.key.expect("a key");
        let second = change(false).await;
        assert!(is_good(&first).await && is_good(&second).await);
        let third = change(false).await;
        assert!(!is_good(&first).await && is_good(&second).await && is_good(&third).await);
        let fourth = change(true).await;
        assert!(!is_good(&second).await && !is_good(&third).await && is_good(&fourth).await);
        let fifth = change(false).await;
        world.app.delete_connection(&owner, id).await.expect("deleted");
        assert!(!is_good(&fourth).await && !is_good(&fifth).await, "none outlives its connection");
    }
}
