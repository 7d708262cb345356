"""Pydantic AI, which instruments itself."""

from common import QUESTION, tracing, weather
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel

spans = tracing()
Agent.instrument_all()
agent = Agent(OpenAIChatModel("gpt-4o"), name="weather_desk", instructions="Be brief.")


@agent.tool_plain
def get_weather(city: str) -> str:
    """The weather of a city."""
    return weather(city)


agent.run_sync(QUESTION)
spans.shutdown()
