// The older SDK of Langfuse for JavaScript, which sends batches of events.

import { Langfuse } from "langfuse";

const langfuse = new Langfuse();
const trace = langfuse.trace({ name: "weather desk", input: "What is the weather in Berlin?" });
const asked = trace.generation({ name: "ask", model: "gpt-4o", input: "What is the weather in Berlin?" });
asked.end({ output: "get_weather", usage: { input: 100, output: 20, unit: "TOKENS" } });
const tool = trace.span({ name: "get_weather", input: { city: "Berlin" } });
tool.end({ output: "Sunny" });
const said = trace.generation({ name: "say", model: "gpt-4o" });
said.end({ output: "Sunny.", usage: { input: 150, output: 10, unit: "TOKENS" } });
trace.update({ output: "Sunny." });
trace.score({ name: "helpful", value: 0.9, comment: "quick" });
await langfuse.shutdownAsync();
