"""What the agents of these tests share: where their spans go, and the one tool that they have."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

QUESTION = "What is the weather in Berlin?"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def tracing() -> TracerProvider:
    """Spans go where OTEL_EXPORTER_OTLP_ENDPOINT says, as the service that OTEL_SERVICE_NAME names."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def weather(city: str) -> str:
    return f"Sunny in {city}, 21 degrees."
