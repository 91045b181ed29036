import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { type VersionedPart, readVersions } from "./versions.ts";

/** One line of a benchmark's table: what was measured, and whether it is within its limit. */
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
  /** The value may not exceed it; undefined for a measurement that is only for comparison. */
  readonly limit?: number;
  /** What it was measured of or against. */
  readonly basis: string;
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  /** Their versions are kept. */
  readonly takingPart: VersionedPart;
  readonly run: (say: (line: string) => void) => Promise<readonly Measurement[]>;
}

export const isWithinLimit = ({ value, limit }: Measurement): boolean => limit === undefined || value <= limit;

export function renderTable(figures: readonly Measurement[]): string {
  const table = new Table({ head: ["figure", "value", "limit", "", "basis"], style: { head: [], border: [] } });
  for (const figure of figures)
    table.push([
      figure.name,
      `${figure.value} ${figure.unit}`,
      figure.limit === undefined ? "-" : `${figure.limit} ${figure.unit}`,
      figure.limit === undefined ? "" : isWithinLimit(figure) ? "ok" : "MISSED",
      figure.basis,
    ]);
  return table.toString();
}

/** What is kept of the moment before a bench begins. */
interface MachineState {
  /** How many wanted a processor in the last minute: a bench on a busy machine says so. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

export async function readMachineState({ takingPart }: Bench): Promise<MachineState> {
  return { load: Math.round(10 * (loadavg()[0] ?? 0)) / 10, versions: await readVersions(takingPart) };
}

/** Writes results/benchmarks/NAME.json; returns its path. */
export async function writeMeasurements(
  { name }: Pick<Bench, "name">,
  figures: readonly Measurement[],
  { load, versions }: MachineState,
): Promise<string> {
  const directory = join(import.meta.dirname, "..", "..", "results", "benchmarks");
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
