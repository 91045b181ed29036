import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { compareRuns } from "../results/parity.ts";
import { readReport, RESULTS } from "../results/write.ts";

/** `npm run parity`: whether two runs, one on kind and one in a lab, say the same. */
const program = new Command("parity")
  .description("compare two runs cell by cell: exit status 0 only if what both have is the same")
  .argument("<run>", "id in results/runs, or its directory")
  .argument("<other>", "id in results/runs, or its directory")
  .parse();

try {
  const [one, other] = await Promise.all([reportOf(program.args[0] ?? ""), reportOf(program.args[1] ?? "")]);
  const { variants, cells, differences, notCompared } = compareRuns(one, other);
  for (const line of [...differences, ...notCompared.map((reason) => `not compared: ${reason}`)])
    process.stdout.write(`${line}\n`);
  process.stdout.write(
    `${one.provider} and ${other.provider}: ${cells} cells of ${variants} variants, ${differences.length} differences\n`,
  );
  if (variants === 0) throw new Error("the two runs have no variant in common: run both with the same --kube-proxy.");
  process.exitCode = differences.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`parity: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

async function reportOf(run: string) {
  const place = run.includes("/") ? run : join(RESULTS, "runs", run);
  const directory = await realpath(place).catch(() => {
    throw new Error(`there is no run ${run}: name a directory in results/runs.`);
  });
  return readReport(directory);
}
