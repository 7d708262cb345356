"""Langfuse's SDK for Python, with the host and the keys changed and nothing else."""

from common import QUESTION, weather
from langfuse import get_client, observe

langfuse = get_client()
assert langfuse.auth_check()
# There is no such prompt, so that the fallback is what is used.
prompt = langfuse.get_prompt("greeting", fallback="Be brief with {{who}}.", max_retries=0)
assert prompt.is_fallback and prompt.compile(who="guests") == "Be brief with guests."


@observe(name="get_weather", as_type="tool")
def get_weather(city: str) -> str:
    return weather(city)


@observe(name="weather desk", as_type="agent")
def answer(question: str) -> str:
    with langfuse.start_as_current_observation(as_type="generation", name="ask", model="gpt-4o", input=question) as asked:
        asked.update(output="get_weather", usage_details={"input": 100, "output": 20})
    get_weather("Berlin")
    with langfuse.start_as_current_observation(as_type="generation", name="say", model="gpt-4o") as said:
        said.update(output="Sunny.", usage_details={"input": 110, "cache_read_input_tokens": 40, "output": 10})
    langfuse.score_current_trace(name="helpful", value=0.9, comment="quick")
    return "Sunny."


answer(QUESTION)
langfuse.shutdown()
