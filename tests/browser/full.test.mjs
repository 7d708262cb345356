// Pages as full as they get: names without a space in them, in letters of both directions, and many of everything.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { LOOKS, holds, launch, visit } from "./harness.mjs";

const TOOLS = 40;
const RELEASES = 12;
const RUNS = 48;

// Longer than any column, and nowhere to break it.
const LONG = "x".repeat(70) + "שלוםعربي".repeat(9) + "👩🏽‍🚀🎉".repeat(6) + "W".repeat(60);
// As long as names may be that people give.
const NAME = [...LONG].slice(40, 160).join("");

let browser;
let addresses;

before(async () => {
  browser = await launch();
  const context = await visit(browser, LOOKS[0]);
  const client = await made(context, "/clients/new", { name: NAME });
  await made(context, "/settings/people", { name: NAME, email: `${"e".repeat(60)}@${"d".repeat(60)}.test`, role: "operator" });
  const key = await made(context, "/settings/keys", { name: NAME });
  await send(context, (await key.text()).match(/stk_[0-9a-f]{64}/)[0]);

  const { workflow, runs } = await assembled(context);
  const clientPath = new URL(client.url()).pathname;
  const clientId = clientPath.split("/").pop();
  await made(context, `/workflows/${workflow}/assign`, { client: clientId, name: NAME });
  const connection = await connected(context, workflow);
  addresses = [
    "/",
    "/workflows",
    `/workflows/${workflow}`,
    `/workflows/${workflow}/settings`,
    `/workflows/${workflow}/rules`,
    `/workflows/${workflow}/assign`,
    `/workflows/${workflow}/connections`,
    ...["vapi", "n8n", "langfuse", "beat"].map((source) => `/workflows/${workflow}/connections?source=${source}`),
    connection,
    `${connection}/delete`,
    "/clients",
    clientPath,
    `${clientPath}/edit`,
    "/runs",
    `/runs?workflow=${workflow}`,
    `/runs?q=${encodeURIComponent(LONG.slice(0, 40))}`,
    ...runs.slice(0, 2).map((run) => `/runs/${run.id}`),
    "/settings/people",
    "/settings/keys",
    "/settings/prices",
    "/settings/audit",
    "/reports",
    "/unmapped",
    `/unmapped?workflow=${workflow}`,
  ];
  await context.close();
});
after(() => browser?.close());

test("full pages hold at both widths, by day and by night", async (t) => {
  await holds(t, browser, addresses);
});

/** Sends a form with the token that its page carries, and gives where it led. */
async function made(context, path, fields) {
  const page = await (await context.request.get(path)).text();
  const csrf = page.match(/name="csrf" value="([0-9a-f]+)"/)[1];
  const answer = await context.request.post(path, { form: { ...fields, csrf } });
  assert.ok(answer.ok(), `${path} answered ${answer.status()}: ${(await answer.text()).slice(0, 2_000)}`);
  return answer;
}

/** Makes a connection that is asked too, by which one delivery is refused and another cannot be read; gives its page. */
async function connected(context, workflow) {
  const list = `/workflows/${workflow}/connections`;
  const answer = await made(context, list, { source: "n8n", name: NAME });
  const shown = await answer.text();
  const secret = shown.match(/sts_[0-9a-f]{64}/)[0];
  const hook = shown.match(/\/v1\/hooks\/n8n\/sth_[0-9a-f]{64}/)[0];
  const tell = (authorization) =>
    context.request.post(hook, { headers: { authorization }, data: { [LONG]: LONG, execution: { [LONG]: LONG } } });
  assert.equal((await tell("Bearer nobody")).status(), 401);
  assert.equal((await tell(`Bearer ${secret}`)).status(), 200);
  const page = (await (await context.request.get(list)).text()).match(/\/connections\/con_[0-9a-f]+/)[0];
  const asked = { name: NAME, poll: "on", every_minutes: "1440", base_url: `http://127.0.0.1:1/${LONG.slice(0, 60)}`, subject: "7" };
  await made(context, page, { ...asked, api_token: "nobody" });
  return page;
}

/** Sends runs of one workflow that use every tool, in every release, each with everything that a run may have. */
async function send(context, key) {
  const now = Date.now();
  const at = (n, second) => new Date(now - (n + 1) * 3_600_000 + second * 1_000).toISOString();
  const runs = Array.from({ length: RUNS }, (_, n) => ({
    id: `${LONG.slice(0, 100)}${n}`,
    workflow: LONG,
    title: `${n}${LONG}`,
    user_id: `${n}${LONG}`,
    conversation_id: LONG,
    release: `${n % RELEASES}${LONG}`,
    environment: LONG,
    started_at: at(n, 0),
    ended_at: at(n, 90),
    outcome: ["completed", "failed", "escalated", "abandoned"][n % 4],
    outcome_reason: LONG,
    error: n % 4 === 1 ? { message: LONG } : null,
    input: LONG.repeat(3),
    output: LONG.repeat(3),
    results: [{ name: LONG, value: 1_234_567.89 }],
    scores: [{ name: LONG, value: 0.123456789 }],
    metadata: { [LONG.slice(0, 60)]: LONG },
    [`${n}${LONG}`]: LONG,
    [LONG]: LONG,
    steps: [
      {
        id: "m",
        kind: "model",
        name: LONG,
        model: `${LONG}${n % 5}`,
        provider: LONG,
        started_at: at(n, 1),
        ended_at: at(n, 2),
        usage: { input_tokens: 987_654_321, output_tokens: 123_456_789 },
        cost_usd: 98_765.4321,
      },
      ...Array.from({ length: TOOLS }, (_, tool) => ({
        id: `t${tool}`,
        parent_id: "m",
        kind: "tool",
        tool: `${tool}${LONG}`,
        started_at: at(n, 3 + tool),
        ended_at: at(n, 4 + tool),
        input: { [LONG.slice(0, 60)]: LONG },
        output: LONG,
        error: tool % 7 === 1 ? { message: LONG } : null,
      })),
    ],
  }));
  const answer = await context.request.post("/v1/runs", { headers: { authorization: `Bearer ${key}` }, data: { runs } });
  const { rejected, message } = await answer.json();
  assert.deepEqual([answer.status(), rejected], [200, 0], message);
}

/** Waits until the runs are assembled, and gives their workflow's id with some of them. */
async function assembled(context) {
  for (const start = Date.now(); Date.now() - start < 120_000; ) {
    const { items } = await (await context.request.get("/api/v1/workflows")).json();
    const found = items.find((workflow) => workflow.source_name.startsWith(LONG.slice(0, 60)));
    const answer = found && (await context.request.get(`/api/v1/runs?workflow=${found.id}&limit=${RUNS}`));
    const runs = answer ? (await answer.json()).items : [];
    if (runs.length === RUNS) return { workflow: found.id, runs };
    await new Promise((again) => setTimeout(again, 200));
  }
  throw new Error("the runs were not assembled in two minutes");
}
