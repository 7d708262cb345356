"""LangGraph with OpenInference."""

from common import QUESTION, tracing, weather
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent
from openinference.instrumentation.langchain import LangChainInstrumentor

spans = tracing()
LangChainInstrumentor().instrument(tracer_provider=spans)


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return weather(city)


agent = create_react_agent(ChatOpenAI(model="gpt-4o", max_retries=0), [get_weather], name="weather_desk")
agent.invoke({"messages": [("user", QUESTION)]})
spans.shutdown()
