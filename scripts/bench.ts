import { Command } from "commander";
import { agentBench } from "./bench/agent.ts";
import { cniBench } from "./bench/cni.ts";
import { evidenceBench } from "./bench/evidence.ts";
import { ipamBench } from "./bench/ipam.ts";
import { bringupBench } from "./bench/bringup.ts";
import { netBench } from "./bench/net.ts";
import { scaleBench } from "./bench/scale.ts";
import { beforeIt, type Bench, tableOf, within, writeFigures } from "./bench/figure.ts";
import { writePage } from "./bench/page.ts";

/**
 * `npm run bench -- [names]`: the figures, each against its limit; exit status 0 only if all are kept. Each run brings
 * results/BENCHMARKS.md up to date; `page` does that alone.
 */
const BENCHES: readonly Bench[] = [agentBench, bringupBench, cniBench, evidenceBench, ipamBench, netBench, scaleBench];

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
    const before = await beforeIt(bench);
    const figures = await bench.run(say);
    const file = await writeFigures(bench, figures, before);
    say(tableOf(figures));
    const missed = figures.filter((figure) => !within(figure));
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
        throw new Error(`there is no bench ${name}; there are ${BENCHES.map((b) => b.name).join(", ")}.`);
      return bench;
    });
}
