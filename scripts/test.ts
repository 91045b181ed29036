#!/usr/bin/env tsx
/** `npm test`: runs all checks of the project, one after another, and prints the counts of all tests in the last line. */
import { $ } from "zx";
import { waitForExit } from "../clusters/shell.ts";
import {
  addCounts,
  extractFailures,
  formatClosingLine,
  type TestCounts,
  NO_TESTS,
  readCounts,
  judgeStage,
} from "./test/test-counts.ts";

interface Stage {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the stage has no tests to count, and passes or fails as a whole. */
  readonly isCheck?: true;
}

/** Arguments of a stage in a lab, without the name of the lab. */
const LAB = ["tsx", "scripts/e2e.ts", "--provider", "lab", "--name"] as const;

/** Command that ends a stage after 2400 s. The first run of a machine builds components for a quarter of an hour. */
const TIMEOUT = ["timeout", "--signal=INT", "--kill-after=60", "2400"] as const;

const STAGES: readonly Stage[] = [
  { name: "format", argv: ["prettier", "--check", "."], isCheck: true },
  { name: "lint", argv: ["eslint", "--max-warnings", "0", "."], isCheck: true },
  { name: "types", argv: ["tsc", "--noEmit"], isCheck: true },
  { name: "types of the report's page", argv: ["tsc", "-p", "results/browser"], isCheck: true },
  {
    name: "dependencies",
    argv: ["knip", "--include", "files,exports,types,dependencies,unlisted,unresolved"],
    isCheck: true,
  },
  { name: "unit tests", argv: ["mocha", "--config", ".mocharc.unit.json"] },
  { name: "tests of programs and the browser", argv: ["mocha", "--config", ".mocharc.cli.json"] },
  { name: "tests in network namespaces", argv: ["tsx", "scripts/test-netns.ts"] },
  {
    name: "the connectivity matrix in a lab, dual stack",
    argv: [...LAB, "interlay-test", "--family", "dual", "--suite", "matrix,evidence,validation,mutants,chaos"],
    // Samples: npm run mutants and npm run chaos run everything.
    env: { INTERLAY_MUTANTS: "5", INTERLAY_SEED: "1", INTERLAY_CHAOS_MINUTES: "2" },
  },
  {
    name: "the plugin's pod shapes, options and verbs in a lab, dual stack",
    argv: [...LAB, "interlay-test-plugin", "--family", "dual", "--suite", "plugin"],
  },
  {
    name: "allocation of addresses during failures, in a lab",
    argv: [...LAB, "interlay-test-ipam", "--suite", "ipam"],
  },
  {
    name: "discovery and RBAC of the agent in a lab",
    argv: [...LAB, "interlay-test-agent", "--suite", "discovery,rbac"],
  },
  {
    name: "the agent, the return path and the predictions of the doctor in a lab",
    argv: [...LAB, "interlay-test-agent", "--suite", "agent,return-path,agent-cluster,doctor"],
  },
  {
    name: "overlays, Helm, upgrade, uninstall and the commands of interlay in a lab",
    argv: [...LAB, "interlay-test-install", "--suite", "install,documented-install,quick-start"],
  },
  {
    name: "a sample of the environments in labs",
    argv: [
      ...LAB,
      "interlay-test",
      "--family",
      "ipv4",
      "--environment",
      "cluster-cidr-empty,nat-outgoing-off,forward-drop-docker,no-kube-proxy",
    ],
  },
  { name: "the connectivity matrix", argv: ["tsx", "scripts/e2e.ts"] },
];

interface StageResult {
  readonly counts: TestCounts;
  /** Last million characters of stdout. */
  readonly output: string;
}

async function runStage({ name, argv, env, isCheck }: Stage): Promise<StageResult> {
  process.stdout.write(`\n== ${name}: ${argv.join(" ")}\n`);
  const child = $({
    nothrow: true,
    detached: true,
    preferLocal: true,
    stdio: ["ignore", "pipe", "inherit"] as const,
    env: { ...process.env, ...env },
  })`${[...TIMEOUT, ...argv]}`;
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    process.stdout.write(chunk);
    output = (output + chunk.toString()).slice(-1_000_000);
  });
  const exitCode = await waitForExit(child);
  const counts = isCheck ? { ...NO_TESTS, ...(exitCode === 0 ? { passed: 1 } : { failed: 1 }) } : readCounts(output);
  return { counts: judgeStage(exitCode, counts), output };
}

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => {
    interrupt.abort();
  });

let total = NO_TESTS;
const failures: string[] = [];
for (const stage of STAGES) {
  if (interrupt.signal.aborted) {
    failures.push(`== not run, because of an interrupt: ${stage.name}`);
    total = addCounts(total, { ...NO_TESTS, failed: 1 });
    continue;
  }
  const { counts, output } = await runStage(stage);
  if (counts.failed > 0) failures.push(`== failed: ${stage.name}\n${extractFailures(output)}`);
  total = addCounts(total, counts);
}
// Failures are printed again at the end, because CI systems often cut long logs in the middle.
for (const failure of failures) process.stdout.write(`\n${failure}\n`);
process.stdout.write(`\n${formatClosingLine(total)}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
