import assert from "node:assert/strict";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { findAccessibilityProblems } from "./browser-audit.ts";
import { createCell, createPath, createReport } from "./report-fixtures.ts";
import { writeReport } from "./files/write.ts";
import { toHistory } from "./html/history.ts";
import { createRunSummary } from "./run-summary.ts";

/** Debian's package `chromium`. */
const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const TIMEOUT_MS = 60_000;

describe("report.html in a browser", function () {
  this.timeout(TIMEOUT_MS);
  let directory = "";
  let browser: Browser | undefined;
  let page: Page;
  const problems: string[] = [];

  before(async function () {
    const isInstalled = await access(CHROMIUM).then(
      () => true,
      () => false,
    );
    if (!isInstalled) this.skip(); // apt-get install chromium
    directory = await mkdtemp(join(tmpdir(), "interlay-report-"));
    const blocked = createCell({
      expected: "blocked",
      actual: "fail",
      reason: "<b>the INVALID rule</b>",
      predicted: "fail",
      evidence: { path: { ...createPath(2), predicted: createPath(2).seen } },
    });
    await writeReport({ ...createReport([createCell({ evidence: { path: createPath(8) } })]), id: "1" }, directory);
    const run = await writeReport(
      {
        ...createReport([
          createCell({
            protocol: "udp",
            id: "matrix/underlay-1-a/overlay-2-b/other-node/udp",
            evidence: { path: createPath(8) },
          }),
          blocked,
        ]),
        id: "2",
      },
      directory,
    );
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith("file:")) problems.push(`requested ${request.url()} from the network`);
    });
    await page.goto(pathToFileURL(join(run, "report.html")).href);
  });
  after(async () => {
    await browser?.close();
    await rm(directory, { recursive: true, force: true });
  });
  afterEach(() => {
    assert.deepEqual(problems, []);
  });

  it("opens an entry by keyboard and shows its cells, the blocked one first, with numbered paths", async () => {
    await page.locator("#variant-0 .grid tbody button").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("⊘ underlay-1-a → overlay-2-b, other-node, tcp").waitFor();
    assert.equal(await dialog.getByRole("img").count(), 3, "expected, predicted by the trace, captured");
    await dialog.getByText("Predicted by the trace: fail").waitFor();
    assert.equal(await dialog.locator("figure").first().locator("circle").count(), 13);
    assert.equal(await dialog.locator("figure").last().locator("circle").count(), 2, "captured until it was dropped");
    assert.match(
      (await dialog.getByRole("img").last().getAttribute("aria-label")) ?? "",
      /request underlay-1-a veth0 out/,
    );
    assert.equal(await dialog.locator("b").count(), 0, "text became markup");
    await page.keyboard.press("Escape");
    assert.equal(await dialog.isVisible(), false);
  });

  it("shows expected and captured hops, and the command that runs the cell again", async () => {
    await page.getByRole("button", { name: /Macvlan to Calico: blocked/ }).click();
    const dialog = page.getByRole("dialog");
    assert.equal(await dialog.locator("td .fail", { hasText: "(not captured)" }).count(), 11);
    await dialog
      .getByText(
        "npm run e2e -- --kubernetes v1.29.15 --kube-proxy v1.28.15 --return-path liberal --evidence all --keep --cells '^matrix/underlay-1-a/overlay-2-b/other-node/tcp$'",
      )
      .waitFor();
    await dialog.getByRole("button", { name: /udp/ }).click();
    assert.equal(await dialog.locator("td .fail").count(), 0);
    await dialog.getByRole("button", { name: "Close" }).click();
  });

  it("compares with an earlier run, and lists the runs", async () => {
    await page.getByText("⊘ blocked → ✓ pass").waitFor();
    assert.equal(await page.locator("#history tbody tr").count(), 2);
  });

  for (const colorScheme of ["light", "dark"] as const)
    it(`violates no rule of axe-core in the ${colorScheme} scheme, page and dialog`, async () => {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await findAccessibilityProblems(page), []);
      await page.locator("#variant-0 .grid tbody button").first().click();
      assert.deepEqual(await findAccessibilityProblems(page), []);
      await page.keyboard.press("Escape");
    });

  it("has a page over all runs that violates no rule of axe-core", async () => {
    const history = join(directory, "history.html");
    await writeFile(history, toHistory([createRunSummary({ ...createReport([createCell({})]), id: "1" })]));
    const other = await browser?.newPage();
    assert.ok(other !== undefined);
    await other.goto(pathToFileURL(history).href);
    assert.deepEqual(await findAccessibilityProblems(other), []);
    await other.close();
  });

  it("has a light and a dark background", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      assert.equal(background, colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(21, 24, 28)");
    }
  });

  it("has a name for every control and a caption for every table", async () => {
    const nameless = await page.evaluate<number>(`[...document.querySelectorAll("button, select")].filter(
      (one) => !one.getAttribute("aria-label") && !one.textContent.trim() && !one.closest("label")).length`);
    assert.equal(nameless, 0);
    assert.equal(
      await page.locator("#compare table, .grid").count(),
      await page.locator("#compare caption, .grid caption").count(),
    );
  });
});
