import assert from "node:assert/strict";
import { buildCluster, type ClusterChange } from "../testing/trace-topology.ts";
import { checkTracedPaths } from "./check-traced-paths.ts";
import type { Finding } from "./finding.ts";
import { type ClusterSnapshot, nodeSnapshot, type NodeSnapshot } from "./node-snapshot.ts";

const SERVICE = { name: "default/kubernetes", address: "10.96.0.1", protocol: "tcp", port: 443 } as const;

/** A node without anything that other checks read, and with the kernel's state of the trace's topology. */
function observe(change: ClusterChange = {}): readonly NodeSnapshot[] {
  const { namespaces, ...rest } = buildCluster(change);
  return [1, 2].map((number) =>
    nodeSnapshot.parse({
      schema: "interlay.node-snapshot/v1",
      node: `node-${number}`,
      facts: null,
      links: [],
      ipForward: true,
      tcpBeLiberal: 0,
      rpFilter: {},
      kubeProxy: { version: null, mode: null, invalidDropRule: false },
      forwardDrops: false,
      notrack: [],
      attachments: [],
      neighbours: [],
      cniConfigs: null,
      trace: {
        ...rest,
        namespaces: namespaces
          .filter(({ id }) => id.endsWith(`-${number}`))
          .map((one) => (one.kind === "pod" ? { ...one, node: `node-${number}` } : one)),
      },
    }),
  );
}

const CLUSTER: ClusterSnapshot = {
  nodes: [],
  overlayCidrs: [],
  serviceCidrs: [],
  pools: [],
  problems: [],
  networks: [],
  waiting: [],
  addresses: [],
  pods: [1, 2].flatMap((node) => [
    { name: `default/pod-${node}`, addresses: [`10.244.${node}.2`] },
    { name: `default/twin-${node}`, addresses: [`10.244.${node}.3`] },
  ]),
};

const FORWARDING_OFF: ClusterChange = { "node-2": { sysctls: { "net/ipv4/conf/vxlan0/forwarding": "0" } } };

describe("the doctor's traced paths", () => {
  it("find nothing where every path passes", () => {
    assert.deepEqual(checkTracedPaths({ nodes: observe(), cluster: CLUSTER }, []), []);
  });

  it("the doctor's traced paths name the first failing path, what decides, the remedy and the command that shows every step", () => {
    const [finding, ...others] = checkTracedPaths({ nodes: observe(FORWARDING_OFF), cluster: CLUSTER }, []);
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(finding, { check: "path", severity: "fails", node: "node-1" });
    assert.match(
      finding?.message ?? "",
      /^icmp from default\/pod-1 \(overlay on node-1\) to default\/twin-2 \(overlay on node-2\) fails in node-2: net\.ipv4\.conf\.vxlan0\.forwarding is 0/,
    );
    assert.match(finding?.remedy ?? "", /ip_forward=1.*`interlay trace default\/pod-1 10\.244\.2\.3 --protocol icmp`/);
    assert.partialDeepStrictEqual(finding?.cells, [{ sourcePod: "default/pod-1", targetPod: "default/twin-2" }]);
  });

  it("the doctor's traced paths are left out if another finding explains them", () => {
    const explaining: Finding = {
      check: "forwarding",
      severity: "fails",
      node: "node-2",
      message: "",
      remedy: "",
      cells: [{ targetNode: "node-2" }, { sourceNode: "node-2" }],
    };
    assert.deepEqual(checkTracedPaths({ nodes: observe(FORWARDING_OFF), cluster: CLUSTER }, [explaining]), []);
  });

  it("the doctor's traced paths are warnings if a network policy denies them", () => {
    const rule = [
      "*filter",
      ":FORWARD ACCEPT [0:0]",
      ":cali-tw-cali1 - [0:0]",
      "-A FORWARD -d 10.244.2.3/32 -j cali-tw-cali1",
      "-A cali-tw-cali1 -j DROP",
      "COMMIT",
      "",
    ].join("\n");
    const nodes = observe({ "node-2": { more: { iptables: rule } } });
    const findings = checkTracedPaths({ nodes, cluster: CLUSTER }, []);
    assert.deepEqual(
      findings.map(({ severity, cells }) => `${severity} ${cells.length}`),
      ["warning 0"],
    );
  });

  it("the doctor's traced paths name the Service that no rule translates", () => {
    const [finding] = checkTracedPaths({ nodes: observe(), cluster: { ...CLUSTER, services: [SERVICE] } }, []);
    assert.match(finding?.message ?? "", /to Service default\/kubernetes fails in .*no rule of a node/);
    assert.match(finding?.remedy ?? "", /Run kube-proxy/);
  });

  it("the doctor's traced paths are not traced where the state could not be read, with a warning", () => {
    const [first, second] = observe();
    if (first === undefined || second === undefined) throw new Error("two nodes expected");
    const findings = checkTracedPaths({ nodes: [{ ...first, trace: null }, second], cluster: CLUSTER }, []);
    assert.deepEqual(
      findings.map(({ check, node }) => `${check} ${node}`),
      ["paths-unknown node-1"],
    );
  });
});
