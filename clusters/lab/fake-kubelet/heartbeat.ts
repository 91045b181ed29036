import {
  type CoordinationV1Api,
  type CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
} from "@kubernetes/client-node";
import { reportsReady } from "../../kubernetes/ready-condition.ts";
import { buildKubeletStatus } from "./node-object.ts";

/** A strategic merge: Calico sets a condition of its own, and conditions are merged by type. */
const BY_KEY = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
const LEASE_NAMESPACE = "kube-node-lease";
/** Kubelet's defaults: the duration of a lease, and the interval of an unchanged status (nodeStatusReportFrequency). */
const LEASE_SECONDS = 40;
const STATUS_INTERVAL_MS = 5 * 60_000;

interface HeartbeatNode {
  readonly name: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
  /** Version for the node's status. */
  readonly kubernetes: string;
  readonly core: CoreV1Api;
  readonly coordination: CoordinationV1Api;
}

/**
 * Reports a node's health as kubelet does: renews its lease each time, and writes its status when it changes. Every
 * calico-node and agent reads each change of each Node; a status each time cost a lab of 20 nodes half a processor.
 */
export class Heartbeat {
  readonly #node: HeartbeatNode;
  #lastStatus: { readonly writtenAt: number; readonly problem: string | undefined } | undefined;

  constructor(node: HeartbeatNode) {
    this.#node = node;
  }

  /**
   * Renews the lease, and writes the status if it has changed.
   * @param problem why the node cannot start pods; undefined: it is Ready
   */
  async send(problem: string | undefined): Promise<void> {
    await Promise.all([this.#renewLease(), this.#writeStatus(problem)]);
  }

  async #writeStatus(problem: string | undefined): Promise<void> {
    const { name, addresses, kubernetes, core } = this.#node;
    const last = this.#lastStatus;
    const isCurrent =
      last !== undefined && last.problem === problem && performance.now() - last.writtenAt < STATUS_INTERVAL_MS;
    // The node controller changes the status too: it sets NotReady when the lease is too old.
    if (isCurrent && reportsReady((await core.readNode({ name })).status) === (problem === undefined)) return;
    const status = buildKubeletStatus(name, addresses, kubernetes, problem);
    await core.patchNodeStatus({ name, body: { status } }, BY_KEY);
    this.#lastStatus = { writtenAt: performance.now(), problem };
  }

  async #renewLease(): Promise<void> {
    const { name, coordination } = this.#node;
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: new V1MicroTime() };
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name }, spec };
    const namespace = LEASE_NAMESPACE;
    await coordination.patchNamespacedLease({ namespace, name, body }, MERGE).catch(async (error: unknown) => {
      if (!String(error).includes("NotFound")) throw error;
      await coordination.createNamespacedLease({ namespace, body });
    });
  }
}
