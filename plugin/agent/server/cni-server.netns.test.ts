import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { TestAgent } from "../../testing/test-agent.ts";
import { readPermanentState, TestNet } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import type { TestNode, TestPod } from "../../testing/invocation.ts";
import { execInNetns, pingAddress } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const LINKS = ["eth0", "net1"] as const;
const GATEWAY = "10.7.168.72";
const ADDRESSES = [{ address: "10.7.200.1/16", gateway: GATEWAY }];

interface LogLine {
  readonly command: string;
  readonly mode: string;
  readonly error?: string;
}
/** Reads the log without lines that an agent was killed at: the kernel ends a write at a page's end then. */
const readLog = (node: TestNode): readonly LogLine[] =>
  splitLines(readFileSync(join(node.stateDirectory, "cni.log"), "utf8")).flatMap((line) => {
    try {
      return [JSON.parse(line) as LogLine];
    } catch {
      return [];
    }
  });
const NOBODY: TestPod = { namespace: "", netns: "", containerId: "nobody" };
/** The agent writes its line behind the answer: before it answers another call it has. */
const readLastMode = (net: TestNet, node: TestNode): string | undefined => {
  net.tryCall("launcher", "VERSION", node, NOBODY, "eth0", {});
  return readLog(node).at(-1)?.mode;
};
const records = (node: TestNode, of = "attachments"): readonly string[] => {
  const directory = join(node.stateDirectory, of);
  return existsSync(directory) ? readdirSync(directory) : [];
};
const pairs = (node: TestNode): readonly string[] =>
  splitLines(execInNetns(node.name, "ip", "-o", "link")).filter((line) => line.includes("vethil"));

