// Takes the README's pictures from the demo: `node run.mjs pictures ../../docs/pictures`.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import { launch, visit, LOOKS } from "./harness.mjs";

const folder = process.argv[2];
if (!folder) {
  console.error("pictures: name the folder for the pictures");
  process.exit(2);
}
await mkdir(resolve(folder), { recursive: true });

const browser = await launch();
const look = LOOKS.find((look) => /1440/.test(look.name) && /light/.test(look.name));
const context = await visit(browser, look);
const page = await context.newPage();

const take = async (name) => {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(folder, `${name}.png`), clip: { x: 0, y: 0, width: 1440, height: 900 } });
};
const href = (selector) => page.locator(selector).first().getAttribute("href");

await page.goto("/", { waitUntil: "load" });
await take("today");
const client = await href('main a[href*="/clients/cl_"]');
await page.goto(client, { waitUntil: "load" });
const workflow = await href('main a[href*="/workflows/wf_"]');
await page.goto(workflow, { waitUntil: "load" });
await take("workflow");
await page.goto("/runs?outcome=escalated", { waitUntil: "load" });
const run = await href('main a[href*="/runs/run_"]');
await page.goto(run, { waitUntil: "load" });
await take("run");
await browser.close();
console.log(`3 pictures in ${folder}`);
