// Vercel's AI SDK, which instruments itself.

import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";

const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter() });
sdk.start();
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
await generateText({
  model: openai.chat("gpt-4o"),
  prompt: "What is the weather in Berlin?",
  tools: {
    get_weather: tool({
      description: "The weather of a city.",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => `Sunny in ${city}, 21 degrees.`,
    }),
  },
  stopWhen: stepCountIs(3),
  maxRetries: 0,
  experimental_telemetry: { isEnabled: true, functionId: "weather desk" },
});
await sdk.shutdown();
