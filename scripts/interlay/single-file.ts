/** `interlay` as one executable, which needs neither Node.js nor a clone: the commands for a cluster. `npm run build -- --cli` builds it. */
import { CLUSTER_VERBS, PROGRAM_VERBS } from "./cluster-verbs.ts";
import type { Verb } from "./program/program.ts";
import { runVerbsAndExit } from "./run-verbs.ts";

const VERBS: readonly Verb[] = [
  ...CLUSTER_VERBS,
  ...PROGRAM_VERBS,
  {
    name: "complete",
    summary: "print the completions of a command line",
    hidden: true,
    load: async () => (await import("./commands/completion.ts")).createCompleteCommand(VERBS),
  },
];

void runVerbsAndExit(process.argv.slice(2), VERBS);
