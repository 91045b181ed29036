import assert from "node:assert/strict";
import { execInNetns, execLocally } from "../../testing/exec.ts";
import { type NamespaceSnapshot, traceSnapshot } from "../snapshot.ts";

const NODE = `il${process.pid}-tn`;
const POD = `il${process.pid}-tp`;

/** Commands that make a node and a pod of every kind of state that a snapshot has. */
const SETUP: readonly (readonly [string, string])[] = [
  [NODE, "ip link add name cali1 type veth peer name eth0 netns POD"],
  [NODE, "ip link set cali1 up"],
  [NODE, "ip address add 10.1.0.1/24 dev cali1"],
  [NODE, "ip link add name br0 type bridge"],
  [NODE, "ip link add name vx type vxlan id 4096 local 10.1.0.1 dev cali1 dstport 4789 nolearning"],
  [NODE, "bridge fdb append 66:11:22:33:44:55 dev vx dst 10.1.0.9"],
  [NODE, "ip neighbour add 10.1.0.77 lladdr 66:11:22:33:44:55 dev vx nud permanent"],
  [NODE, "ip neighbour add proxy 10.1.0.44 dev cali1"],
  [NODE, "ip route add blackhole 10.5.0.0/16"],
  [NODE, "ip -6 route add blackhole fd00:5::/64"],
  [NODE, "ip route add 10.6.0.0/16 via 10.1.0.2 table 500"],
  [NODE, "ip rule add fwmark 0x10/0xff lookup 500 priority 100"],
  [NODE, "ipset create set1 hash:net"],
  [NODE, "ipset add set1 10.0.0.0/8"],
  [NODE, "iptables-nft -A FORWARD -m set --match-set set1 src -j DROP"],
  [NODE, "iptables-legacy -t mangle -A FORWARD -j ACCEPT"],
  [NODE, "nft add table inet foreign"],
  [NODE, "nft add chain inet foreign in { type filter hook ingress device cali1 priority 0; }"],
  [NODE, "ip link add name mv0 link cali1 type macvlan mode private"],
  [NODE, "ip link set mv0 netns POD"],
];

/** The executable, which this test drives: entering a namespace needs its runtime. */
const INTERLAY = process.env["INTERLAY_EXECUTABLE"] ?? "interlay";

/** Runs the executable in the node's namespace. */
function collect(): readonly NamespaceSnapshot[] {
  const text = execInNetns(NODE, "env", "NODE_NAME=node", INTERLAY, "trace", "--collect");
  return traceSnapshot.parse(JSON.parse(text)).namespaces;
}

describe("snapshot of network namespaces", () => {
  let node: NamespaceSnapshot;
  let pod: NamespaceSnapshot;

  before(() => {
    for (const name of [NODE, POD]) execLocally(["ip", "netns", "add", name]);
    for (const [name, command] of SETUP) execInNetns(name, ...command.replace("POD", POD).split(" "));
    const [first, ...others] = collect();
    const own = others.find(({ name }) => name === POD);
    assert.ok(first !== undefined && own !== undefined, "the node and its pod are in the snapshot");
    [node, pod] = [first, own];
  });
  after(() => {
    for (const name of [POD, NODE]) execLocally(["ip", "netns", "delete", name]);
  });

  it("has nothing that could not be read", () => {
    assert.deepEqual([node.problems, pod.problems], [[], []]);
  });

  it("knows the other ends of links", () => {
    assert.deepEqual(node.links.find(({ name }) => name === "cali1")?.peer, { namespace: pod.id, link: "eth0" });
    const macvlan = pod.links.find(({ name }) => name === "mv0");
    assert.equal(macvlan?.macvlanMode, "private");
    assert.deepEqual(macvlan.parent, { namespace: node.id, link: "cali1" });
    assert.equal(node.links.find(({ name }) => name === "vx")?.vxlan?.id, 4096);
  });

  it("has routes and rules of every table and family", () => {
    const find = (destination: string) => node.routes.find((route) => route.destination === destination);
    assert.equal(find("10.5.0.0/16")?.type, "blackhole");
    assert.equal(find("10.6.0.0/16")?.table, 500);
    assert.deepEqual([find("10.1.0.1/32")?.type, find("10.1.0.1/32")?.table], ["local", 255]);
    assert.deepEqual([find("fd00:5::/64")?.type, find("fd00:5::/64")?.family], ["blackhole", "ipv6"]);
    assert.deepEqual(node.rules.find(({ priority }) => priority === 100)?.mark, { value: 16, mask: 255 });
    assert.ok(node.rules.some(({ family }) => family === "ipv6"));
  });

  it("has pinned and proxied neighbours, and the ends of tunnels", () => {
    const find = (address: string) => node.neighbours.find((one) => one.address === address);
    assert.deepEqual(find("10.1.0.77")?.state, ["PERMANENT"]);
    assert.equal(find("10.1.0.44")?.proxy, true);
    assert.equal(node.fdb.find(({ link }) => link === "vx")?.destination, "10.1.0.9");
  });

  it("has the rules of both backends of iptables, of nftables, and the sets they use", () => {
    assert.match(node.iptables ?? "", /-A FORWARD -m set --match-set set1 src -j DROP/);
    assert.match(node.iptablesLegacy ?? "", /^\*mangle$/m);
    assert.match(node.ipsets ?? "", /^add set1 10\.0\.0\.0\/8$/m);
    const chains = (node.nftables ?? []).flatMap(({ chain }) => (chain === undefined ? [] : [chain as object]));
    assert.partialDeepStrictEqual(chains, [{ table: "foreign", name: "in", dev: "cali1" }]);
    assert.equal(chains.length, 1, "iptables-save has the tables of iptables-nft, so nft does not list them again");
  });

  it("leaves a pod's namespace as it was: no table appears", () => {
    assert.deepEqual([pod.iptables, pod.ip6tables, pod.iptablesLegacy], ["", "", ""]);
    assert.equal(execInNetns(POD, "nft", "list", "tables"), "");
    assert.equal(execInNetns(POD, "cat", "/proc/net/ip_tables_names"), "");
  });

  it("has sysctls of the namespace, and none of its keys", () => {
    assert.equal(node.sysctls["net/ipv4/conf/cali1/rp_filter"], "0");
    assert.ok(!Object.keys(node.sysctls).some((path) => /key|secret/.test(path)));
  });
});
