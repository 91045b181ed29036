import assert from "node:assert/strict";
import { discover, type Observations } from "./discover.ts";

/** A node of which nothing is known but itself. */
const bare: Observations = {
  nodeName: "n1",
  nodeAddresses: ["10.7.168.71"],
  calicoPools: undefined,
  calicoBlocks: [],
  cilium: undefined,
  kubeadm: undefined,
  kubeProxyConfig: undefined,
  serviceCidrObjects: undefined,
  controlPlaneArguments: [],
  links: [
    { name: "lo", address: "127.0.0.1" },
    { name: "eth1", address: "192.0.2.9" },
    { name: "eth0", address: "10.7.168.71" },
    { name: "vxlan.calico", address: "10.233.64.1" },
  ],
  defaultLinks: ["eth1"],
  settings: {},
};
const whole: Partial<Observations> = {
  calicoPools: ["10.233.64.0/18"],
  calicoBlocks: ["10.233.64.0/26"],
  serviceCidrObjects: ["10.233.0.0/18"],
};
const kubeadm = (networking: string): string =>
  `apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nnetworking:\n${networking}`;

type FactName = "nodeAddresses" | "overlayCidrs" | "serviceCidrs" | "uplink" | "returnPath";

interface Row {
  readonly of: string;
  readonly seen: Partial<Observations>;
  readonly fact: FactName;
  readonly is: string;
  readonly from: string;
  /** Else: none. */
  readonly told?: RegExp;
}

