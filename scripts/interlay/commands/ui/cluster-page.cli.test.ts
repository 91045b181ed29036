import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";
import { findAccessibilityProblems } from "../../../../results/browser-audit.ts";
import { SOURCE } from "./ui-fixtures.ts";
import { startUiServer } from "./ui-server.ts";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

describe("the page of a cluster in a browser", () => {
  let browser: Browser;
  let server: Server;
  let page: Page;
  const errors: string[] = [];

  before(async function () {
    this.timeout(60_000);
    const isInstalled = await access(CHROMIUM).then(
      () => true,
      () => false,
    );
    if (!isInstalled) this.skip();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    server = await startUiServer(SOURCE, 0);
    page = await browser.newPage();
    page.on("pageerror", ({ message }) => errors.push(message));
    page.on("console", (message) => {
      // A browser asks for an icon, which the page does not have.
      if (message.type() === "error") errors.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });
  after(async () => {
    await (browser as Browser | undefined)?.close();
    (server as Server | undefined)?.close();
  });

  for (const colorScheme of ["light", "dark"] as const)
    it(`has no accessibility problem in ${colorScheme}`, async () => {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await findAccessibilityProblems(page), []);
    });

  it("traces the chosen connection by keyboard, and keeps the choice", async () => {
    await page.locator("select[name=from]").selectOption("default/underlay");
    await page.locator("input[name=port]").focus();
    await page.keyboard.press("Enter");
    await page.locator("#trace").waitFor();
    assert.equal(
      await page.locator("#trace").textContent(),
      "tcp from default/underlay to default/overlay:8080 passes",
    );
    assert.equal(await page.locator("select[name=from]").inputValue(), "default/underlay");
    assert.deepEqual(await findAccessibilityProblems(page), []);
  });

  it("updates its tables without an error", async function () {
    this.timeout(30_000);
    await page.locator("#updated", { hasText: /^Updated \d/ }).waitFor();
    assert.deepEqual(errors, []);
  });
});
