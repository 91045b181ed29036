import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { runCommand, runOrThrow } from "../../clusters/components/run-command.ts";
import { createCell } from "../../results/report-fixtures.ts";
import type { CellResult } from "../../results/schema.ts";
import { probeAnswer } from "../probe/protocol.ts";
import { proveDrops } from "./drop-proof.ts";
import { countInvalidFlows } from "./invalid-flows.ts";
import { readAllFilters } from "../deployment/variant.ts";

const PLACES = ["client", "node", "server"] as const;
type Place = (typeof PLACES)[number];
const RP_FILTER_OFF = "sysctl -q net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0";
const PROBE = ["--import", "tsx", "e2e/probe/main.ts"];
/** The address of the cells; the second port is that of another cell of the same node. */
const SERVER = "10.2.0.2";
const [PORT, OTHER_PORT] = [8080, 8081];

/**
 * The asymmetric path: the client sends by `veth0` through the node, and the server answers past it over the wire. The node sees a
 * SYN and then the data, which conntrack calls INVALID.
 */
const NETWORK: readonly (readonly [Place, string])[] = [
  ["client", "ip link add veth0 type veth peer name veth netns NODE"],
  ["server", "ip link add eth0 type veth peer name cali netns NODE"],
  ["client", "ip link add wire type veth peer name wire netns SERVER"],
  ["client", "ip address add 10.7.0.2/24 dev wire"],
  ["server", "ip address add 10.7.0.3/24 dev wire"],
  ["server", `ip address add ${SERVER}/24 dev eth0`],
  ["node", "ip address add 10.2.0.1/24 dev cali"],
  ["node", "ip address add 10.1.0.1/24 dev veth"],
  ["client", "ip address add 10.1.0.2/24 dev veth0"],
  ...PLACES.map((place) => [place, RP_FILTER_OFF] as const),
  ["node", "sysctl -q net.ipv4.ip_forward=1"],
  ["client", "ip link set veth0 up"],
  ["client", "ip link set wire up"],
  ["server", "ip link set wire up"],
  ["server", "ip link set eth0 up"],
  ["node", "ip link set veth up"],
  ["node", "ip link set cali up"],
  ["client", "ip route add 10.2.0.0/24 via 10.1.0.1 dev veth0 src 10.7.0.2"],
];
const KUBE_FORWARD: readonly string[] = [
  "iptables -N KUBE-FORWARD",
  "iptables -A FORWARD -j KUBE-FORWARD",
  "iptables -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
];

