import { getErrorMessage } from "../../errors/error-message.ts";
import { createHash } from "node:crypto";
import { type KubeClient } from "../../kubernetes/kube-client.ts";
import { hasStatus } from "../../kubernetes/kube-error.ts";
import { writeLog } from "./agent-log.ts";
import { inNamespace } from "../../kubernetes/objects.ts";

const EVENTS = { api: "/api/v1", plural: "events" } as const;
/** Time in milliseconds before the same warning about an object is written again; repetitions are one Event with a count. */
const REPEAT_MS = 60_000;
const MESSAGE_MAX = 1000;

/** Namespace of Events about cluster-wide objects, as in the kubelet's Events. */
const CLUSTER_NAMESPACE = "default";

interface EventPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Object that an Event is about. */
export interface EventObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** Undefined for cluster-wide objects. */
  readonly namespace?: string;
}

interface RecordedEvent {
  recordedAt: number;
  count: number;
}

/** Writes Events with type Warning: `kubectl describe` shows them with their object. */
export class EventRecorder {
  readonly #kube: KubeClient;
  readonly #node: string;
  readonly #recorded = new Map<string, RecordedEvent>();

  constructor(kube: KubeClient, node: string) {
    this.#kube = kube;
    this.#node = node;
  }

  /** Writes an Event about a pod. Never throws: a failed write is logged. */
  async warn(pod: EventPod, reason: string, message: string, now = new Date()): Promise<void> {
    if (pod.name === "" || pod.namespace === "") return;
    await this.warnAbout({ apiVersion: "v1", kind: "Pod", ...pod }, reason, message, now);
  }

  /** Writes one Event per pod and reason: a later message replaces the message of the Event. */
  async warnOnce(pod: EventPod, reason: string, message: string, now = new Date()): Promise<void> {
    if (pod.name === "" || pod.namespace === "") return;
    const object = { apiVersion: "v1", kind: "Pod", ...pod };
    await this.#record(buildKey(object, reason, ""), object, reason, message, now);
  }

  /** Writes an Event about any object. Never throws, like `warn`. */
  async warnAbout(object: EventObject, reason: string, message: string, now = new Date()): Promise<void> {
    await this.#record(buildKey(object, reason, message), object, reason, message, now);
  }

  async #record(key: string, object: EventObject, reason: string, message: string, now: Date): Promise<void> {
    const previous = this.#recorded.get(key);
    if (previous !== undefined && now.getTime() - previous.recordedAt < REPEAT_MS) {
      previous.count++;
      return;
    }
    const count = (previous?.count ?? 0) + 1;
    this.#recorded.set(key, { recordedAt: now.getTime(), count });
    this.#forgetOld(now.getTime());
    try {
      await this.#write(
        `${object.name.slice(0, 200)}.${key}`,
        object,
        reason,
        message.slice(0, MESSAGE_MAX),
        count,
        now,
      );
    } catch (error) {
      writeLog("warn", "an Event could not be written", { object, reason, error: getErrorMessage(error) });
    }
  }

  async #write(
    name: string,
    object: EventObject,
    reason: string,
    message: string,
    count: number,
    now: Date,
  ): Promise<void> {
    const namespace = object.namespace ?? CLUSTER_NAMESPACE;
    const resource = inNamespace(EVENTS, namespace);
    const lastTimestamp = now.toISOString();
    try {
      await this.#kube.create(resource, {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name, namespace },
        involvedObject: object,
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
      await this.#kube.mergePatch(resource, name, { count, message, lastTimestamp });
    }
  }

  #forgetOld(now: number): void {
    for (const [key, { recordedAt }] of this.#recorded)
      if (now - recordedAt > 10 * REPEAT_MS) this.#recorded.delete(key);
  }
}

function buildKey({ uid }: EventObject, reason: string, message: string): string {
  return createHash("sha256").update(`${uid} ${reason} ${message}`).digest("hex").slice(0, 16);
}
