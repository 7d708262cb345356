//! What platforms send is masked before it is stored, raw and in runs alike, and stays readable.

use bytes::Bytes;
use serde_json::{Value, json};
use steward_app::Actor;
use steward_app::connections::{HookRequest, MadeConnection, NewConnection, Platform};
use steward_app::intake::Accepted;
use steward_app::secrets::Secret;
use steward_app::workflows::NewWorkflow;
use steward_core::privacy::{Content, Privacy};
use steward_core::workflow::WorkflowSettings;
use steward_store::tenant::RunFilter;
use steward_testkit::db_tests;
use steward_wire::platforms::signature::sign;

use crate::world::{World, new_workflow};

const SECRET: &str = "what the platform signs with";
const EMAIL: &str = "planted.person@example.com";
const CARD: &str = "4111 1111 1111 1111";
const CALLER: &str = "+491705550123";

async fn made(world: &World, owner: &Actor, platform: Platform, content: Content) -> MadeConnection {
    let privacy = Privacy { content: Some(content), ..Privacy::default() };
    let settings = WorkflowSettings { privacy, ..WorkflowSettings::default() };
    let new = NewWorkflow { settings, ..new_workflow(&format!("{} {}", platform.name(), content.as_str()), None) };
    let workflow = world.app.create_workflow(owner, new).await.expect("a workflow");
    let new = NewConnection {
        source: platform.as_str().to_owned(),
        secret: Some(Secret::sent(SECRET)),
        ..NewConnection::default()
    };
    world.app.create_connection(owner, workflow.id, new).await.expect("a connection")
}

async fn deliver(world: &World, made: &MadeConnection, platform: Platform, body: &str) -> Accepted {
    let url = made.url.as_deref().expect("an address");
    let token = url.rsplit('/').next().expect("a token");
    let hook = world.app.find_hook(token).await.expect("an answer").expect("a hook");
    let headers = sign(platform, SECRET, url, body.as_bytes(), world.clock.now());
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = HookRequest { method: "POST", url, headers: &headers, body: Bytes::copy_from_slice(body.as_bytes()) };
    world.app.take_hook(&hook, request, false).await.expect("taken")
}

