use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;

use super::acts::words_of;
use super::*;
use crate::calendar::BusinessHours;
use crate::derive::{Context, derive, merge};
use crate::prices::PriceBook;
use crate::step::{Message, StepError, ToolCall};
use crate::workflow::WorkflowSettings;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000 + seconds)
}

fn message(role: Role, text: &str) -> Message {
    Message { role, text: text.to_owned(), tool_calls: Vec::new(), tool_call_id: None, name: None }
}

fn step(second: i64, kind: StepKind) -> Step {
    Step {
        trace_id: "t".to_owned(),
        span_id: format!("s{second}"),
        kind,
        started_at: at(second),
        ended_at: at(second + 1),
        received_at: at(100),
        ..Step::default()
    }
}

fn tool(second: i64, name: &str, arguments: &str, answer: &str) -> Step {
    Step {
        tool: Some(name.to_owned()),
        input: vec![message(Role::Assistant, arguments)],
        output: vec![message(Role::Tool, answer)],
        ..step(second, StepKind::Tool)
    }
}

fn failing(step: Step, class: ErrorClass, code: &str, says: &str) -> Step {
    let error = StepError { class, code: Some(code.to_owned()).filter(|c| !c.is_empty()), message: says.to_owned() };
    Step { error: Some(error), output: Vec::new(), ..step }
}

fn asked(second: i64, user: &str, agent: &str) -> Step {
    Step {
        input: vec![message(Role::System, "be kind"), message(Role::User, user)],
        output: vec![message(Role::Assistant, agent)],
        ..step(second, StepKind::Model)
    }
}

/// Stands for the search of addresses in whole texts, which is not core's.
fn by_at_sign(text: &str) -> Vec<(ContactKind, String)> {
    let is_address = |word: &&str| word.contains('@');
    text.split(|c: char| c.is_whitespace() || matches!(c, '"' | ','))
        .filter(is_address)
        .map(|word| (ContactKind::Email, word.to_owned()))
        .collect()
}

fn head(kind: ExceptionKind, tool: &str, class: &str, code: &str) -> Head {
    let stage = if tool.is_empty() { "run" } else { "tool" };
    Head {
        kind,
        stage: stage.to_owned(),
        agent: String::new(),
        tool: tool.to_owned(),
        class: class.to_owned(),
        code: code.to_owned(),
    }
}

fn facts(steps: Vec<Step>) -> (Vec<Step>, RunFacts) {
    let settings = WorkflowSettings::default();
    let context = Context {
        settings: &settings,
        prices: PriceBook::built_in(),
        hours: &BusinessHours::default(),
        zone: &TimeZone::UTC,
        verdict: None,
        now: at(200),
    };
    let steps = merge(Vec::new(), steps);
    let facts = derive(&steps, &context).expect("steps");
    (steps, facts)
}

fn packet_of(head: &Head, says: &str, steps: Vec<Step>, resolutions: &[Worked]) -> Packet {
    let (steps, facts) = facts(steps);
    Packet::of(&Material {
        head,
        message: says,
        facts: &facts,
        steps: &steps,
        steps_dropped: false,
        resolutions,
        find_contacts: &by_at_sign,
    })
}

fn missing(head: &Head, says: &str) -> Vec<(MissingKind, String)> {
    let packet = packet_of(head, says, vec![asked(0, "hello", "done.")], &[]);
    packet.missing.into_iter().map(|missing| (missing.kind, missing.words)).collect()
}

