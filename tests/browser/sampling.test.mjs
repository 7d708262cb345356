// Sampling for quality, as somebody would who wants to know whether completed means completed: a rule is tried, saved,
// found again, and taken away, at both widths.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { LOOKS, barriers, complaintsOf, launch, sideways, visit } from "./harness.mjs";

const PATIENCE_MS = 20_000;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** What must hold on every page on the way. */
async function holds(page, complaints, where) {
  const found = { sideways: await sideways(page), barriers: await barriers(page), complaints: [...complaints] };
  assert.deepEqual(found, { sideways: [], barriers: [], complaints: [] }, where);
}

/** Sends the form by one of its buttons and waits for the page that answers. */
async function send(page, button) {
  await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST", { timeout: PATIENCE_MS }),
    page.getByRole("button", { name: button }).click(),
  ]);
  await page.waitForLoadState("load");
}

/** A workflow of which nothing is sampled. */
async function unsampled(context) {
  const { items } = await (await context.request.get("/api/v1/workflows")).json();
  for (const { id } of items) {
    const { rule } = await (await context.request.get(`/api/v1/workflows/${id}/sampling`)).json();
    if (!rule) return id;
  }
  throw new Error("each workflow of the demo is sampled");
}

for (const look of LOOKS) {
  test(`a rule is tried, kept and taken away at ${look.name}`, async () => {
    const context = await visit(browser, look);
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    const workflow = await unsampled(context);

    await page.goto(`/workflows/${workflow}`, { waitUntil: "load" });
    await page.getByRole("link", { name: "Sampling", exact: true }).click();
    await page.waitForURL(`**/workflows/${workflow}/sampling`, { timeout: PATIENCE_MS });
    await holds(page, complaints, "the page of a workflow that is not sampled");

    await page.locator("#share").fill("12.5");
    await page.locator("#at_most").fill("9");
    await page.locator("#strata").selectOption("release");
    await page.locator("#at_least").fill("1");
    await send(page, "Preview over the last 30 days");
    await page.locator("#preview").waitFor({ timeout: PATIENCE_MS });
    await holds(page, complaints, "the preview");
    await send(page, "Save the sampling");
    await page.getByText("12.5 % of the completed runs of each release").waitFor({ timeout: PATIENCE_MS });

    await page.reload({ waitUntil: "load" });
    const kept = await Promise.all(["share", "at_most", "strata", "at_least"].map((id) => page.locator(`#${id}`).inputValue()));
    assert.deepEqual(kept, ["12.5", "9", "release", "1"]);
    await holds(page, complaints, "the page of a workflow that is sampled");
    await send(page, "Sample nothing");
    await page.getByText("Nothing of this workflow is sampled.").waitFor({ timeout: PATIENCE_MS });
    await context.close();
  });
}
