import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { applyFault, generateFault } from "../../testing/invalid-values.ts";
import { readPermanentState } from "../../testing/node.ts";
import type { TestNode } from "../../testing/invocation.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

/** Calls of the real executable a property. */
const RUNS = Number(process.env["INTERLAY_FUZZ_RUNS"] ?? 40);

type Json = Record<string, unknown>;

describe("invalid input to the executable", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71", {}, "fd07::71");
  const pod = net.usePod("x");
  let untouched: readonly string[];
  let config: Json;

  before(() => {
    const prevResult = net.macvlan(node, pod, "eth0", [{ address: "10.7.200.1/16", gateway: "10.7.168.72" }]);
    const { input } = net.invocation("interlay", "ADD", node, pod, "eth0", { prevResult });
    config = JSON.parse(input) as Json;
    untouched = state();
  });

  const state = () => [...readPermanentState(node), ...readPermanentState({ ...node, name: pod.namespace })];

  /** A call ends by itself with 0 or 1 and JSON; refused, it has changed nothing; served, DEL takes everything back. */
  function call(env: NodeJS.ProcessEnv, input: string): void {
    const { env: good } = net.invocation("interlay", "ADD", node, pod, "eth0", {});
    const { status, signal, stdout, stderr } = spawnSync("ip", ["netns", "exec", node.name, net.plugins.interlay], {
      env: { ...good, ...env },
      input,
      encoding: "utf8",
      timeout: 20_000,
    });
    const outcome = `ended with ${String(status)} ${signal ?? ""}\nstdout: ${stdout.slice(0, 500)}\nstderr: ${stderr.slice(0, 500)}`;
    assert.ok(status === 0 || status === 1, outcome);
    assert.equal(stderr, "", outcome);
    const json = JSON.parse(stdout === "" ? "{}" : stdout) as Json;
    if (status === 1) {
      assert.ok(Number.isInteger(json["code"]) && Number(json["code"]) > 0, outcome);
      assert.ok(typeof json["msg"] === "string" && json["msg"] !== "", outcome);
    } else if (Object.keys(json).length > 0) {
      // by the name it was given: a container id that is another's is not bad input
      spawnSync("ip", ["netns", "exec", node.name, net.plugins.interlay], {
        env: { ...good, ...env, CNI_COMMAND: "DEL" },
        input: JSON.stringify(config),
      });
    }
    assert.deepEqual(state(), untouched, outcome);
  }

  it("in the configuration and prevResult", () => {
    const faults = generateFault([
      "cniVersion",
      "prevResult",
      "prevResult.ips",
      "prevResult.ips.0",
      "prevResult.ips.0.address",
      "prevResult.ips.0.gateway",
      "prevResult.ips.0.interface",
      "prevResult.interfaces.0.name",
      "mode",
      "mtu",
      "txQueueLen",
      "hijackCIDRs",
      "podDefaultRouteNic",
      "hostRouteTable",
      "podRulePriority",
      "probeAttempts",
      "macPrefix",
      "announce",
      "dryRun",
      "stateDirectory",
      "runtimeConfig",
      "args",
    ]);
    fc.assert(
      fc.property(faults, (one) => {
        const changed = applyFault(config, one) as Json;
        call({}, JSON.stringify(changed));
      }),
      { numRuns: RUNS },
    );
  });

  it("reports input that is not JSON", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.nat({ max: 400 }).map((n) => JSON.stringify(config).slice(0, n)),
        ),
        (input) => {
          call({}, input);
        },
      ),
      { numRuns: RUNS / 2 },
    );
  });

  it("in the environment", () => {
    // an environment can have no zero bytes, and an empty CNI_COMMAND is still one
    const text = fc.oneof(
      fc.constantFrom(
        "",
        "/",
        "..",
        "a/b",
        "eth0 ",
        "eth0;reboot",
        "$(reboot)",
        "a".repeat(5000),
        "/proc/self/ns/mnt",
        "/etc/passwd",
      ),
      fc.string().map((s) => s.replaceAll("\0", "")),
    );
    const names = ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS"];
    fc.assert(
      fc.property(fc.constantFrom(...names), text, (name, value) => {
        call({ [name]: value }, JSON.stringify(config));
      }),
      { numRuns: RUNS },
    );
  });

  it("in the facts", () => {
    const file = join(node.stateDirectory, "facts.json");
    const good = readFileSync(file, "utf8");
    const faults = generateFault([
      "schema",
      "node",
      "node.name",
      "node.addresses",
      "node.addresses.0",
      "uplink",
      "overlayCidrs",
      "overlayCidrs.0",
      "serviceCidrs.0",
      "hijackCidrs",
      "viaNode",
      "refusedNetworks",
      "returnPath",
      "sources",
    ]);
    try {
      fc.assert(
        fc.property(faults, (one) => {
          writeFileSync(file, JSON.stringify(applyFault(JSON.parse(good), one)));
          call({}, JSON.stringify(config));
        }),
        { numRuns: RUNS },
      );
    } finally {
      writeFileSync(file, good);
    }
  });
});

describe("STATUS", () => {
  const net = useTestNet("test");
  it("reports missing facts, and facts that the kernel contradicts", () => {
    const pod = net.pod("s");
    const callStatus = (node: TestNode) =>
      net.tryCall("interlay", "STATUS", node, pod, "eth0", { cniVersion: "1.1.0" });
    const good = net.node("n1", "10.7.168.71", {}, "fd07::71");
    assert.equal(callStatus(good).status, 0);
    const noUplink = net.node("n2", "10.7.168.72", { uplink: "bond7" });
    assert.equal(callStatus(noUplink).json["code"], 50);
    assert.match(String(callStatus(noUplink).json["msg"]), /is stale: the node has no link bond7/);
    spawnSync("ip", ["-n", good.name, "address", "delete", "10.7.168.71/16", "dev", "eth0"]);
    assert.match(String(callStatus(good).json["msg"]), /is stale: 10\.7\.168\.71 is not an address of the node/);
    const empty = { ...good, stateDirectory: join(good.stateDirectory, "none") };
    assert.deepEqual(
      [callStatus(empty).json["code"], /is missing/.test(String(callStatus(empty).json["msg"]))],
      [50, true],
    );
  });
});
