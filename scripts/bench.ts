import { Command } from "commander";
import { runAgentBench } from "../e2e/bench/agent.ts";
import { runCniBench } from "../e2e/bench/cni.ts";
import { runEvidenceBench } from "../e2e/bench/evidence.ts";
import { runIpamBench } from "../e2e/bench/ipam.ts";
import { runBringupBench } from "../e2e/bench/bringup.ts";
import { runNetBench } from "../e2e/bench/net.ts";
import { runScaleBench } from "../e2e/bench/scale.ts";
import {
  readMachineState,
  type Bench,
  renderTable,
  isWithinLimit,
  writeMeasurements,
} from "../e2e/bench/measurement.ts";
import { writePage } from "../e2e/bench/page.ts";

/**
 * `npm run bench -- [names]`: the figures, each against its limit; exit status 0 only if all are kept. Each run brings
 * results/BENCHMARKS.md up to date; `page` does that alone.
 */
const BENCHES: readonly Bench[] = [
  runAgentBench,
  runBringupBench,
  runCniBench,
  runEvidenceBench,
  runIpamBench,
  runNetBench,
  runScaleBench,
];

const program = new Command("bench")
  .description("measure, print a table, write results/benchmarks/NAME.json")
  .argument(
    "[names...]",
    BENCHES.map(({ name, about }) => `${name}: ${about}`).join("; ") + "; page: results/BENCHMARKS.md alone",
  )
  .parse();

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
try {
  for (const bench of chosen(program.args)) {
    say(`== ${bench.name}: ${bench.about}`);
    const before = await readMachineState(bench);
    const figures = await bench.run(say);
    const file = await writeMeasurements(bench, figures, before);
    say(renderTable(figures));
    const missed = figures.filter((figure) => !isWithinLimit(figure));
    say(`${figures.length} figures, ${missed.length} missed; ${file}`);
    if (missed.length > 0) process.exitCode = 1;
  }
  say(await writePage());
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

function chosen(names: readonly string[]): readonly Bench[] {
  if (names.length === 0) return BENCHES;
  return names
    .flatMap((name) => name.split(","))
    .filter((name) => name !== "page")
    .map((name) => {
      const bench = BENCHES.find((b) => b.name === name);
      if (bench === undefined)
        throw new Error(`unknown bench ${name}; want one of ${BENCHES.map((b) => b.name).join(", ")}.`);
      return bench;
    });
}
