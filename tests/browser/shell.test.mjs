// What holds for every page, whatever is on it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { LOOKS, holds, launch, pages, rooms, visit } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("the sign-in link opened a session that scripts cannot read", async () => {
  const { cookies } = JSON.parse(await readFile(process.env.STEWARD_STATE, "utf8"));
  assert.ok(cookies.length > 0, "there is a cookie");
  assert.ok(
    cookies.some((cookie) => cookie.httpOnly && ["Lax", "Strict"].includes(cookie.sameSite)),
    "it is out of reach of scripts and of other sites",
  );
});

test("the sign-in link opens nothing a second time", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(process.env.STEWARD_LINK, { waitUntil: "load" });
  const button = page.locator("main form button");
  if ((await button.count()) > 0) await button.first().click();
  await page.goto(new URL("/", process.env.STEWARD_LINK).href, { waitUntil: "load" });
  assert.equal(await page.locator("nav a[href]").count(), 0, `nobody is signed in at ${page.url()}`);
  await context.close();
});

test("every page holds at both widths, by day and by night", async (t) => {
  await holds(t, browser, await pages(browser));
});

test("every page names itself and works without JavaScript", async (t) => {
  const context = await visit(browser, LOOKS[0], { javaScriptEnabled: false });
  const rail = await rooms(context);
  for (const address of await pages(browser)) {
    await t.test(`${address} without JavaScript`, async () => {
      const page = await context.newPage();
      try {
        const response = await page.goto(address, { waitUntil: "load" });
        assert.equal(response.status(), 200);
        assert.ok((await page.title()).length > 0, "it has a title");
        assert.ok(await page.locator("html").getAttribute("lang"), "it says its language");
        assert.equal(await page.locator("h1").count(), 1, "it has one first heading");
        assert.ok(await page.locator("h1").isVisible(), "its heading is seen");
        assert.ok((await page.locator("main").innerText()).trim().length > 0, "it has something to read");
        assert.ok((await page.locator("nav a[href]").count()) >= rail.length, "the rail leads on");
      } finally {
        await page.close();
      }
    });
  }
  await context.close();
});
