import type { CoreV1Api, V1Pod, V1PodStatus } from "@kubernetes/client-node";
import type { ApiServerAddress } from "./container-environment.ts";
import type { NodeProber } from "./probes/node-prober.ts";
import type { RunningContainer } from "./running-container.ts";

/** The part of a node that its pods use. */
export interface NodeContext {
  readonly name: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
  /** Process id of the machine's first process, whose namespaces are the node. */
  readonly machine: number;
  readonly core: CoreV1Api;
  /** Address of the API server for pods. */
  readonly apiServer: ApiServerAddress;
  /** Address of the DNS server in pods' resolv.conf. */
  readonly nameserver: string;
  readonly prober: NodeProber;
  /** Runs a plugin call, as one of a limited number at a time. */
  runPluginCall<T>(call: () => Promise<T>): Promise<T>;
  log(line: string): void;
  /** Returns the path of a container's log. @param pod `NAMESPACE/POD` */
  getLogFile(pod: string, container: string): string;
  /** Records an event of type Warning, which `kubectl describe pod` shows. */
  recordWarning(pod: V1Pod, reason: string, message: string): void;
  patchStatus(pod: V1Pod, status: V1PodStatus): Promise<void>;
  /** Deletes the Pod object once nothing of the pod is left on the node. */
  deletePod(pod: V1Pod): Promise<void>;
  /** Records a pod's first container. @param pod `NAMESPACE/POD` */
  addRunning(pod: string, container: RunningContainer): void;
  removeRunning(pod: string): void;
  /** Forgets a pod after its teardown; it is not started again. */
  forgetPod(uid: string): void;
}
