import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";
import { VERSIONS } from "../../../clusters/components/catalog.ts";
import { buildInterlayExecutables } from "../../../clusters/components/interlay-executables.ts";
import { resolveComponents } from "../../../clusters/components/resolve.ts";
import { createPlainProgress } from "../../../clusters/progress/plain.ts";
import { findBun } from "../../../plugin/deploy/compile.ts";
import { execLocally } from "../../../plugin/testing/exec.ts";
import type { TestNode } from "../../../plugin/testing/invocation.ts";
import { TestNet } from "../../../plugin/testing/node.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { median, roundToTenth } from "../measurement/statistics.ts";

const PODS = 30;
/** Blocks and nodes of a VXLAN cluster of 5,000 nodes. */
const FOREIGN = { routes: 12_500, neighbours: 5000 } as const;
const PASSES = 20;
const LIMIT_MS = { cpu: 50, stall: 10 } as const;

const outcome = z.array(
  z.object({
    attachments: z.number(),
    drift: z.array(z.string()),
    cpu: z.number().optional(),
    stall: z.number().optional(),
  }),
);

/** Measures passes over all items of attached pods on a node with the routes and neighbours of a large overlay. */
export async function measureRepairPass(): Promise<readonly Measurement[]> {
  const progress = createPlainProgress();
  const components = await resolveComponents([{ name: "cni-plugins", version: VERSIONS["cni-plugins"] }], progress);
  const { launcher, full } = await buildInterlayExecutables(progress);
  const net = new TestNet({ interlay: full, launcher, faulty: full, reference: components.path("cni-plugins") }).open();
  try {
    const node = net.node("n1", "10.7.168.71");
    for (let pod = 1; pod <= PODS; pod++) net.attach(node, net.pod(`p${pod}`), "eth0", `10.7.200.${pod}/16`);
    addForeignState(node);
    return toMeasurements(runPasses(node));
  } finally {
    net.close();
  }
}

/** Adds routes and permanent neighbours as felix does for the other nodes. */
function addForeignState({ name }: TestNode): void {
  const block = (index: number): string => `10.${64 + (index >> 10)}.${(index >> 2) & 255}.${(index & 3) * 64}/26`;
  const lines = [
    "link add name vxlan.calico type veth peer name vxlan.peer",
    "link set vxlan.calico up",
    ...Array.from({ length: FOREIGN.routes }, (_, index) => `route add ${block(index)} dev vxlan.calico proto 80`),
    ...Array.from(
      { length: FOREIGN.neighbours },
      (_, index) =>
        `neighbour add 10.128.${index >> 8}.${index & 255} lladdr 66:00:00:00:00:01 nud permanent dev vxlan.calico`,
    ),
  ];
  const { status, stderr } = spawnSync("ip", ["-n", name, "-batch", "-"], {
    input: lines.join("\n"),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`ip -batch failed: ${stderr}`);
}

function runPasses({ name, stateDirectory }: TestNode): z.infer<typeof outcome> {
  const script = join(import.meta.dirname, "repair-process.ts");
  const passes = outcome.parse(
    JSON.parse(execLocally(["ip", "netns", "exec", name, findBun(), script, stateDirectory, String(PASSES)])),
  );
  const failedPass = passes.find(({ attachments, drift }) => attachments !== PODS || drift.length > 0);
  if (failedPass !== undefined)
    throw new Error(`a pass found ${failedPass.attachments} attachments, and drift: ${failedPass.drift.join("; ")}`);
  return passes;
}

function toMeasurements(passes: z.infer<typeof outcome>): readonly Measurement[] {
  const basis = `${PODS} attachments, ${FOREIGN.routes} routes and ${FOREIGN.neighbours} neighbours of others on the node; median of ${PASSES / 2} passes`;
  const measure = (name: string, values: readonly (number | undefined)[], limit: number): Measurement => ({
    name,
    value: roundToTenth(median(values.flatMap((value) => value ?? []))),
    unit: "ms",
    limit,
    basis,
  });
  return [
    measure(
      "repair pass: CPU",
      passes.map(({ cpu }) => cpu),
      LIMIT_MS.cpu,
    ),
    measure(
      "repair pass: longest stall",
      passes.map(({ stall }) => stall),
      LIMIT_MS.stall,
    ),
  ];
}
