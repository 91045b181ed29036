import assert from "node:assert/strict";
import { By, It } from "../harness.ts";
import { EXTERNAL } from "../cells/cell.ts";
import { buildHostPodName, podName } from "../pods/suite-pods.ts";
import { PROTOCOLS } from "../probe/protocol.ts";
import { type HttpProbe, findUnanswered } from "./http-probe.ts";
import { findNetworkName } from "./networks.ts";
import {
  NETWORKS_ANNOTATION,
  type PluginPod,
  execInPluginPod,
  readPodNics,
  DEFAULT_NETWORK_ANNOTATION,
  UNDERLAY,
  type PluginContext,
} from "./plugin-context.ts";

interface Shape {
  readonly description: string;
  readonly testPod: PluginPod;
  /** The pod's NICs, eth0 first. */
  readonly nics: readonly string[];
  /** Whether eth0 is on the underlay too, so that the external host reaches it. */
  readonly outside: boolean;
}

const createShape = (
  description: string,
  name: string,
  annotations: Readonly<Record<string, string>>,
  nics: readonly string[],
): Shape => ({
  description,
  testPod: { name, node: name.endsWith("2") ? 1 : 0, annotations },
  nics,
  outside: annotations[DEFAULT_NETWORK_ANNOTATION] === UNDERLAY,
});

/** Pods in addition to the matrix's three types: more NICs, other names, other plugins before Interlay's. */
export const SHAPES: readonly Shape[] = [
  createShape(
    "an underlay pod with two macvlan NICs",
    "two",
    { [DEFAULT_NETWORK_ANNOTATION]: UNDERLAY, [NETWORKS_ANNOTATION]: UNDERLAY },
    ["eth0", "net1"],
  ),
  createShape(
    "an underlay pod with three macvlan NICs, two with names of their own",
    "three-2",
    { [DEFAULT_NETWORK_ANNOTATION]: UNDERLAY, [NETWORKS_ANNOTATION]: `${UNDERLAY}@lan0,${UNDERLAY}@storage` },
    ["eth0", "lan0", "storage"],
  ),
  createShape("a multi-NIC pod with two macvlan NICs", "more", { [NETWORKS_ANNOTATION]: `${UNDERLAY},${UNDERLAY}` }, [
    "eth0",
    "net1",
    "net2",
  ]),
  createShape(
    "a multi-NIC pod with three macvlan NICs of other names",
    "named-2",
    { [NETWORKS_ANNOTATION]: `${UNDERLAY}@lan0,${UNDERLAY}@lan1,${UNDERLAY}@storage` },
    ["eth0", "lan0", "lan1", "storage"],
  ),
  createShape(
    "a pod with eth0 by plugin ptp, and net1",
    "ptp",
    { [DEFAULT_NETWORK_ANNOTATION]: findNetworkName("ptp"), [NETWORKS_ANNOTATION]: UNDERLAY },
    ["eth0", "net1"],
  ),
  createShape(
    "a pod with eth0 by plugin bridge, and net1",
    "bridged-2",
    { [DEFAULT_NETWORK_ANNOTATION]: findNetworkName("bridge"), [NETWORKS_ANNOTATION]: UNDERLAY },
    ["eth0", "net1"],
  ),
];

export function registerShapeSpecs(context: () => PluginContext): void {
  for (const { description, testPod, nics, outside } of SHAPES)
    It(`${description}: every NIC answers all types of pods, nodes and the external host`, async () => {
      const podNics = await readPodNics(context(), testPod.name);
      assert.deepEqual(
        podNics.map(({ name }) => name),
        nics,
      );
      const probed = podNics.filter(({ name }) => name !== "eth0" || outside);
      const probes = await Promise.all(
        probed.flatMap(({ addresses }) => addresses.map((address) => createProbes(context(), testPod.name, address))),
      );
      const unanswered = await By(`${probes.flat().length} questions`, () => findUnanswered(probes.flat()));
      assert.deepEqual(unanswered, []);
      for (const { name, addresses } of podNics.filter((nic) => nic.name !== "eth0"))
        for (const address of addresses) {
          const externalAddress = address.includes(":") ? "2001:db8::1" : "203.0.113.1";
          const route = await execInPluginPod(
            context(),
            testPod.name,
            "ip",
            "route",
            "get",
            externalAddress,
            "from",
            address,
          );
          assert.match(
            route,
            new RegExp(` dev ${name} `),
            `what comes from ${name}'s ${address} leaves by another link`,
          );
        }
    });
}

/** Returns every possible client of an underlay address. */
async function createProbes(
  { deployment, workers }: PluginContext,
  server: string,
  address: string,
): Promise<HttpProbe[]> {
  const clients = [
    EXTERNAL,
    ...workers.flatMap((_, node) => [
      buildHostPodName(node),
      ...(["overlay", "underlay", "multi-nic"] as const).map((type) => podName(type, node, "a")),
    ]),
  ];
  const probers = await Promise.all(clients.map((name) => deployment.getProber(name)));
  return probers.flatMap((from) => PROTOCOLS.map((protocol) => ({ from, address, protocol, server })));
}