const ROWS: readonly Row[] = [
  // Overlay
  {
    of: "Calico IPPools, all of them, both families",
    seen: { calicoPools: ["10.233.64.0/18", "fd33:64::/48", "10.234.0.0/24"] },
    ...{ fact: "overlayCidrs", is: "10.233.64.0/18,fd33:64::/48,10.234.0.0/24", from: "Calico IPPools" },
  },
  {
    of: "Cilium's cluster pools where there is no Calico",
    seen: {
      calicoPools: undefined,
      cilium: { "cluster-pool-ipv4-cidr": "10.0.0.0/16 10.1.0.0/16", "cluster-pool-ipv6-cidr": "fd00::/104" },
    },
    ...{ fact: "overlayCidrs", is: "10.0.0.0/16,10.1.0.0/16,fd00::/104", from: "Cilium's cluster pool" },
  },
  {
    of: "Calico's kind without a pool: the next source",
    seen: { calicoPools: [], kubeadm: kubeadm("  podSubnet: 10.244.0.0/16") },
    ...{ fact: "overlayCidrs", is: "10.244.0.0/16", from: "kubeadm-config podSubnet" },
  },
  {
    of: "kubeadm's dual-stack podSubnet",
    seen: { calicoPools: undefined, kubeadm: kubeadm("  podSubnet: 10.244.0.0/16,fd00:244::/56") },
    ...{ fact: "overlayCidrs", is: "10.244.0.0/16,fd00:244::/56", from: "kubeadm-config podSubnet" },
  },
  {
    of: "the controller manager's flag",
    seen: { calicoPools: undefined, controlPlaneArguments: ["kube-controller-manager", "--cluster-cidr=10.2.0.0/16"] },
    ...{ fact: "overlayCidrs", is: "10.2.0.0/16", from: "kube-controller-manager --cluster-cidr" },
  },
  {
    of: "kube-proxy's ConfigMap, when nobody else says it",
    seen: {
      calicoPools: undefined,
      kubeProxyConfig: "kind: KubeProxyConfiguration\nclusterCIDR: 10.3.0.0/16\nmode: iptables\n",
    },
    ...{ fact: "overlayCidrs", is: "10.3.0.0/16", from: "kube-proxy's clusterCIDR" },
  },
  {
    of: "an override",
    seen: { settings: { overlayCidrs: "10.9.0.0/16, fd09::/48" } },
    ...{ fact: "overlayCidrs", is: "10.9.0.0/16,fd09::/48", from: "ConfigMap interlay-config overlayCidrs" },
  },
  {
    of: "an override of one node before that of all",
    seen: { settings: { overlayCidrs: "10.9.0.0/16", "n1.overlayCidrs": "10.8.0.0/16" } },
    ...{ fact: "overlayCidrs", is: "10.8.0.0/16", from: "ConfigMap interlay-config n1.overlayCidrs" },
  },
  {
    of: "an override of another node",
    seen: { settings: { "n2.overlayCidrs": "10.8.0.0/16" } },
    ...{ fact: "overlayCidrs", is: "10.233.64.0/18", from: "Calico IPPools" },
  },
  // Two that say different things
  {
    of: "Calico uses a part of what kubeadm was told: they agree",
    seen: { kubeadm: kubeadm("  podSubnet: 10.233.0.0/16\n  serviceSubnet: 10.233.0.0/18") },
    ...{ fact: "overlayCidrs", is: "10.233.64.0/18", from: "Calico IPPools" },
  },
  {
    of: "a family that Calico does not have is no disagreement",
    seen: { kubeadm: kubeadm("  podSubnet: 10.233.64.0/18,fd00::/48") },
    ...{ fact: "overlayCidrs", is: "10.233.64.0/18", from: "Calico IPPools" },
  },
  {
    of: "Calico and kubeadm disagree",
    seen: { kubeadm: kubeadm("  podSubnet: 10.244.0.0/16") },
    ...{ fact: "overlayCidrs", is: "10.233.64.0/18", from: "Calico IPPools" },
    told: /Overlay networks: Calico IPPools says 10\.233\.64\.0\/18, kubeadm-config podSubnet says 10\.244\.0\.0\/16; the first is used/,
  },
  {
    of: "ServiceCIDR objects and the control plane's flag disagree",
    seen: { controlPlaneArguments: ["--service-cluster-ip-range=10.96.0.0/12"] },
    ...{ fact: "serviceCidrs", is: "10.233.0.0/18", from: "ServiceCIDR objects" },
    told: /Service networks: ServiceCIDR objects says 10\.233\.0\.0\/18, .*--service-cluster-ip-range says 10\.96\.0\.0\/12/,
  },
  {
    of: "order does not matter: no disagreement",
    seen: {
      serviceCidrObjects: ["10.233.0.0/18", "fd33::/112"],
      controlPlaneArguments: ["--service-cluster-ip-range=fd33::/112,10.233.0.0/18"],
    },
    ...{ fact: "serviceCidrs", is: "10.233.0.0/18,fd33::/112", from: "ServiceCIDR objects" },
  },
  {
    of: "a source that makes no sense is told, and the next one is asked",
    seen: {
      calicoPools: undefined,
      cilium: { "cluster-pool-ipv4-cidr": "ten" },
      kubeadm: kubeadm("  podSubnet: 10.1.0.0/16"),
    },
    ...{ fact: "overlayCidrs", is: "10.1.0.0/16", from: "kubeadm-config podSubnet" },
    told: /Cilium's cluster pool: "ten" is no network in CIDR notation; it is not used/,
  },
  {
    of: "a network of every address is no overlay",
    seen: {
      calicoPools: undefined,
      cilium: { "cluster-pool-ipv4-cidr": "0.0.0.0/0" },
      kubeadm: kubeadm("  podSubnet: 10.1.0.0/16"),
    },
    ...{ fact: "overlayCidrs", is: "10.1.0.0/16", from: "kubeadm-config podSubnet" },
    told: /is every address/,
  },
  {
    of: "kubeadm-config that is no YAML: told, and all else is as it was",
    seen: { kubeadm: kubeadm("  { podSubnet: 10.1.0.0/16") },
    ...{ fact: "overlayCidrs", is: "10.233.64.0/18", from: "Calico IPPools" },
    told: /^kubeadm-config: .*; it is not used\.$/,
  },
  // Services
  {
    of: "kubeadm's serviceSubnet",
    seen: { serviceCidrObjects: undefined, kubeadm: kubeadm("  serviceSubnet: 10.96.0.0/12") },
    ...{ fact: "serviceCidrs", is: "10.96.0.0/12", from: "kubeadm-config serviceSubnet" },
  },
  {
    of: "ServiceCIDR's kind without an object: the next source",
    seen: { serviceCidrObjects: [], kubeadm: kubeadm("  serviceSubnet: 10.96.0.0/12") },
    ...{ fact: "serviceCidrs", is: "10.96.0.0/12", from: "kubeadm-config serviceSubnet" },
  },
  {
    of: "the API server's flag",
    seen: {
      serviceCidrObjects: undefined,
      controlPlaneArguments: ["kube-apiserver", "--service-cluster-ip-range=10.97.0.0/16,fd97::/112"],
    },
    ...{ fact: "serviceCidrs", is: "10.97.0.0/16,fd97::/112", from: "the control plane's --service-cluster-ip-range" },
  },
  {
    of: "the flag and its value as two arguments",
    seen: { serviceCidrObjects: undefined, controlPlaneArguments: ["--service-cluster-ip-range", "10.97.0.0/16"] },
    ...{ fact: "serviceCidrs", is: "10.97.0.0/16", from: "the control plane's --service-cluster-ip-range" },
  },
  {
    of: "an override",
    seen: { settings: { serviceCidrs: "10.98.0.0/16" } },
    ...{ fact: "serviceCidrs", is: "10.98.0.0/16", from: "ConfigMap interlay-config serviceCidrs" },
  },
  // The node itself
  {
    of: "both families, in the Node's order",
    seen: { nodeAddresses: ["10.7.168.71", "fd07::71"] },
    ...{ fact: "nodeAddresses", is: "10.7.168.71,fd07::71", from: "Node.status.addresses InternalIP" },
  },
  {
    of: "an override",
    seen: { nodeAddresses: [], settings: { "n1.nodeAddresses": "192.0.2.9" } },
    ...{ fact: "nodeAddresses", is: "192.0.2.9", from: "ConfigMap interlay-config n1.nodeAddresses" },
  },
  {
    of: "the link with the node's address, not the default route's",
    seen: {},
    ...{ fact: "uplink", is: "eth0", from: "the link with 10.7.168.71" },
  },
  {
    of: "an address that no link has: the default route's",
    seen: { nodeAddresses: ["198.51.100.7"] },
    ...{ fact: "uplink", is: "eth1", from: "the default route's link" },
  },
  {
    of: "an override",
    seen: { settings: { "n1.uplink": "bond0" } },
    ...{ fact: "uplink", is: "bond0", from: "ConfigMap interlay-config n1.uplink" },
  },
  { of: "the default", seen: {}, fact: "returnPath", is: "notrack", from: "default" },
  {
    of: "for one node",
    seen: { settings: { returnPath: "none", "n1.returnPath": "liberal" } },
    ...{ fact: "returnPath", is: "liberal", from: "ConfigMap interlay-config n1.returnPath" },
  },
];

