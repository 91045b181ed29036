import { Command } from "commander";
import { runAgentBench } from "../e2e/bench/agent.ts";
import { runCniBench } from "../e2e/bench/cni.ts";
import { runEvidenceBench } from "../e2e/bench/evidence.ts";
import { runIpamBench } from "../e2e/bench/ipam.ts";
import { runBringupBench } from "../e2e/bench/bringup.ts";
import { runNetBench } from "../e2e/bench/net.ts";
import { runScaleBench } from "../e2e/bench/scale.ts";
import { runTraceBench } from "../e2e/bench/trace.ts";
import {
  readMachineState,
  type Bench,
  renderMeasurements,
  isWithinLimit,
  writeMeasurements,
} from "../e2e/bench/measurement/measurement.ts";
import { writePage } from "../e2e/bench/benchmarks-page.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";

/**
 * `npm run bench -- [names]`: measures and compares each value with its limit. Exit status 0: all values are within their
 * limits. Each run updates results/BENCHMARKS.md; `page` only does that.
 */
const BENCHES: readonly Bench[] = [
  runAgentBench,
  runBringupBench,
  runCniBench,
  runEvidenceBench,
  runIpamBench,
  runNetBench,
  runScaleBench,
  runTraceBench,
];

const program = new Command("bench")
  .description("measure, print a table, write results/data/benchmarks/NAME.json")
  .argument(
    "[names...]",
    BENCHES.map(({ name, description }) => `${name}: ${description}`).join("; ") +
      "; page: write results/BENCHMARKS.md only",
  )
  .option(
    "--only <sections>",
    "print these sections of one benchmark, separated by commas, and write nothing; " +
      BENCHES.flatMap(({ name, sections }) => (sections === undefined ? [] : `${name}: ${sections.join(", ")}`)).join(),
    (text: string) => text.split(","),
  )
  .parse();
const { only } = program.opts<{ readonly only?: readonly string[] }>();

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
try {
  const benches = selectBenches(program.args);
  checkSections(benches);
  for (const bench of benches) {
    print(`== ${bench.name}: ${bench.description}`);
    const machineState = await readMachineState(bench);
    const measurements = await bench.run(print, only);
    const file = only === undefined ? await writeMeasurements(bench, measurements, machineState) : "not written";
    print(renderMeasurements(measurements));
    const exceeded = measurements.filter((measurement) => !isWithinLimit(measurement));
    print(`${measurements.length} measurements, ${exceeded.length} over their limit; ${file}`);
    if (exceeded.length > 0) process.exitCode = 1;
  }
  if (only === undefined) print(await writePage());
} catch (error) {
  process.stderr.write(`bench: ${getErrorMessage(error)}\n`);
  process.exitCode = 2;
}

function selectBenches(names: readonly string[]): readonly Bench[] {
  if (names.length === 0) return BENCHES;
  return names
    .flatMap((name) => name.split(","))
    .filter((name) => name !== "page")
    .map((name) => {
      const bench = BENCHES.find((candidate) => candidate.name === name);
      if (bench === undefined)
        throw new Error(`unknown benchmark ${name}: want one of ${BENCHES.map((known) => known.name).join(", ")}`);
      return bench;
    });
}

/** Checks that every benchmark has the selected sections. @throws if one lacks a section */
function checkSections(benches: readonly Bench[]): void {
  for (const { name, sections = [] } of benches)
    for (const section of only ?? [])
      if (!sections.includes(section))
        throw new Error(`benchmark ${name} has no section ${section}; it has ${sections.join(", ") || "none"}`);
}