/** Until it is so, or for ten seconds: then what is said is the failure. */
async function eventually(what: string, so: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!so()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("calls that the agent answers", function () {
  this.timeout(120_000);
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");
  let agent: TestAgent;
  let count = 0;

  before(async () => {
    agent = new TestAgent(node);
    await agent.start(net.plugins.interlay);
  });
  net.useCleanup(async () => {
    await agent.kill();
  });

  beforeEach(async () => {
    if (agent.pid === 0) await agent.start(net.plugins.interlay);
    await eventually(
      "what ended before is gone",
      () => pairs(node).length === 0 && records(node, "pending-teardown").length === 0,
    );
  });

  const pod = (): TestPod => net.pod(`p${count++}`);
  const add = (to: TestPod, ifname: string = "eth0", config: Readonly<Record<string, unknown>> = {}): void => {
    net.call("launcher", "ADD", node, to, ifname, {
      prevResult: net.macvlan(node, to, ifname, ADDRESSES),
      ...config,
    });
  };

  for (const ifname of LINKS)
    it(`${ifname}: give the same result, the same kernel state and the same record as the plugin alone`, () => {
      const make = (plugin: "launcher" | "interlay"): readonly unknown[] => {
        const one = pod();
        if (ifname === "net1") net.overlay(node, one, "10.233.64.5");
        const prevResult = net.macvlan(node, one, ifname, ADDRESSES);
        const json = net.call(plugin, "ADD", node, one, ifname, { prevResult });
        const mode = readLastMode(net, node);
        assert.deepEqual(net.call(plugin, "CHECK", node, one, ifname, { prevResult }), {});
        assert.ok(pingAddress(node.name, "10.7.200.1"), `the node does not reach the pod wired by ${plugin}`);
        const state = [
          ...splitLines(execInNetns(one.namespace, "ip", "rule")),
          ...splitLines(execInNetns(one.namespace, "ip", "route", "show", "table", "all")),
          ...splitLines(execInNetns(one.namespace, "nft", "list", "ruleset")),
          ...splitLines(execInNetns(node.name, "ip", "route", "show", "table", "all")),
        ];
        const record = readFileSync(join(node.stateDirectory, "attachments", records(node)[0] ?? ""), "utf8");
        assert.deepEqual(net.call(plugin, "DEL", node, one, ifname, {}), {});
        assert.equal(readLastMode(net, node), mode);
        net.removePod(one);
        const neutral = (text: string): string =>
          text
            .replaceAll(one.containerId, "ID")
            .replaceAll(one.namespace, "POD")
            .replaceAll(/veth(il)?\w{6,}|cali\w+/g, "LINK")
            .replaceAll(/02:[0-9a-f:]{14}|([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "MAC");
        // the kernel's own IPv6 comes when it has seen that nobody else has it
        const created = state.filter((line) => !/fe80:|ff00::/.test(line)).map(neutral);
        return [mode, JSON.parse(neutral(JSON.stringify(json))), created.sort(), JSON.parse(neutral(record))];
      };
      const [servedMode, ...served] = make("launcher");
      const [standaloneMode, ...standalone] = make("interlay");
      assert.deepEqual([servedMode, standaloneMode], ["agent", "standalone"]);
      assert.deepEqual(served, standalone);
    });

  it("should give the same VERSION, STATUS and errors as the plugin", () => {
    const one = pod();
    for (const [verb, config] of [
      ["VERSION", {}],
      ["STATUS", { cniVersion: "1.1.0" }],
      ["GC", { cniVersion: "1.1.0", "cni.dev/attachments": [] }],
      ["ADD", { mtu: "many" }],
      ["ADD", {}],
      ["CHECK", {}],
      ["ADD", { cniVersion: "9.9.9" }],
      ["ADD", { prevResult: { ips: [{ address: "none" }] } }],
      ["NONSENSE", {}],
    ] as const)
      assert.deepEqual(
        net.tryCall("launcher", verb, node, one, "eth0", config),
        net.tryCall("interlay", verb, node, one, "eth0", config),
        `${verb} ${JSON.stringify(config)}`,
      );
  });

  it("should be declined if they would wait: probes, a locked pod, attachments for GC", async () => {
    const one = pod();
    add(one, "eth0", { conflictDetection: true, probeIntervalMs: 10 });
    assert.equal(readLastMode(net, node), "standalone", "conflict detection");
    const holder = spawn("flock", [one.netns, "sleep", "1"], { stdio: "ignore" });
    await eventually("the lock", () => spawnSync("flock", ["--nonblock", one.netns, "true"]).status !== 0);
    net.call("launcher", "DEL", node, one, "eth0", {});
    assert.equal(readLastMode(net, node), "standalone", "a pod that somebody else writes");
    holder.kill();

    const other = pod();
    add(other);
    assert.equal(readLastMode(net, node), "agent");
    const config = { cniVersion: "1.1.0", "cni.dev/attachments": [] };
    net.call("launcher", "GC", node, other, "eth0", config);
    assert.equal(readLastMode(net, node), "standalone", "GC");
    assert.deepEqual([records(node), pairs(node)], [[], []]);
  });

  it("should be declined if the agent has other files or another network namespace", () => {
    const otherNode = net.node("n2", "10.7.168.73");
    const one = pod();
    const prevResult = net.macvlan(otherNode, one, "eth0", ADDRESSES);
    const initial = readLog(node).length;
    // the launcher of n2 asks the agent of n1
    const lost = { ...otherNode, socket: node.socket };
    net.call("launcher", "ADD", lost, one, "eth0", { prevResult });
    assert.equal(readLastMode(net, otherNode), "standalone");
    assert.equal(readLog(node).length, initial);
    net.call("launcher", "DEL", lost, one, "eth0", {});
  });

  it("DEL should remove routes before it responds, and the pair soon after", async () => {
    const untouched = readPermanentState(node);
    const one = pod();
    const podUntouched = splitLines(execInNetns(one.namespace, "nft", "list", "ruleset"));
    add(one);
    assert.deepEqual(net.call("launcher", "DEL", node, one, "eth0", {}), {});
    assert.equal(readLastMode(net, node), "agent");
    const left = readPermanentState(node).filter((line) => !untouched.includes(line));
    assert.deepEqual(
      left.filter((line) => !/^vethil\w+@|^(fe80::\/64|multicast ff00::\/8) dev vethil/.test(line)),
      [],
      "more than the pair is left on the node",
    );
    assert.deepEqual(records(node), [], "it is still an attachment");
    assert.deepEqual(net.call("launcher", "DEL", node, one, "eth0", {}), {}, "the second time");
    assert.equal(net.tryCall("launcher", "CHECK", node, one, "eth0", {}).json["code"], 3);
    await eventually(
      "the pair is gone",
      () => pairs(node).length === 0 && records(node, "pending-teardown").length === 0,
    );
    assert.deepEqual(readPermanentState(node), untouched);
    assert.deepEqual(splitLines(execInNetns(one.namespace, "nft", "list", "ruleset")), podUntouched);
  });

  it("ADD directly after DEL of the same pod should keep its pair", async () => {
    const one = pod();
    add(one);
    net.call("launcher", "DEL", node, one, "eth0", {});
    assert.equal(records(node, "pending-teardown").length, 1);
    execInNetns(one.namespace, "ip", "link", "delete", "eth0");
    add(one);
    assert.deepEqual(records(node, "pending-teardown"), []);
    await new Promise((resolve) => setTimeout(resolve, 2500)); // longer than what ended is left
    assert.deepEqual(net.call("launcher", "CHECK", node, one, "eth0", {}), {});
    assert.ok(pingAddress(node.name, "10.7.200.1"));
    net.call("launcher", "DEL", node, one, "eth0", {});
    net.removePod(one);
  });

  it("ADD of another pod with the same address directly after DEL should be reachable", async () => {
    const [first, second] = [pod(), pod()];
    add(first);
    net.call("launcher", "DEL", node, first, "eth0", {});
    execInNetns(first.namespace, "ip", "link", "delete", "eth0");
    add(second);
    const reached = (): void => {
      const [route = ""] = splitLines(execInNetns(node.name, "ip", "route", "get", "10.7.200.1"));
      assert.ok(pingAddress(node.name, "10.7.200.1"), route);
      assert.deepEqual(net.call("launcher", "CHECK", node, second, "eth0", {}), {});
    };
    reached();
    await eventually("the first pod's pair is gone", () => pairs(node).length === 1);
    reached();
    net.call("launcher", "DEL", node, second, "eth0", {});
    net.removePod(second);
  });

  for (const [title, finish] of [
    ["the next agent", () => agent.start(net.plugins.interlay)],
    ["GC", (one: TestPod) => net.tryCall("interlay", "GC", node, one, "eth0", { cniVersion: "1.1.0" })],
    ["DEL", (one: TestPod) => net.tryCall("interlay", "DEL", node, one, "eth0", {})],
  ] as const)
    it(`DEL, and the agent is killed: ${title} leaves nothing`, async () => {
      const untouched = readPermanentState(node);
      const one = pod();
      add(one);
      net.call("launcher", "DEL", node, one, "eth0", {});
      await agent.kill();
      assert.equal(records(node, "pending-teardown").length, 1);
      await finish(one);
      await eventually(
        "nothing is left",
        () => pairs(node).length === 0 && records(node, "pending-teardown").length === 0,
      );
      assert.deepEqual(readPermanentState(node), untouched);
    });

  it("should run standalone without an agent and with one that hangs", async () => {
    net.tryCall("launcher", "VERSION", node, NOBODY, "eth0", {}); // the agent has written its last line then
    await agent.kill();
    const one = pod();
    add(one);
    assert.equal(readLastMode(net, node), "standalone");
    net.call("launcher", "DEL", node, one, "eth0", {});

    await agent.start(net.plugins.interlay);
    process.kill(agent.pid, "SIGSTOP");
    execInNetns(one.namespace, "ip", "link", "delete", "eth0");
    add(one);
    net.call("interlay", "DEL", node, one, "eth0", {});
    const initial = readLog(node);
    process.kill(agent.pid, "SIGCONT");
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual(readLog(node), initial, "the agent did, late, what had been done");
    assert.deepEqual(records(node), []);
  });

  it("should survive invalid requests on the socket", async () => {
    const framed = (body: Buffer): Buffer => {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(body.length);
      return Buffer.concat([head, body]);
    };
    const zeroes = (...fields: readonly string[]): Buffer => Buffer.from(fields.map((field) => `${field}\0`).join(""));
    for (const bytes of [
      Buffer.alloc(3),
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      Buffer.alloc(4, 0xff),
      framed(Buffer.alloc(0)),
      framed(Buffer.alloc(64)),
      framed(zeroes("interlay-call/2", "interlay", "0", "0", "", "", "")),
      framed(zeroes("interlay-call/1", "interlay", "x", "y", "", "", "CNI_COMMAND=ADD")),
    ]) {
      const response = await exchangeBytes(node.socket, bytes);
      assert.ok(
        response.length === 0 || response[0] === 255,
        `${bytes.toString("hex")} was answered by ${response.toString()}`,
      );
    }
    net.call("launcher", "STATUS", node, pod(), "eth0", { cniVersion: "1.1.0" });
    assert.equal(readLastMode(net, node), "agent");
  });

  it("should attach forty pods at once", async () => {
    const pods = Array.from({ length: 40 }, (_, index) => {
      const one = pod();
      const address = `10.7.201.${index + 1}/16`;
      return { one, prevResult: net.macvlan(node, one, "eth0", [{ address, gateway: GATEWAY }]) };
    });
    const call = (command: string) =>
      Promise.all(
        pods.map(({ one, prevResult }) =>
          ended(net.start("launcher", command, node, one, "eth0", command === "ADD" ? { prevResult } : {})),
        ),
      );
    assert.deepEqual([...new Set(await call("ADD"))], [0]);
    assert.equal(records(node).length, 40);
    assert.deepEqual([...new Set(await call("DEL"))], [0]);
    assert.deepEqual(records(node), []);
    for (const { one } of pods) net.removePod(one);
  });
});

const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once("exit", resolve));

/** Returns the answer until the other side ends, or sends nothing for half a second. */
function exchangeBytes(path: string, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = createConnection(path, () => socket.write(bytes));
    const chunks: Buffer[] = [];
    const done = (): void => {
      socket.destroy();
      resolve(Buffer.concat(chunks));
    };
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("end", done).on("error", done).setTimeout(500, done);
  });
}

