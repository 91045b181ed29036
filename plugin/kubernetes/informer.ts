import { z } from "zod";
import { getErrorMessage } from "../errors/error-message.ts";
import { describeInvalid, InvalidObjects } from "./invalid-objects.ts";
import { buildPath, type KubeClient, type Resource } from "./kube-client.ts";
import { hasStatus, readRetryAfter } from "./kube-error.ts";
import { listObjects, type ListSource } from "./list-objects.ts";
import { LocalWrites } from "./local-writes.ts";
import { buildKey, objectMeta } from "./object-meta.ts";
import { RetryBackoff } from "./retry-backoff.ts";
import type { InformerOptions, Selection } from "./informer-options.ts";
import type { WatchStream } from "./transport.ts";

const identified = z.object({ metadata: objectMeta });
/** Minimum of a cached object. */
interface Identified {
  readonly metadata: { readonly uid: string };
}

/** `unknown`: not listed yet. `absent`: the API server does not have this kind. `known`: listed and watched. */
type InformerState = "unknown" | "absent" | "known";

/** Milliseconds of a watch after which the next one starts without backoff. */
const LONG_MS = 5000;

/** A bookmark has no more than this. */
const versioned = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const statusObject = z.object({ code: z.number() });

/** Informer of one kind: lists the objects once, then watches them. Reads cost no request to the API server. */
export class Informer<T extends Identified = Identified> {
  readonly resource: Resource;
  readonly #kube: KubeClient;
  readonly #selection: Selection;
  readonly #source: ListSource;
  readonly #parse: (object: unknown) => T | undefined;
  readonly #listeners: (() => void)[] = [];
  readonly #objects = new Map<string, T>();
  /** Called with the error of the next attempt that fails. */
  readonly #failures: ((error: unknown) => void)[] = [];
  readonly #localWrites = new LocalWrites();
  readonly #invalid: InvalidObjects;
  readonly #backoff = new RetryBackoff();
  /** Version from which the next watch starts; undefined: the next attempt lists first. */
  #version: string | undefined;
  /** Version of the last list or event; a list must not be older. "0": any. Undefined: the API server no longer knows it. */
  #known: string | undefined = "0";
  #state: InformerState = "unknown";
  #error: string | undefined;
  #stopped = false;
  #stream: WatchStream | undefined;
  #markReady: () => void = () => undefined;
  /** Resolves after the first list: the state is known or absent. */
  readonly ready = new Promise<void>((resolve) => {
    this.#markReady = resolve;
  });

  /** @param parse returns undefined to skip an object; if it throws, the change is skipped and reported */
  constructor(
    kube: KubeClient,
    resource: Resource,
    parse: (object: unknown) => T | undefined,
    { selection = {}, source = "cache", reportInvalid = () => undefined }: InformerOptions = {},
  ) {
    this.#kube = kube;
    this.resource = resource;
    this.#parse = parse;
    this.#selection = selection;
    this.#source = source;
    this.#invalid = new InvalidObjects(reportInvalid);
  }

  get state(): InformerState {
    return this.#state;
  }

