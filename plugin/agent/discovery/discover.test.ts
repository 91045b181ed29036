import assert from "node:assert/strict";
import { discoverFacts } from "./discover.ts";
import type { LinkAddress, Observations } from "./observations.ts";

const address = (name: string, cidr: string, changes: Partial<LinkAddress> = {}): LinkAddress => {
  const [text = "", length] = cidr.split("/");
  const defaults = { kind: undefined, peerElsewhere: false, scope: 0, tentative: false };
  return { name, address: text, prefixLength: Number(length), ...defaults, ...changes };
};
const pools = (...cidrs: readonly string[]): NonNullable<Observations["calicoPools"]> =>
  cidrs.map((cidr) => ({ cidr, disabled: false }));

/** A node in a cluster without any other object. */
const EMPTY: Observations = {
  nodeName: "n1",
  nodeAddresses: ["10.7.168.71"],
  kubeletVersion: "v1.29.15",
  distributionArguments: [],
  nodes: [],
  calicoPools: undefined,
  calicoBlocks: [],
  cilium: undefined,
  flannel: [],
  kubeadm: undefined,
  kubeProxyConfig: undefined,
  serviceCidrObjects: undefined,
  apiServerAddresses: [],
  serviceAddresses: [],
  underlayPools: [],
  controlPlaneArguments: [],
  links: [
    address("lo", "127.0.0.1/8"),
    address("eth1", "192.0.2.9/24"),
    address("eth0", "10.7.168.71/16"),
    address("vxlan.calico", "10.233.64.1/32", { kind: "vxlan" }),
  ],
  defaultLinks: ["eth1"],
  settings: {},
};
const whole: Partial<Observations> = {
  calicoPools: pools("10.233.64.0/18"),
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
  readonly disagreement?: RegExp;
}

