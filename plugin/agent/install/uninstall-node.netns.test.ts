import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCidr } from "../../datapath/address.ts";
import { renderNodeTable } from "../../datapath/plan/node-table.ts";
import { readPermanentState } from "../../testing/node.ts";
import { execInNetns, execLocally, pingAddress } from "../../testing/exec.ts";
import { splitLines, RULESET_STATE, SYSCTL_STATE } from "../../testing/restorable-state.ts";
import { listForwardRules } from "../kube-proxy/forward-chain.ts";
import { installPlugin } from "./install.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

describe("install and uninstall", () => {
  const directory = mkdtempSync(join(tmpdir(), "interlay-uninstall-"));
  const bin = join(directory, "bin");
  const net = useTestNet();
  net.useCleanup(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it("should restore the node: links, routes, rules, neighbours, sysctls, nftables, files", async () => {
    const node = net.node("n1", "10.7.168.71");
    const multiNic = net.pod("m");
    net.overlay(node, multiNic, "10.233.64.9");
    const underlay = net.pod("u");
    mkdirSync(bin);
    writeFileSync(join(bin, "others"), "");
    execLocally(["ip", "netns", "exec", node.name, "nft", "add", "table", "inet", "others"]);
    execInNetns(node.name, "ip", "route", "add", "198.51.100.0/24", "dev", "eth0", "table", "500");
    execInNetns(node.name, "iptables", "-P", "FORWARD", "DROP"); // as Docker does
    const state = () => [
      ...readPermanentState(node),
      ...[RULESET_STATE, SYSCTL_STATE].flatMap((look) => look.parseLines(execInNetns(node.name, ...look.argv))),
      ...readdirSync(bin),
    ];
    const initial = state();

    await installPlugin(bin, net.plugins.interlay);
    net.attach(node, underlay, "eth0", "10.7.200.1/16", "10.7.168.72");
    net.attach(node, multiNic, "net1", "10.7.200.2/16");
    execLocally(
      ["ip", "netns", "exec", node.name, "nft", "-f", "-"],
      renderNodeTable({ overlayCidrs: [parseCidr("10.233.64.0/18")], returnPath: "notrack", uplink: "eth0" }),
    );
    const networks = { overlayCidrs: [parseCidr("10.233.64.0/18")], hijackCidrs: [], viaNode: [] };
    for (const rule of listForwardRules("iptables", networks))
      execInNetns(node.name, "iptables", "-A", "FORWARD", ...rule);
    assert.ok(pingAddress(node.name, "10.7.200.1"));
    assert.ok(state().length > initial.length + 5, "nothing was installed");

    const run = join(directory, "run");
    mkdirSync(run);
    const flags = Object.entries({ bin, state: node.stateDirectory, run, log: join(directory, "log") }).flatMap(
      ([name, path]) => [`--${name}-directory`, path],
    );
    const output = splitLines(execInNetns(node.name, net.plugins.interlay, "uninstall", ...flags));
    assert.deepEqual(state(), initial, output.join("\n"));
    assert.ok(!existsSync(node.stateDirectory) && !existsSync(run));
    assert.deepEqual(
      splitLines(execInNetns(multiNic.namespace, "ip", "rule")).length,
      3,
      "rules of ours are in a pod that runs",
    );
    assert.deepEqual(
      splitLines(execInNetns(node.name, net.plugins.interlay, "uninstall", ...flags)),
      [],
      "the second time",
    );
  });

  it("should replace the plugin atomically on upgrade and keep running calls and attached pods", async () => {
    const node = net.node("n2", "10.7.168.73");
    const pod = net.pod("kept");
    // As before the launcher existed: one executable with both names.
    writeFileSync(join(bin, "interlay"), "the whole plugin of an older version");
    const image = join(directory, "image");
    mkdirSync(image);
    const old = join(image, "interlay-full");
    copyFileSync(net.plugins.interlay, old);
    copyFileSync(net.plugins.launcher, join(image, "interlay"));
    await installPlugin(bin, old);
    const running = execInNetns(node.name, "stat", "-c", "%i", join(bin, "interlay-full"));
    net.attach(node, pod, "eth0", "10.7.200.3/16", "10.7.168.72");
    const wired = readPermanentState(node);
    writeFileSync(old, "of another version", { flag: "a" });
    await installPlugin(bin, old);
    const now = execInNetns(node.name, "stat", "-c", "%i", join(bin, "interlay-full"));
    assert.notEqual(now, running, "it was written in place");
    assert.deepEqual(readdirSync(bin).sort(), ["interlay", "interlay-full", "interlay-ipam", "interlay-lib", "others"]);
    assert.deepEqual(readPermanentState(node), wired);
    assert.ok(pingAddress(node.name, "10.7.200.3"));
  });
});
