"""OpenAI's Agents SDK with OpenInference."""

from agents import Agent, Runner, function_tool, set_trace_processors
from common import QUESTION, tracing, weather
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

# The SDK's own exporter would send to OpenAI.
set_trace_processors([])
spans = tracing()
OpenAIAgentsInstrumentor().instrument(tracer_provider=spans)


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return weather(city)


agent = Agent(name="weather desk", instructions="Be brief.", model="gpt-4o", tools=[get_weather])
Runner.run_sync(agent, QUESTION)
spans.shutdown()
