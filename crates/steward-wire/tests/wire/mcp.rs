use serde_json::{Value, json};
use steward_core::step::{ErrorClass, Step, StepKind};

use crate::support::{facts, span, step, step_of, with};

fn named(name: &str, id: u32, parent: u32, attributes: Value) -> Step {
    let ids = json!({"name": name, "spanId": format!("{id:016x}"), "parentSpanId": format!("{parent:016x}")});
    step_of(with(span(attributes), ids))
}

#[test]
fn a_call_over_the_protocol_inside_a_tool_s_span_is_one_call() {
    let outer = named(
        "execute_tool crm__find_client",
        1,
        9,
        json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "crm__find_client"}),
    );
    let client = named(
        "tools/call find_client",
        2,
        1,
        json!({"mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find_client",
            "jsonrpc.request.id": "7", "network.transport": "pipe", "error.type": "tool_error"}),
    );
    let server = named("tools/call find_client", 3, 2, json!({"mcp.method.name": "tools/call", "mcp.session.id": "s"}));
    assert_eq!((server.kind, server.tool.as_deref()), (StepKind::Tool, Some("find_client")), "by the span's name");
    let facts = facts(vec![outer, client, server]);
    assert_eq!((facts.n_tool_calls, facts.n_exceptions), (1, 1));
    assert_eq!((facts.tools[0].name.as_str(), facts.tools[0].errors.len()), ("crm__find_client", 1));
}

#[test]
fn what_is_no_call_of_a_tool_is_none() {
    for (method, kind) in [
        ("tools/call", StepKind::Tool),
        ("tools/list", StepKind::Other),
        ("initialize", StepKind::Other),
        ("resources/read", StepKind::Retrieval),
        ("sampling/createMessage", StepKind::Model),
        ("notifications/progress", StepKind::Other),
        ("server/discover", StepKind::Other),
    ] {
        let step = step(json!({"mcp.method.name": method, "mcp.protocol.version": "2026-07-28"}));
        assert_eq!((step.kind, step.reading.unmapped.len()), (kind, 0), "{method}");
    }
}

#[test]
fn codes_of_the_protocol_are_errors_of_their_class() {
    for (code, class) in [
        ("-32603", ErrorClass::Server),
        ("-32000", ErrorClass::Server),
        ("-32602", ErrorClass::Validation),
        ("-32601", ErrorClass::BadRequest),
        ("tool_error", ErrorClass::Other),
    ] {
        let step = step(json!({"mcp.method.name": "tools/call", "error.type": code}));
        assert_eq!(step.error.map(|error| error.class), Some(class), "{code}");
    }
}
