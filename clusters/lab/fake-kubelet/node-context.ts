import type { CoreV1Api, V1Pod, V1PodStatus } from "@kubernetes/client-node";
import type { RunningContainer } from "./running-container.ts";
import type { ApiServerAddress } from "./container-environment.ts";
import type { NodeProber } from "./node-prober.ts";

/** A node as its pods see it. */
export interface NodeContext {
  readonly name: string;
  readonly addresses: readonly string[];
  /** The machine's first process: whoever enters its namespaces is on the node. */
  readonly machine: number;
  readonly core: CoreV1Api;
  /** Where pods find the API server. */
  readonly apiServer: ApiServerAddress;
  /** Address of the DNS server in pods' resolv.conf. */
  readonly nameserver: string;
  readonly prober: NodeProber;
  /** Runs a plugin call in its turn: a runtime has so many at a time. */
  runPluginCall<T>(work: () => Promise<T>): Promise<T>;
  log(line: string): void;
  getLogFile(pod: string, container: string): string;
  /** A Warning that `kubectl describe pod` shows. */
  recordWarning(pod: V1Pod, reason: string, message: string): void;
  patchStatus(pod: V1Pod, status: V1PodStatus): Promise<void>;
  /** The last word: nothing of the pod is left here. */
  deletePod(pod: V1Pod): Promise<void>;
  addRunning(pod: string, container: RunningContainer): void;
  removeRunning(pod: string): void;
  forgetPod(uid: string): void;
}
