//! Payloads that real instrumentations emitted and runs that real agents made. They are not part of the repository;
//! where they are absent the tests say so and pass.

use std::collections::BTreeMap;
use std::path::PathBuf;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::Value;
use steward_core::step::{Step, StepKind, StepStatus};
use steward_wire::import::{Format, Imported, detect, read_line};
use steward_wire::otlp::{Encoding, decode};

use crate::support::{request, span, step_of};

const OTLP: [&str; 5] = [
    "openinference-openai",
    "openllmetry-agno",
    "openllmetry-anthropic",
    "openllmetry-langchain",
    "openllmetry-openai",
];

fn data(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("left out: the folder with real payloads, {folder}, is not there");
    None
}

/// The export requests of one instrumentation, as JSON.
fn requests(name: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(data("otlp")?.join(format!("{name}.jsonl"))).unwrap();
    Some(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["otlp"].take()).collect())
}

fn read(body: &[u8], encoding: Encoding) -> Vec<Step> {
    let decoded = decode(body, encoding).unwrap();
    assert_eq!((decoded.rejected, decoded.rejection), (0, None));
    decoded.steps
}

fn steps(name: &str) -> Option<Vec<Step>> {
    Some(requests(name)?.iter().flat_map(|request| read(request.to_string().as_bytes(), Encoding::Json)).collect())
}

fn kinds(steps: &[Step]) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for step in steps {
        *kinds.entry(step.kind.as_str()).or_insert(0) += 1;
    }
    kinds
}

#[test]
fn every_span_becomes_a_step_of_the_right_kind() {
    let expected: [&[(&str, usize)]; 5] = [
        &[("embedding", 4), ("model", 21), ("other", 24)],
        &[("agent", 54), ("chain", 19), ("tool", 26)],
        &[("model", 53)],
        &[("agent", 19), ("chain", 176), ("model", 44), ("other", 74), ("tool", 3)],
        &[("embedding", 3), ("model", 46)],
    ];
    for (name, expected) in OTLP.into_iter().zip(expected) {
        let Some(steps) = steps(name) else { return };
        assert_eq!(kinds(&steps), expected.iter().copied().collect(), "{name}");
    }
}

#[test]
fn every_sum_of_tokens_is_the_one_in_the_payload() {
    for name in OTLP {
        let Some(requests) = requests(name) else { return };
        for request in requests {
            let steps = read(request.to_string().as_bytes(), Encoding::Json);
            let spans: Vec<&Value> = request["resourceSpans"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|resource| resource["scopeSpans"].as_array().unwrap())
                .flat_map(|scope| scope["spans"].as_array().unwrap())
                .collect();
            assert_eq!(spans.len(), steps.len());
            for (span, step) in spans.into_iter().zip(steps) {
                let number = |key: &str| {
                    let attributes = span["attributes"].as_array()?;
                    attributes.iter().find(|pair| pair["key"] == key)?["value"]["intValue"]
                        .as_str()?
                        .parse::<u64>()
                        .ok()
                };
                let sent = [
                    ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
                    ("llm.token_count.prompt", "llm.token_count.completion"),
                ]
                .into_iter()
                .find_map(|(input, output)| Some((number(input)?, number(output).unwrap_or(0))));
                let read = step.usage.map(|usage| (usage.total_input(), usage.total_output()));
                if let Some(sent) = sent {
                    assert_eq!(read, Some(sent), "{name} {}", step.name);
                }
                let failed = span["status"]["code"] == 2;
                assert_eq!(step.status == StepStatus::Error, failed);
                assert!(!failed || step.error.is_some());
            }
        }
    }
}

#[test]
fn what_a_model_was_asked_and_answered_is_found() {
    for (name, least) in [
        ("openinference-openai", 12),
        ("openllmetry-anthropic", 20),
        ("openllmetry-langchain", 17),
        ("openllmetry-openai", 18),
    ] {
        let Some(steps) = steps(name) else { return };
        let told = |step: &&Step| {
            let said =
                |message: &steward_core::step::Message| !message.text.is_empty() || !message.tool_calls.is_empty();
            step.kind == StepKind::Model && step.input.iter().any(said) && step.output.iter().any(said)
        };
        assert!(steps.iter().filter(told).count() >= least, "{name}: {}", steps.iter().filter(told).count());
    }
}

