// Real clients from PyPI and npm against a running Steward: what each run shows is asked of Steward's API.
//
// STEWARD_BIN is the program, STEWARD_CLIENTS the folder in which `cargo xtask clients` installed the clients.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { startProvider } from "./provider.mjs";
import { runsOf, startSteward } from "./steward.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const agents = join(here, "agents");
const clients = process.env.STEWARD_CLIENTS;
const node = join(clients, "node");
// Most of a client's time goes into loading its modules, which takes long where the disk has other work.
const PATIENCE_MS = 150_000;
// Clients that run at the same time.
const AT_ONCE = 4;

let folder;
let provider;
let steward;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "steward-clients-"));
  provider = await startProvider();
  steward = await startSteward(process.env.STEWARD_BIN, join(folder, "data"));
  // Modules are looked for beside the file that asks for them.
  for (const file of (await readdir(agents)).filter((name) => name.endsWith(".mjs"))) {
    await copyFile(join(agents, file), join(node, file));
  }
});

after(async () => {
  await steward?.stop();
  await provider?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Runs a client to its end, as a service of this name. */
async function runClient(file, service, more = {}) {
  const isPython = file.endsWith(".py");
  const environment = {
    PATH: process.env.PATH,
    HOME: folder,
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: agents,
    NODE_OPTIONS: `--import ${pathToFileURL(join(here, "offline.mjs"))}`,
    OPENAI_API_KEY: "sk-none",
    OPENAI_BASE_URL: `${provider.url}/v1`,
    ANTHROPIC_API_KEY: "sk-none",
    ANTHROPIC_BASE_URL: provider.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: steward.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${steward.key}`,
    OTEL_SERVICE_NAME: service,
    OTEL_METRICS_EXPORTER: "none",
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true",
    LANGFUSE_BASE_URL: steward.url,
    LANGFUSE_BASEURL: steward.url,
    LANGFUSE_HOST: steward.url,
    LANGFUSE_PUBLIC_KEY: "pk-lf-steward",
    LANGFUSE_SECRET_KEY: steward.key,
    ...more,
  };
  const [program, script, cwd] = isPython
    ? [join(clients, "python", "bin", "python"), join(agents, file), agents]
    : [process.execPath, join(node, file), node];
  const child = spawn(program, [script], { env: environment, cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const code = await new Promise((done) => child.on("exit", done));
  clearTimeout(patience);
  assert.equal(code, 0, `${file} failed:\n${output}`);
  assert.doesNotMatch(output, /OFFLINE/, `${file} wanted to reach the network:\n${output}`);
}

/** The one run of a service, once it has so many model calls. */
async function onlyRunOf(service, nModelCalls, isWhole = () => true) {
  const runs = await runsOf(steward, service, (found) => found.length === 1 && found[0].run.n_model_calls === nModelCalls && isWhole(found[0]));
  assert.equal(runs.length, 1, `${service} has ${runs.length} runs: ${inShort(runs)}`);
  return runs[0];
}

const inShort = (runs) => JSON.stringify(runs.map(({ run }) => run), null, 1);
const text = (run) => JSON.stringify(run);
/** What gpt-4o costs, in billionths of a dollar: 2.50 and 10.00 dollars for a million tokens, 1.25 from the cache. */
const cost = (input, cached, output) => (input - cached) * 2_500 + cached * 1_250 + output * 10_000;

/** The conversation of two model calls around one of a tool, whoever told of it. */
function assertConversation({ run, steps, ...detail }, { cached = 40, tool = "get_weather", nSteps, outcome = "unverified" }) {
  assert.equal(run.n_steps, nSteps, inShort([{ run }]));
  assert.equal(steps.length, nSteps);
  // None of them says whether it did its job: that it ended without an error is no outcome.
  assert.equal(run.outcome, outcome);
  assert.equal(detail.n_late_steps, 0);
  assert.equal(run.n_model_calls, 2, inShort([{ run }]));
  assert.equal(run.tokens_in, 250, "tokens are counted once");
  assert.equal(run.tokens_out, 30);
  assert.equal(detail.usage.cache_read, cached);
  assert.equal(run.cost_nanos, cost(250, cached, 30));
  assert.equal(run.cost_source, "priced");
  assert.equal(run.first_error, "");
  assert.equal(run.n_exceptions, 0);
  if (tool) {
    assert.equal(run.n_tool_calls, 1);
    assert.deepEqual(run.tools, [tool]);
  }
}

describe("runs of", { concurrency: AT_ONCE }, () => {
  test("OpenAI's SDK with OpenTelemetry's instrumentation, what was said in logs", async () => {
    await runClient("openai_otel.py", "openai-otel");
    const isSaid = (run) => text(run).includes("What is the weather in Berlin?") && text(run).includes("It is sunny in Berlin.");
    const found = await onlyRunOf("openai-otel", 2, isSaid);
    assertConversation(found, { cached: found.usage.cache_read, tool: null, nSteps: 3 });
    assert.ok(isSaid(found), "what was said is in the logs, and belongs to the run");
  });

  test("OpenAI's SDK with OpenInference, also when the provider refuses", async () => {
    await runClient("openai_openinference.py", "openai-openinference");
    const runs = await runsOf(steward, "openai-openinference", (found) => found.length === 2);
    const [good, bad] = runs.sort((a, b) => a.run.n_exceptions - b.run.n_exceptions);
    assert.deepEqual([good.run.tokens_in, good.run.tokens_out, good.usage.cache_read], [150, 10, 40]);
    assert.equal(good.run.cost_nanos, cost(150, 40, 10));
    assert.ok(text(good).includes("It is sunny in Berlin."));
    assert.equal(bad.run.outcome, "failed");
    assert.deepEqual([good.run.outcome, good.run.n_steps, bad.run.n_steps], ["unverified", 1, 1]);
    assert.match(bad.run.first_error, /does not exist/);
    assert.deepEqual([bad.run.tokens_in, bad.run.tokens_out], [0, 0]);
  });

  test("Anthropic's SDK with OpenInference", async () => {
    await runClient("anthropic_openinference.py", "anthropic-openinference");
    const { run, usage } = await onlyRunOf("anthropic-openinference", 1);
    assert.deepEqual([run.tokens_in, run.tokens_out, usage.cache_read, usage.input], [150, 10, 40, 110]);
    assert.deepEqual([run.outcome, run.n_steps], ["unverified", 2]);
    // 3 and 15 dollars for a million tokens, 0.30 from the cache.
    assert.equal(run.cost_nanos, 110 * 3_000 + 40 * 300 + 10 * 15_000);
  });

  test("OpenAI's Agents SDK", async () => {
    await runClient("openai_agents.py", "openai-agents");
    assertConversation(await onlyRunOf("openai-agents", 2), { nSteps: 8 });
  });

  test("Pydantic AI", async () => {
    await runClient("pydantic_ai_agent.py", "pydantic-ai");
    assertConversation(await onlyRunOf("pydantic-ai", 2), { nSteps: 4 });
  });

  test("LangGraph", async () => {
    await runClient("langgraph_agent.py", "langgraph");
    assertConversation(await onlyRunOf("langgraph", 2), { nSteps: 15 });
  });

  test("Vercel's AI SDK", async () => {
    await runClient("vercel_ai.mjs", "vercel-ai");
    assertConversation(await onlyRunOf("vercel-ai", 2), { nSteps: 4 });
  });

  for (const [file, service, what] of [
    ["langfuse_sdk.py", "langfuse-python", "Langfuse's SDK for Python"],
    ["langfuse_sdk.mjs", "langfuse-js", "Langfuse's SDK for JavaScript"],
  ]) {
    test(`${what}, its judgement included`, async () => {
      await runClient(file, service);
      const found = await onlyRunOf(service, 2, (run) => text(run).includes("helpful"));
      // The judgement of the whole run stands beside its four spans.
      assertConversation(found, { nSteps: 5 });
      const scores = found.steps.flatMap((step) => step.scores);
      assert.deepEqual(scores.map(({ name, value, explanation }) => [name, value, explanation]), [["helpful", 0.9, "quick"]]);
    });
  }

  test("Langfuse's older SDK for JavaScript, which sends batches of events", async () => {
    // Batches name no service, and the key is for no workflow.
    const workflow = "unknown service";
    await runClient("langfuse_older.mjs", "not sent");
    const found = await onlyRunOf(workflow, 2, (run) => text(run).includes("helpful"));
    assertConversation(found, { cached: 0, tool: null, nSteps: 4, outcome: null });
    assert.ok(text(found).includes("What is the weather in Berlin?"));
    assert.equal(found.steps.flatMap((step) => step.scores).length, 1);
  });
});

test("Steward found nothing of all this to complain of", () => {
  assert.doesNotMatch(steward.output(), /ERROR|panicked/);
});
