import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../spec/environment-spec.ts";
import { listWorkloads } from "./lab-workloads.ts";

describe("listWorkloads", () => {
  const DEFAULT = [
    "kube-system/daemonset/calico-node",
    "kube-system/deployment/calico-kube-controllers",
    "kube-system/daemonset/multus",
    "kube-system/daemonset/kube-proxy",
    "kube-system/deployment/coredns",
    "interlay-system/daemonset/interlay",
    "interlay-system/deployment/interlay-controller",
  ];
  const without = (...names: readonly string[]) => DEFAULT.filter((name) => !names.some((one) => name.endsWith(one)));
  const cases: readonly (readonly [string, EnvironmentSpec | undefined, readonly string[]])[] = [
    ["returns Calico, Multus, kube-proxy, CoreDNS and Interlay by default", undefined, DEFAULT],
    ["omits kube-proxy if it is not installed", { kubeProxy: { installed: false } }, without("kube-proxy")],
    [
      "returns flannel instead of Calico",
      { overlay: { kind: "flannel", backend: "vxlan" } },
      ["kube-flannel/daemonset/kube-flannel-ds", ...without("calico-node", "calico-kube-controllers")],
    ],
    [
      "returns no workload for a pod network of reference plugins",
      { overlay: { kind: "bridge" } },
      without("calico-node", "calico-kube-controllers"),
    ],
    [
      "returns Multus' daemon instead of its plugin",
      { multus: "thick" },
      [...without("daemonset/multus"), "kube-system/daemonset/kube-multus-ds"],
    ],
    ["adds the DNS cache", { nodeLocalDns: "169.254.20.10" }, [...DEFAULT, "kube-system/daemonset/node-local-dns"]],
  ];
  for (const [title, spec, expected] of cases)
    it(title, () => {
      const names = listWorkloads(spec).map(([namespace, name]) => `${namespace}/${name}`);
      assert.deepEqual(names.toSorted(), [...expected].sort());
    });
});