for (const ifname of LINKS)
  describe(`an agent that dies at any step of ${ifname}'s ADD`, function () {
    this.timeout(240_000);
    const net = useTestNet();
    const node = net.useNode("n1", "10.7.168.71", {}, "fd07::71");
    const pod = net.usePod("p");
    let agent: TestAgent;
    let config: Readonly<Record<string, unknown>>;
    let untouched: readonly string[];
    let steps: readonly { readonly kind: string }[];
    /** A directory with a launcher but without the full plugin: calls depend on the agent. */
    let unusedSocket: string;

    before(() => {
      agent = new TestAgent(node);
      if (ifname === "net1") net.overlay(node, pod, "10.233.64.5", "fd33:64::5");
      const addresses = [...ADDRESSES, { address: "fd07::200:1/64", gateway: "fd07::72" }];
      config = { prevResult: net.macvlan(node, pod, ifname, addresses) };
      untouched = readPermanentState(node);
      unusedSocket = join(node.binDirectory, "lonely");
      mkdirSync(unusedSocket);
      copyFileSync(net.plugins.launcher, join(unusedSocket, "interlay"));
      net.call("interlay", "ADD", node, pod, ifname, config);
      const record = readFileSync(join(node.stateDirectory, "attachments", records(node)[0] ?? ""), "utf8");
      steps = (JSON.parse(record) as { plan: { items: typeof steps } }).plan.items;
      net.call("interlay", "DEL", node, pod, ifname, {});
    });
    net.useCleanup(async () => {
      await agent.kill();
    });

    const faultyAgent = (fault: string): Promise<void> =>
      agent.start(net.plugins.faulty, ["serve", node.socket, node.stateDirectory], { INTERLAY_FAULT: fault });

    it("should leave nothing after DEL or GC if the launcher ends too", async () => {
      for (const [index, { kind }] of steps.entries()) {
        await faultyAgent(`kill:${index}`);
        const { env, input } = net.invocation("launcher", "ADD", node, pod, ifname, config);
        const argv = ["netns", "exec", node.name, join(unusedSocket, "interlay")];
        const { status, stdout } = spawnSync("ip", argv, { env, input, encoding: "utf8" });
        assert.equal(status, 1, `step ${index}: ${stdout}`);
        assert.equal((JSON.parse(stdout) as { code: number }).code, 5);
        assert.equal(records(node).length, 1, `no record of what was begun at step ${index}`);
        const [verb, cleanup] =
          index % 2 === 0 ? ["DEL", {}] : ["GC", { "cni.dev/attachments": [], cniVersion: "1.1.0" }];
        assert.deepEqual(net.call("interlay", verb, node, pod, ifname, cleanup), {});
        assert.deepEqual(
          readPermanentState(node),
          untouched,
          `after kill -9 before step ${index} (${kind}) and ${verb}`,
        );
        assert.deepEqual(records(node), []);
      }
    });

    it("should complete the pod standalone by the launcher", async () => {
      for (const index of [0, Math.floor(steps.length / 2), steps.length - 1]) {
        await faultyAgent(`kill:${index}`);
        net.call("launcher", "ADD", node, pod, ifname, config);
        assert.equal(readLastMode(net, node), "standalone");
        assert.deepEqual(net.call("interlay", "CHECK", node, pod, ifname, config), {});
        net.call("interlay", "DEL", node, pod, ifname, {});
      }
    });

    it("should name a failed step in the error and leave nothing", async () => {
      const index = Math.floor(steps.length / 2);
      await faultyAgent(`fail:${index}`);
      const { status, json } = net.tryCall("launcher", "ADD", node, pod, ifname, config);
      assert.deepEqual([status, json["code"]], [1, 101]);
      assert.equal(readLastMode(net, node), "agent");
      assert.deepEqual(readPermanentState(node), untouched);
      assert.deepEqual(records(node), []);
      await agent.kill();
    });
  });
