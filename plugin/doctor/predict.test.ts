import assert from "node:assert/strict";
import { describePattern } from "./finding.ts";
import { parseNetworkAnnotation } from "./observe-cluster.ts";
import { predictFailures } from "./predict.ts";
import { renderFindings } from "./render-findings.ts";
import {
  type AttachmentSnapshot,
  type ClusterSnapshot,
  NODE_SNAPSHOT_SCHEMA,
  nodeSnapshot,
  type NodeSnapshot,
} from "./node-snapshot.ts";

const OVERLAY = "10.233.64.0/18";
const SERVICES = "10.233.0.0/18";

const underlay: AttachmentSnapshot = {
  pod: "default/u",
  ifname: "eth0",
  type: "underlay",
  addresses: ["10.7.200.1"],
  mac: "02:00:00:00:00:01",
  mtu: 1500,
  drift: [],
  forgedPackets: 0,
  routes: [OVERLAY, SERVICES].map((destination) => ({ destination, device: "veth0", gateway: "10.7.168.71" })),
  neighbours: [],
};
const multiNic: AttachmentSnapshot = {
  ...underlay,
  pod: "default/m",
  ifname: "net1",
  type: "multi-nic",
  addresses: ["10.7.200.2"],
  mac: "02:00:00:00:00:02",
  routes: [],
};

const node = (changes: Partial<NodeSnapshot> = {}): NodeSnapshot => ({
  schema: NODE_SNAPSHOT_SCHEMA,
  node: "n1",
  facts: {
    addresses: ["10.7.168.71"],
    uplink: "eth0",
    overlayCidrs: [OVERLAY],
    serviceCidrs: [SERVICES],
    refused: [],
    returnPath: "notrack",
  },
  links: [
    { name: "eth0", up: true, mtu: 1500 },
    { name: "vxlan.calico", up: true, mtu: 1450 },
  ],
  ipForward: true,
  tcpBeLiberal: 0,
  rpFilter: { "vxlan.calico": 0, eth0: 0 },
  kubeProxy: { version: "v1.28.15", mode: "iptables", invalidDropRule: true },
  forwardDrops: false,
  serviceRules: ["ipv4"],
  otherInvalidDrops: [],
  notrack: [OVERLAY],
  attachments: [underlay, multiNic],
  neighbours: [],
  cniConfigs: ["00-multus.conf", "10-calico.conflist"],
  cniDirectory: "/etc/cni/net.d",
  multusIsolation: false,
  plugins: { missing: [], onlyInterlay: false },
  ...changes,
});

const cluster = (changes: Partial<ClusterSnapshot> = {}): ClusterSnapshot => ({
  nodes: [{ name: "n1", addresses: ["10.7.168.71"] }],
  overlayCidrs: [OVERLAY],
  serviceCidrs: [SERVICES],
  pools: [],
  problems: [],
  networks: [{ name: "interlay-system/underlay", master: "eth0", mtu: undefined, interlay: true }],
  waiting: [],
  addresses: [],
  ...changes,
});

const returnPath = (mode: "liberal" | "none"): NodeSnapshot["facts"] => {
  const { facts } = node();
  return facts && { ...facts, returnPath: mode };
};
const ASYMMETRIC = "underlay on n1 -> overlay, multi-nic on the other node by tcp";
const DROP_RULE = { version: "v1.29.15", mode: "iptables", invalidDropRule: true } as const;

interface Row {
  readonly fault: string;
  readonly nodes: readonly NodeSnapshot[];
  readonly cluster?: ClusterSnapshot | undefined;
  /** `severity check`, sorted. */
  readonly findings: readonly string[];
  readonly cells?: readonly string[];
  /** Words of the first finding's message and remedy. */
  readonly expectedMessage?: RegExp;
}

