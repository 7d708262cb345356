// A Steward on a free port, with a data folder of its own, and questions to its API.

import { execFile, spawn } from "node:child_process";
import { createServer } from "node:net";
import { promisify } from "node:util";

const PATIENCE_MS = 60_000;

/** Starts it, sets it up, and makes a key. */
export async function startSteward(program, folder) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ["--data", folder, "serve", "--listen", `127.0.0.1:${port}`, "--listen-grpc", "off"];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: withoutSettings() });
  let output = "";
  const exited = new Promise((done) => child.on("exit", done));
  // Whatever ends us, the server goes too.
  process.on("exit", () => child.kill("SIGKILL"));
  await new Promise((found, failed) => {
    const fail = (why) => failed(new Error(`${why}\n${output.trim()}`));
    const patience = setTimeout(() => fail(`${program} was not ready after ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
    const read = (chunk) => {
      output += chunk;
      if (output.includes("Steward is ready")) {
        clearTimeout(patience);
        found();
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("error", (error) => fail(`${program} did not start: ${error.message}`));
    child.on("exit", (code) => fail(`${program} ended with ${code}`));
  });

  const form = { agency: "Agency", name: "Owner", email: "owner@agency.test", password: "correct horse battery", time_zone: "UTC", currency: "USD" };
  const setUp = await fetch(`${url}/setup`, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded", origin: url, "sec-fetch-site": "same-origin" },
    body: new URLSearchParams(form),
  });
  if (setUp.status !== 303) throw new Error(`it could not be set up: ${setUp.status} ${await setUp.text()}`);
  const made = await promisify(execFile)(program, ["--data", folder, "key", "create", "clients"], { env: withoutSettings() });
  const key = made.stdout.trim().split("\n").at(-1);

  const get = async (path) => {
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const stop = async () => {
    child.kill("SIGTERM");
    const killed = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(killed);
  };
  return { url, key, get, stop, output: () => output };
}

/** The runs of a workflow with all that is known of them, once as many as expected are there and nothing more arrives. */
export async function runsOf(steward, workflow, isThere) {
  const giveUpAt = Date.now() + 30_000;
  let runs = [];
  while (Date.now() < giveUpAt) {
    const { items: workflows } = await steward.get("/api/v1/workflows");
    const id = workflows.find((known) => known.name === workflow)?.id;
    if (id) {
      const { items } = await steward.get(`/api/v1/runs?workflow=${id}&tests=yes`);
      runs = await Promise.all(items.map((run) => steward.get(`/api/v1/runs/${run.id}`)));
      if (isThere(runs)) return runs;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return runs;
}

/** The surroundings without any setting of Steward's, which would reach the program. */
function withoutSettings() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("STEWARD_")));
}

function freePort() {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.on("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}
