// Langfuse's SDK for JavaScript, with the host and the keys changed and nothing else.

import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { startActiveObservation, startObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
sdk.start();
const langfuse = new LangfuseClient();
const prompt = await langfuse.prompt.get("greeting", { fallback: "Be brief with {{who}}.", maxRetries: 0 });
if (prompt.compile({ who: "guests" }) !== "Be brief with guests.") throw new Error("the fallback was not used");

await startActiveObservation(
  "weather desk",
  async (agent) => {
    agent.update({ input: "What is the weather in Berlin?" });
    const asked = startObservation("ask", { model: "gpt-4o", usageDetails: { input: 100, output: 20 } }, { asType: "generation" });
    asked.end();
    const tool = startObservation("get_weather", { input: { city: "Berlin" }, output: "Sunny" }, { asType: "tool" });
    tool.end();
    const usageDetails = { input: 110, cache_read_input_tokens: 40, output: 10 };
    const said = startObservation("say", { model: "gpt-4o", usageDetails, output: "Sunny." }, { asType: "generation" });
    said.end();
    agent.update({ output: "Sunny." });
    langfuse.score.trace({ otelSpan: agent.otelSpan }, { name: "helpful", value: 0.9, comment: "quick" });
  },
  { asType: "agent" },
);
await langfuse.score.flush();
await sdk.shutdown();
