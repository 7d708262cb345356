// A demo of Steward on a free port, with a data folder of its own.

import { spawn } from "node:child_process";
import { createServer } from "node:net";

// An unoptimised program fills 90 days of several clients first, and reviews what waits.
const PATIENCE_MS = 420_000;

/** Starts the demo and waits for its sign-in link. */
export async function startDemo(program, dataFolder) {
  const port = await freePort();
  // No test speaks gRPC here, and its usual port may be taken.
  const args = ["demo", "--data", dataFolder, "--listen", `127.0.0.1:${port}`, "--listen-grpc", "off"];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: withoutSettings() });
  let output = "";
  const exited = new Promise((done) => child.on("exit", done));
  // Whatever ends us, the server goes too.
  process.on("exit", () => child.kill("SIGKILL"));

  const link = await new Promise((found, failed) => {
    const fail = (why) => failed(new Error(`${why}\n${output.trim()}`));
    const patience = setTimeout(() => fail(`the demo printed no sign-in link in ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
    const read = (chunk) => {
      output += chunk;
      const match = output.match(new RegExp(`http://(?:127\\.0\\.0\\.1|localhost):${port}/\\S+`));
      if (match) {
        clearTimeout(patience);
        found(match[0]);
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("error", (error) => fail(`${program} did not start: ${error.message}`));
    child.on("exit", (code) => fail(`the demo ended with ${code} before it printed a sign-in link`));
  });

  const stop = async () => {
    child.kill("SIGTERM");
    const killed = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(killed);
  };
  return { link, stop };
}

/** The surroundings without any setting of Steward's, which would reach the demo. */
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