const ROWS: readonly Row[] = [
  // Overlay
  {
    of: "Calico IPPools, both families",
    seen: { calicoPools: pools("10.233.64.0/18", "fd33:64::/48", "10.234.0.0/24") },
    fact: "overlayCidrs",
    is: "10.233.64.0/18,fd33:64::/48,10.234.0.0/24",
    from: "Calico IPPools",
  },
  {
    of: "a disabled Calico IPPool: only the blocks in it that are of no enabled one, adjacent ones merged",
    seen: {
      calicoPools: [
        ...pools("10.233.64.0/18"),
        { cidr: "10.0.0.0/8", disabled: true },
        { cidr: "10.234.0.0/24", disabled: true },
      ],
      calicoBlocks: ["10.233.64.0/26", "10.234.0.64/26", "10.234.0.0/26", "10.235.0.0/26", "192.0.2.0/26"],
    },
    fact: "overlayCidrs",
    is: "10.233.64.0/18,10.234.0.0/25,10.235.0.0/26",
    from: "Calico IPPools",
  },
  {
    of: "a disabled Calico IPPool with very many blocks: as a whole",
    seen: {
      calicoPools: [{ cidr: "10.234.0.0/16", disabled: true }],
      calicoBlocks: Array.from({ length: 65 }, (_, i) => `10.234.${i}.0/26`),
    },
    fact: "overlayCidrs",
    is: "10.234.0.0/16",
    from: "Calico IPPools",
  },
  {
    of: "flannel's net-conf.json, both families",
    seen: {
      calicoPools: undefined,
      flannel: ['{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd44::/56","Backend":{"Type":"vxlan"}}'],
    },
    fact: "overlayCidrs",
    is: "10.244.0.0/16,fd44::/56",
    from: "flannel's net-conf.json",
  },
  {
    of: "flannel's net-conf.json that is not JSON: reported, and the next source is asked",
    seen: { calicoPools: undefined, flannel: ["{"], kubeadm: kubeadm("  podSubnet: 10.244.0.0/16") },
    fact: "overlayCidrs",
    is: "10.244.0.0/16",
    from: "kubeadm-config podSubnet",
    disagreement: /flannel's net-conf\.json: .*; it is not used/,
  },
  {
    of: "every Node's podCIDRs, adjacent ones merged, where nothing else names a network",
    seen: {
      calicoPools: undefined,
      nodes: ["10.42.0.0/24", "10.42.1.0/24", "10.42.3.0/24"].map((cidr, i) => ({
        name: `n${i + 1}`,
        addresses: [],
        podCidrs: [cidr, `fd42:0:0:${i}::/64`],
        distributionArguments: [],
      })),
    },
    fact: "overlayCidrs",
    is: "10.42.0.0/23,10.42.3.0/24,fd42::/63,fd42:0:0:2::/64",
    from: "Node.spec.podCIDRs",
  },
  {
    of: "the arguments of a k3s server",
    seen: { calicoPools: undefined, distributionArguments: ["server", "--cluster-cidr", "10.52.0.0/16"] },
    fact: "overlayCidrs",
    is: "10.52.0.0/16",
    from: "k3s's or RKE2's --cluster-cidr",
  },
  {
    of: "a cluster without an overlay, by configuration",
    seen: { calicoPools: undefined, settings: { overlayCidrs: "none" } },
    fact: "overlayCidrs",
    is: "",
    from: "ConfigMap interlay-config overlayCidrs",
  },
  {
    of: "the next source where Cilium takes Kubernetes' CIDRs",
    seen: {
      calicoPools: undefined,
      cilium: { ipam: "kubernetes", "cluster-pool-ipv4-cidr": "10.0.0.0/16" },
      kubeadm: kubeadm("  podSubnet: 10.244.0.0/16"),
    },
    fact: "overlayCidrs",
    is: "10.244.0.0/16",
    from: "kubeadm-config podSubnet",
  },
  {
    of: "Cilium's cluster pools without Calico",
    seen: {
      calicoPools: undefined,
      cilium: { "cluster-pool-ipv4-cidr": "10.0.0.0/16 10.1.0.0/16", "cluster-pool-ipv6-cidr": "fd00::/104" },
    },
    fact: "overlayCidrs",
    is: "10.0.0.0/16,10.1.0.0/16,fd00::/104",
    from: "Cilium's cluster pool",
  },
  {
    of: "Calico's kind without a pool: the next source",
    seen: { calicoPools: [], kubeadm: kubeadm("  podSubnet: 10.244.0.0/16") },
    fact: "overlayCidrs",
    is: "10.244.0.0/16",
    from: "kubeadm-config podSubnet",
  },
  {
    of: "kubeadm's dual-stack podSubnet",
    seen: { calicoPools: undefined, kubeadm: kubeadm("  podSubnet: 10.244.0.0/16,fd00:244::/56") },
    fact: "overlayCidrs",
    is: "10.244.0.0/16,fd00:244::/56",
    from: "kubeadm-config podSubnet",
  },
  {
    of: "the controller manager's flag",
    seen: { calicoPools: undefined, controlPlaneArguments: ["kube-controller-manager", "--cluster-cidr=10.2.0.0/16"] },
    fact: "overlayCidrs",
    is: "10.2.0.0/16",
    from: "kube-controller-manager --cluster-cidr",
  },
  {
    of: "kube-proxy's ConfigMap, when nobody else says it",
    seen: {
      calicoPools: undefined,
      kubeProxyConfig: "kind: KubeProxyConfiguration\nclusterCIDR: 10.3.0.0/16\nmode: iptables\n",
    },
    fact: "overlayCidrs",
    is: "10.3.0.0/16",
    from: "kube-proxy's clusterCIDR",
  },
  {
    of: "an override",
    seen: { settings: { overlayCidrs: "10.9.0.0/16, fd09::/48" } },
    fact: "overlayCidrs",
    is: "10.9.0.0/16,fd09::/48",
    from: "ConfigMap interlay-config overlayCidrs",
  },
  {
    of: "an override of one node before that of all",
    seen: { settings: { overlayCidrs: "10.9.0.0/16", "n1.overlayCidrs": "10.8.0.0/16" } },
    fact: "overlayCidrs",
    is: "10.8.0.0/16",
    from: "ConfigMap interlay-config n1.overlayCidrs",
  },
  {
    of: "an override of another node",
    seen: { settings: { "n2.overlayCidrs": "10.8.0.0/16" } },
    fact: "overlayCidrs",
    is: "10.233.64.0/18",
    from: "Calico IPPools",
  },
  // Two that say different things
  {
    of: "Calico uses a part of kubeadm's network: they agree",
    seen: { kubeadm: kubeadm("  podSubnet: 10.233.0.0/16\n  serviceSubnet: 10.233.0.0/18") },
    fact: "overlayCidrs",
    is: "10.233.64.0/18",
    from: "Calico IPPools",
  },
  {
    of: "a family that Calico does not have does not count as a disagreement",
    seen: { kubeadm: kubeadm("  podSubnet: 10.233.64.0/18,fd00::/48") },
    fact: "overlayCidrs",
    is: "10.233.64.0/18",
    from: "Calico IPPools",
  },
  {
    of: "Calico and kubeadm disagree",
    seen: { kubeadm: kubeadm("  podSubnet: 10.244.0.0/16") },
    fact: "overlayCidrs",
    is: "10.233.64.0/18",
    from: "Calico IPPools",
    disagreement:
      /Overlay networks: Calico IPPools says 10\.233\.64\.0\/18, kubeadm-config podSubnet says 10\.244\.0\.0\/16; the first is used/,
  },
  {
    of: "ServiceCIDR objects and the control plane's flag disagree",
    seen: { controlPlaneArguments: ["--service-cluster-ip-range=10.96.0.0/12"] },
    fact: "serviceCidrs",
    is: "10.233.0.0/18",
    from: "ServiceCIDR objects",
    disagreement:
      /Service networks: ServiceCIDR objects says 10\.233\.0\.0\/18, .*--service-cluster-ip-range says 10\.96\.0\.0\/12/,
  },
  {
    of: "order does not matter: no disagreement",
    seen: {
      serviceCidrObjects: ["10.233.0.0/18", "fd33::/112"],
      controlPlaneArguments: ["--service-cluster-ip-range=fd33::/112,10.233.0.0/18"],
    },
    fact: "serviceCidrs",
    is: "10.233.0.0/18,fd33::/112",
    from: "ServiceCIDR objects",
  },
  {
    of: "an invalid source is reported, and the next one is used",
    seen: {
      calicoPools: undefined,
      cilium: { "cluster-pool-ipv4-cidr": "ten" },
      kubeadm: kubeadm("  podSubnet: 10.1.0.0/16"),
    },
    fact: "overlayCidrs",
    is: "10.1.0.0/16",
    from: "kubeadm-config podSubnet",
    disagreement: /Cilium's cluster pool: invalid CIDR "ten"; it is not used/,
  },
  {
    of: "a network of every address is rejected as overlay",
    seen: {
      calicoPools: undefined,
      cilium: { "cluster-pool-ipv4-cidr": "0.0.0.0/0" },
      kubeadm: kubeadm("  podSubnet: 10.1.0.0/16"),
    },
    fact: "overlayCidrs",
    is: "10.1.0.0/16",
    from: "kubeadm-config podSubnet",
    disagreement: /contains every address/,
  },
  {
    of: "a kubeadm-config that is not YAML is reported and skipped",
    seen: { kubeadm: kubeadm("  { podSubnet: 10.1.0.0/16") },
    fact: "overlayCidrs",
    is: "10.233.64.0/18",
    from: "Calico IPPools",
    disagreement: /^kubeadm-config: .*; it is not used\.$/,
  },
  // Services
  {
    of: "kubeadm's serviceSubnet",
    seen: { serviceCidrObjects: undefined, kubeadm: kubeadm("  serviceSubnet: 10.96.0.0/12") },
    fact: "serviceCidrs",
    is: "10.96.0.0/12",
    from: "kubeadm-config serviceSubnet",
  },
  {
    of: "the default of k3s, where the API server's Service lies in it",
    seen: { serviceCidrObjects: undefined, kubeletVersion: "v1.29.4+k3s1", apiServerAddresses: ["10.43.0.1"] },
    fact: "serviceCidrs",
    is: "10.43.0.0/16",
    from: "the default of k3s and RKE2",
  },
  {
    of: "the arguments of an RKE2 server on another node",
    seen: {
      serviceCidrObjects: undefined,
      nodes: [{ name: "n2", addresses: [], podCidrs: [], distributionArguments: ["--service-cidr=10.53.0.0/16"] }],
    },
    fact: "serviceCidrs",
    is: "10.53.0.0/16",
    from: "k3s's or RKE2's --service-cidr",
  },
  {
    of: "ServiceCIDR's kind without an object: the next source",
    seen: { serviceCidrObjects: [], kubeadm: kubeadm("  serviceSubnet: 10.96.0.0/12") },
    fact: "serviceCidrs",
    is: "10.96.0.0/12",
    from: "kubeadm-config serviceSubnet",
  },
  {
    of: "the API server's flag",
    seen: {
      serviceCidrObjects: undefined,
      controlPlaneArguments: ["kube-apiserver", "--service-cluster-ip-range=10.97.0.0/16,fd97::/112"],
    },
    fact: "serviceCidrs",
    is: "10.97.0.0/16,fd97::/112",
    from: "the control plane's --service-cluster-ip-range",
  },
  {
    of: "the flag and its value as two arguments",
    seen: { serviceCidrObjects: undefined, controlPlaneArguments: ["--service-cluster-ip-range", "10.97.0.0/16"] },
    fact: "serviceCidrs",
    is: "10.97.0.0/16",
    from: "the control plane's --service-cluster-ip-range",
  },
  {
    of: "an override",
    seen: { settings: { serviceCidrs: "10.98.0.0/16" } },
    fact: "serviceCidrs",
    is: "10.98.0.0/16",
    from: "ConfigMap interlay-config serviceCidrs",
  },
  // The node itself
  {
    of: "both families, in the Node's order",
    seen: { nodeAddresses: ["10.7.168.71", "fd07::71"] },
    fact: "nodeAddresses",
    is: "10.7.168.71,fd07::71",
    from: "Node.status.addresses InternalIP",
  },
  {
    of: "an override",
    seen: { nodeAddresses: [], settings: { "n1.nodeAddresses": "192.0.2.9" } },
    fact: "nodeAddresses",
    is: "192.0.2.9",
    from: "ConfigMap interlay-config n1.nodeAddresses",
  },
  {
    of: "the link with the node's address, not the default route's",
    seen: {},
    fact: "uplink",
    is: "eth0",
    from: "the link with 10.7.168.71",
  },
  {
    of: "an address that no link has: the default route's",
    seen: { nodeAddresses: ["198.51.100.7"] },
    fact: "uplink",
    is: "eth1",
    from: "the default route's link",
  },
  {
    of: "an override",
    seen: { settings: { "n1.uplink": "bond0" } },
    fact: "uplink",
    is: "bond0",
    from: "ConfigMap interlay-config n1.uplink",
  },
  { of: "the default", seen: {}, fact: "returnPath", is: "notrack", from: "default" },
  {
    of: "for one node",
    seen: { settings: { returnPath: "none", "n1.returnPath": "liberal" } },
    fact: "returnPath",
    is: "liberal",
    from: "ConfigMap interlay-config n1.returnPath",
  },
];