const ROWS: readonly Row[] = [
  { fault: "nothing", nodes: [node()], findings: [] },
  {
    fault: "a network that covers the underlay",
    nodes: [
      node({
        facts: {
          ...node().facts,
          refused: [
            { network: "10.7.0.0/16", source: "Calico IPPools", reason: "it is the network of UnderlayPool a" },
          ],
        } as NodeSnapshot["facts"],
      }),
    ],
    cluster: cluster({ overlayCidrs: [OVERLAY, "10.7.0.0/16"] }),
    findings: ["warning network-refused"],
    expectedMessage: /Calico IPPools says 10\.7\.0\.0\/16, but it is the network of UnderlayPool a/,
  },
  {
    fault: "a link-local nameserver that the pod has no route to",
    nodes: [node({ attachments: [{ ...underlay, nameservers: ["169.254.25.10", "10.7.0.53"] }] })],
    findings: ["warning nameserver-unreachable"],
    expectedMessage: /nameserver 169\.254\.25\.10 .* hijackCidrs/,
  },
  {
    fault: "a link-local nameserver that the pod reaches through its node",
    nodes: [
      node({
        attachments: [
          {
            ...underlay,
            nameservers: ["169.254.25.10"],
            routes: [...underlay.routes, { destination: "169.254.25.10/32", device: "veth0" }],
          },
        ],
      }),
    ],
    findings: [],
  },
  {
    fault: "a pool that may give a node's address",
    nodes: [node()],
    cluster: cluster({
      pools: [
        { name: "a", subnet: "10.7.0.0/16", ranges: ["10.7.168.0/24"], excluded: [], reserved: [] },
        { name: "b", subnet: "10.7.0.0/16", ranges: ["10.7.168.0/24"], excluded: ["10.7.168.71"], reserved: [] },
      ],
    }),
    findings: ["warning node-address-in-pool"],
    expectedMessage: /UnderlayPool a may give 10\.7\.168\.71, the address of node n1.*spec\.excluded/,
  },
  {
    fault: "no rules of kube-proxy",
    nodes: [node({ serviceRules: [], kubeProxy: { version: null, mode: null, invalidDropRule: false } })],
    findings: ["fails services-missing"],
    cells: ["any pod on n1 -> overlay-service, underlay-service, multi-nic-service, api-server (IPv4)"],
    expectedMessage: /no rules of kube-proxy.*Run kube-proxy/,
  },
  {
    fault: "a clusterCIDR of kube-proxy that contains the underlay",
    nodes: [node()],
    cluster: cluster({ networkOverUnderlay: "10.0.0.0/8" }),
    findings: ["fails services-cluster-cidr"],
    cells: ["any pod -> node-port-local on the other node"],
    expectedMessage: /clusterCIDR 10\.0\.0\.0\/8 contains.*Set clusterCIDR to 10\.233\.64\.0\/18/,
  },
  {
    fault: "Calico's eBPF data plane",
    nodes: [node()],
    cluster: cluster({ dataPlane: "Calico's eBPF data plane" }),
    findings: ["fails services-data-plane"],
    cells: ["underlay on n1 -> overlay-service"],
  },
  {
    fault: "a firewall's INVALID rule with liberal",
    nodes: [
      node({
        facts: returnPath("liberal"),
        notrack: [],
        tcpBeLiberal: 1,
        kubeProxy: { ...DROP_RULE, invalidDropRule: false },
        otherInvalidDrops: ["nftables table inet firewalld, chain filter_FORWARD: ct state invalid drop"],
      }),
    ],
    findings: ["fails invalid-drop"],
    cells: [ASYMMETRIC],
    expectedMessage: /firewalld.*Set returnPath: notrack/,
  },
  {
    fault: "a firewall's INVALID rule with notrack",
    nodes: [node({ otherInvalidDrops: ["iptables table filter, chain FORWARD: -A FORWARD …"] })],
    findings: [],
  },
  {
    fault: "DROP rule with the sysctl off",
    nodes: [node({ facts: returnPath("none"), notrack: [], kubeProxy: DROP_RULE })],
    findings: ["fails invalid-drop"],
    cells: [ASYMMETRIC],
    expectedMessage: /KUBE-FORWARD.*be_liberal is 0.*Set returnPath: notrack/,
  },
  {
    fault: "sysctl on, kube-proxy not restarted",
    nodes: [node({ facts: returnPath("liberal"), notrack: [], kubeProxy: DROP_RULE, tcpBeLiberal: 1 })],
    findings: ["fails invalid-drop"],
    cells: [ASYMMETRIC],
    expectedMessage: /started before.*Restart kube-proxy/,
  },
  {
    fault: "sysctl on, kube-proxy below v1.29",
    nodes: [node({ facts: returnPath("liberal"), notrack: [], tcpBeLiberal: 1 })],
    findings: ["fails invalid-drop"],
    cells: [ASYMMETRIC],
    expectedMessage: /v1\.28\.15.*upgrade kube-proxy/,
  },
  {
    fault: "notrack table flushed",
    nodes: [node({ notrack: [] })],
    findings: ["fails invalid-drop"],
    cells: [ASYMMETRIC],
    expectedMessage: /inet interlay is not in the kernel/,
  },
  {
    fault: "notrack table without a network that was added",
    nodes: [
      node({
        attachments: [{ ...underlay, routes: [...underlay.routes, { destination: "10.234.0.0/24", device: "veth0" }] }],
      }),
    ],
    cluster: cluster({ overlayCidrs: [OVERLAY, "10.234.0.0/24"] }),
    findings: ["fails invalid-drop", "warning facts-wrong"],
    cells: ["underlay on n1 -> overlay, multi-nic in 10.234.0.0/24 on the other node by tcp"],
    expectedMessage: /does not have 10\.234\.0\.0\/24/,
  },
  {
    fault: "notrack table flushed, no rule drops",
    nodes: [node({ notrack: [], kubeProxy: { ...DROP_RULE, invalidDropRule: false } })],
    findings: ["warning notrack-missing"],
  },
  { fault: "no facts", nodes: [node({ facts: null })], findings: ["start facts-missing"] },
  {
    fault: "wrong facts",
    nodes: [
      node({
        facts: { ...node().facts, overlayCidrs: ["10.99.0.0/16"] } as NodeSnapshot["facts"],
        notrack: ["10.99.0.0/16"],
        attachments: [{ ...underlay, routes: underlay.routes.slice(1) }],
      }),
    ],
    findings: ["fails invalid-drop", "fails network-missing", "warning facts-wrong"],
  },
  {
    fault: "host route missing, underlay",
    nodes: [
      node({
        attachments: [
          {
            ...underlay,
            drift: [
              { kind: "route", where: "node", line: "node: route 10.7.200.1 dev vethil1", reason: "node to pod" },
            ],
          },
        ],
      }),
    ],
    findings: ["fails host-route"],
    cells: [
      "node, overlay -> default/u as underlay on the same node",
      "any pod -> default/u as underlay-service on the same node",
      "default/u -> overlay, multi-nic on the same node",
      "default/u -> overlay-service, underlay-service, multi-nic-service, api-server",
    ],
  },
  {
    fault: "host route missing, multi-NIC",
    nodes: [
      node({
        attachments: [
          {
            ...multiNic,
            drift: [{ kind: "route", where: "node", line: "node: route 10.7.200.2 dev cali1", reason: "parent" }],
          },
        ],
      }),
    ],
    findings: ["fails host-route"],
    cells: ["node, overlay -> default/m as multi-nic:net1 on the same node"],
  },
  {
    fault: "IPPool added later",
    nodes: [node({ kubeProxy: { ...DROP_RULE, invalidDropRule: false } })],
    cluster: cluster({ overlayCidrs: [OVERLAY, "10.234.0.0/24"] }),
    findings: ["fails network-missing", "warning facts-wrong", "warning notrack-missing"],
    cells: ["default/u -> overlay, multi-nic in 10.234.0.0/24"],
  },
  {
    fault: "rp_filter strict",
    nodes: [node({ rpFilter: { "vxlan.calico": 1, eth0: 1 } })],
    findings: ["fails rp-filter"],
    cells: ["underlay -> overlay, multi-nic on n1 (IPv4) on the other node"],
  },
  { fault: "rp_filter loose", nodes: [node({ rpFilter: { "vxlan.calico": 2, eth0: 2 } })], findings: [] },
  {
    fault: "FORWARD DROP",
    nodes: [node({ forwardDrops: true })],
    findings: ["fails forward-drop"],
    cells: ["underlay on n1 -> overlay, multi-nic (IPv4) on the other node"],
  },
  {
    fault: "duplicate address on two nodes",
    nodes: [node(), node({ node: "n2", attachments: [{ ...underlay, pod: "default/other" }] })],
    cluster: cluster({
      nodes: [
        { name: "n1", addresses: ["10.7.168.71"] },
        { name: "n2", addresses: ["10.7.168.71"] },
      ],
    }),
    findings: ["warning duplicate-address"],
    expectedMessage: /10\.7\.200\.1 belongs to default\/u eth0 and to default\/other eth0 on n2/,
  },
  {
    fault: "a stranger answers for a pod's address",
    nodes: [
      node(),
      node({ node: "n2", attachments: [], neighbours: [{ address: "10.7.200.1", mac: "aa:aa:aa:aa:aa:aa" }] }),
    ],
    cluster: undefined,
    findings: ["fails duplicate-address"],
    cells: [
      "node, overlay on n2 -> default/u as underlay by tcp, udp",
      "any pod on n2 -> default/u as underlay-service by tcp, udp",
    ],
    expectedMessage: /aa:aa:aa:aa:aa:aa answers n2 for 10\.7\.200\.1, which belongs to default\/u eth0/,
  },
  {
    fault: "a stranger answers another pod",
    nodes: [
      node({
        attachments: [underlay, { ...multiNic, neighbours: [{ address: "10.7.200.1", mac: "aa:aa:aa:aa:aa:aa" }] }],
      }),
    ],
    findings: ["fails duplicate-address"],
    cells: ["default/m -> default/u as underlay by tcp, udp"],
  },
  {
    fault: "an address in conflict",
    nodes: [node()],
    cluster: cluster({ addresses: [{ address: "10.7.200.9", pod: "default/x", conflict: "02:aa" }] }),
    findings: ["warning duplicate-address"],
  },
  {
    fault: "missing uplink",
    nodes: [node({ facts: { ...node().facts, uplink: "bond0" } as NodeSnapshot["facts"] })],
    findings: ["warning uplink-missing"],
    expectedMessage: /no link bond0/,
  },
  {
    fault: "uplink down",
    nodes: [node({ links: node().links.map((link) => ({ ...link, up: link.name !== "eth0" })) })],
    findings: ["fails uplink-missing"],
    cells: ["any pod on n1 -> anything on the other node", "any pod -> anything on n1 on the other node"],
  },
  {
    fault: "a network's parent that the node does not have",
    nodes: [node()],
    cluster: cluster({ networks: [{ name: "a/b", master: "bond0", mtu: undefined, interlay: true }] }),
    findings: ["start uplink-missing"],
  },
  {
    fault: "MTU of a network too large",
    nodes: [node()],
    cluster: cluster({ networks: [{ name: "a/b", master: "eth0", mtu: 9000, interlay: true }] }),
    findings: ["start mtu"],
  },
  {
    fault: "MTU of the tunnel too large",
    nodes: [
      node({
        links: [
          { name: "eth0", up: true, mtu: 1500 },
          { name: "vxlan.calico", up: true, mtu: 1500 },
        ],
      }),
    ],
    findings: ["warning mtu"],
  },
  {
    fault: "Multus missing on a node",
    nodes: [node({ cniConfigs: ["10-calico.conflist", "multus.d"] })],
    findings: ["start multus-missing"],
    expectedMessage: /get the overlay alone/,
  },
  {
    fault: "Multus missing on a node, and nothing else there",
    nodes: [node({ cniConfigs: ["calico-kubeconfig", "multus.d"] })],
    findings: ["start multus-missing"],
    expectedMessage: /pods cannot start there/,
  },
  {
    fault: "another configuration comes before Multus's",
    nodes: [node({ cniConfigs: ["20-multus.conf", "10-calico.conflist"] })],
    findings: ["start multus-missing"],
    expectedMessage: /is 10-calico\.conflist and not Multus's/,
  },
  {
    fault: "Multus configured in a directory that the runtime does not read",
    nodes: [
      node({
        cniConfigs: ["10-flannel.conflist"],
        cniDirectory: "/var/lib/rancher/k3s/agent/etc/cni/net.d",
        multusElsewhere: "/etc/cni/net.d",
      }),
    ],
    findings: ["start multus-missing"],
    expectedMessage: /in \/etc\/cni\/net\.d, which the runtime does not read: install it for \/var\/lib\/rancher\/k3s/,
  },
  {
    fault: "Multus isolates namespaces",
    nodes: [node({ multusIsolation: true })],
    findings: ["start multus-isolation"],
    expectedMessage: /Add interlay-system to globalNamespaces/,
  },
  {
    fault: "the reference plugins are missing",
    nodes: [node({ plugins: { missing: ["macvlan", "portmap"], onlyInterlay: false } })],
    findings: ["start plugin-missing", "start plugin-missing"],
    expectedMessage: /plugin macvlan is not in the runtime's plugin directory of n1/,
  },
  {
    fault: "portmap is missing in a cluster without networks of Interlay",
    nodes: [node({ plugins: { missing: ["portmap"], onlyInterlay: false } })],
    cluster: cluster({ networks: [] }),
    findings: ["start network-definition-missing"],
  },
  {
    fault: "the agent installs in a directory that the runtime does not use",
    nodes: [node({ plugins: { missing: ["macvlan", "portmap"], onlyInterlay: true } })],
    findings: ["start plugin-directory"],
    expectedMessage: /--detect/,
  },
  {
    fault: "the kind NetworkAttachmentDefinition missing",
    nodes: [node()],
    cluster: cluster({ networks: undefined }),
    findings: ["start multus-missing"],
  },
  {
    fault: "a definition missing that a pod waits for",
    nodes: [node()],
    cluster: cluster({ waiting: [{ pod: "default/w", node: "n1", networks: ["default/none"] }] }),
    findings: ["start network-definition-missing"],
  },
  { fault: "an agent that does not answer", nodes: [], findings: ["warning agent-missing"] },
  {
    fault: "no ready controller",
    nodes: [node()],
    cluster: cluster({ readyControllers: 0 }),
    findings: ["warning controller-missing"],
    expectedMessage: /No replica of the controller is ready/,
  },
  { fault: "one ready controller of two", nodes: [node()], cluster: cluster({ readyControllers: 1 }), findings: [] },
];