describe("the proof that kube-proxy's INVALID rule blocks a cell", function () {
  this.timeout(60_000);
  const children: ChildProcess[] = [];
  const pids = new Map<Place, number>();

  const enter = (place: Place, argv: readonly string[]) => [
    "nsenter",
    "--target",
    String(pids.get(place)),
    "--net",
    ...argv,
  ];
  const run = (place: Place, command: string) => runOrThrow(enter(place, command.split(" ")));
  const cluster = {
    nodes: [{ name: "n1", role: "worker", address: "10.1.0.1" }] as const,
    spec: { overlayCidr: "10.2.0.0/24" },
    exec: (_: string, argv: readonly string[]) => runCommand(enter("node", argv)),
  };

  before(async () => {
    for (const place of PLACES) {
      const child = spawn("unshare", ["--net", "sleep", "infinity"], { stdio: "ignore" });
      await once(child, "spawn");
      children.push(child);
      pids.set(place, child.pid ?? 0);
    }
    await new Promise((resolve) => setTimeout(resolve, 200)); // unshare has no sign of its end
    const replace = (text: string) =>
      text.replace("NODE", String(pids.get("node"))).replace("SERVER", String(pids.get("server")));
    for (const [place, command] of NETWORK) await run(place, replace(command));
    for (const port of [PORT, OTHER_PORT]) {
      const [file = "", ...argv] = enter("server", [process.execPath, ...PROBE]);
      children.push(spawn(file, argv, { stdio: "ignore", env: { ...process.env, PROBE_PORT: String(port) } }));
    }
    const isListening = async (port: number) => (await run("server", "ss -Hltn")).includes(`:${port} `);
    while (!(await isListening(PORT)) || !(await isListening(OTHER_PORT)))
      await new Promise((resolve) => setTimeout(resolve, 50));
  });
  beforeEach(async () => {
    await run("node", "nft flush ruleset");
    for (const command of KUBE_FORWARD) await run("node", command);
  });
  after(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  /** Probes two ports at the same time, as two cells of one client. */
  async function probe(): Promise<readonly CellResult[]> {
    const [file = "", ...argv] = enter("client", [process.execPath, ...PROBE, "client"]);
    const client = spawn(file, argv, { stdio: ["pipe", "pipe", "inherit"] });
    const answers: CellResult[] = [];
    for (const [id, port] of [PORT, OTHER_PORT].entries())
      client.stdin.write(`${JSON.stringify({ id, protocol: "tcp", address: SERVER, port, timeoutMs: 1500 })}\n`);
    for await (const line of createInterface({ input: client.stdout })) {
      const { id, ok, local } = probeAnswer.parse(JSON.parse(line));
      answers[id] = createCell({
        id: String([PORT, OTHER_PORT][id]),
        address: `${SERVER}:${[PORT, OTHER_PORT][id] ?? 0}`,
        expected: "blocked",
        blockedBy: "invalid-rule",
        actual: ok ? "pass" : "fail",
        ok: !ok,
        ...(local === undefined ? {} : { client: local }),
      });
      if (answers.filter(Boolean).length === 2) client.stdin.end();
    }
    return answers;
  }

  /** Returns the two cells with their proofs. */
  async function probeWithProof(): Promise<readonly CellResult[]> {
    const readAll = () => readAllFilters(cluster as unknown as Parameters<typeof readAllFilters>[0], "iptables");
    const before = await readAll();
    const { value, flows } = await countInvalidFlows(cluster, probe);
    return proveDrops(value, new Set(value.map(({ id }) => id)), () => "n1", { before, after: await readAll(), flows });
  }

  it("is that the packets of the cell's own connection reached the rule and were not forwarded", async () => {
    for (const { ok, reason, client, evidence } of await probeWithProof()) {
      assert.equal(ok, true, reason);
      assert.match(client ?? "", /^10\.7\.0\.2:\d+$/);
      const { received, forwarded } = evidence?.drop ?? {};
      assert.ok((received ?? 0) > 0);
      assert.equal(forwarded, 0);
    }
    const tables = await run("node", "nft list tables");
    assert.ok(!tables.includes("interlay-e2e"), tables);
  });

  it("is missing for a cell whose data is dropped before the rule, while the rule drops another cell's packets", async () => {
    await run("node", `iptables -t raw -A PREROUTING -p tcp --dport ${PORT} --tcp-flags SYN,ACK ACK -j DROP`);
    const [cell, other] = await probeWithProof();
    assert.equal(cell?.ok, false);
    assert.match(cell.reason ?? "", /n1 received no INVALID packet of 10\.7\.0\.2:\d+ -> 10\.2\.0\.2:8080/);
    assert.equal(other?.ok, true, other?.reason);
  });

  it("is missing for a cell whose connection is not established", async () => {
    await run("node", `iptables -t raw -A PREROUTING -p tcp --dport ${PORT} -j DROP`);
    const [cell, other] = await probeWithProof();
    assert.equal(cell?.ok, false);
    assert.match(cell.reason ?? "", /the connection was not established/);
    assert.equal(other?.ok, true, other?.reason);
  });

  it("is missing if another firewall's rule drops the INVALID packets", async () => {
    await run("node", "iptables -I FORWARD -m conntrack --ctstate INVALID -j DROP");
    for (const { ok, reason } of await probeWithProof()) {
      assert.equal(ok, false);
      assert.match(reason ?? "", /n1 dropped \d+ INVALID packets, but the counter of .* rose by 0/);
    }
  });

  it("is missing if the server does not answer", async () => {
    await run("node", "iptables -D KUBE-FORWARD 1");
    await run("server", "iptables -A INPUT -p tcp --tcp-flags SYN,ACK ACK -j DROP");
    try {
      for (const { ok, reason } of await probeWithProof()) {
        assert.equal(ok, false);
        assert.match(reason ?? "", /n1 has no such rule/);
      }
    } finally {
      await run("server", "iptables -F INPUT");
    }
  });
});
