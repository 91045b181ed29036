import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { ENVIRONMENTS } from "../clusters/environments/registry.ts";
import { readReport, RESULTS } from "../results/files/write.ts";
import { renderEnvironmentsPage } from "./environments/environments-page.ts";

/** `npm run environments`: lists the environments, or writes docs/environments.md from a run. */
const program = new Command("environments")
  .description("list the environments of e2e and up, or write their page")
  .option("--write", "write docs/environments.md from a run")
  .option("--run <directory>", "directory of the run's report.json", join(RESULTS, "latest"))
  .parse();
const flags = program.opts<{ write?: true; run: string }>();

if (flags.write === true) {
  const { format, resolveConfig } = await import("prettier");
  const file = join(import.meta.dirname, "..", "docs", "environments.md");
  const page = renderEnvironmentsPage(ENVIRONMENTS, await readReport(flags.run));
  await writeFile(
    file,
    await format(page, { ...(await resolveConfig(file)), parser: "markdown", proseWrap: "always" }),
  );
  process.stdout.write(`${file}\n`);
} else
  for (const { name, title, providers } of ENVIRONMENTS)
    process.stdout.write(`${name.padEnd(30)} ${providers.join(",").padEnd(9)} ${title}\n`);