describe("doctor's prediction", () => {
  for (const row of ROWS)
    it(row.fault, () => {
      const seen = row.nodes.map((one) => nodeSnapshot.parse(JSON.parse(JSON.stringify(one))));
      const findings = predictFailures({ nodes: seen, cluster: "cluster" in row ? row.cluster : cluster() });
      assert.deepEqual(
        findings.map(({ severity, check }) => `${severity} ${check}`).sort(),
        row.findings,
        renderFindings(findings, seen.length),
      );
      const cells = findings.flatMap((finding) => finding.cells.map(describePattern));
      for (const cell of row.cells ?? [])
        assert.ok(
          cells.some((one) => one.includes(cell)),
          `"${cell}" is not among: ${cells.join("; ")}`,
        );
      if (row.expectedMessage !== undefined)
        assert.match(`${findings[0]?.message ?? ""} ${findings[0]?.remedy ?? ""}`, row.expectedMessage);
      assert.ok(findings.every(({ message, remedy }) => /[.)]$/.test(message) && remedy !== ""));
    });

  it("should read the annotations of Multus", () => {
    assert.deepEqual(parseNetworkAnnotation({ "k8s.v1.cni.cncf.io/networks": "a@net1, ns/b" }, "default"), [
      "default/a",
      "ns/b",
    ]);
    assert.deepEqual(parseNetworkAnnotation({ "k8s.v1.cni.cncf.io/networks": '[{"name":"a"}]' }, "d"), ["d/a"]);
    assert.deepEqual(parseNetworkAnnotation({ "v1.multus-cni.io/default-network": "interlay-system/underlay" }, "d"), [
      "interlay-system/underlay",
    ]);
  });
});
