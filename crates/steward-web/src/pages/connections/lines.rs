//! What to do at each source so that its runs come in: the exact lines, with the key or secret in them while it can be
//! shown, and what stands for it when it cannot.

use steward_app::connections::{How, Platform, Source};

use crate::view::components::snippet::Snippet;
use crate::view::pages::settings::ConnectStep;

/// What the lines are filled in with.
pub(super) struct Filled<'a> {
    /// Where people reach the program.
    pub public_url: &'a str,
    /// The key, or what stands for it.
    pub key: &'a str,
    /// The connection's address, or what stands for it.
    pub url: &'a str,
    /// The secret that was made, or what stands for it.
    pub secret: &'a str,
}

/// What stands for a key that cannot be shown.
pub(super) const NO_KEY: &str = "stk_YOUR_KEY";
/// What stands for a secret that cannot be shown.
pub(super) const NO_SECRET: &str = "YOUR_SECRET";

fn say(text: impl Into<String>) -> ConnectStep {
    ConnectStep { text: text.into(), snippet: None }
}

fn code(text: &str, title: &str, code: String) -> ConnectStep {
    ConnectStep { text: text.to_owned(), snippet: Some(Snippet::titled(title, code)) }
}

/// What to do for a source.
pub(super) fn steps(source: Source, filled: &Filled<'_>) -> Vec<ConnectStep> {
    match source.how {
        How::Hook(platform) => hook(platform, filled),
        How::Beat => {
            let url = filled.url;
            let text = "Call this address each time that the work was done, as the last thing that it does; \
                        a workflow that does not is shown on Today.";
            vec![
                code(text, "Address", url.to_owned()),
                code("At the end of a cron job:", "crontab", format!("0 * * * * /opt/work && curl -fsS -m 10 {url}")),
            ]
        }
        How::Key => telemetry(source.word, filled),
    }
}

fn hook(platform: Platform, filled: &Filled<'_>) -> Vec<ConnectStep> {
    let Filled { url, secret, .. } = filled;
    let address = |text: &str| code(text, "Address", (*url).to_owned());
    let header = |text: &str| code(text, "Header", format!("Authorization: Bearer {secret}"));
    match platform {
        Platform::Vapi => vec![
            address("In Vapi, open the assistant (or the organisation's settings), and set this as its Server URL."),
            code(
                "Set this as the server's secret, or as a Bearer credential; Vapi sends it with each message.",
                "Secret",
                (*secret).to_owned(),
            ),
            say("Among its server messages, leave “end-of-call-report” and “status-update” switched on."),
        ],
        Platform::Retell => vec![
            address("In Retell, open the agent's webhook settings (or those of the whole account), and set this address."),
            say("Retell signs with your API key, the one with the webhook badge: enter it here as the secret."),
        ],
        Platform::ElevenLabs => vec![
            address("In ElevenLabs, under Agents, Settings, Post-call webhook: make a webhook with HMAC and this address."),
            say("ElevenLabs shows the secret once, when the webhook is made: enter it here."),
        ],
        Platform::Twilio => vec![
            address("In Twilio, set this as the number's status callback, with POST."),
            say("Twilio signs with the account's Auth Token: enter it here as the secret."),
            say("Twilio signs the address that it calls, so this must be how Twilio reaches Steward: see public_url."),
        ],
        Platform::N8n => vec![
            address("In n8n, make an error workflow that ends in an HTTP Request node: POST, JSON, the whole item, to:"),
            header("With this header, as a Header Auth credential:"),
            say("Successful executions come by asking n8n: give its address and an API key below, once this is made."),
        ],
        Platform::Make => vec![
            address("In Make, add a module “HTTP, make a request” to the scenario, and to its error handler: POST, JSON, to:"),
            header("With this header:"),
            code(
                "And this body:",
                "JSON",
                "{\"executionId\": \"{{var.scenario.executionId}}\", \"scenarioId\": \"{{var.scenario.id}}\", \
                 \"scenarioName\": \"{{var.scenario.name}}\", \"status\": 1}"
                    .to_owned(),
            ),
        ],
        Platform::Zapier => vec![
            address("In Zapier, make a Zap of “Zapier Manager, New Zap Error” and “Webhooks, POST”, to:"),
            header("With this header:"),
            code(
                "And as JSON:",
                "JSON",
                "{\"source\": \"zapier\", \"run_id\": \"…\", \"zap_id\": \"…\", \"zap_title\": \"…\", \"status\": \"errored\", \"error\": \"…\"}".to_owned(),
            ),
        ],
        Platform::LangGraph => vec![
            address("Give this as “webhook” where you start a run:"),
            code(
                "And send the secret with it, in the webhooks' headers of langgraph.json:",
                "langgraph.json",
                format!("{{\"webhooks\": {{\"headers\": {{\"Authorization\": \"Bearer {secret}\"}}}}}}"),
            ),
        ],
        Platform::Event => vec![code(
            "An id and a word on how it went are enough; send it again with more when more is known.",
            "curl",
            format!(
                "curl -sS {url} \\\n  -H 'authorization: Bearer {secret}' \\\n  -H 'content-type: application/json' \\\n  -d '{{\"id\": \"import-17\", \"workflow\": \"Nightly import\", \"status\": \"ok\"}}'"
            ),
        )],
    }
}

