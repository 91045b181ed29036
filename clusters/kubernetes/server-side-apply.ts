import { setTimeout as sleep } from "node:timers/promises";
import { type KubeConfig, type KubernetesObject, KubernetesObjectApi, PatchStrategy } from "@kubernetes/client-node";
import { getStatusCode } from "./status-code.ts";

const FIELD_MANAGER = "interlay";
const POLL_MS = 300;

/** An object as its manifest has it. */
interface AppliedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

interface ApplyOptions {
  /** Time in milliseconds since 1970 until which a kind may become served. */
  readonly deadline: number;
  /** Whether the API server only checks the object. */
  readonly dryRun?: boolean;
}

/**
 * Applies an object by server-side apply, as soon as its kind is served. Takes over fields that another manager set.
 * @returns the object as the API server has it
 */
export async function applyObject(
  config: KubeConfig,
  object: AppliedObject,
  { deadline, dryRun = false }: ApplyOptions,
): Promise<KubernetesObject> {
  for (;;)
    try {
      // A client caches the served kinds, so each attempt has a new one.
      return await KubernetesObjectApi.makeApiClient(config).patch(
        object as KubernetesObject,
        undefined,
        dryRun ? "All" : undefined,
        FIELD_MANAGER,
        true,
        PatchStrategy.ServerSideApply,
      );
    } catch (error) {
      const isUnserved = getStatusCode(error) === 404 || /Unrecognized API version and kind/.test(String(error));
      if (!isUnserved || Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
}
