import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "zx";
import { waitForExit } from "../../../clusters/shell.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { readReport } from "../../../results/files/write.ts";
import type { Report } from "../../../results/schema.ts";
import { variantTitle } from "../../../results/title.ts";
import { BeforeAll, By, currentSignal, DeferCleanup, Describe, It, Skip } from "../../harness.ts";
import { type SampledCell, selectSample } from "../../rerun/select-sample.ts";
import { registerIfMain, type TestRun } from "../../support/test-run.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const SAMPLE_SIZE = 20;
const RUN_TIMEOUT_MS = 1_800_000;
/** Groups whose cells are in the first run: more take long, with captures of every cell that fails or is blocked. */
const CELLS = "^(matrix|pod-to-node|dns|large-payload)/";
/** Makes UDP of the first worker's underlay pods through their node fail: a sample without failed cells would prove less. */
const FAULT = ["PREROUTING", "-i", "vethil+", "-p", "udp", "--dport", "8080", "-j", "DROP"] as const;

/** Result of a command: its exit status and the report that it left. */
interface CommandResult {
  readonly exitCode: number;
  readonly report: Report;
}

/** The commands that a report shows for its cells: a shell runs them, and each gives its cell again. */
export function registerSpecs(run: TestRun): void {
  Describe("the command that runs a cell again", { labels: ["rerun"], ordered: true }, () => {
    let cluster: Cluster;
    let directory: string;
    let sample: readonly SampledCell[] = [];

    BeforeAll(
      async () => {
        cluster = await By("the cluster", run.cluster);
        directory = await mkdtemp(join(tmpdir(), "interlay-rerun-"));
        DeferCleanup(() => rm(directory, { recursive: true }));
      },
      { timeout: 0 },
    );

    /** Runs a command as a user's shell does, without this run's options. */
    const runInShell = async (command: string, name: string): Promise<CommandResult> => {
      const results = join(directory, name);
      const env = Object.entries(process.env).filter(
        ([variable]) => !variable.startsWith("INTERLAY_") || variable === "INTERLAY_CACHE",
      );
      const program = $({
        nothrow: true,
        quiet: true,
        detached: true,
        cwd: ROOT,
        env: Object.fromEntries(env),
      })`sh -c ${`${command} --results-directory ${results}`}`;
      const exitCode = await waitForExit(program, currentSignal());
      const { stdout, stderr } = await program;
      const report = await readReport(results).catch((error: unknown) => {
        throw new Error(`${command}: exit status ${exitCode}, no report\n${`${stdout}${stderr}`.slice(-4000)}`, {
          cause: error,
        });
      });
      return { exitCode, report };
    };

    It("is shown by a run with passed, blocked and failed cells", { timeout: RUN_TIMEOUT_MS }, async () => {
      if (cluster.provider !== "lab") Skip("the fault is one of a lab's node");
      const node = cluster.nodes.find(({ role }) => role === "worker")?.name ?? "";
      const change = (flag: string) => cluster.exec(node, ["iptables", "-w", "-t", "raw", flag, ...FAULT]);
      assert.equal((await change("-I")).exitCode, 0);
      DeferCleanup(() => change("-D"));
      const flags = `--name ${cluster.spec.name} --kube-proxy v1.28.15,v1.29.15 --return-path liberal --cells '${CELLS}'`;
      const firstRun = await By("npm run e2e", () =>
        runInShell(`npm run e2e -- --provider lab ${flags} --keep`, "first"),
      );
      assert.equal(firstRun.exitCode, 1);
      sample = selectSample(firstRun.report, SAMPLE_SIZE);
      const kinds = new Set(sample.map(({ cell }) => (cell.ok ? cell.expected : "failed")));
      assert.deepEqual([...kinds].toSorted(), ["blocked", "failed", "pass"]);
      assert.equal(sample.length, SAMPLE_SIZE);
      for (const [index, sampled] of sample.entries())
        await By(sampled.command, async () => {
          compareWithSample(await runInShell(sampled.command, String(index)), sampled);
        });
    });
  });
}

/** @throws if the report does not have exactly this cell, with the same result and evidence of it */
function compareWithSample({ exitCode, report }: CommandResult, { variant, cell }: SampledCell): void {
  assert.deepEqual(report.variants.map(variantTitle), [variantTitle(variant)]);
  const describeCell = ({ id, address, expected, actual, ok }: typeof cell) => ({ id, address, expected, actual, ok });
  const cells = report.variants.flatMap((variantResult) => variantResult.cells);
  assert.deepEqual(cells.map(describeCell), [describeCell(cell)], cells[0]?.reason);
  assert.equal(exitCode, cell.ok ? 0 : 1);
}

registerIfMain(import.meta.url, registerSpecs);