#[test]
fn no_key_of_a_known_dialect_is_left_unmapped() {
    for name in OTLP {
        let Some(steps) = steps(name) else { return };
        let families =
            ["gen_ai.", "llm.", "openinference.", "traceloop.", "embedding.", "input.value", "output.value", "http."];
        let unmapped: Vec<_> = steps
            .iter()
            .flat_map(|step| &step.reading.unmapped)
            .filter(|key| families.iter().any(|family| key.starts_with(family)))
            .collect();
        assert!(unmapped.is_empty(), "{name}: {unmapped:?}");
        assert!(steps.iter().all(|step| step.reading.notes.is_empty()), "{name}");
    }
}

/// The same request in the other encoding, made by the standard's own library.
fn as_protobuf(request: &Value) -> Option<Vec<u8>> {
    serde_json::from_value::<ExportTraceServiceRequest>(request.clone()).ok().map(|request| request.encode_to_vec())
}

#[test]
fn both_encodings_of_one_payload_give_equal_steps() {
    for name in OTLP {
        let Some(requests) = requests(name) else { return };
        let mut n_compared = 0;
        for request in &requests {
            let Some(protobuf) = as_protobuf(request) else { continue };
            assert_eq!(
                read(request.to_string().as_bytes(), Encoding::Json),
                read(&protobuf, Encoding::Protobuf),
                "{name}"
            );
            n_compared += 1;
        }
        assert_eq!(n_compared, requests.len(), "{name}");
    }
}

#[test]
fn real_protobuf_is_read_like_its_json() {
    let Some(folder) = data("otlp") else { return };
    let mut n_files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "pb") {
            continue;
        }
        let body = std::fs::read(&path).unwrap();
        let steps = read(&body, Encoding::Protobuf);
        assert!(!steps.is_empty());
        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(steps, read(json.as_bytes(), Encoding::Json), "{}", path.display());
        n_files += 1;
    }
    assert!(n_files >= 20);
}

#[test]
fn attributes_of_every_fixture_are_read() {
    let Some(folder) = data("otlp/genai_fixtures") else { return };
    let read = |name: &str| {
        let attributes: Value = serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap();
        step_of(span(attributes))
    };
    let newest = read("otel_genai_client_span_tool_calls.json");
    let deprecated = read("otel_genai_deprecated_client_span_tool_calls.json");
    let openinference = read("openinference_client_span_tool_calls.json");
    let bare = read("openinference_client_span_input_output_only.json");
    for step in [&newest, &deprecated, &openinference, &bare] {
        assert_eq!(
            (step.kind, step.model.as_deref(), step.provider.as_deref()),
            (StepKind::Model, Some("gpt-4-0613"), Some("openai"))
        );
        assert_eq!(step.usage.map(|usage| (usage.input, usage.output)), Some((97, 52)));
        assert_eq!(step.input.len(), 3);
        assert_eq!(step.input[1].tool_calls[0].name, "get_weather");
        assert_eq!(step.output_text(), "The weather in Paris is currently rainy with a temperature of 57°F.");
    }
    let tool = read("otel_genai_tool_execution_span.json");
    assert_eq!((tool.kind, tool.tool.as_deref()), (StepKind::Tool, Some("get_weather")));
    assert!(tool.output_text().contains("sunny"));
}

