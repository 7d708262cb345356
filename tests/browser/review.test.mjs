// The queue by keyboard, as somebody would who never saw it: from the first page to the first closed case, at both widths.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { LOOKS, barriers, complaintsOf, launch, sideways, visit } from "./harness.mjs";

// Measured with a machine's hands; a person has a minute, and reads meanwhile.
const PATIENCE_MS = 20_000;
const WIDTHS = LOOKS.filter((look) => /light/.test(look.name));

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

/** Presses keys one after another. */
async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
}

/** Sends the form that the page is for, again where the page was not ready yet. */
async function send(page) {
  const from = pathOf(page);
  for (let tries = 0; tries < 5; tries += 1) {
    await press(page, "Control+Enter");
    const gone = page.waitForURL((url) => url.pathname !== from, { timeout: 4_000 });
    if (await gone.then(() => true, () => false)) return;
  }
  throw new Error(`the form at ${from} was not taken: ${await page.locator(".formerror").allInnerTexts()}`);
}

/** Waits until another page stands in the place of one. */
async function leaves(page, path) {
  await page.waitForURL((url) => url.pathname !== path, { timeout: PATIENCE_MS });
  await page.waitForLoadState("load");
}

const pathOf = (page) => new URL(page.url()).pathname;
const form = (page) => page.locator("form[data-review]");
const chosen = (page, name) =>
  page.evaluate((of) => document.querySelector(`form[data-review] input[name=${of}]:checked`)?.value ?? "", name);

/** Goes from the first page to a case that is claimed, by keys alone. */
async function begin(page) {
  await page.goto("/", { waitUntil: "load" });
  await press(page, "g", "q");
  await page.waitForURL("**/queue", { timeout: PATIENCE_MS });
  await page.locator("#queue tr.opens").first().waitFor();
  await press(page, "n");
  await form(page).waitFor({ timeout: PATIENCE_MS });
  return pathOf(page);
}

for (const look of WIDTHS) {
  test(`a case is closed, and taken back, by keys alone at ${look.name}`, async () => {
    const context = await visit(browser, look);
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    const start = Date.now();

    const first = await begin(page);
    assert.match(first, /^\/queue\/item_[0-9a-f]+$/);
    await holds(page, complaints, "the review");
    await press(page, "2", "t", "y", "5");
    assert.deepEqual(
      [await chosen(page, "agent"), await chosen(page, "cause"), await chosen(page, "preventable"), await chosen(page, "prevented_by")],
      ["wrong", "tool", "yes", "schema"],
    );
    // What was chosen by mistake is taken off by the same key.
    await press(page, "t");
    assert.equal(await chosen(page, "cause"), "");
    await press(page, "d", "w");
    await page.keyboard.type("Told the shop to look it up");
    await press(page, "Escape", "l");
    await page.keyboard.type("5");
    await send(page);
    assert.ok(Date.now() - start < 60_000, "it took less than a minute");

    // The next one is there at once, or the queue where nothing is left; both say what was done and take it back.
    const said = page.locator(".said, .flash").first();
    await said.waitFor();
    assert.match(await said.innerText(), /is closed/);
    await holds(page, complaints, "the next");
    const second = pathOf(page);
    await press(page, "u");
    await leaves(page, second);
    assert.equal(pathOf(page), first, "one is back at what was taken back");
    await form(page).waitFor();
    assert.equal(await chosen(page, "agent"), "wrong", "and nothing of it has to be said again");
    assert.equal(await page.locator("#resolution").inputValue(), "Told the shop to look it up");
    await send(page);
    assert.deepEqual(complaints, []);
    await context.close();
  });
}

test("the list is worked by keys", async () => {
  const context = await visit(browser, WIDTHS[0]);
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto("/queue", { waitUntil: "load" });
  const rows = page.locator("#queue tr.opens");
  await rows.first().waitFor();
  assert.ok((await rows.count()) > 1, "the demo has a queue");
  await press(page, "j", "j", "k", "x");
  assert.equal(await page.locator("#queue tr.chosen").count(), 1);
  assert.ok(await page.locator(".bulk").isVisible(), "what can be done to it is offered");
  await press(page, "x");
  assert.ok(!(await page.locator(".bulk").isVisible()));

  // Looking claims nothing.
  const free = page.locator("#queue tr.opens").filter({ hasText: "nobody" }).first().locator("a.open");
  const look = await free.getAttribute("href");
  await free.focus();
  await press(page, "Enter");
  await page.waitForURL(`**${look}`);
  assert.equal(await form(page).count(), 0);
  await page.goBack({ waitUntil: "load" });
  await rows.first().waitFor();

  await press(page, "j", "c");
  await form(page).waitFor({ timeout: PATIENCE_MS });
  const skipped = pathOf(page);
  await press(page, "s");
  await leaves(page, skipped);
  await form(page).waitFor({ timeout: PATIENCE_MS });
  await page.getByRole("button", { name: "Release" }).click();
  await page.waitForURL("**/queue");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the keys of a page are listed with what they do", async () => {
  const context = await visit(browser, WIDTHS[0]);
  const page = await context.newPage();
  await begin(page);
  await press(page, "?");
  const keys = await page.locator("#keys").innerText();
  for (const name of ["The agent was: Right", "Because of: Tool", "What was done about it", "Skip"]) {
    assert.ok(keys.includes(name), `${name} in ${keys}`);
  }
  await press(page, "Escape");
  await page.getByRole("button", { name: "Release" }).click();
  await page.waitForURL("**/queue");
  await context.close();
});