#[test]
fn a_refused_refund_is_told_in_plain_words() {
    let steps = vec![
        asked(0, "I want my money back for order 4711, I am anna@example.com", "One moment."),
        tool(2, "get_order", r#"{"order_id": 4711}"#, r#"{"id": 4711, "total": 45}"#),
        tool(4, "findContact", r#"{"email": "anna@example.com"}"#, "[]"),
        failing(
            tool(6, "refund_order", r#"{"order_id": "4711", "amount": 45, "api_token": "t"}"#, ""),
            ErrorClass::Auth,
            "403",
            "forbidden",
        ),
        asked(8, "And?", "Which card did you pay with?"),
    ];
    let packet = packet_of(&head(ExceptionKind::Error, "refund_order", "auth", "403"), "forbidden", steps, &[]);
    assert!(packet.asked_first.starts_with("I want my money back"));
    assert_eq!(packet.asked_last, "And?");
    let acts: Vec<(String, bool)> = packet.acts.iter().map(|act| (act.in_words(), act.failed)).collect();
    let expected = [
        ("looked up order 4711: found".to_owned(), false),
        ("looked up contact (email anna@example.com): found nothing".to_owned(), false),
        ("tried to refund order 4711 (amount 45): access was refused, 403".to_owned(), true),
    ];
    assert_eq!(acts, expected);
    assert_eq!(packet.stopped, "“refund order” failed, access was refused (403): forbidden");
    let words: Vec<&str> = packet.missing.iter().map(|missing| missing.words.as_str()).collect();
    assert_eq!(
        words,
        [
            "permission for “refund order”: look at its account and its key",
            "an answer of the other side to “Which card did you pay with?”",
        ]
    );
    assert_eq!(packet.contacts.len(), 1, "one address, though it stands in two places");
    assert_eq!(packet.contacts[0].from, "said by the other side");
    assert!(packet.said.iter().all(|line| line.role != Role::System));
    assert!(!packet.to_text().contains("api_token"), "{}", packet.to_text());
}

#[test]
fn what_is_missing_follows_from_sort_class_code_and_words() {
    use MissingKind::{Answer, Approval, Argument, Payment, Permission, Person, Record, Service};
    let tool = |class: &str, code: &str| head(ExceptionKind::Error, "book_visit", class, code);
    let kinds = |head: &Head, says: &str| missing(head, says).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds(&tool("timeout", ""), "timed out"), [Answer]);
    assert_eq!(kinds(&tool("server", "503"), "service unavailable"), [Service]);
    assert_eq!(kinds(&tool("rate_limit", "429"), "slow down"), [Service]);
    assert_eq!(kinds(&tool("money", "402"), "no credits"), [Payment]);
    assert_eq!(kinds(&tool("bad_request", "404"), "order 12 not found"), [Record]);
    assert_eq!(kinds(&tool("other", ""), "this needs approval by a manager"), [Approval]);
    assert_eq!(kinds(&tool("other", ""), "User lacks permission 'refund'"), [Permission]);
    assert_eq!(kinds(&tool("other", ""), "something broke"), []);
    assert_eq!(kinds(&head(ExceptionKind::Escalation, "", "", "rule"), "a rule says so"), [Person]);
    assert_eq!(kinds(&head(ExceptionKind::Empty, "", "", "empty_answer"), "the last answer was empty"), [Answer]);
    for (says, name) in [
        ("'phone_number' is a required property", "phone_number"),
        ("missing 1 required positional argument: 'day'", "day"),
        ("Missing required field email", "email"),
        ("email is required", "email"),
        ("\"guest.name\" must be provided", "guest.name"),
    ] {
        let found = missing(&tool("validation", ""), says);
        assert_eq!(found, [(Argument, format!("“book visit” has to be told: {name}"))], "{says}");
    }
    for says in ["is required", "required", "missing ''", "something is missing in “here”"] {
        assert!(missing(&tool("validation", ""), says).iter().all(|(_, words)| !words.ends_with(": ")), "{says}");
    }
}

#[test]
fn calls_that_stand_only_in_messages_are_acts_too() {
    let call = ToolCall { id: Some("c1".to_owned()), name: "cancel_booking".to_owned(), arguments: "{}".to_owned() };
    let model = Step {
        input: vec![
            message(Role::User, "cancel it"),
            Message { tool_calls: vec![call], ..message(Role::Assistant, "") },
            Message { tool_call_id: Some("c1".to_owned()), ..message(Role::Tool, "Error: booking not found") },
        ],
        output: vec![message(Role::Assistant, "I could not.")],
        ..step(0, StepKind::Model)
    };
    let packet = packet_of(&head(ExceptionKind::Failure, "", "", "status"), "it failed", vec![model], &[]);
    assert_eq!(packet.acts.len(), 1);
    assert_eq!(packet.acts[0].words, "tried to cancel booking: the request was refused, “Error: booking not found”");
    assert!(packet.acts[0].failed);
}

#[test]
fn the_same_act_again_and_again_is_told_once_and_old_ones_are_counted() {
    let mut steps: Vec<Step> = (0..20).map(|n| tool(n, &format!("get_page_{n}"), "{}", "[1, 2]")).collect();
    steps.extend((20..25).map(|n| tool(n, "get_slot", "{}", "null")));
    let packet = packet_of(&head(ExceptionKind::Limit, "", "", "limit"), "max turns", steps, &[]);
    assert_eq!(packet.acts.len(), 12);
    assert_eq!(packet.n_acts_before, 9);
    assert_eq!(packet.acts[11].in_words(), "looked up slot: found nothing (5 times)");
    assert_eq!(packet.acts[0].words, "looked up page 9: found 2");
}

#[test]
fn where_nothing_is_known_it_says_so() {
    let packet =
        packet_of(&head(ExceptionKind::Failure, "", "", "status"), "it failed", vec![step(0, StepKind::Chain)], &[]);
    assert!(packet.asked_first.is_empty() && packet.missing.is_empty() && packet.said.is_empty());
    let lines: Vec<String> =
        packet.sections().into_iter().map(|s| format!("{}: {}", s.head, s.lines.join(" | "))).collect();
    assert_eq!(
        lines,
        [
            "What was asked: The run does not say.",
            "What was done: No tool was called.",
            "Why it stopped: It did not do its job: it failed",
            "What is missing: The run does not say.",
            "Who is affected: The run does not say.",
            "What worked before: Nobody has noted it yet.",
            "Note: The sender leaves out what was said.",
        ]
    );
}

#[test]
fn what_worked_most_often_comes_first() {
    let worked = |resolution: &str, n, second| Worked { resolution: resolution.to_owned(), n, last_at: at(second) };
    let all = [worked("called the shop", 1, 9), worked("  ", 90, 9), worked("sent a new link", 3, 1)];
    let packet = packet_of(&head(ExceptionKind::Failure, "", "", ""), "no", vec![step(0, StepKind::Tool)], &all);
    let words: Vec<String> = packet.worked.iter().map(Worked::in_words).collect();
    assert_eq!(words, ["sent a new link (3 times)", "called the shop"]);
}

#[test]
fn names_of_tools_are_read_as_words() {
    for (name, words) in [
        ("get_order", "get order"),
        ("mcp__crm__findContact", "mcp crm find contact"),
        ("orders.get", "orders get"),
        ("HTTPRequest2Send", "httprequest2 send"),
        ("", ""),
        ("---", ""),
    ] {
        assert_eq!(words_of(name).join(" "), words, "{name}");
    }
}

#[test]
fn a_packet_is_bounded_whatever_the_run_holds() {
    let long = "wörter ".repeat(20_000);
    let steps: Vec<Step> = (0..150)
        .flat_map(|n| {
            let arguments = json!({ "email": format!("a{n}@example.com"), "text": long }).to_string();
            [
                asked(3 * n, &format!("{n} {long}"), &format!("{n} {long}?")),
                tool(3 * n + 1, &format!("tool_{n}_{long}"), &arguments, &long),
            ]
        })
        .collect();
    let packet = packet_of(&head(ExceptionKind::Error, "x", "other", ""), &long, steps, &[]);
    let size = serde_json::to_string(&packet).expect("written").len();
    assert!(size < 120_000, "{size} bytes");
    assert_eq!((packet.said.len(), packet.contacts.len()), (MAX_LINES, MAX_CONTACTS));
}

proptest! {
    #[test]
    fn no_text_breaks_a_packet(
        name in any::<String>(), arguments in any::<String>(), answer in any::<String>(), says in any::<String>(),
        kind in 0..ExceptionKind::ALL.len(),
    ) {
        let steps = vec![asked(0, &says, &answer), tool(2, &name, &arguments, &answer)];
        let packet = packet_of(&head(ExceptionKind::ALL[kind], &name, &arguments, &answer), &says, steps, &[]);
        prop_assert!(packet.sections().iter().all(|section| !section.lines.is_empty()));
        let text = serde_json::to_string(&packet).expect("written");
        prop_assert_eq!(serde_json::from_str::<Packet>(&text).expect("read"), packet);
    }
}
