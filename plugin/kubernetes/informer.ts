import { hasStatus, type Kube, pathOf, type Resource } from "./kube-client.ts";
import { z } from "zod";

/** What is always the same of a Kubernetes object. */
export const objectMeta = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string().default(""),
  resourceVersion: z.string().default(""),
  generation: z.number().default(0),
  creationTimestamp: z.string().default(""),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  ownerReferences: z
    .array(z.object({ kind: z.string(), name: z.string(), uid: z.string(), controller: z.boolean().optional() }))
    .default([]),
});
export type ObjectMeta = z.infer<typeof objectMeta>;

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().default(""), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable(),
});
const identified = z.object({ metadata: objectMeta });
/** What is kept of an object has at least this. */
interface Identified {
  readonly metadata: { readonly uid: string };
}

export interface Selection {
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** `unknown`: not listed yet. `absent`: the API server does not have this kind. `known`: listed and followed. */
export type MirrorState = "unknown" | "absent" | "known";

const PAGE = 500;
const RETRY_MS = { first: 200, most: 5000, absent: 30_000 } as const;

/** The objects of one kind, listed once and then followed: what is asked of it costs the API server nothing. */
export class Mirror<T extends Identified = Identified> {
  readonly resource: Resource;
  readonly #kube: Kube;
  readonly #selection: Selection;
  readonly #parse: (object: unknown) => T | undefined;
  readonly #listeners: (() => void)[] = [];
  readonly #objects = new Map<string, T>();
  /** One's own writes that the watch has not told of: what it tells of them that is older does not count. */
  readonly #ahead = new Map<string, bigint | { readonly deleted: string }>();
  #version = "";
  #state: MirrorState = "unknown";
  #error: string | undefined;
  #stopped = false;
  #retryMs: number = RETRY_MS.first;
  #abort: (() => void) | undefined;
  #firstLook: () => void = () => undefined;
  /** The first look is done: known or absent. */
  readonly ready = new Promise<void>((resolve) => {
    this.#firstLook = resolve;
  });

  /** @param parse undefined: this one is of no interest; what it throws makes the object be left out, and told */
  constructor(kube: Kube, resource: Resource, parse: (object: unknown) => T | undefined, selection: Selection = {}) {
    this.#kube = kube;
    this.resource = resource;
    this.#parse = parse;
    this.#selection = selection;
  }

  get state(): MirrorState {
    return this.#state;
  }

  /** Why the last look failed; undefined while all is well. */
  get error(): string | undefined {
    return this.#error;
  }

  values(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** @param name `namespace/name`, or the name alone of cluster-scoped ones */
  get(name: string): T | undefined {
    return this.#objects.get(name);
  }

  onChange(listener: () => void): this {
    this.#listeners.push(listener);
    return this;
  }

  /**
   * One's own write, before the watch tells of it: the next reader must see it. The watch is in order: of a write that it
   * is past it has told, and of a deletion since as well, which nobody would tell again.
   */
  put(object: unknown): void {
    const found = identified.safeParse(object);
    if (!found.success) return;
    const version = BigInt(found.data.metadata.resourceVersion);
    if (this.#version !== "" && version <= BigInt(this.#version)) return;
    const key = this.#take(object);
    if (key !== undefined) this.#ahead.set(key, version);
  }

  /**
   * As `put`, for the object of that uid that one has deleted. Where the watch was first, nothing is to be waited for: the
   * name may be another's by now.
   */
  drop(name: string, uid: string): void {
    if (this.#objects.get(name)?.metadata.uid !== uid) return;
    this.#objects.delete(name);
    this.#ahead.set(name, { deleted: uid });
  }

  start(): this {
    void this.#look();
    return this;
  }

  stop(): void {
    this.#stopped = true;
    this.#abort?.();
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    try {
      if (this.#version === "") await this.#list();
      this.#state = "known";
      this.#error = undefined;
      this.#firstLook();
      const started = performance.now();
      const request = await this.#kube.watch(
        pathOf(this.resource),
        { ...this.#selection, resourceVersion: this.#version, allowWatchBookmarks: true },
        (phase, object) => {
          this.#retryMs = RETRY_MS.first;
          this.#event(phase, object);
        },
        (error) => {
          this.#ended(error, performance.now() - started);
        },
      );
      this.#abort = () => {
        request.abort();
      };
    } catch (error) {
      // Not granted is as good as not there: the next source is asked.
      const absent = hasStatus(error, 403, 404);
      if (absent) this.#state = "absent";
      this.#error = absent ? undefined : error instanceof Error ? error.message : String(error);
      if (absent) this.#firstLook();
      this.#again(absent ? RETRY_MS.absent : this.#backOff());
    }
  }

  #ended(error: unknown, milliseconds: number): void {
    const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
    if (status === 410 || status === 404) this.#version = "";
    // A stream that held for a while was a good one: the next begins at once.
    if (milliseconds > RETRY_MS.most) this.#retryMs = RETRY_MS.first;
    this.#again(this.#backOff());
  }

  #backOff(): number {
    const wait = this.#retryMs;
    this.#retryMs = Math.min(2 * wait, RETRY_MS.most);
    return wait;
  }

  #again(milliseconds: number): void {
    if (!this.#stopped) setTimeout(() => void this.#look(), milliseconds).unref();
  }

  async #list(): Promise<void> {
    this.#ahead.clear();
    const seen = new Set<string>();
    let next: string | undefined;
    let version = "";
    do {
      const page = listSchema.parse(
        await this.#kube.list(this.resource, {
          ...this.#selection,
          limit: String(PAGE),
          ...(next === undefined ? {} : { continue: next }),
        }),
      );
      for (const item of page.items ?? []) {
        const key = this.#take(item);
        if (key !== undefined) seen.add(key);
      }
      version = page.metadata.resourceVersion;
      next = page.metadata.continue === "" ? undefined : page.metadata.continue;
    } while (next !== undefined);
    for (const key of this.#objects.keys()) if (!seen.has(key)) this.#objects.delete(key);
    this.#version = version;
    this.#tell();
  }

  #event(phase: string, object: unknown): void {
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
    if (phase === "BOOKMARK" || this.#isOld(phase, metadata)) return;
    if (phase === "DELETED") this.#objects.delete(keyOf(metadata));
    else this.#take(object);
    this.#tell();
  }

  /** Resource versions of one kind are comparable numbers (KEP-5504). */
  #isOld(phase: string, metadata: ObjectMeta): boolean {
    const key = keyOf(metadata);
    const ahead = this.#ahead.get(key);
    if (ahead === undefined) return false;
    const isOld =
      typeof ahead === "bigint"
        ? BigInt(metadata.resourceVersion) < ahead
        : metadata.uid === ahead.deleted && phase !== "DELETED";
    if (!isOld) this.#ahead.delete(key);
    return isOld;
  }

  #take(object: unknown): string | undefined {
    const found = identified.safeParse(object);
    if (!found.success) return undefined;
    const key = keyOf(found.data.metadata);
    try {
      const parsed = this.#parse(object);
      if (parsed === undefined) this.#objects.delete(key);
      else this.#objects.set(key, parsed);
    } catch (error) {
      this.#error = `${this.resource.plural} ${key} is not understood: ${error instanceof Error ? error.message : String(error)}`;
    }
    return key;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function keyOf({ namespace, name }: ObjectMeta): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