  /** Reason why the last list or watch failed; undefined after success. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Waits for the first list. @throws the error of an attempt that fails before */
  waitUntilListed(): Promise<void> {
    if (this.#state !== "unknown") return this.ready;
    return new Promise((resolve, reject) => {
      this.#failures.push(reject);
      void this.ready.then(resolve);
    });
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
    const { resourceVersion } = found.data.metadata;
    if (this.#version !== undefined && BigInt(resourceVersion) <= BigInt(this.#version)) return;
    const key = this.#storeObject(object);
    if (key !== undefined) this.#localWrites.recordWrite(key, resourceVersion);
  }

  /**
   * Applies a local delete of the object with that uid before its watch event arrives. Ignored if the cache has another object
   * of that name.
   */
  applyLocalDelete(name: string, uid: string): void {
    if (this.#objects.get(name)?.metadata.uid !== uid) return;
    this.#objects.delete(name);
    this.#localWrites.recordDelete(name, uid);
  }

  start(): this {
    void this.#listAndWatch();
    return this;
  }

  stop(): void {
    this.#stopped = true;
    this.#stream?.abort();
  }

  async #listAndWatch(): Promise<void> {
    if (this.#stopped) return;
    try {
      const version = (this.#version ??= await this.#listObjects());
      this.#state = "known";
      this.#error = undefined;
      this.#markReady();
      this.#failures.length = 0;
      const started = performance.now();
      this.#stream = await this.#kube.watch(
        buildPath(this.resource),
        { ...this.#selection, resourceVersion: version, allowWatchBookmarks: true },
        {
          changed: (type, object) => {
            this.#backoff.reset();
            this.#handleEvent(type, object);
          },
          ended: (error) => {
            this.#handleEnd(error, performance.now() - started);
          },
        },
      );
      if (this.#isStopped()) this.#stream.abort();
    } catch (error) {
      // A forbidden kind counts as absent: the next source is used.
      const absent = hasStatus(error, 403, 404);
      if (absent) this.#state = "absent";
      this.#error = absent ? undefined : getErrorMessage(error);
      if (absent) this.#markReady();
      for (const fail of this.#failures.splice(0)) fail(error);
      // 410: forgotten; 504: newer than anything the API server has, whose etcd may have been restored.
      if (hasStatus(error, 410, 504)) this.#known = undefined;
      this.#scheduleRetry(absent ? this.#backoff.nextAbsent() : this.#backoff.next(readRetryAfter(error)));
    }
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #handleEnd(error: Error | undefined, milliseconds: number): void {
    if (hasStatus(error, 404, 410)) this.#version = undefined;
    if (milliseconds > LONG_MS) this.#backoff.reset();
    this.#scheduleRetry(this.#backoff.next(readRetryAfter(error)));
  }

  #scheduleRetry(milliseconds: number): void {
    if (!this.#stopped) setTimeout(() => void this.#listAndWatch(), milliseconds).unref();
  }

  /** @returns the list's version */
  async #listObjects(): Promise<string> {
    const seen = new Set<string>();
    const query = { ...this.#selection };
    const version = await listObjects(
      this.#kube,
      this.resource,
      query,
      { source: this.#source, from: this.#known },
      (item) => {
        const key = this.#storeUnlessStale(item);
        if (key !== undefined) seen.add(key);
      },
    );
    this.#known = version;
    for (const key of this.#objects.keys())
      if (!seen.has(key) && !this.#localWrites.isNewerThan(key, version)) this.#deleteObject(key);
    this.#notify();
    return version;
  }

  #storeUnlessStale(item: unknown): string | undefined {
    const found = identified.safeParse(item);
    if (!found.success) return undefined;
    const key = buildKey(found.data.metadata);
    return this.#localWrites.isStale(key, found.data.metadata) ? key : this.#storeObject(item);
  }

  #handleEvent(type: string, object: unknown): void {
    if (type === "ERROR") {
      const status = statusObject.safeParse(object);
      // 410: expired, from the beginning. Any other: the API server ends the watch, and the next one goes on.
      if (!status.success || status.data.code === 410) this.#version = undefined;
      return;
    }
    const marked = versioned.safeParse(object);
    if (marked.success) this.#version = this.#known = marked.data.metadata.resourceVersion;
    const found = identified.safeParse(object);
    if (type === "BOOKMARK" || !found.success) return;
    const { metadata } = found.data;
    const key = buildKey(metadata);
    if (this.#localWrites.isStale(key, metadata, type === "DELETED")) return;
    const before = this.#objects.get(key);
    if (type === "DELETED") this.#deleteObject(key);
    else this.#storeObject(object);
    // Of an object that was not kept, and is not now, nobody needs to know.
    if (before !== undefined || this.#objects.has(key)) this.#notify();
  }

  #storeObject(object: unknown): string | undefined {
    const found = identified.safeParse(object);
    if (!found.success) return undefined;
    const key = buildKey(found.data.metadata);
    try {
      const parsed = this.#parse(object);
      if (parsed === undefined) this.#objects.delete(key);
      else this.#objects.set(key, parsed);
      this.#invalid.remove(key);
    } catch (error) {
      this.#invalid.record(key, `${this.resource.plural} ${key} is invalid: ${describeInvalid(error)}`);
    }
    return key;
  }

  #deleteObject(key: string): void {
    this.#objects.delete(key);
    this.#invalid.remove(key);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
