import assert from "node:assert/strict";
import { z } from "zod";
import { It } from "../harness.ts";
import { PROBING_NETWORK } from "./duplicate-address.ts";
import { PLUGIN_NAMESPACE, execOnNode, type PluginContext } from "./plugin-context.ts";

const LOG = "/var/log/interlay/cni.log";
/** Steps of an ADD that attaches a pod, in this order. */
const STEPS = ["parse", "plan", "wire", "prepare", "apply", "announce"] as const;

const entry = z.object({
  time: z.iso.datetime(),
  plugin: z.string().optional(),
  command: z.string(),
  ifname: z.string().optional(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }).optional(),
  milliseconds: z.number(),
  steps: z.record(z.string(), z.number()).default({}),
  error: z.string().optional(),
});
type LogEntry = z.infer<typeof entry>;

/** Returns the parsed lines of a node's call log. */
export async function readLog(context: PluginContext, node: number): Promise<readonly LogEntry[]> {
  const text = await execOnNode(context, node, "cat", LOG);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => entry.parse(JSON.parse(line)));
}

export function registerCallLogSpecs(context: () => PluginContext): void {
  It(
    "the call log has one JSON line for each call with the durations of its steps, readable only by root",
    async () => {
      assert.equal((await execOnNode(context(), 0, "stat", "--format=%a", LOG)).trim(), "600");
      const calls = (await readLog(context(), 0)).filter(({ pod }) => pod?.namespace === PLUGIN_NAMESPACE);
      const add = calls.find(
        ({ pod, command, plugin, error }) =>
          pod?.name === PROBING_NETWORK && command === "ADD" && plugin !== "interlay-ipam" && error === undefined,
      );
      assert.ok(add !== undefined, `no ADD of ${PROBING_NETWORK} among ${calls.length} lines`);
      // A standalone plugin also logs its start-up time.
      assert.deepEqual(
        Object.keys(add.steps).filter((step) => step !== "start"),
        STEPS,
      );
      // The announcement follows the answer.
      const measuredSteps = Object.entries(add.steps).filter(([step]) => step !== "start" && step !== "announce");
      const sum = measuredSteps.reduce((total, [, ms]) => total + ms, 0);
      assert.ok(sum <= add.milliseconds + 1, `steps of ${sum} ms in a call of ${add.milliseconds} ms`);
      // duplicate address detection: attempts × interval
      assert.ok((add.steps["wire"] ?? 0) >= 290, `duplicate address detection took ${add.steps["wire"] ?? 0} ms`);
      const failedCall = calls.find(({ error }) => error?.includes("did not answer") === true);
      assert.ok(failedCall?.milliseconds !== undefined, "a call that failed has a line with its error");
    },
  );

  It("a call log of 10 MiB is rotated by the next call", async () => {
    await execOnNode(context(), 0, "truncate", "--size=11M", LOG);
    const { stdout } = await context().cluster.exec(
      context().workers[0] ?? "",
      ["env", "CNI_COMMAND=STATUS", "CNI_PATH=/opt/cni/bin", "/opt/cni/bin/interlay"],
      { stdin: JSON.stringify({ cniVersion: "1.1.0", name: "plugin-log", type: "interlay" }) },
    );
    assert.equal(stdout, "", "STATUS prints nothing on success");
    const calls = await readLog(context(), 0);
    assert.ok(
      calls.some(({ command }) => command === "STATUS"),
      "the call is in the new log",
    );
    assert.equal((await execOnNode(context(), 0, "stat", "--format=%s", `${LOG}.1`)).trim(), String(11 * 1024 * 1024));
    await execOnNode(context(), 0, "rm", `${LOG}.1`);
  });
}
