// Takes a picture of every page in every look into a folder: `node run.mjs screenshots FOLDER`.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import { LOOKS, launch, pages, visit } from "./harness.mjs";

const folder = process.argv[2];
if (!folder) {
  console.error("screenshots: name the folder for the pictures");
  process.exit(2);
}
await mkdir(resolve(folder), { recursive: true });

const browser = await launch();
const addresses = await pages(browser);
let count = 0;
for (const look of LOOKS) {
  const context = await visit(browser, look);
  const page = await context.newPage();
  for (const address of addresses) {
    const response = await page.goto(address, { waitUntil: "load" });
    await page.evaluate(() => document.fonts.ready);
    const path = join(folder, `${nameOf(address)}-${look.name.replace(" ", "-")}.png`);
    await page.screenshot({ path, fullPage: true });
    count += 1;
    if (response.status() !== 200) console.log(`${address} answered ${response.status()}`);
  }
  await context.close();
}
await browser.close();
console.log(`${count} pictures of ${addresses.length} pages in ${folder}`);

/** A file name for an address: `/runs/run_0123456789?x=1` is `runs-run_01234567-x`. */
function nameOf(address) {
  const url = new URL(address, "http://x");
  const parts = [...url.pathname.split("/").map((part) => part.slice(0, 12)), ...url.searchParams.keys()];
  return parts.filter(Boolean).join("-").replace(/[^A-Za-z0-9_-]/g, "_") || "today";
}
