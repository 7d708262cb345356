// What browser tests share: the browser, the looks, the way from page to page, and what every page must be.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The looks in which every page must hold: a desk and a telephone, by day and by night. */
export const LOOKS = [
  { name: "1440 light", width: 1440, height: 900, colorScheme: "light" },
  { name: "1440 dark", width: 1440, height: 900, colorScheme: "dark" },
  { name: "390 light", width: 390, height: 844, colorScheme: "light" },
  { name: "390 dark", width: 390, height: 844, colorScheme: "dark" },
];

/** How many pages are opened beyond the rail, at most: one of each kind. */
const MOST_PAGES = 40;

export function launch() {
  const executablePath = process.env.STEWARD_CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: FLAGS, headless: true });
}

/** Where the server is, without a path. */
export function origin() {
  return new URL(process.env.STEWARD_LINK).origin;
}

/** A signed-in visit in one look. */
export async function visit(browser, look, options = {}) {
  return browser.newContext({
    baseURL: origin(),
    viewport: { width: look.width, height: look.height },
    colorScheme: look.colorScheme,
    reducedMotion: "reduce",
    storageState: process.env.STEWARD_STATE,
    ...options,
  });
}

/** Follows a sign-in link to the end, through a button where it asks for one. */
export async function signIn(page, link) {
  await page.goto(link, { waitUntil: "load" });
  const button = page.locator("main form button[type=submit], main form button:not([type]), form[data-sign-in] button");
  if ((await page.locator("nav a[href]").count()) === 0 && (await button.count()) > 0) {
    await Promise.all([page.waitForURL((url) => url.href !== link), button.first().click()]);
  }
  if ((await page.locator("nav a[href]").count()) === 0) {
    throw new Error(`the link signed nobody in: ${page.url()} has no navigation`);
  }
}

/** Notes what a page complains of while it is open: errors, and what the content security policy stopped. */
export function complaintsOf(page) {
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("requestfailed", (request) => {
    // Live parts are cut when the page is left.
    const cut = request.failure()?.errorText === "net::ERR_ABORTED";
    if (!cut) complaints.push(`request: ${request.url()} ${request.failure()?.errorText}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  return complaints;
}

/** The addresses in the rail, in its order. */
export async function rooms(context) {
  const page = await context.newPage();
  await page.goto("/", { waitUntil: "load" });
  const links = await addresses(page, "nav a[href]");
  await page.close();
  if (links.length === 0) throw new Error("the rail has no links");
  return links;
}

let found;

/** The rooms, and one page of each kind that is reached from them: ids in an address make no new kind. */
export async function pages(browser) {
  found ??= await crawl(browser);
  return found;
}

async function crawl(browser) {
  const context = await visit(browser, LOOKS[0]);
  const list = await rooms(context);
  const kinds = new Set(list.map(kindOf));
  const page = await context.newPage();
  for (let i = 0; i < list.length && list.length < MOST_PAGES; i += 1) {
    const response = await page.goto(list[i], { waitUntil: "load" });
    if (response.status() !== 200) continue; // The test that opens it says so.
    for (const address of await addresses(page, "main a[href]")) {
      const kind = kindOf(address);
      if (kinds.has(kind) || list.length >= MOST_PAGES) continue;
      kinds.add(kind);
      const answer = await context.request.get(address);
      const isPage = (answer.headers()["content-type"] ?? "").startsWith("text/html");
      // A broken link is a page that fails its test; a file is no page.
      if (isPage || !answer.ok()) list.push(address);
    }
  }
  await context.close();
  return list;
}

/** The addresses of links on this server, without fragments, downloads, and what changes something. */
async function addresses(page, selector) {
  const links = await page.locator(selector).evaluateAll((anchors) =>
    anchors.filter((a) => !a.hasAttribute("download") && !a.target).map((a) => a.href),
  );
  const own = links.map((href) => new URL(href)).filter((url) => url.origin === new URL(page.url()).origin);
  const wanted = own.filter((url) => !/sign-?out|log-?out|\/api\/|\/events/.test(url.pathname));
  return [...new Set(wanted.map((url) => url.pathname + url.search))];
}

/** An address with ids, numbers and values taken out. */
function kindOf(address) {
  const url = new URL(address, "http://x");
  const parts = url.pathname.split("/").map((part) => (/^[a-z]+_[0-9a-f]{16,}|\d|^[0-9a-f-]{20,}$/.test(part) ? "*" : part));
  return `${parts.join("/")}?${[...url.searchParams.keys()].sort().join("&")}`;
}

/** How far the page reaches beyond its window to the side, in pixels, and what sticks out. */
export async function sideways(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    const over = Math.max(root.scrollWidth, document.body.scrollWidth) - root.clientWidth;
    if (over <= 0) return [];
    const isClipped = (element) => {
      for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
        if (getComputedStyle(up).overflowX !== "visible") return true;
      }
      return false;
    };
    const outside = [...document.body.querySelectorAll("*")].filter(
      (element) => element.getBoundingClientRect().right > root.clientWidth + 0.5 && !isClipped(element),
    );
    const named = outside.slice(-3).map((element) => element.outerHTML.slice(0, 120));
    return [`${over} px too wide`, ...named];
  });
}

/** Checks that a page holds at both widths, by day and by night: it fits, has no barriers, and complains of nothing. */
export async function holds(t, browser, addresses) {
  for (const width of [1440, 390]) {
    const [day, night] = LOOKS.filter((look) => look.width === width);
    const context = await visit(browser, day);
    for (const address of addresses) {
      await t.test(`${decodeURIComponent(address).slice(0, 60)} at ${width}`, async () => {
        const page = await context.newPage();
        try {
          const complaints = complaintsOf(page);
          const response = await page.goto(address, { waitUntil: "load" });
          assert.equal(response.status(), 200);
          const found = { sideways: await sideways(page), byDay: await barriers(page) };
          await page.emulateMedia({ colorScheme: night.colorScheme });
          // Night changes colours and nothing else, so that only what looks at colours is asked again.
          found.byNight = await barriers(page, ["color-contrast", "link-in-text-block"]);
          // All at once: whoever mends a page wants to see everything that is wrong with it.
          assert.deepEqual({ ...found, complaints }, { sideways: [], byDay: [], byNight: [], complaints: [] });
        } finally {
          await page.close();
        }
      });
    }
    await context.close();
  }
}

let axe;

/** What axe finds serious or critical, by all its rules or by some. */
export async function barriers(page, rules = null) {
  axe ??= await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
  // Evaluated by the debugger, so that a strict content security policy does not stop it.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate((rules) => {
    const only = rules ? { runOnly: { type: "rule", values: rules } } : {};
    return window.axe.run(document, { resultTypes: ["violations"], ...only });
  }, rules);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" · ")}`);
}
