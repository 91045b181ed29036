import { Command } from "commander";
import type { Verb } from "../program/program.ts";

/** Commands for maintainers that are programs of their own, with a line for the help. */
const SCRIPTS = {
  bench: "measure, and compare each value with its limit",
  build: "build the executables, and with --images the images",
  chaos: "inject random faults in a lab and check the invariants after each",
  environments: "list the environments, or write their page",
  generate: "write the generated files: CRDs, chart, schemas, command reference",
  "in-cluster": "run the suite as a Job in a cluster",
  kit: "pack the suite for a machine without a network",
  nightly: "run the matrix for every job of a plan",
  peers: "run suites of other projects with pods of each type",
} as const;

/** The commands that run `scripts/NAME.ts` with all their arguments. */
export const DEVELOPER_VERBS: readonly Verb[] = Object.entries(SCRIPTS).map(([name, summary]) => ({
  name,
  summary,
  load: () => Promise.resolve(createScriptCommand(name, summary)),
}));

function createScriptCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(`${summary}; interlay dev ${name} --help lists its options`)
    .argument("[arguments...]")
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (argv: readonly string[]) => {
      const { startScript, waitForExit } = await import("../../../clusters/shell.ts");
      process.exitCode = await waitForExit(startScript(`scripts/${name}.ts`, argv));
    });
}
