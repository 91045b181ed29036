import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Page } from "playwright-core";

/** Chromium of Debian's package `chromium`. */
const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const SCHEMES = ["light", "dark"] as const;

/** Views of the report, in this order on the same page. */
const VIEWS: readonly (readonly [name: string, go: (page: Page) => Promise<void>])[] = [
  ["page", () => Promise.resolve()],
  ["cell", (page) => page.locator("#variant-0 .grid tbody tr").nth(1).locator("button").first().click()],
  [
    "compare",
    async (page) => {
      await page.keyboard.press("Escape");
      await page.locator("#compare").scrollIntoViewIfNeeded();
    },
  ],
  ["history", (page) => page.locator("#history").scrollIntoViewIfNeeded()],
];

/**
 * Saves pictures of a report.html, light and dark, in a directory.
 * @returns their paths
 * @throws if chromium is not installed
 */
export async function takeScreenshots(report: string, directory: string): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  try {
    const paths: string[] = [];
    for (const colorScheme of SCHEMES) {
      const page = await browser.newPage({ viewport: { width: 1300, height: 950 }, colorScheme });
      await page.goto(pathToFileURL(report).href);
      for (const [name, go] of VIEWS) {
        await go(page);
        const path = join(directory, `${colorScheme}-${name}.png`);
        await page.screenshot({ path });
        paths.push(path);
      }
    }
    return paths;
  } finally {
    await browser.close();
  }
}
