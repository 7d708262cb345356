"""OpenAI's SDK with OpenTelemetry's own instrumentation: spans, and what was said in log records beside them."""

import openai
from common import QUESTION, TOOL, tracing, weather
from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

spans = tracing()
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
_logs.set_logger_provider(logs)
OpenAIInstrumentor().instrument(tracer_provider=spans, logger_provider=logs)

client = openai.OpenAI(max_retries=0)
with trace.get_tracer("agent").start_as_current_span("answer"):
    messages = [{"role": "user", "content": QUESTION}]
    first = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[TOOL])
    call = first.choices[0].message.tool_calls[0]
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": weather("Berlin")}]
    client.chat.completions.create(model="gpt-4o", messages=messages, tools=[TOOL])
spans.shutdown()
logs.shutdown()
