import { z } from "zod";

/** Metadata that every Kubernetes object has. */
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
    .array(
      z.object({
        apiVersion: z.string().default(""),
        kind: z.string(),
        name: z.string(),
        uid: z.string(),
        controller: z.boolean().optional(),
      }),
    )
    .default([]),
});
export type ObjectMeta = z.infer<typeof objectMeta>;

/** Builds the key of an object: `namespace/name`, or only the name of a cluster-scoped object. */
export function buildKey({ namespace, name }: ObjectMeta): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