describe("sources of facts", () => {
  for (const { of, seen, fact, is, from, disagreement } of ROWS)
    it(`${fact} of ${of}`, () => {
      const found = discoverFacts({ ...EMPTY, ...whole, ...seen });
      assert.ok("facts" in found, JSON.stringify(found));
      const { facts, disagreements } = found;
      const values = { ...facts, nodeAddresses: facts.node.addresses };
      assert.equal(String(values[fact]), is);
      assert.equal(facts.sources[fact], from);
      assert.deepEqual(facts.refusedNetworks, []);
      if (disagreement === undefined) assert.deepEqual(disagreements, []);
      else assert.match(disagreements.join("\n"), disagreement);
    });
});

describe("missing facts", () => {
  const LACKS: readonly (readonly [string, Partial<Observations>, readonly RegExp[]])[] = [
    ["no overlay", { calicoPools: [] }, [/^No overlay network was found .* set overlayCidrs in ConfigMap/]],
    ["no Service network", { serviceCidrObjects: [] }, [/^No Service network was found .* set serviceCidrs/]],
    [
      "no address, and so no link that has it, and no default route",
      { nodeAddresses: [], defaultLinks: [] },
      [/^Node n1 has no InternalIP .* set n1\.nodeAddresses/, /^No link of node n1 .* set uplink/],
    ],
    [
      "an unknown return path",
      { settings: { returnPath: "yes" } },
      [/^returnPath "yes" .* notrack, liberal, snat, none/],
    ],
    [
      "an override that is not a network, which a discovered one must not replace silently",
      { settings: { "n1.overlayCidrs": "10.9.0.0" } },
      [/^ConfigMap interlay-config n1\.overlayCidrs: invalid CIDR "10\.9\.0\.0"/],
    ],
    [
      "an override of every address",
      { settings: { hijackCidrs: "0.0.0.0/0" } },
      [/^ConfigMap interlay-config hijackCidrs: invalid network "0\.0\.0\.0\/0": it contains every address/],
    ],
  ];
  for (const [lack, seen, message] of LACKS)
    it(lack, () => {
      const found = discoverFacts({ ...EMPTY, ...whole, ...seen });
      assert.ok("problems" in found, JSON.stringify(found));
      assert.equal(found.problems.length, message.length, found.problems.join("\n"));
      for (const [index, pattern] of message.entries()) assert.match(found.problems[index] ?? "", pattern);
    });

  it("reports every missing fact at once", () => {
    const found = discoverFacts({ ...EMPTY, nodeAddresses: [], links: [], defaultLinks: [] });
    assert.equal("problems" in found ? found.problems.length : 0, 4);
  });
});

