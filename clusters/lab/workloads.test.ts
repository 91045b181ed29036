import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../environments/environment-spec.ts";
import { listWorkloads } from "./workloads.ts";

describe("the workloads of a lab that is ready", () => {
  const DEFAULT = [
    "kube-system/daemonset/calico-node",
    "kube-system/deployment/calico-kube-controllers",
    "kube-system/daemonset/multus",
    "kube-system/daemonset/kube-proxy",
    "kube-system/deployment/coredns",
    "interlay-system/daemonset/interlay",
  ];
  const without = (...names: readonly string[]) => DEFAULT.filter((name) => !names.some((one) => name.endsWith(one)));
  const cases: readonly (readonly [string, EnvironmentSpec | undefined, readonly string[]])[] = [
    ["are the suite's own without an environment", undefined, DEFAULT],
    ["have no kube-proxy where none is installed", { kubeProxy: { installed: false } }, without("kube-proxy")],
    [
      "have flannel instead of Calico",
      { overlay: { kind: "flannel", backend: "vxlan" } },
      ["kube-flannel/daemonset/kube-flannel-ds", ...without("calico-node", "calico-kube-controllers")],
    ],
    [
      "have nothing of a pod network of reference plugins",
      { overlay: { kind: "bridge" } },
      without("calico-node", "calico-kube-controllers"),
    ],
    [
      "have Multus' daemon instead of its plugin",
      { multus: "thick" },
      [...without("daemonset/multus"), "kube-system/daemonset/kube-multus-ds"],
    ],
    ["have the DNS cache", { nodeLocalDns: "169.254.20.10" }, [...DEFAULT, "kube-system/daemonset/node-local-dns"]],
  ];
  for (const [title, spec, expected] of cases)
    it(title, () => {
      const names = listWorkloads(spec).map(([namespace, name]) => `${namespace}/${name}`);
      assert.deepEqual(names.toSorted(), [...expected].sort());
    });
});
