import assert from "node:assert/strict";
import { ensureObject } from "../support/cluster-api.ts";
import { DeferCleanup, Eventually, It } from "../harness.ts";
import { configureAgents } from "../deployment/variant.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import type { AgentFixture } from "./agent-fixture.ts";

const POLL = { timeout: 110_000 };
/** Documentation addresses (RFC 5737), which no network uses. */
const SECOND_ADDRESS = "192.0.2.71";
const EXTERNAL_IP = "192.0.2.250";
const LINK_LOCAL_DNS = "169.254.25.10";
const RUNNING = ["underlay-1-b", "multi-nic-1-b"] as const;

/** Returns the routes and rules of a pod, in every table. */
async function readRoutes({ findStreamEnd, execOnNode }: AgentFixture, pod: string): Promise<string> {
  const { node, netns } = await findStreamEnd(pod);
  const ipInPod = (...argv: readonly string[]) => execOnNode(node, "nsenter", `--net=${netns}`, "ip", ...argv);
  return [await ipInPod("route", "show", "table", "all"), await ipInPod("rule")].join("\n");
}

async function readFactsCondition({ readNodeStatus, nodes }: AgentFixture) {
  return (await readNodeStatus(nodes[0])).conditions.find(({ type }) => type === "FactsReady");
}

/** Registers specs for networks that pods must never reach through their node, such as the underlay. */
export function registerWireSpecs(getFixture: () => AgentFixture): void {
  const buildPool = (name: string, cidr: string, disabled: boolean) => ({
    apiVersion: "crd.projectcalico.org/v1",
    kind: "IPPool",
    metadata: { name },
    spec: { cidr, disabled, vxlanMode: "Always", natOutgoing: true, blockSize: 26, nodeSelector: "all()" },
  });

  for (const [description, cidr] of [
    ["of a whole company network", () => "10.0.0.0/8"],
    ["equal to the underlay", () => getFixture().cluster.spec.underlayCidr],
  ] as const)
    It(`a disabled IPPool ${description} changes no route of running pods, and neither does its deletion`, async () => {
      const { api } = getFixture();
      // Calico keeps the block of a deleted pool: the block is in 10.0.0.0/8 and is routed.
      const readPodRoutes = () => Promise.all(RUNNING.map((name) => readRoutes(getFixture(), name)));
      const before = (await readPodRoutes()).map(removeLinesWith("10.234."));
      const disabledPool = buildPool("not-translated", cidr(), true);
      await ensureObject(api, disabledPool);
      DeferCleanup(() => api.objects.delete(disabledPool).catch(() => undefined));
      // The agents have processed it once a later enabled pool is routed.
      const laterPool = buildPool("seen-after", "10.234.1.0/24", false);
      await ensureObject(api, laterPool);
      DeferCleanup(() => api.objects.delete(laterPool).catch(() => undefined));
      await Eventually("both pods have the other pool's route", readPodRoutes, allInclude("10.234.1.0/24 via"), POLL);
      assert.deepEqual((await readPodRoutes()).map(removeLinesWith("10.234.")), before);
      assert.deepEqual((await readFactsCondition(getFixture()))?.status, "True");
      await api.objects.delete(disabledPool);
      await api.objects.delete(laterPool);
      await Eventually("the other pool's route is removed", readPodRoutes, noneIncludes("10.234.1.0/24"), POLL);
      assert.deepEqual((await readPodRoutes()).map(removeLinesWith("10.234.")), before);
    });

  It("an enabled IPPool that covers the underlay is refused by a condition, and the rest works", async () => {
    const { api, cluster, canReach, deployment } = getFixture();
    const before = await Promise.all(RUNNING.map((name) => readRoutes(getFixture(), name)));
    const coveringPool = buildPool("covers-underlay", cluster.spec.underlayCidr, false);
    await ensureObject(api, coveringPool);
    DeferCleanup(() => api.objects.delete(coveringPool).catch(() => undefined));
    const refused = await Eventually(
      "a condition",
      () => readFactsCondition(getFixture()),
      (condition) => condition?.reason === "NetworkRefused",
      POLL,
    );
    assert.equal(refused?.status, "False");
    assert.ok(refused.message.includes(`Calico IPPools says ${cluster.spec.underlayCidr}, but it is the network of`));
    assert.deepEqual(await Promise.all(RUNNING.map((name) => readRoutes(getFixture(), name))), before);
    assert.ok(await canReach("underlay-1-a", deployment.getAddress("overlay-2-a", "main")));
    await api.objects.delete(coveringPool);
    await Eventually(
      "the condition is True",
      () => readFactsCondition(getFixture()),
      (condition) => condition?.status === "True",
      POLL,
    );
  });

  It("a connected route that is removed comes back", async () => {
    const { findStreamEnd, execOnNode, cluster } = getFixture();
    for (const [name, nic, device] of [
      ["underlay-1-b", "main", "eth0"],
      ["multi-nic-1-b", "net1", "net1"],
    ] as const) {
      const { node, netns } = await findStreamEnd(name, nic);
      const ipInPod = (...argv: readonly string[]) => execOnNode(node, "nsenter", `--net=${netns}`, "ip", ...argv);
      const show = () => ipInPod("route", "show", cluster.spec.underlayCidr, "table", "main");
      const before = await show();
      assert.match(before, new RegExp(`dev ${device} proto kernel scope link`));
      await ipInPod("route", "del", cluster.spec.underlayCidr, "dev", device, "table", "main");
      await Eventually(`${name} has the route again`, show, (text) => text === before, { timeout: 20_000 });
    }
  });
}