const found = (seen: Partial<Observations>) => {
  const discovery = discoverFacts({ ...EMPTY, ...whole, ...seen });
  assert.ok("facts" in discovery, JSON.stringify(discovery));
  return discovery.facts;
};

describe("refused networks", () => {
  const pool = { name: "a", subnet: "10.8.0.0/16", ranges: ["10.8.200.0/24"], gateway: "10.8.0.1" };
  const ROWS: readonly (readonly [string, Partial<Observations>, readonly string[]])[] = [
    [
      "an overlay network that is the underlay's",
      { calicoPools: pools("10.233.64.0/18", "10.7.0.0/16") },
      ["10.7.0.0/16 it is the network of eth0 of node n1"],
    ],
    [
      "an overlay network that contains the underlay's",
      { calicoPools: pools("10.233.64.0/18", "10.0.0.0/8") },
      ["10.0.0.0/8 it contains 10.7.0.0/16, the network of eth0 of node n1"],
    ],
    [
      "a network that contains an UnderlayPool's, where no link has it",
      { underlayPools: [pool], settings: { hijackCidrs: "10.8.0.0/15" } },
      ["10.8.0.0/15 it contains 10.8.0.0/16, the network of UnderlayPool a"],
    ],
    [
      "a network inside the underlay's that holds an address of a pool",
      { underlayPools: [pool], settings: { hijackCidrs: "10.8.192.0/20" } },
      ["10.8.192.0/20 10.8.200.0 is also an address of UnderlayPool a"],
    ],
    [
      "a network inside the underlay's that holds the node",
      { settings: { hijackCidrs: "10.7.168.0/24" } },
      ["10.7.168.0/24 it contains 10.7.168.71, the address of node n1"],
    ],
    [
      "another node's address",
      {
        nodes: [{ name: "n2", addresses: ["10.7.168.72"], podCidrs: [], distributionArguments: [] }],
        settings: { hijackCidrs: "10.7.168.72/32" },
      },
      ["10.7.168.72/32 it is the address of node n2"],
    ],
    [
      "a network inside the underlay's of which nothing on the wire is known",
      { settings: { hijackCidrs: "10.7.9.0/24" } },
      [],
    ],
    ["a single address on the wire", { settings: { hijackCidrs: "10.7.9.9/32" } }, []],
    [
      "overlay and Services on a flat network",
      { links: [address("eth0", "10.7.168.71/8")], underlayPools: [{ ...pool, subnet: "10.0.0.0/8" }] },
      [],
    ],
    [
      "the bridge of an overlay is not the underlay",
      {
        calicoPools: pools("10.244.0.0/16"),
        links: [...EMPTY.links, address("cni0", "10.244.1.1/24", { kind: "bridge" })],
      },
      [],
    ],
  ];
  for (const [what, seen, refused] of ROWS)
    it(what, () => {
      const facts = found(seen);
      assert.deepEqual(
        facts.refusedNetworks.map(({ network, reason }) => `${network} ${reason}`),
        refused,
      );
      const used = [...facts.overlayCidrs, ...facts.serviceCidrs, ...facts.hijackCidrs].map(String);
      for (const { network } of facts.refusedNetworks) assert.ok(!used.includes(network), network);
    });
});