test("time counts only while something is done, and is told to the server", async () => {
  const context = await visit(browser, WIDTHS[0]);
  const page = await context.newPage();
  const told = [];
  await page.route("**/keep", async (route) => {
    told.push(Number(new URLSearchParams(route.request().postData()).get("active_ms")));
    await route.continue();
  });
  const address = await begin(page);
  await page.clock.install();
  await page.goto(address, { waitUntil: "load" });
  await page.bringToFront();
  const before = await seconds(page);
  await page.clock.runFor(5_000);
  assert.ok((await seconds(page)) - before >= 4, "it runs");
  await page.clock.runFor(180_000);
  const idle = (await seconds(page)) - before;
  assert.ok(idle >= 55 && idle <= 62, `${idle} s are counted of three minutes in which nothing was done`);
  assert.equal(await page.locator("[data-clock-word]").innerText(), "paused");
  await page.mouse.move(200, 300);
  await page.clock.runFor(3_000);
  assert.equal(await page.locator("[data-clock-word]").innerText(), "counting");
  const sum = told.reduce((a, b) => a + b, 0) / 1_000;
  assert.ok(told.length >= 3 && sum >= 55 && sum <= 66, `${told.length} times, ${sum} s in all`);
  await page.getByRole("button", { name: "Release" }).click();
  await page.clock.runFor(1_000);
  await page.waitForURL("**/queue");
  await context.close();
});

async function seconds(page) {
  const [minutes, rest] = (await page.locator("[data-clock]").innerText()).split(":").map(Number);
  return minutes * 60 + rest;
}

test("a case is claimed and closed without JavaScript", async () => {
  const context = await visit(browser, WIDTHS[1], { javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto("/queue", { waitUntil: "load" });
  await page.getByRole("button", { name: "Review next" }).click();
  await form(page).waitFor();
  assert.ok(await page.getByText("Without a script").isVisible(), "it says how time is taken");
  const first = pathOf(page);
  await page.getByLabel("Right").check();
  await page.getByLabel("Comment").fill("A mistyped number");
  await page.getByRole("button", { name: /Close and go on/ }).click();
  assert.notEqual(pathOf(page), first);
  await page.goto(first, { waitUntil: "load" });
  assert.match(await page.locator("#review-page").innerText(), /A mistyped number/);
  await context.close();
});

test("all that is open of a pattern is closed at once, and taken back at once", async () => {
  const context = await visit(browser, WIDTHS[0]);
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  const pattern = await patternWithMost(context);
  await page.goto(pattern, { waitUntil: "load" });
  await page.getByRole("link", { name: "Review all open of this pattern" }).click();
  await page.waitForURL("**/review");
  const button = page.getByRole("button", { name: /^Close [\d,]+ items?$/ });
  const n = Number((await button.innerText()).replace(/\D/g, ""));
  assert.ok(n > 1, "it says to how many it will be done");
  await holds(page, complaints, "what will be done");
  await press(page, "2", "p");
  await button.click();
  await page.waitForURL("**/queue/bulk/*");
  await page.getByText("done", { exact: true }).waitFor({ timeout: 60_000 });
  await holds(page, complaints, "what was done");
  await press(page, "u");
  await page.getByText("taken back", { exact: true }).waitFor({ timeout: 60_000 });
  assert.deepEqual(complaints, []);
  await context.close();
});

/** The page of the pattern of which most waits. */
async function patternWithMost(context) {
  const { items } = await (await context.request.get("/api/v1/patterns?limit=100")).json();
  for (const { pattern } of items) {
    const text = await (await context.request.get(`/patterns/${pattern.id}/review`)).text();
    const n = Number((text.match(/Close ([\d,]+) items/)?.[1] ?? "0").replace(/\D/g, ""));
    if (n >= 5) return `/patterns/${pattern.id}`;
  }
  throw new Error("nothing of any pattern waits");
}
