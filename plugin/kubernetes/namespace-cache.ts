import { z } from "zod";
import type { KubeClient } from "./kube-client.ts";
import { objectMeta, type ObjectMeta } from "./object-meta.ts";
import { RESOURCE } from "./objects.ts";

const namespaceObject = z.object({ metadata: objectMeta });

/** Labels and annotations of namespaces, read from the API server when they are needed. */
export class NamespaceCache {
  readonly #kube: Pick<KubeClient, "find">;
  readonly #maxAgeMs: number;
  readonly #known = new Map<string, { readonly readAt: number; readonly metadata: ObjectMeta }>();

  /** @param maxAgeMs milliseconds within which a change takes effect */
  constructor(kube: Pick<KubeClient, "find">, maxAgeMs: number) {
    this.#kube = kube;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Returns a namespace as it was at most `maxAgeMs` ago. One that does not exist has no labels and annotations. */
  async read(name: string): Promise<ObjectMeta> {
    const cached = this.#known.get(name);
    if (cached !== undefined && Date.now() - cached.readAt < this.#maxAgeMs) return cached.metadata;
    const { metadata } = namespaceObject.parse(
      (await this.#kube.find(RESOURCE.namespaces, name)) ?? { metadata: { name } },
    );
    this.#known.set(name, { readAt: Date.now(), metadata });
    return metadata;
  }

  /** Returns a namespace as it was read last, however long ago. */
  getLast(name: string): ObjectMeta | undefined {
    return this.#known.get(name)?.metadata;
  }
}