describe("masqueraded networks", () => {
  it("should be the Calico pools with natOutgoing, disabled ones included", () => {
    const calicoPools = [
      { cidr: "10.233.64.0/18", disabled: false, natOutgoing: true },
      { cidr: "10.234.0.0/16", disabled: true, natOutgoing: true },
      { cidr: "fd33:64::/48", disabled: false, natOutgoing: false },
    ];
    assert.deepEqual(found({ calicoPools }).masqueradedCidrs, ["10.233.64.0/18", "10.234.0.0/16"]);
  });
});

describe("addresses that pods reach through their node", () => {
  it("should contain the global addresses of the node's links, except tunnels, pods and routed networks", () => {
    const links = [
      ...EMPTY.links,
      address("lo", "198.51.100.7/32"),
      address("lo", "::1/128", { scope: 254 }),
      address("eth0", "10.7.168.80/16"),
      address("eth0", "fd07::71/64"),
      address("eth0", "fd07::99/64", { tentative: true }),
      address("eth0", "fe80::1/64", { scope: 253 }),
      address("docker0", "172.17.0.1/16", { kind: "bridge" }),
      address("veth1234", "10.98.0.1/32", { kind: "veth", peerElsewhere: true }),
      address("cni0", "10.233.65.1/24", { kind: "bridge" }),
      address("kube-ipvs0", "203.0.113.5/32", { kind: "dummy" }),
      address("wg0", "10.99.0.1/24", { kind: "wireguard" }),
    ];
    assert.deepEqual(found({ links }).node.otherAddresses, [
      "10.7.168.80",
      "172.17.0.1",
      "192.0.2.9",
      "198.51.100.7",
      "fd07::71",
    ]);
  });

  it("should contain a second uplink that is a veth", () => {
    const links = [
      address("eth0", "10.7.168.71/16"),
      address("eth1", "10.9.0.5/24", { kind: "veth", peerElsewhere: true }),
    ];
    assert.deepEqual(found({ links }).node.otherAddresses, ["10.9.0.5"]);
  });

  it("should contain link-local addresses that the node has for its pods, not those of pod links", () => {
    const links = [
      ...EMPTY.links,
      address("nodelocaldns", "169.254.25.10/32", { kind: "dummy" }),
      address("eth1", "169.254.7.7/16", { scope: 253 }),
      address("lxc1", "169.254.1.1/32", { kind: "veth", peerElsewhere: true }),
    ];
    assert.deepEqual(
      found({ links }).viaNode.map(({ destination }) => destination),
      ["169.254.25.10/32"],
    );
  });

  it("should contain addresses of Services, except those of other nodes and of routed networks", () => {
    const reason = "external IP of Service a/b";
    const serviceAddresses = ["10.7.250.1", "10.7.168.72", "10.233.0.9", "fd07::250", "lb.example"].map((ip) => ({
      address: ip,
      reason,
    }));
    const nodes = [{ name: "n2", addresses: ["10.7.168.72", "n2"], podCidrs: [], distributionArguments: [] }];
    assert.deepEqual(found({ serviceAddresses, nodes }).viaNode, [
      { destination: "10.7.250.1/32", reason },
      { destination: "fd07::250/128", reason },
    ]);
  });
});