/// The set-up of OpenTelemetry's tracer in Python, on which the instrumentations stand.
fn python(url: &str, key: &str, more: &str) -> String {
    format!(
        "from opentelemetry import trace\nfrom opentelemetry.sdk.resources import Resource\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n\nprovider = TracerProvider(resource=Resource.create({{\"service.name\": \"my-agent\"}}))\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(\n    endpoint=\"{url}/v1/traces\",\n    headers={{\"authorization\": \"Bearer {key}\"}},\n)))\ntrace.set_tracer_provider(provider)\n{more}"
    )
}

fn javascript(url: &str, key: &str) -> String {
    format!(
        "import {{ NodeSDK }} from '@opentelemetry/sdk-node';\nimport {{ OTLPTraceExporter }} from '@opentelemetry/exporter-trace-otlp-proto';\n\nconst sdk = new NodeSDK({{\n  serviceName: 'my-agent',\n  traceExporter: new OTLPTraceExporter({{\n    url: '{url}/v1/traces',\n    headers: {{ authorization: 'Bearer {key}' }},\n  }}),\n}});\nsdk.start();"
    )
}

fn telemetry(word: &str, filled: &Filled<'_>) -> Vec<ConnectStep> {
    let Filled { public_url: url, key, .. } = filled;
    let install = |packages: &str| code("Install:", "Terminal", packages.to_owned());
    let exporter = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http";
    let instrumented = |package: &str, class: &str| {
        let module = package.replace("openinference-instrumentation-", "");
        vec![
            install(&format!("pip install {exporter} {package}")),
            code(
                "Before your agent starts:",
                "Python",
                python(
                    url,
                    key,
                    &format!(
                        "\nfrom openinference.instrumentation.{module} import {class}\n{class}().instrument(tracer_provider=provider)"
                    ),
                ),
            ),
        ]
    };
    match word {
        "otel_python" => vec![
            install(&format!("pip install {exporter}")),
            code("Before your agent starts:", "Python", python(url, key, "")),
        ],
        "otel_js" => vec![
            install("npm install @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto"),
            code("In a file that is loaded before your agent:", "instrumentation.mjs", javascript(url, key)),
        ],
        "openai" => instrumented("openinference-instrumentation-openai", "OpenAIInstrumentor"),
        "anthropic" => instrumented("openinference-instrumentation-anthropic", "AnthropicInstrumentor"),
        "langgraph_sdk" => instrumented("openinference-instrumentation-langchain", "LangChainInstrumentor"),
        "vercel_ai" => vec![
            install("npm install @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto"),
            code("In a file that is loaded before your program:", "instrumentation.mjs", javascript(url, key)),
            code(
                "And at each call:",
                "TypeScript",
                "const result = await generateText({\n  model,\n  prompt,\n  experimental_telemetry: { isEnabled: true, functionId: 'my-agent' },\n});".to_owned(),
            ),
        ],
        "langfuse" => vec![code(
            "The SDK sends here with these; the key stands for both of its keys.",
            ".env",
            format!("LANGFUSE_BASE_URL={url}\nLANGFUSE_HOST={url}\nLANGFUSE_PUBLIC_KEY={key}\nLANGFUSE_SECRET_KEY={key}"),
        )],
        "json" | "curl" => {
            let run = "{\"workflow\": \"my-agent\", \"id\": \"first\", \"started_at\": \"2026-11-03T09:00:00Z\", \"ended_at\": \"2026-11-03T09:00:12Z\", \"outcome\": \"completed\"}";
            if word == "curl" {
                vec![code(
                    "One run as JSON:",
                    "curl",
                    format!(
                        "curl -sS {url}/v1/runs \\\n  -H 'authorization: Bearer {key}' \\\n  -H 'content-type: application/json' \\\n  -d '{run}'"
                    ),
                )]
            } else {
                let head = format!("POST {url}/v1/runs\nAuthorization: Bearer {key}\nContent-Type: application/json");
                vec![code(
                    "Send a run when it has ended, or several in an array, or one on each line as application/x-ndjson:",
                    "HTTP",
                    format!("{head}\n\n{run}"),
                )]
            }
        }
        _ => vec![code(
            "Set these where your agent runs: every OpenTelemetry SDK reads them.",
            ".env",
            format!(
                "OTEL_EXPORTER_OTLP_ENDPOINT={url}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nOTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{key}\nOTEL_SERVICE_NAME=my-agent"
            ),
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_lines_with_its_address_and_its_secret_in_them() {
        let filled = Filled {
            public_url: "https://steward.test",
            key: "stk_1",
            url: "https://steward.test/v1/hooks/x/sth_1",
            secret: "sts_1",
        };
        for source in Source::ALL {
            let all: String = steps(source, &filled)
                .into_iter()
                .map(|step| {
                    format!("{}\n{}\n", step.text, step.snippet.map(|snippet| snippet.code).unwrap_or_default())
                })
                .collect();
            let (address, secret) = match source.how {
                How::Key => (filled.public_url, "stk_1"),
                How::Beat => (filled.url, ""),
                How::Hook(_) if source.brings_its_secret() => (filled.url, "enter it here"),
                How::Hook(_) => (filled.url, "sts_1"),
            };
            assert!(all.contains(address) && all.contains(secret), "{}: {all}", source.word);
        }
    }
}
