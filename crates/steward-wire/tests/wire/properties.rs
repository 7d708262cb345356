//! Whatever comes in: no panic, and nothing comes out that the rest of the program does not expect.

use proptest::prelude::*;
use serde_json::{Value, json};
use steward_core::step::{MAX_CONTENT_CHARS, MAX_MESSAGES, Step};
use steward_wire::import::{Format, detect, read_line};
use steward_wire::native::read_runs;
use steward_wire::otlp::{Encoding, decode};

use crate::support::{read_json, request, span};

fn check(steps: &[Step]) {
    for step in steps {
        assert!(step.started_at.is_plausible() && step.ended_at >= step.started_at);
        assert!(!step.trace_id.is_empty() && !step.span_id.is_empty() && !step.name.is_empty());
        assert!(step.attributes.len() <= 64 && step.input.len() <= MAX_MESSAGES && step.output.len() <= MAX_MESSAGES);
        let longest =
            step.input.iter().chain(&step.output).map(|message| message.text.chars().count()).max().unwrap_or(0);
        assert!(longest <= MAX_CONTENT_CHARS + 16);
        assert!(step.scores.iter().all(|score| score.value.is_none_or(f64::is_finite)));
        // It can be stored and read again.
        let text = serde_json::to_string(step).unwrap();
        assert_eq!(&serde_json::from_str::<Step>(&text).unwrap(), step);
    }
}

/// JSON of any shape, with the words that readers look for.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("messages"),
        Just("role"),
        Just("content"),
        Just("parts"),
        Just("type"),
        Just("text"),
        Just("tool_calls"),
        Just("function"),
        Just("name"),
        Just("arguments"),
        Just("id"),
        Just("tool_use"),
        Just("tool_result"),
        Just("user"),
        Just("assistant"),
        Just("tool"),
        Just("kwargs"),
        Just("lc"),
        Just("inputs"),
        Just("output"),
        Just("steps"),
        Just("started_at"),
        Just("usage"),
        Just("error"),
        Just("results"),
        Just("scores"),
        Just("value"),
        Just("reward"),
        Just("task_id"),
        Just("termination_reason"),
        Just("start_time"),
        Just("attributes"),
        Just("key"),
        Just("stringValue"),
        Just("kvlistValue"),
        Just("values"),
        Just("choices"),
        Just("2026-10-08T15:04:05Z"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

/// Keys of every dialect, and what might stand in for a part of them.
fn any_key() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.cost",
        "gen_ai.operation.name",
        "gen_ai.tool.call.result",
        "gen_ai.prompt.1.content",
        "gen_ai.completion.0.tool_calls.0.arguments",
        "gen_ai.response.finish_reasons",
        "gen_ai.evaluation.score.value",
        "llm.input_messages.3.message.contents.1.message_content.text",
        "llm.token_count.prompt",
        "llm.cost.total",
        "openinference.span.kind",
        "input.value",
        "output.value",
        "metadata",
        "retrieval.documents.0.document.content",
        "annotations.0.annotation.score",
        "traceloop.span.kind",
        "traceloop.entity.input",
        "traceloop.association.properties.user_id",
        "llm.usage.total_tokens",
        "langfuse.observation.type",
        "langfuse.observation.usage_details",
        "langfuse.observation.cost_details",
        "ai.operationId",
        "ai.response.toolCalls",
        "ai.usage.inputTokens",
        "steward.outcome",
        "steward.result.x",
        "steward.cost_usd",
        "steward.waiting_ms",
        "http.response.status_code",
        "url.full",
        "error.type",
    ]);
    prop_oneof![
        4 => known.prop_map(str::to_owned),
        1 => "[a-z.0-9]{0,20}",
        1 => "gen_ai\\.(prompt|completion)\\.[0-9]{1,22}\\.[a-z_.0-9]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            if let Ok(decoded) = decode(&body, encoding) { check(&decoded.steps); }
        }
        if let Ok(decoded) = read_runs(&body) { check(&decoded.steps); }
        let line = String::from_utf8_lossy(&body);
        let _ = detect(&line);
        for format in Format::ALL {
            if let Ok(imported) = read_line(format, &line) { check(&imported.steps); }
        }
    }

    #[test]
    fn any_json_is_read_or_refused(value in any_json()) {
        let body = value.to_string();
        if let Ok(decoded) = decode(body.as_bytes(), Encoding::Json) { check(&decoded.steps); }
        if let Ok(decoded) = read_runs(body.as_bytes()) { check(&decoded.steps); }
        let _ = detect(&body);
        for format in Format::ALL {
            if let Ok(imported) = read_line(format, &body) { check(&imported.steps); }
        }
    }

    #[test]
    fn any_run_is_read_or_refused(value in any_json(), more in any_json()) {
        let line = json!({
            "id": "a", "task_id": 1, "start_time": "2026-10-08T15:04:05Z", "messages": value, "steps": more, "usage": more, "scores": more,
            "results": value, "input": value, "output": more, "error": more, "metadata": value,
        }).to_string();
        for format in Format::ALL {
            if let Ok(imported) = read_line(format, &line) { check(&imported.steps); }
        }
    }

    #[test]
    fn any_attributes_are_read(pairs in prop::collection::vec((any_key(), any_json()), 0..12), as_text in any::<bool>()) {
        let attributes: Vec<Value> = pairs
            .into_iter()
            .map(|(key, value)| {
                let value = if as_text { Value::from(value.to_string()) } else { value };
                json!({"key": key, "value": {"stringValue": value}})
            })
            .collect();
        let decoded = read_json(&request(json!(attributes), vec![span(json!(attributes))]));
        prop_assert_eq!(decoded.steps.len(), 1);
        check(&decoded.steps);
    }
}
