import { hasStatus, type KubeClient, buildPath, type Resource } from "./kube-client.ts";
import { z } from "zod";
import { objectMeta, type ObjectMeta } from "./object-meta.ts";
import { getErrorMessage } from "../errors/error-message.ts";

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().default(""), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable(),
});
const identified = z.object({ metadata: objectMeta });
/** Minimum of a cached object. */
interface Identified {
  readonly metadata: { readonly uid: string };
}

export interface Selection {
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** `unknown`: not listed yet. `absent`: the API server does not have this kind. `known`: listed and watched. */
type InformerState = "unknown" | "absent" | "known";

const PAGE_SIZE = 500;
const RETRY_MS = { first: 200, most: 5000, absent: 30_000 } as const;

/** Informer of one kind: lists the objects once, then watches them. Reads cost no request to the API server. */
export class Informer<T extends Identified = Identified> {
  readonly resource: Resource;
  readonly #kube: KubeClient;
  readonly #selection: Selection;
  readonly #parse: (object: unknown) => T | undefined;
  readonly #listeners: (() => void)[] = [];
  readonly #objects = new Map<string, T>();
  /** Local writes that the watch has not delivered yet: older events of these objects are ignored. */
  readonly #localWrites = new Map<string, bigint | { readonly deleted: string }>();
  #version = "";
  #state: InformerState = "unknown";
  #error: string | undefined;
  #stopped = false;
  #retryMs: number = RETRY_MS.first;
  #abort: (() => void) | undefined;
  #markReady: () => void = () => undefined;
  /** Resolves after the first list: the state is known or absent. */
  readonly ready = new Promise<void>((resolve) => {
    this.#markReady = resolve;
  });

  /** @param parse returns undefined to skip an object; if it throws, the object is skipped and `error` is set */
  constructor(
    kube: KubeClient,
    resource: Resource,
    parse: (object: unknown) => T | undefined,
    selection: Selection = {},
  ) {
    this.#kube = kube;
    this.resource = resource;
    this.#parse = parse;
    this.#selection = selection;
  }

  get state(): InformerState {
    return this.#state;
  }

  /** Reason why the last list or watch failed; undefined after success. */
  get error(): string | undefined {
    return this.#error;
  }