describe("facts: each says where it comes from", () => {
  for (const { of, seen, fact, is, from, told } of ROWS)
    it(`${fact} of ${of}`, () => {
      const found = discover({ ...bare, ...whole, ...seen });
      assert.ok("facts" in found, JSON.stringify(found));
      const { facts, disagreements } = found;
      const values = { ...facts, nodeAddresses: facts.node.addresses };
      assert.equal(String(values[fact]), is);
      assert.equal(facts.sources[fact], from);
      if (told === undefined) assert.deepEqual(disagreements, []);
      else assert.match(disagreements.join("\n"), told);
    });
});

describe("facts that are missing, each with what to do", () => {
  const LACKS: readonly (readonly [string, Partial<Observations>, readonly RegExp[]])[] = [
    ["no overlay", { calicoPools: [] }, [/^No overlay network was found .* set overlayCidrs in ConfigMap/]],
    ["no Service network", { serviceCidrObjects: [] }, [/^No Service network was found .* set serviceCidrs/]],
    [
      "no address, and so no link that has it, and no default route",
      { nodeAddresses: [], defaultLinks: [] },
      [/^Node n1 has no InternalIP .* set n1\.nodeAddresses/, /^No link of node n1 .* set uplink/],
    ],
    [
      "a word that is no return path",
      { settings: { returnPath: "yes" } },
      [/^returnPath "yes" .* notrack, liberal, snat, none/],
    ],
    [
      "an override that is no network: what is found must not take its place in silence",
      { settings: { "n1.overlayCidrs": "10.9.0.0" } },
      [/^ConfigMap interlay-config n1\.overlayCidrs: "10\.9\.0\.0" is no network in CIDR notation/],
    ],
    [
      "an override of every address",
      { settings: { hijackCidrs: "0.0.0.0/0" } },
      [/^ConfigMap interlay-config hijackCidrs: "0\.0\.0\.0\/0" is every address/],
    ],
  ];
  for (const [lack, seen, says] of LACKS)
    it(lack, () => {
      const found = discover({ ...bare, ...whole, ...seen });
      assert.ok("problems" in found, JSON.stringify(found));
      assert.equal(found.problems.length, says.length, found.problems.join("\n"));
      for (const [index, pattern] of says.entries()) assert.match(found.problems[index] ?? "", pattern);
    });

  it("everything at once: each is told", () => {
    const found = discover({ ...bare, nodeAddresses: [], links: [], defaultLinks: [] });
    assert.equal("problems" in found ? found.problems.length : 0, 4);
  });
});
