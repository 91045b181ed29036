import assert from "node:assert/strict";
import { decideServices, type ServicesInput } from "./service-translation.ts";

const WELL: ServicesInput = {
  families: ["ipv4"],
  translators: { ipv4: "iptables" },
  calicoBpf: false,
  cilium: undefined,
  kernel: "6.1.0-13-amd64",
  kubeProxyAnswers: true,
  overlayCidrs: ["10.233.64.0/18"],
};

describe("decideServices", () => {
  const ROWS: readonly (readonly [title: string, input: Partial<ServicesInput>, ready: boolean, reason: string])[] = [
    ["is ready with kube-proxy's iptables rules", {}, true, "RulesPresent"],
    ["is ready with kube-proxy's nftables table", { translators: { ipv4: "nftables" } }, true, "RulesPresent"],
    [
      "is ready with IPVS services, which kube-proxy masquerades",
      { translators: { ipv4: "ipvs" } },
      true,
      "KubeProxyMasquerades",
    ],
    ["says when nobody renews the rules", { kubeProxyAnswers: false }, true, "KubeProxySilent"],
    [
      "says when the kernel leaves masquerading to kube-proxy",
      { kernel: "5.4.0-150-generic" },
      true,
      "KubeProxyMasquerades",
    ],
    ["trusts the first kernel that can", { kernel: "5.7.0" }, true, "RulesPresent"],
    ["is not ready without rules", { translators: {} }, false, "NoServiceRules"],
    ["is not ready when a family has no rules", { families: ["ipv4", "ipv6"] }, false, "NoServiceRules"],
    ["is not ready with Calico eBPF, whatever rules are left", { calicoBpf: true }, false, "CalicoEBPF"],
    [
      "is not ready with Cilium's replacement of kube-proxy",
      { cilium: { "kube-proxy-replacement": "true" } },
      false,
      "CiliumKubeProxyReplacement",
    ],
    [
      "is not ready with Cilium's strict replacement",
      { cilium: { "kube-proxy-replacement": "strict" } },
      false,
      "CiliumKubeProxyReplacement",
    ],
    [
      "is ready with Cilium without replacement",
      { cilium: { "kube-proxy-replacement": "false" } },
      true,
      "RulesPresent",
    ],
  ];
  for (const [title, input, ready, reason] of ROWS)
    it(title, () => {
      const state = decideServices({ ...WELL, ...input });
      assert.deepEqual([state.ready, state.reason], [ready, reason]);
      assert.ok(
        ready || /run kube-proxy on this node|set clusterCIDR to 10\.233\.64\.0\/18/.test(state.message),
        "no remedy",
      );
    });
});
