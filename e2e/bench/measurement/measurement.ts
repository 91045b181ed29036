import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { RECORDED_RESULTS } from "../../../results/files/write.ts";
import { type BenchParts, readVersions } from "./versions.ts";

/** A measured value with its limit: one row of a benchmark's table. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit:
    | "ms"
    | "s"
    | "µs"
    | "x"
    | "MiB"
    | "MB"
    | "%"
    | "Gbit/s"
    | "failures"
    | "/s"
    | "writes"
    | "requests"
    | "‰ of a processor"
    | "";
  /** Maximum of the value; undefined for a measurement without one. */
  readonly limit?: number;
  /** Conditions of the measurement, and what it is compared with. */
  readonly basis: string;
}

/** A benchmark, which `npm run bench -- NAME` runs. */
export interface Bench {
  readonly name: string;
  readonly description: string;
  /** Parts whose versions are recorded. */
  readonly parts: BenchParts;
  /** Names of the sections that can be measured alone; absent: only the whole benchmark can be. */
  readonly sections?: readonly string[];
  /** @param sections the ones to measure; all by default */
  readonly run: (print: (line: string) => void, sections?: readonly string[]) => Promise<readonly Measurement[]>;
}

export const isWithinLimit = ({ value, limit }: Measurement): boolean => limit === undefined || value <= limit;

export function renderMeasurements(figures: readonly Measurement[]): string {
  const table = new Table({ head: ["measurement", "value", "limit", "", "basis"], style: { head: [], border: [] } });
  for (const figure of figures)
    table.push([
      figure.name,
      `${figure.value} ${figure.unit}`,
      figure.limit === undefined ? "-" : `${figure.limit} ${figure.unit}`,
      figure.limit === undefined ? "" : isWithinLimit(figure) ? "ok" : "EXCEEDED",
      figure.basis,
    ]);
  return table.toString();
}

/** State of the machine before a benchmark. */
interface MachineState {
  /** Load average of the last minute. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

export async function readMachineState({ parts }: Bench): Promise<MachineState> {
  return { load: Math.round(10 * (loadavg()[0] ?? 0)) / 10, versions: await readVersions(parts) };
}

/** Writes results/data/benchmarks/NAME.json. @returns its path */
export async function writeMeasurements(
  { name }: Pick<Bench, "name">,
  figures: readonly Measurement[],
  { load, versions }: MachineState,
): Promise<string> {
  const directory = join(RECORDED_RESULTS, "benchmarks");
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${name}.json`);
  const machine = {
    processors: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    load,
  };
  const content = {
    schema: "interlay.benchmark/v1",
    name,
    taken: new Date().toISOString(),
    machine,
    versions,
    figures: figures.map((figure) => ({ ...figure, ok: isWithinLimit(figure) })),
  };
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
  return file;
}