  values(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** @param name `namespace/name`, or only the name of a cluster-scoped object */
  get(name: string): T | undefined {
    return this.#objects.get(name);
  }

  onChange(listener: () => void): this {
    this.#listeners.push(listener);
    return this;
  }

  /**
   * Stores a local write before its watch event arrives, so that readers see their own writes. Ignored if the watch has already
   * delivered a newer resourceVersion: the object may have been deleted since.
   */
  applyLocalWrite(object: unknown): void {
    const found = identified.safeParse(object);
    if (!found.success) return;
    const version = BigInt(found.data.metadata.resourceVersion);
    if (this.#version !== "" && version <= BigInt(this.#version)) return;
    const key = this.#store(object);
    if (key !== undefined) this.#localWrites.set(key, version);
  }

  /**
   * Applies a local delete of the object with that uid before its watch event arrives. Ignored if the cache has another object
   * of that name.
   */
  applyLocalDelete(name: string, uid: string): void {
    if (this.#objects.get(name)?.metadata.uid !== uid) return;
    this.#objects.delete(name);
    this.#localWrites.set(name, { deleted: uid });
  }

  start(): this {
    void this.#listAndWatch();
    return this;
  }

  stop(): void {
    this.#stopped = true;
    this.#abort?.();
  }

  async #listAndWatch(): Promise<void> {
    if (this.#stopped) return;
    try {
      if (this.#version === "") await this.#list();
      this.#state = "known";
      this.#error = undefined;
      this.#markReady();
      const started = performance.now();
      const request = await this.#kube.watch(
        buildPath(this.resource),
        { ...this.#selection, resourceVersion: this.#version, allowWatchBookmarks: true },
        (phase, object) => {
          this.#retryMs = RETRY_MS.first;
          this.#handleEvent(phase, object);
        },
        (error) => {
          this.#handleEnd(error, performance.now() - started);
        },
      );
      this.#abort = () => {
        request.abort();
      };
    } catch (error) {
      // A forbidden kind counts as absent: the next source is used.
      const absent = hasStatus(error, 403, 404);
      if (absent) this.#state = "absent";
      this.#error = absent ? undefined : getErrorMessage(error);
      if (absent) this.#markReady();
      this.#scheduleRetry(absent ? RETRY_MS.absent : this.#nextBackoff());
    }
  }

  #handleEnd(error: unknown, milliseconds: number): void {
    const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
    if (status === 410 || status === 404) this.#version = "";
    // After a long-lived stream the next one starts without backoff.
    if (milliseconds > RETRY_MS.most) this.#retryMs = RETRY_MS.first;
    this.#scheduleRetry(this.#nextBackoff());
  }

  #nextBackoff(): number {
    const wait = this.#retryMs;
    this.#retryMs = Math.min(2 * wait, RETRY_MS.most);
    return wait;
  }

  #scheduleRetry(milliseconds: number): void {
    if (!this.#stopped) setTimeout(() => void this.#listAndWatch(), milliseconds).unref();
  }

  async #list(): Promise<void> {
    this.#localWrites.clear();
    const seen = new Set<string>();
    let next: string | undefined;
    let version = "";
    do {
      const page = listSchema.parse(
        await this.#kube.list(this.resource, {
          ...this.#selection,
          limit: String(PAGE_SIZE),
          ...(next === undefined ? {} : { continue: next }),
        }),
      );
      for (const item of page.items ?? []) {
        const key = this.#store(item);
        if (key !== undefined) seen.add(key);
      }
      version = page.metadata.resourceVersion;
      next = page.metadata.continue === "" ? undefined : page.metadata.continue;
    } while (next !== undefined);
    for (const key of this.#objects.keys()) if (!seen.has(key)) this.#objects.delete(key);
    this.#version = version;
    this.#notify();
  }

  #handleEvent(phase: string, object: unknown): void {
    if (phase === "ERROR") {
      this.#version = ""; // expired: from the beginning
      return;
    }
    const found = identified.safeParse(object);
    if (!found.success) {
      const version = z.object({ metadata: z.object({ resourceVersion: z.string() }) }).safeParse(object);
      if (version.success) this.#version = version.data.metadata.resourceVersion;
      return;
    }
    const { metadata } = found.data;
    this.#version = metadata.resourceVersion;
    if (phase === "BOOKMARK" || this.#isStale(phase, metadata)) return;
    if (phase === "DELETED") this.#objects.delete(buildKey(metadata));
    else this.#store(object);
    this.#notify();
  }

  /** Resource versions of one kind are comparable numbers (KEP-5504). */
  #isStale(phase: string, metadata: ObjectMeta): boolean {
    const key = buildKey(metadata);
    const ahead = this.#localWrites.get(key);
    if (ahead === undefined) return false;
    const isOld =
      typeof ahead === "bigint"
        ? BigInt(metadata.resourceVersion) < ahead
        : metadata.uid === ahead.deleted && phase !== "DELETED";
    if (!isOld) this.#localWrites.delete(key);
    return isOld;
  }

  #store(object: unknown): string | undefined {
    const found = identified.safeParse(object);
    if (!found.success) return undefined;
    const key = buildKey(found.data.metadata);
    try {
      const parsed = this.#parse(object);
      if (parsed === undefined) this.#objects.delete(key);
      else this.#objects.set(key, parsed);
    } catch (error) {
      this.#error = `${this.resource.plural} ${key} is invalid: ${getErrorMessage(error)}`;
    }
    return key;
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

function buildKey({ namespace, name }: ObjectMeta): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