/// What each platform tells of one call or execution, in phases, with something planted wherever it tells what was said.
fn phases(platform: Platform) -> Vec<String> {
    let words = format!("write to {EMAIL}, call {CALLER}, pay with {CARD}");
    let (from, to) = ("2026-11-23T11:00:00Z", "2026-11-23T11:01:00Z");
    let (from_ms, to_ms) = (1_795_431_600_000_i64, 1_795_431_660_000_i64);
    let all: Vec<Value> = match platform {
        Platform::Vapi => vec![
            json!({"message": {"type": "status-update", "status": "in-progress", "timestamp": from_ms,
                "call": {"id": "c1", "type": "inboundPhoneCall", "customer": {"number": CALLER}}}}),
            json!({"message": {"type": "end-of-call-report", "startedAt": from, "endedAt": to, "endedReason": "customer-ended-call",
                "call": {"id": "c1", "type": "inboundPhoneCall", "customer": {"number": CALLER, "name": EMAIL}},
                "analysis": {"summary": words, "successEvaluation": "true"},
                "artifact": {"messages": [
                    {"role": "user", "message": words, "time": from_ms, "secondsFromStart": 1},
                    {"role": "bot", "message": "Yes, of course.", "time": to_ms, "secondsFromStart": 5}]}}}),
        ],
        Platform::Retell => {
            let call = json!({"call_id": "c1", "call_type": "phone_call", "agent_id": "a", "direction": "inbound",
                "from_number": CALLER, "to_number": "+15550100199", "call_status": "ended",
                "start_timestamp": from_ms, "end_timestamp": to_ms, "disconnection_reason": "user_hangup",
                "transcript": format!("User: {words}\nAgent: Yes, of course.")});
            let mut analyzed = call.clone();
            analyzed["call_analysis"] =
                json!({"call_summary": words, "custom_analysis_data": {"email": EMAIL, "card": CARD}});
            vec![json!({"event": "call_ended", "call": call}), json!({"event": "call_analyzed", "call": analyzed})]
        }
        Platform::ElevenLabs => {
            vec![json!({"type": "post_call_transcription", "event_timestamp": to_ms / 1_000, "data": {
            "agent_id": "a", "conversation_id": "c1", "status": "done",
            "transcript": [{"role": "user", "message": words, "time_in_call_secs": 0}, {"role": "agent", "message": "Yes, of course.", "time_in_call_secs": 3}],
            "metadata": {"start_time_unix_secs": from_ms / 1_000, "call_duration_secs": 60,
                "phone_call": {"direction": "inbound", "external_number": CALLER, "agent_number": "+15550100199"}},
            "analysis": {"transcript_summary": words}}})]
        }
        Platform::N8n => vec![json!({"execution": {"id": "231", "mode": "trigger", "startedAt": from,
            "error": {"message": words, "name": "NodeApiError"}, "lastNodeExecuted": "Mail"},
            "workflow": {"id": "1", "name": "Desk"}})],
        Platform::Make => {
            vec![json!({"executionId": "e1", "scenarioId": "925", "status": 3, "timestamp": from, "duration": 1_000,
            "error": {"name": "RuntimeError", "message": words}})]
        }
        Platform::Zapier => {
            vec![json!({"source": "zapier", "run_id": "z1", "zap_id": "1", "zap_title": "Desk", "status": "errored",
            "start_time": from, "end_time": to, "error": words})]
        }
        Platform::LangGraph => {
            vec![json!({"run_id": "r1", "thread_id": CALLER, "assistant_id": "a", "status": "success",
            "run_started_at": from, "run_ended_at": to, "values": {"messages": [
                {"type": "human", "content": words}, {"type": "ai", "content": "Yes, of course."}]}})]
        }
        Platform::Twilio => {
            let form = |status: &str| {
                let pairs = [
                    ("CallSid", "CA0123456789abcdef0123456789abcdef"),
                    ("CallStatus", status),
                    ("CallDuration", "60"),
                    ("Direction", "inbound"),
                    ("From", CALLER),
                    ("To", "+15550100199"),
                    ("CallerName", EMAIL),
                    ("ErrorMessage", &words),
                ];
                let encoded =
                    pairs.map(|(key, value)| format!("{key}={}", value.replace('+', "%2B").replace('@', "%40")));
                encoded.join("&")
            };
            return vec![form("in-progress"), form("completed")];
        }
        Platform::Event => vec![
            json!({"id": "e1", "workflow": "x", "status": "running", "user_id": CALLER}),
            json!([{"id": "e1", "workflow": "x", "status": "failed", "error": words, "user_id": CALLER, "started_at": from, "ended_at": to,
                "metadata": {"email": EMAIL, "card": 4_111_111_111_111_111_u64}}]),
        ],
    };
    all.into_iter().map(|event| event.to_string()).collect()
}

async fn nothing_planted_is_stored(world: &World, about: &str) {
    for (place, bytes) in world.db.everything_stored().await {
        let text = String::from_utf8_lossy(&bytes);
        for planted in ["planted.person", "planted%2Eperson", CARD, "4111111111111111", CALLER, "491705550123"] {
            assert!(!text.contains(planted), "{about}: {planted:?} in {place}: {text}");
        }
    }
}

async fn stored_steps(world: &World) -> Vec<String> {
    let stored = world.db.everything_stored().await.into_iter();
    let steps = stored.filter(|(place, _)| place == "run_blobs.steps").map(|(_, bytes)| bytes);
    let mut steps: Vec<String> = steps.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    steps.sort();
    steps
}

async fn n_runs(world: &World, owner: &Actor) -> usize {
    let filter = RunFilter { with_tests: true, ..RunFilter::default() };
    world.app.list_runs(owner, &filter, Default::default(), None, 200).await.expect("listed").runs.len()
}

