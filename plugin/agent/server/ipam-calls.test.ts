import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Server } from "node:net";
import { join } from "node:path";
import { buildRequestFrame, callAgent } from "../../cni/protocol/call-agent.ts";
import { buildPaths } from "../../cni/plugin-paths.ts";
import { Allocator } from "../../ipam/allocator/allocator.ts";
import { executeIpam } from "../../ipam/execute-ipam.ts";
import { callUntilServed, runIpam } from "../../ipam/run-ipam.ts";
import { listAddressUses, readNodeHistory } from "../../ipam/inspect/address-history.ts";
import { Records } from "../../ipam/records/address-records.ts";
import { podObject } from "../../kubernetes/objects.ts";
import { readPodOptions, writePodOptions } from "../../state/pod-options.ts";
import { AddressCluster, NodeStore } from "../../testing/address-cluster.ts";
import { serveCni } from "./cni-server.ts";
import { useDirectory } from "../../testing/use-directory.ts";

const CONFIG = JSON.stringify({ cniVersion: "1.0.0", name: "net", type: "macvlan", ipam: { type: "interlay-ipam" } });

describe("calls of the IPAM plugin", () => {
  const directory = useDirectory();
  let cluster: AddressCluster;
  let store: NodeStore;
  let socket: string;
  let server: Server | undefined;
  let refusals: string[];
  let verbs: string[];

  const env = (command: string, name = "web"): Record<string, string> => ({
    CNI_COMMAND: command,
    CNI_CONTAINERID: "c1",
    CNI_NETNS: "/var/run/netns/none",
    CNI_IFNAME: "eth0",
    CNI_PATH: "/opt/cni/bin",
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${name};K8S_POD_UID=u1`,
    INTERLAY_CNI_SOCKET: socket,
    INTERLAY_STATE_DIRECTORY: directory,
    INTERLAY_LOG_FILE: join(directory, "cni.log"),
  });
  const call = (command: string, name?: string, timeoutMs = 5000) =>
    callAgent(buildRequestFrame("interlay-ipam", env(command, name), CONFIG, timeoutMs), socket);
  const startAgent = async (): Promise<void> => {
    store.catchUp();
    const service = {
      allocator: new Allocator(store, new Records(join(directory, "addresses")), { stateDirectory: directory }),
      listener: {
        refused: (_pod: unknown, message: string) => refusals.push(message),
        answered: (verb: string, _seconds: number, ok: boolean) => verbs.push(`${verb} ${ok ? "ok" : "error"}`),
      },
      paths: buildPaths(directory, join(directory, "cni.log")),
    };
    server = await serveCni({
      path: socket,
      paths: service.paths,
      ipam: (variables, stdin) => executeIpam(variables, stdin, service),
    });
  };

  beforeEach(() => {
    socket = join(directory, "run", "cni.sock");
    refusals = [];
    verbs = [];
    cluster = new AddressCluster().pool("underlay", { ranges: ["10.7.200.1"], gateway: "10.7.0.1" });
    store = new NodeStore(cluster, "n1");
    const metadata = { name: "web", namespace: "shop", uid: "u1" };
    cluster.pods.set("shop/web", podObject.parse({ metadata, spec: { nodeName: "n1" } }));
  });
  afterEach(() => {
    server?.close();
    server = undefined;
  });

  it("should allocate, check and release an address through the socket of CNI calls", async () => {
    await startAgent();
    const added = await call("ADD");
    assert.ok(typeof added === "object");
    assert.deepEqual(JSON.parse(added.output), {
      cniVersion: "1.0.0",
      ips: [{ address: "10.7.200.1/16", gateway: "10.7.0.1" }],
      routes: [{ dst: "0.0.0.0/0", gw: "10.7.0.1" }],
    });
    assert.deepEqual(await call("CHECK"), { status: 0, output: "" });
    cluster.pods.clear();
    store.catchUp();
    assert.deepEqual(await call("DEL"), { status: 0, output: "" });
    assert.deepEqual([...cluster.addresses.keys()], []);
    assert.deepEqual(verbs, ["allocate ok", "check ok", "release ok"]);
    const [first = ""] = readFileSync(join(directory, "cni.log"), "utf8").split("\n");
    assert.match(first, /"plugin":"interlay-ipam","command":"ADD","mode":"agent"/);
    const [use, ...others] = listAddressUses([readNodeHistory("n1", join(directory, "cni.log"))]);
    assert.deepEqual([use?.address, use?.pod, others], ["10.7.200.1", "shop/web", []]);
    assert.ok(use?.until !== undefined, "the DEL");
  });

  it("should return the allocator's error and report the refused pod", async () => {
    await startAgent();
    const reply = await call("ADD", "deleted");
    assert.ok(typeof reply === "object");
    assert.equal(reply.status, 1);
    assert.match(reply.output, /"code":11,"msg":"pod shop\/deleted \(u1\) was deleted"/);
    assert.deepEqual(refusals, ["pod shop/deleted (u1) was deleted"]);
    assert.deepEqual(verbs, ["allocate error"]);
  });

  it("should reject an invalid configuration without the allocator", async () => {
    await startAgent();
    const reply = await callAgent(buildRequestFrame("interlay-ipam", env("ADD"), "{", 5000), socket);
    assert.ok(typeof reply === "object");
    assert.deepEqual([reply.status, (JSON.parse(reply.output) as { code: number }).code], [1, 6]);
    assert.deepEqual(verbs, []);
  });

  it("should be unavailable without an agent, and from an agent without an allocator", async () => {
    assert.equal(await call("ADD"), "unavailable");
    server = await serveCni({ path: socket, paths: buildPaths(directory, join(directory, "cni.log")) });
    assert.equal(await call("ADD"), "unavailable");
  });

  it("should be sent again until an agent listens", async () => {
    const reply = callUntilServed(env("ADD"), CONFIG, 20);
    setTimeout(() => void startAgent(), 300);
    assert.equal((await reply)?.status, 0);
  });

  it("should succeed for DEL without an agent, and remove the pod's options", async () => {
    writePodOptions("c1", "eth0", { defaultRouteNic: "net1" }, directory);
    assert.equal(await runIpam(env("DEL"), () => CONFIG), 0);
    assert.deepEqual(readPodOptions("c1", "eth0", directory), {});
    assert.match(readFileSync(join(directory, "cni.log"), "utf8"), /"command":"DEL","mode":"standalone"/);
  });
});
