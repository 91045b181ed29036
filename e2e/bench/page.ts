import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const RESULTS = join(import.meta.dirname, "..", "..", "results");
export const PAGE_FILE = join(RESULTS, "BENCHMARKS.md");

const written = z.object({
  schema: z.literal("interlay.benchmark/v1"),
  name: z.string(),
  taken: z.string(),
  machine: z.object({ processors: z.number(), memoryGiB: z.number(), kernel: z.string(), load: z.number().optional() }),
  /** What was measured of which version; files written before it was kept have none. */
  versions: z.record(z.string(), z.string()).optional(),
  figures: z.array(
    z.object({
      name: z.string(),
      value: z.number(),
      unit: z.string(),
      limit: z.number().optional(),
      basis: z.string(),
      ok: z.boolean(),
    }),
  ),
});
type Written = z.infer<typeof written>;

/** Every results/benchmarks/*.json, by name. */
export async function readAllMeasurements(): Promise<readonly Written[]> {
  const directory = join(RESULTS, "benchmarks");
  const files = (await readdir(directory)).filter((file) => file.endsWith(".json")).sort();
  return Promise.all(
    files.map(async (file) => written.parse(JSON.parse(await readFile(join(directory, file), "utf8")))),
  );
}

export function renderPage(benches: readonly Written[]): string {
  const missed = benches.flatMap(({ name, figures }) =>
    figures.filter(({ ok }) => !ok).map((figure) => `${name}: ${figure.name}`),
  );
  const count = benches.reduce((sum, { figures }) => sum + figures.length, 0);
  return [
    "# Benchmarks",
    "",
    "Written by `npm run bench -- page` from `results/benchmarks/*.json`; do not edit. Each file is written by its own",
    "command, on the machine and day that it tells. A ratio (unit x) is to the peer named in the line, measured in the",
    "same run, in turns.",
    "",
    `${count} figures, ${missed.length} missed${missed.length === 0 ? "." : `: ${missed.map(escaped).join("; ")}.`}`,
    ...benches.flatMap(section),
    "",
  ].join("\n");
}

/** The page of the files as they are; returns its path. */
export async function writePage(): Promise<string> {
  await writeFile(PAGE_FILE, renderPage(await readAllMeasurements()));
  return PAGE_FILE;
}

function section({ name, taken, machine, versions, figures }: Written): readonly string[] {
  const { processors, memoryGiB, kernel, load } = machine;
  const { commit = "not kept by this run", ...others } = versions ?? {};
  const told = Object.entries({ commit, ...others }).map(([what, version]) => `${what} ${version}`);
  return [
    "",
    `## ${name}`,
    "",
    `- command: \`npm run bench -- ${name}\``,
    `- taken: ${taken}`,
    `- machine: ${processors} processors, ${memoryGiB} GiB, Linux ${kernel}${load === undefined ? "" : `; load ${load} before it began`}`,
    `- versions: ${versions === undefined ? "not kept by this run" : told.join(", ")}`,
    "",
    "| figure | value | limit | | basis |",
    "| --- | ---: | ---: | --- | --- |",
    ...figures.map(
      ({ name: figure, value, unit, limit, ok, basis }) =>
        `| ${escaped(figure)} | ${value} ${unit} | ${limit === undefined ? "-" : `${limit} ${unit}`} | ${
          limit === undefined ? "" : ok ? "ok" : "**missed**"
        } | ${escaped(basis)} |`,
    ),
  ];
}

const escaped = (text: string): string => text.replaceAll("|", "\\|");