db_tests! {
    async fn what_is_masked_is_nowhere_and_phases_still_find_each_other(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        for (n_before, platform) in Platform::ALL.into_iter().enumerate() {
            let made = made(&world, &owner, platform, Content::Masked).await;
            for body in phases(platform).iter().chain(phases(platform).iter().rev()) {
                let accepted = deliver(&world, &made, platform, body).await;
                assert!(accepted.accepted > 0 && accepted.rejected == 0, "{}: {accepted:?}", platform.as_str());
                nothing_planted_is_stored(&world, platform.as_str()).await;
            }
            world.app.assemble_waiting().await.expect("assembled");
            nothing_planted_is_stored(&world, platform.as_str()).await;
            assert_eq!(n_runs(&world, &owner).await, n_before + 1, "{}", platform.as_str());
        }
        let steps = stored_steps(&world).await;
        for word in ["[e-mail]", "[phone]", "[card]", "Yes, of course.", "\"masked\""] {
            assert!(steps.concat().contains(word), "{word}");
        }
        world.app.rebuild(owner.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(stored_steps(&world).await, steps, "what is kept raw is read to the same");
        let deleted = world.app.delete_user_data(&owner, CALLER, None).await.expect("deleted");
        assert_eq!(deleted.runs, 5, "Vapi, Retell, ElevenLabs, Twilio and an event know the caller by the number");
    }

    async fn without_content_only_structure_stays(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        for (n_before, platform) in Platform::ALL.into_iter().enumerate() {
            let made = made(&world, &owner, platform, Content::None).await;
            for body in phases(platform) {
                assert!(deliver(&world, &made, platform, &body).await.accepted > 0, "{}", platform.as_str());
            }
            world.app.assemble_waiting().await.expect("assembled");
            nothing_planted_is_stored(&world, platform.as_str()).await;
            assert_eq!(n_runs(&world, &owner).await, n_before + 1, "{}", platform.as_str());
        }
        let steps = stored_steps(&world).await;
        assert!(!steps.concat().contains("of course") && steps.concat().contains("without_content"));
        world.app.rebuild(owner.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(stored_steps(&world).await, steps);
    }

    async fn what_cannot_be_read_is_masked_too(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let bodies = [
            json!({"message": {"type": "end-of-call-report", "summary": format!("{EMAIL} {CARD}"), "phone": CALLER}}).to_string(),
            json!({"type": format!("a word of {EMAIL}"), "card": 4_111_111_111_111_111_u64}).to_string(),
            format!("no JSON: {EMAIL}, {CALLER} and {CARD}"),
            format!("{{\"id\": \"{EMAIL}"),
        ];
        for content in [Content::Masked, Content::None] {
            let made = made(&world, &owner, Platform::Vapi, content).await;
            for body in &bodies {
                let accepted = deliver(&world, &made, Platform::Vapi, body).await;
                assert!(accepted.accepted == 0 && accepted.rejected > 0, "{body}: {accepted:?}");
            }
            let rows = world.app.list_unreadable(&owner, made.connection.workflow_id).await.expect("listed");
            assert_eq!(rows.len(), bodies.len());
            assert_eq!(rows.iter().all(|row| row.n_bytes == 0), content == Content::None);
            nothing_planted_is_stored(&world, content.as_str()).await;
        }
        world.app.list_mistakes(&owner).await.expect("written");
        nothing_planted_is_stored(&world, "mistakes").await;
    }

    async fn with_everything_kept_a_delivery_is_kept_as_it_came_and_one_caller_s_part_can_go(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let made = made(&world, &owner, Platform::Event, Content::Full).await;
        let event = |id: &str, user: &str| json!({"id": id, "workflow": "x", "status": "ok", "user_id": user, "output": format!("said to {user}")});
        let body = json!([event("1", CALLER), event("2", "somebody else"), event("3", CALLER)]).to_string();
        assert_eq!(deliver(&world, &made, Platform::Event, &body).await.rejected, 0);
        world.app.assemble_waiting().await.expect("assembled");
        assert!(world.db.everything_stored().await.contains(&("inbox.body".to_owned(), body.into_bytes())));
        let deleted = world.app.delete_user_data(&owner, CALLER, None).await.expect("deleted");
        assert_eq!((deleted.runs, deleted.payloads_rewritten, deleted.payloads_dropped), (2, 1, 0));
        nothing_planted_is_stored(&world, "deleted").await;
        world.app.rebuild(owner.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(n_runs(&world, &owner).await, 1);
        assert!(stored_steps(&world).await.concat().contains("said to somebody else"));
    }
}
