import { getErrorMessage } from "../../errors/error-message.ts";
import { createHash } from "node:crypto";
import { hasStatus, type KubeClient } from "../../kubernetes/kube-client.ts";
import { writeLog } from "./log.ts";
import { inNamespace } from "../../kubernetes/objects.ts";

const EVENTS = { api: "/api/v1", plural: "events" } as const;
/** The same thing is said of the same pod again after so long, in milliseconds; repeated failures are one Event that counts. */
const REPEAT_MS = 60_000;
const MESSAGE_MAX = 1000;

interface EventPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

interface RecordedEvent {
  at: number;
  count: number;
}

/** Events on pods: `kubectl describe pod` says why a pod was not wired. */
export class PodEvents {
  readonly #kube: KubeClient;
  readonly #node: string;
  readonly #said = new Map<string, RecordedEvent>();

  constructor(kube: KubeClient, node: string) {
    this.#kube = kube;
    this.#node = node;
  }

  /** Never throws: an Event that cannot be written is in the log. */
  async warn(pod: EventPod, reason: string, message: string, now = new Date()): Promise<void> {
    if (pod.name === "" || pod.namespace === "") return;
    const key = createHash("sha256").update(`${pod.uid} ${reason} ${message}`).digest("hex").slice(0, 16);
    const before = this.#said.get(key);
    if (before !== undefined && now.getTime() - before.at < REPEAT_MS) {
      before.count++;
      return;
    }
    const count = (before?.count ?? 0) + 1;
    this.#said.set(key, { at: now.getTime(), count });
    this.#forget(now.getTime());
    try {
      await this.#write(`${pod.name.slice(0, 200)}.${key}`, pod, reason, message.slice(0, MESSAGE_MAX), count, now);
    } catch (error) {
      writeLog("warn", "an Event could not be written", { pod, reason, error: getErrorMessage(error) });
    }
  }

  async #write(name: string, pod: EventPod, reason: string, message: string, count: number, now: Date): Promise<void> {
    const resource = inNamespace(EVENTS, pod.namespace);
    const lastTimestamp = now.toISOString();
    try {
      await this.#kube.create(resource, {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name, namespace: pod.namespace },
        involvedObject: { apiVersion: "v1", kind: "Pod", namespace: pod.namespace, name: pod.name, uid: pod.uid },
        type: "Warning",
        reason,
        message,
        count,
        firstTimestamp: lastTimestamp,
        lastTimestamp,
        source: { component: "interlay", host: this.#node },
        reportingComponent: "interlay",
        reportingInstance: this.#node,
      });
    } catch (error) {
      if (!hasStatus(error, 409)) throw error;
      await this.#kube.mergePatch(resource, name, { count, lastTimestamp });
    }
  }

  #forget(now: number): void {
    for (const [key, { at }] of this.#said) if (now - at > 10 * REPEAT_MS) this.#said.delete(key);
  }
}