/** Registers specs for single addresses that a pod reaches through its node. */
export function registerNodeAddressSpecs(getFixture: () => AgentFixture): void {
  const readRunningRoutes = () => Promise.all(RUNNING.map((name) => readRoutes(getFixture(), name)));

  It("a second address of the node is reached by its pods while the node has it", async () => {
    const { nodes, execOnNode, canReach } = getFixture();
    await execOnNode(nodes[0], "ip", "address", "add", `${SECOND_ADDRESS}/32`, "dev", "lo");
    DeferCleanup(() =>
      execOnNode(nodes[0], "ip", "address", "del", `${SECOND_ADDRESS}/32`, "dev", "lo").catch(() => ""),
    );
    await Eventually("both pods have the route", readRunningRoutes, allInclude(`${SECOND_ADDRESS} via`), POLL);
    const { node, netns } = await getFixture().findStreamEnd("underlay-1-b");
    const pings = await execOnNode(node, "nsenter", `--net=${netns}`, "ping", "-c", "1", "-W", "2", SECOND_ADDRESS);
    assert.match(pings, / 1 received/);
    assert.ok(await canReach("underlay-1-b", getFixture().deployment.getAddress("overlay-2-a", "main")));
    await execOnNode(nodes[0], "ip", "address", "del", `${SECOND_ADDRESS}/32`, "dev", "lo");
    await Eventually("neither pod has the route", readRunningRoutes, noneIncludes(SECOND_ADDRESS), POLL);
  });

  It("a link-local address that the node has for its pods is reached through it", async () => {
    const { nodes, execOnNode } = getFixture();
    await execOnNode(nodes[0], "ip", "address", "add", `${LINK_LOCAL_DNS}/32`, "dev", "lo");
    DeferCleanup(() =>
      execOnNode(nodes[0], "ip", "address", "del", `${LINK_LOCAL_DNS}/32`, "dev", "lo").catch(() => ""),
    );
    await Eventually("both pods have the route", readRunningRoutes, allInclude(`${LINK_LOCAL_DNS} via`), POLL);
    const { node, netns } = await getFixture().findStreamEnd("underlay-1-b");
    const pings = await execOnNode(node, "nsenter", `--net=${netns}`, "ping", "-c", "1", "-W", "2", LINK_LOCAL_DNS);
    assert.match(pings, / 1 received/);
  });

  It("an external IP of a Service is reached by running pods, and no longer routed when the Service goes", async () => {
    const { api, canReach, deployment } = getFixture();
    const target = await api.core.readNamespacedPod({ name: "overlay-2-a", namespace: NAMESPACE });
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "with-external-ip", namespace: NAMESPACE },
      spec: {
        externalIPs: [EXTERNAL_IP],
        ports: [{ name: "tcp", port: TCP_PORT, targetPort: TCP_PORT, protocol: "TCP" }],
      },
    };
    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: "with-external-ip",
        namespace: NAMESPACE,
        labels: { "kubernetes.io/service-name": "with-external-ip" },
      },
      addressType: "IPv4",
      ports: [{ name: "tcp", port: TCP_PORT, protocol: "TCP" }],
      endpoints: [
        {
          addresses: [deployment.getAddress("overlay-2-a", "main")],
          conditions: { ready: true },
          ...(target.spec?.nodeName === undefined ? {} : { nodeName: target.spec.nodeName }),
        },
      ],
    };
    await ensureObject(api, service);
    DeferCleanup(() => api.objects.delete(service).catch(() => undefined));
    await ensureObject(api, slice);
    DeferCleanup(() => api.objects.delete(slice).catch(() => undefined));
    await Eventually("both pods have the route", readRunningRoutes, allInclude(`${EXTERNAL_IP} via`), POLL);
    for (const from of ["underlay-1-b", "underlay-2-b", "multi-nic-1-b"])
      await Eventually(`${from} -> ${EXTERNAL_IP}`, () => canReach(from, EXTERNAL_IP), Boolean, POLL);
    await api.objects.delete(service);
    await Eventually("neither pod has the route", readRunningRoutes, noneIncludes(EXTERNAL_IP), POLL);
  });

  It("another address of the node takes the place of the first in every table of running pods", async () => {
    const { cluster, nodes, execOnNode, readNodeStatus, canReach, deployment } = getFixture();
    const originalAddress = cluster.nodes.find(({ name }) => name === nodes[0])?.address ?? "";
    const addedAddress = originalAddress.replace(/\.\d+$/, ".125");
    const before = await readRunningRoutes();
    await execOnNode(nodes[0], "ip", "address", "add", `${addedAddress}/16`, "dev", "eth0");
    DeferCleanup(() =>
      execOnNode(nodes[0], "ip", "address", "del", `${addedAddress}/16`, "dev", "eth0").catch(() => ""),
    );
    const key = `${nodes[0]}.nodeAddresses`;
    DeferCleanup(() => configureAgents(cluster, { [key]: null }));
    await configureAgents(cluster, { [key]: addedAddress });
    const originalRoute = new RegExp(
      `via ${originalAddress.replaceAll(".", "\\.")} |^${originalAddress.replaceAll(".", "\\.")} dev`,
      "m",
    );
    await Eventually(
      "no route by the old address",
      readRunningRoutes,
      (texts) => texts.every((text) => !originalRoute.test(text)),
      POLL,
    );
    const net1Address = deployment.getAddress("multi-nic-1-b", "net1");
    const nodeRoutes = await execOnNode(nodes[0], "ip", "route", "show", "table", "500");
    assert.match(
      nodeRoutes,
      new RegExp(
        `^${net1Address.replaceAll(".", "\\.")} dev cali\\S+ .*src ${addedAddress.replaceAll(".", "\\.")}`,
        "m",
      ),
    );
    for (const from of RUNNING)
      await Eventually(
        `${from} -> overlay`,
        () => canReach(from, deployment.getAddress("overlay-2-a", "main")),
        Boolean,
        POLL,
      );
    const attachments = async () =>
      (await readNodeStatus(nodes[0])).conditions.find(({ type }) => type === "AttachmentsReady");
    await Eventually("attachments are as planned", attachments, (condition) => condition?.status === "True", POLL);
    await configureAgents(cluster, { [key]: null });
    await execOnNode(nodes[0], "ip", "address", "del", `${addedAddress}/16`, "dev", "eth0");
    await Eventually("everything is as before", readRunningRoutes, (texts) => texts.join() === before.join(), POLL);
  });
}

const allInclude =
  (words: string) =>
  (texts: readonly string[]): boolean =>
    texts.every((text) => text.includes(words));
const noneIncludes =
  (words: string) =>
  (texts: readonly string[]): boolean =>
    texts.every((text) => !text.includes(words));
const removeLinesWith =
  (words: string) =>
  (text: string): string =>
    text
      .split("\n")
      .filter((line) => !line.includes(words))
      .join("\n");
