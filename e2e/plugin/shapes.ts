import assert from "node:assert/strict";
import { By, It } from "../harness.ts";
import { EXTERNAL } from "../matrix/cells.ts";
import { hostPodName, podName } from "../pods/pods.ts";
import { PROTOCOLS } from "../probe/protocol.ts";
import { type Question, unanswered } from "./ask.ts";
import { networkNamed } from "./networks.ts";
import { BESIDE, type Guest, inGuest, nicsOf, ONLY, UNDERLAY, type World } from "./world.ts";

interface Shape {
  readonly what: string;
  readonly guest: Guest;
  /** The pod's NICs, eth0 first. */
  readonly nics: readonly string[];
  /** eth0 is of the underlay as well: the outside reaches it. */
  readonly outside: boolean;
}

const shape = (
  what: string,
  name: string,
  annotations: Readonly<Record<string, string>>,
  nics: readonly string[],
): Shape => ({
  what,
  guest: { name, node: name.endsWith("2") ? 1 : 0, annotations },
  nics,
  outside: annotations[ONLY] === UNDERLAY,
});

/** Pods beyond the matrix's three types: more NICs, other names, other plugins before ours. */
export const SHAPES: readonly Shape[] = [
  shape("an underlay pod with two macvlan NICs", "two", { [ONLY]: UNDERLAY, [BESIDE]: UNDERLAY }, ["eth0", "net1"]),
  shape(
    "an underlay pod with three macvlan NICs, two with names of their own",
    "three-2",
    { [ONLY]: UNDERLAY, [BESIDE]: `${UNDERLAY}@lan0,${UNDERLAY}@storage` },
    ["eth0", "lan0", "storage"],
  ),
  shape("a multi-NIC pod with two macvlan NICs", "more", { [BESIDE]: `${UNDERLAY},${UNDERLAY}` }, [
    "eth0",
    "net1",
    "net2",
  ]),
  shape(
    "a multi-NIC pod with three macvlan NICs of other names",
    "named-2",
    { [BESIDE]: `${UNDERLAY}@lan0,${UNDERLAY}@lan1,${UNDERLAY}@storage` },
    ["eth0", "lan0", "lan1", "storage"],
  ),
  shape("a pod whose eth0 is ptp's, with net1", "ptp", { [ONLY]: networkNamed("ptp"), [BESIDE]: UNDERLAY }, [
    "eth0",
    "net1",
  ]),
  shape(
    "a pod whose eth0 is bridge's, with net1",
    "bridged-2",
    { [ONLY]: networkNamed("bridge"), [BESIDE]: UNDERLAY },
    ["eth0", "net1"],
  ),
];

export function shapeSpecs(world: () => World): void {
  for (const { what, guest, nics, outside } of SHAPES)
    It(`${what}: every NIC answers all types of pods, nodes and the outside`, async () => {
      const there = await nicsOf(world(), guest.name);
      assert.deepEqual(
        there.map(({ name }) => name),
        nics,
      );
      const asked = there.filter(({ name }) => name !== "eth0" || outside);
      const questions = await Promise.all(
        asked.flatMap(({ addresses }) => addresses.map((address) => questionsOf(world(), guest.name, address))),
      );
      const wrong = await By(`${questions.flat().length} questions`, () => unanswered(questions.flat()));
      assert.deepEqual(wrong, []);
      for (const { name, addresses } of there.filter((nic) => nic.name !== "eth0"))
        for (const address of addresses) {
          const stranger = address.includes(":") ? "2001:db8::1" : "203.0.113.1";
          const route = await inGuest(world(), guest.name, "ip", "route", "get", stranger, "from", address);
          assert.match(
            route,
            new RegExp(` dev ${name} `),
            `what comes from ${name}'s ${address} leaves by another link`,
          );
        }
    });
}

/** All that may ask an underlay address. */
async function questionsOf({ deployment, workers }: World, server: string, address: string): Promise<Question[]> {
  const askers = [
    EXTERNAL,
    ...workers.flatMap((_, node) => [
      hostPodName(node),
      ...(["overlay", "underlay", "multi-nic"] as const).map((type) => podName(type, node, "a")),
    ]),
  ];
  const probers = await Promise.all(askers.map((name) => deployment.prober(name)));
  return probers.flatMap((from) => PROTOCOLS.map((protocol) => ({ from, address, protocol, server })));
}