#[test]
fn the_spans_of_the_vercel_sdk_are_read() {
    let Some(folder) = data("otlp/vercel_ai_v6_fixtures") else { return };
    let spans: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("all-spans.json")).unwrap()).unwrap();
    let mut n_models = 0;
    for (place, sent) in spans.iter().enumerate() {
        let mut one = span(sent["attributes"].clone());
        one["name"] = sent["name"].clone();
        one["spanId"] = Value::from(format!("{:016x}", place + 1));
        let decoded = decode(request(serde_json::json!({}), vec![one]).to_string().as_bytes(), Encoding::Json).unwrap();
        let step = &decoded.steps[0];
        assert!(step.reading.unmapped.is_empty(), "{:?}", step.reading.unmapped);
        if step.kind == StepKind::Model {
            n_models += 1;
            assert!(!step.output_text().is_empty() && step.usage.is_some(), "{}", step.name);
        }
    }
    assert!(n_models >= 4);
}

fn runs(file: &str, format: Format) -> Option<Vec<Imported>> {
    let (folder, name) = file.split_once('/').unwrap();
    let packed = std::fs::File::open(data(folder)?.join(name)).unwrap();
    let text = String::from_utf8(zstd::decode_all(packed).unwrap()).unwrap();
    let read = |line: &str| {
        assert_eq!(detect(line), Some(format));
        read_line(format, line).unwrap()
    };
    Some(text.lines().map(read).collect())
}

fn reward(run: &Imported) -> f64 {
    run.steps[0].scores.iter().find(|score| score.name == "reward").unwrap().value.unwrap()
}

#[test]
fn runs_of_tau_bench_keep_their_rewards_and_claim_no_times() {
    let Some(runs) = runs("tau-bench/gpt-4o-airline.jsonl.zst", Format::TauBench) else { return };
    assert_eq!(runs.len(), 200);
    assert_eq!(runs.iter().filter(|run| reward(run) == 1.0).count(), 84);
    let steps: Vec<&Step> = runs.iter().flat_map(|run| &run.steps).collect();
    let of = |kind| steps.iter().filter(|step| step.kind == kind).count();
    assert_eq!((of(StepKind::Model), of(StepKind::Tool)), (2_454, 1_164));
    assert_eq!(steps.iter().filter(|step| step.error.is_some()).count(), 73);
    assert_eq!(steps.iter().filter(|step| step.tool.as_deref() == Some("transfer_to_human_agents")).count(), 48);
    assert!(
        steps
            .iter()
            .all(|step| step.reading.notes == ["times are invented: the source has none"] && step.usage.is_none())
    );
    assert!(steps.iter().filter(|step| step.kind == StepKind::Tool).all(|step| !step.output.is_empty()));
    let declared = runs[0].steps[0].declared.as_ref().unwrap();
    assert_eq!(
        (declared.workflow.as_deref(), declared.ended, declared.cost_nanos),
        (Some("airline-agent (gpt-4o)"), true, None)
    );
    assert_eq!(
        declared.title.as_deref(),
        Some("Hi! I'm looking to book a flight from New York to Seattle on May 20th.")
    );
}

#[test]
fn runs_of_tau2_bench_cost_what_their_calls_cost() {
    for (file, n_runs, n_rewarded) in
        [("tau2-bench/sierra-gpt41-retail.jsonl.zst", 40, 34), ("tau2-bench/sierra-gpt41-airline.jsonl.zst", 20, 10)]
    {
        let Some(runs) = runs(file, Format::Tau2Bench) else { return };
        assert_eq!((runs.len(), runs.iter().filter(|run| reward(run) == 1.0).count()), (n_runs, n_rewarded));
        for run in &runs {
            let root = &run.steps[0];
            let of_calls: i64 = run.steps[1..].iter().filter_map(|step| step.cost_nanos).map(|cost| cost.0).sum();
            assert_eq!(root.declared.as_ref().unwrap().cost_nanos.unwrap().0, of_calls, "{}", run.key);
            assert_eq!(root.attributes["termination_reason"], "user_stop");
            assert!(
                run.steps.iter().all(|step| step.started_at >= root.started_at && step.ended_at <= root.ended_at),
                "{}",
                run.key
            );
            assert!(run.steps.iter().all(|step| step.reading.notes.is_empty()));
            assert!(run.steps.iter().filter(|step| step.kind == StepKind::Tool).all(|step| !step.output.is_empty()));
        }
    }
}
