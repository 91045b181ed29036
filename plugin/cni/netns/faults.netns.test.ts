import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readPermanentState } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import type { TestNode, TestPod } from "../../testing/invocation.ts";
import { execInNetns } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const records = (node: TestNode): readonly string[] => {
  const directory = join(node.stateDirectory, "attachments");
  return existsSync(directory) ? readdirSync(directory) : [];
};

/** The pod's links, rules and routes, without what the kernel makes of its own accord. */
const podState = (pod: TestPod): readonly string[] => [
  ...splitLines(execInNetns(pod.namespace, "ip", "-o", "link")).map((line) => line.split(": ")[1] ?? ""),
  ...["-4", "-6"].flatMap((family) => [
    ...splitLines(execInNetns(pod.namespace, "ip", family, "rule")),
    // A link's own fe80:: comes when the kernel knows that nobody else has it: later than the link.
    ...splitLines(execInNetns(pod.namespace, "ip", family, "route", "show", "table", "all")).filter(
      (line) => !/^((local|anycast|multicast) )?(fe80:|ff00:)/.test(line),
    ),
  ]),
  ...splitLines(execInNetns(pod.namespace, "nft", "list", "ruleset")),
];

/** Underlay pods, multi-NIC pods, and a NIC next to another one of Interlay. */
for (const [type, ifname] of [
  ["an underlay pod", "eth0"],
  ["a multi-NIC pod", "net1"],
  ["an underlay pod's second NIC", "net1"],
] as const)
  describe(`ADD of ${type}, both families, that fails or dies at any step`, function () {
    this.timeout(120_000);
    const net = useTestNet();
    const node = net.useNode("n1", "10.7.168.71", {}, "fd07::71");
    const pod = net.usePod("p");
    let steps: readonly { readonly kind: string }[];
    let config: Readonly<Record<string, unknown>>;
    let untouched: readonly string[];
    let podUntouched: readonly string[];
    /** Of the pod's other NIC. */
    let recorded: readonly string[];

    before(() => {
      if (type === "a multi-NIC pod") net.overlay(node, pod, "10.233.64.5", "fd33:64::5");
      if (type === "an underlay pod's second NIC") {
        const first = [
          { address: "10.7.200.9/16", gateway: "10.7.168.72" },
          { address: "fd07::200:9/64", gateway: "fd07::72" },
        ];
        net.attachAll(node, pod, "eth0", first);
      }
      recorded = records(node);
      const addresses = [
        { address: "10.7.200.1/16", gateway: "10.7.168.72" },
        { address: "fd07::200:1/64", gateway: "fd07::72" },
      ];
      config = { prevResult: net.macvlan(node, pod, ifname, addresses) };
      untouched = readPermanentState(node);
      podUntouched = podState(pod);
      net.call("interlay", "ADD", node, pod, ifname, config);
      const [file = ""] = records(node).filter((name) => !recorded.includes(name));
      const record = readFileSync(join(node.stateDirectory, "attachments", file), "utf8");
      steps = (JSON.parse(record) as { plan: { items: typeof steps } }).plan.items;
      net.call("interlay", "DEL", node, pod, ifname, {});
    });

    const nothingLeft = (what: string) => {
      assert.deepEqual(readPermanentState(node), untouched, `on the node after ${what}`);
      assert.deepEqual(podState(pod), podUntouched, `in the pod after ${what}`);
      assert.deepEqual(records(node), recorded, `records after ${what}`);
    };

    it("should fail with the step's name and leave nothing", () => {
      assert.ok(steps.length > 10);
      for (const [index, step] of steps.entries()) {
        const { status, json } = net.tryCall("faulty", "ADD", node, pod, ifname, config, `fail:${index}`);
        assert.equal(status, 1);
        assert.equal(json["code"], 101, `step ${index}`);
        nothingLeft(`a failure of step ${index} (${step.kind})`);
      }
    });

    it("should leave nothing after kill -9 and DEL or GC", () => {
      const valid = recorded.map(() => ({ containerID: pod.containerId, ifname: "eth0" }));
      for (const [index, step] of steps.entries()) {
        net.tryCall("faulty", "ADD", node, pod, ifname, config, `kill:${index}`);
        const [verb, cleanup] =
          index % 2 === 0 ? ["DEL", {}] : ["GC", { "cni.dev/valid-attachments": valid, cniVersion: "1.1.0" }];
        assert.deepEqual(net.call("interlay", verb, node, pod, ifname, cleanup), {});
        nothingLeft(`kill -9 before step ${index} (${step.kind}) and ${verb}`);
      }
    });

    it("should be complete after kill -9 and another ADD", () => {
      const index = Math.floor(steps.length / 2);
      net.tryCall("faulty", "ADD", node, pod, ifname, config, `kill:${index}`);
      net.call("interlay", "ADD", node, pod, ifname, config);
      assert.deepEqual(net.call("interlay", "CHECK", node, pod, ifname, config), {});
      net.call("interlay", "DEL", node, pod, ifname, {});
    });
  });
