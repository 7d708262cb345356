"""OpenAI's SDK with OpenInference: one run that goes well, and one whose provider refuses."""

import openai
from common import QUESTION, tracing
from openinference.instrumentation.openai import OpenAIInstrumentor

spans = tracing()
OpenAIInstrumentor().instrument(tracer_provider=spans)
client = openai.OpenAI(max_retries=0)
client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": QUESTION}])
try:
    client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": QUESTION}])
except openai.NotFoundError:
    pass
spans.shutdown()
