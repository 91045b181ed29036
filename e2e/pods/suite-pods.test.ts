import assert from "node:assert/strict";
import { z } from "zod";
import { createManifests } from "./suite-pods.ts";

const LEVEL = "pod-security.kubernetes.io/enforce";
const restrictedPod = z.object({
  hostNetwork: z.literal(false),
  securityContext: z.object({
    runAsNonRoot: z.literal(true),
    runAsUser: z.number().positive(),
    seccompProfile: z.object({ type: z.literal("RuntimeDefault") }),
  }),
  containers: z.array(
    z.object({
      ports: z.undefined().optional(),
      securityContext: z.strictObject({
        allowPrivilegeEscalation: z.literal(false),
        capabilities: z.strictObject({ drop: z.tuple([z.literal("ALL")]) }),
      }),
    }),
  ),
});

const create = (options: Parameters<typeof createManifests>[2]) => {
  const [namespace, ...objects] = createManifests("probe", ["w1", "w2"], options);
  return { level: namespace?.metadata.labels?.[LEVEL], pods: objects.filter(({ kind }) => kind === "Pod") };
};

describe("the suite's pods", () => {
  it("comply with Pod Security level restricted, if none is in the nodes' network", () => {
    const { level, pods } = create({ hostPods: false });
    assert.equal(level, "restricted");
    assert.equal(pods.length, 12);
    for (const { metadata, spec } of pods) assert.equal(restrictedPod.safeParse(spec).error, undefined, metadata.name);
  });

  for (const [title, options] of [
    ["pods in the nodes' network", {}],
    ["host ports", { hostPods: false, hostPorts: true }],
  ] as const)
    it(`the suite's pods are in a privileged namespace with ${title}`, () => {
      const { level, pods } = create(options);
      assert.equal(level, "privileged");
      assert.ok(pods.every(({ spec }) => !restrictedPod.safeParse(spec).success));
    });
});
