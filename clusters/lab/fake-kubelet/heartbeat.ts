import {
  type CoordinationV1Api,
  type CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
} from "@kubernetes/client-node";
import { reportsReady } from "../../kubernetes/ready-condition.ts";
import { buildNodeStatus } from "./node-object.ts";

/** Conditions are merged by their type: Calico has one of its own. */
const BY_KEY = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
const LEASES = "kube-node-lease";
/** As kubelet's: how long a lease is good for, and how often an unchanged status is told (nodeStatusReportFrequency). */
const LEASE_SECONDS = 40;
const REPORT_MS = 5 * 60_000;

interface HeartbeatNode {
  readonly name: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
  readonly kubernetes: string;
  readonly core: CoreV1Api;
  readonly coordination: CoordinationV1Api;
}

/**
 * That a node lives, as kubelet tells it: its lease each time, its status when that is another. Every calico-node and
 * every agent reads each change of each Node: told each time, they cost a lab of twenty nodes half a processor.
 */
export class Heartbeat {
  readonly #node: HeartbeatNode;
  #told: { readonly at: number; readonly trouble: string | undefined } | undefined;

  constructor(node: HeartbeatNode) {
    this.#node = node;
  }

  /** @param trouble why pods cannot be wired here, if so */
  async beat(trouble: string | undefined): Promise<void> {
    await Promise.all([this.#renewLease(), this.#tellStatus(trouble)]);
  }

  async #tellStatus(trouble: string | undefined): Promise<void> {
    const { name, addresses, kubernetes, core } = this.#node;
    const told = this.#told;
    const fresh = told !== undefined && told.trouble === trouble && performance.now() - told.at < REPORT_MS;
    // Who finds the lease too old writes into the status, too: that the node is not ready.
    if (fresh && reportsReady((await core.readNode({ name })).status) === (trouble === undefined)) return;
    await core.patchNodeStatus(
      { name, body: { status: buildNodeStatus(name, addresses, kubernetes, trouble) } },
      BY_KEY,
    );
    this.#told = { at: performance.now(), trouble };
  }

  async #renewLease(): Promise<void> {
    const { name, coordination } = this.#node;
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: new V1MicroTime() };
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name }, spec };
    await coordination.patchNamespacedLease({ namespace: LEASES, name, body }, MERGE).catch(async (error: unknown) => {
      if (!String(error).includes("NotFound")) throw error;
      await coordination.createNamespacedLease({ namespace: LEASES, body });
    });
  }
}
