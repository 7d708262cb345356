// Starts the demo, signs in once, and runs the browser tests against it, or takes pictures of every page.
//
//   node run.mjs [FILE…]                 the tests, or only these files
//   node run.mjs screenshots FOLDER      a picture of every page in every look
//   node run.mjs pictures FOLDER         the README's pictures
//
// STEWARD_BIN is the program (target/debug/steward), STEWARD_CHROMIUM the browser (/usr/bin/chromium).
// With STEWARD_URL set to a sign-in link, that server is used and none is started.

import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { launch, signIn } from "./harness.mjs";
import { startDemo } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "steward-browser-"));
let server;
let status = 1;

const stop = async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
};
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => stop().finally(() => process.exit(130)));
}

try {
  let link = process.env.STEWARD_URL;
  if (!link) {
    const program = process.env.STEWARD_BIN ?? resolve(here, "../../target/debug/steward");
    const start = Date.now();
    server = await startDemo(program, join(folder, "data"));
    link = server.link;
    console.log(`the demo was ready after ${((Date.now() - start) / 1000).toFixed(1)} s`);
  }

  // The link holds once: what it opened is kept, and every test starts from there.
  const browser = await launch();
  const context = await browser.newContext();
  await signIn(await context.newPage(), link);
  const state = join(folder, "signed-in.json");
  await writeFile(state, JSON.stringify(await context.storageState()), { mode: 0o600 });
  await browser.close();

  const environment = { ...process.env, STEWARD_LINK: link, STEWARD_STATE: state };
  const [first, ...rest] = process.argv.slice(2);
  if (first === "screenshots" || first === "pictures") {
    status = await run([join(here, `${first}.mjs`), ...rest], environment);
  } else {
    const named = first ? [first, ...rest].map((file) => resolve(file)) : await testFiles();
    // One file after the other: they share a server, and what one of them makes the others must not see half.
    status = await run(["--test", "--test-concurrency=1", "--test-reporter=spec", ...named], environment);
  }
} catch (error) {
  console.error(`browser tests: ${error.message}`);
} finally {
  await stop();
}
process.exit(status);

async function testFiles() {
  const names = (await readdir(here)).filter((name) => name.endsWith(".test.mjs")).sort();
  return names.map((name) => join(here, name));
}

function run(args, env) {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { env, stdio: "inherit" });
    child.on("exit", (code) => done(code ?? 1));
  });
}
