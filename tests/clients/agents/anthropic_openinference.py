"""Anthropic's SDK with OpenInference."""

import anthropic
from common import QUESTION, tracing
from openinference.instrumentation.anthropic import AnthropicInstrumentor

spans = tracing()
AnthropicInstrumentor().instrument(tracer_provider=spans)
client = anthropic.Anthropic(max_retries=0)
client.messages.create(model="claude-sonnet-4-0", max_tokens=100, messages=[{"role": "user", "content": QUESTION}])
spans.shutdown()
