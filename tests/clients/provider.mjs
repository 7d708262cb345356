// A stand-in for the providers of models: what OpenAI's and Anthropic's interfaces answer to one short conversation.
//
// Who offers tools is first asked to call one; who brings a tool's answer, or has no tools, is given a last word. What
// is asked of the model "no-such-model" is refused as a provider refuses it.

import { createServer } from "node:http";

const LAST_WORD = "It is sunny in Berlin.";
const ARGUMENTS = JSON.stringify({ city: "Berlin" });

/** Starts it on a free port. */
export async function startProvider() {
  const asked = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      asked.push(request.url);
      const [status, body] = answer(request.url, text);
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    asked,
    stop: () => new Promise((done) => server.close(done).closeAllConnections()),
  };
}

function answer(url, text) {
  let asked;
  try {
    asked = JSON.parse(text);
  } catch {
    return [400, { error: { message: "not JSON", type: "invalid_request_error" } }];
  }
  if (asked.model === "no-such-model") {
    return [404, { error: { message: "The model does not exist", type: "invalid_request_error", code: "model_not_found" } }];
  }
  if (url.endsWith("/chat/completions")) return [200, completion(asked)];
  if (url.endsWith("/responses")) return [200, response(asked)];
  if (url.endsWith("/messages")) return [200, message(asked)];
  return [404, { error: { message: `nothing at ${url}`, type: "invalid_request_error" } }];
}

/** The tool to call, unless it was called already. */
function toolOf(asked, wasCalled) {
  return wasCalled ? undefined : (asked.tools ?? []).map((tool) => tool.function?.name ?? tool.name).find(Boolean);
}

// The first word is 100 tokens in and 20 out; the last 150, of which 40 were in the provider's cache, and 10.
function completion(asked) {
  const tool = toolOf(asked, asked.messages.some((message) => message.role === "tool"));
  const message = { role: "assistant", content: tool ? null : LAST_WORD, refusal: null };
  if (tool) message.tool_calls = [{ id: "call_1", type: "function", function: { name: tool, arguments: ARGUMENTS } }];
  const [input, output, cached] = tool ? [100, 20, 0] : [150, 10, 40];
  return {
    id: tool ? "chatcmpl-1" : "chatcmpl-2",
    object: "chat.completion",
    created: 1795437000,
    model: "gpt-4o-2024-08-06",
    choices: [{ index: 0, message, logprobs: null, finish_reason: tool ? "tool_calls" : "stop" }],
    usage: {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: cached },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
  };
}

function response(asked) {
  const said = Array.isArray(asked.input) ? asked.input : [];
  const tool = toolOf(asked, said.some((item) => item.type === "function_call_output"));
  const [input, output, cached] = tool ? [100, 20, 0] : [150, 10, 40];
  const spoken = { type: "output_text", text: LAST_WORD, annotations: [], logprobs: [] };
  const item = tool
    ? { type: "function_call", id: "fc_1", call_id: "call_1", name: tool, arguments: ARGUMENTS, status: "completed" }
    : { type: "message", id: "msg_1", role: "assistant", status: "completed", content: [spoken] };
  return {
    id: tool ? "resp_1" : "resp_2",
    object: "response",
    created_at: 1795437000,
    status: "completed",
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: "gpt-4o-2024-08-06",
    output: [item],
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: asked.tools ?? [],
    top_p: 1,
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + output,
    },
  };
}

function message() {
  // Anthropic counts what was in its cache beside the input.
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-20250514",
    content: [{ type: "text", text: LAST_WORD }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 110, output_tokens: 10, cache_read_input_tokens: 40, cache_creation_input_tokens: 0 },
  };
}
