import assert from "node:assert/strict";
import { createPacket } from "../../testing/trace-rules.ts";
import { buildCluster } from "../../testing/trace-topology.ts";
import type { Packet } from "../packet.ts";
import type { ListenerSnapshot } from "../snapshot.ts";
import { buildTraceModel, type NamespaceModel } from "./build-trace-model.ts";
import { requireClient, requireListener, requireServer } from "./delivery-checks.ts";
import { PacketLost } from "./failure.ts";
import type { Delivery } from "./receive-packet.ts";

const ANY_IPV4: ListenerSnapshot = { protocol: "tcp", family: "ipv4", address: "0.0.0.0", port: 80 };
const TUPLE = { source: "10.244.1.3", destination: "10.244.1.2", sourcePort: 80, destinationPort: 40_000 };
/** The request as the client sent it, to the address of a Service. */
const SENT = { source: "10.244.1.2", destination: "10.96.0.1", sourcePort: 40_000, destinationPort: 80 };

function findNamespace(
  id: string,
  listeners: ListenerSnapshot[] | null = null,
  sysctls: Readonly<Record<string, string>> = {},
): NamespaceModel {
  const namespace = buildTraceModel(buildCluster({ [id]: { sysctls, more: { listeners } } })).findNamespace(id);
  assert.ok(namespace);
  return namespace;
}

const deliver = (namespace: NamespaceModel, packet: Partial<Packet>): Delivery => ({
  kind: "delivery",
  namespace,
  packet: createPacket(packet),
});

/** Returns the verdict and the kind of the failure, or `pass`. */
function summarizeCheck(check: () => void): string {
  try {
    check();
    return "pass";
  } catch (error) {
    if (!(error instanceof PacketLost)) throw error;
    return `${error.failure.verdict} ${error.failure.kind}`;
  }
}

describe("requireListener", () => {
  const cases: readonly [string, ListenerSnapshot[] | null, Partial<Packet>, string][] = [
    ["accepts a packet where sockets are not known", null, {}, "pass"],
    ["rejects a packet where no socket listens", [], {}, "reject no-listener"],
    ["accepts a packet for a socket of any IPv4 address", [ANY_IPV4], {}, "pass"],
    ["rejects a packet for another port", [ANY_IPV4], { destinationPort: 81 }, "reject no-listener"],
    ["rejects a packet of another protocol", [ANY_IPV4], { protocol: "udp" }, "reject no-listener"],
    ["accepts a packet for the socket's own address", [{ ...ANY_IPV4, address: "10.233.0.1" }], {}, "pass"],
    ["rejects a packet for another address", [{ ...ANY_IPV4, address: "127.0.0.1" }], {}, "reject no-listener"],
    [
      "rejects an IPv6 packet for a socket of any IPv4 address",
      [ANY_IPV4],
      { family: "ipv6", source: "fd00::1", destination: "fd00::2" },
      "reject no-listener",
    ],
  ];
  for (const [title, listeners, packet, expected] of cases)
    it(title, () => {
      const delivery = deliver(findNamespace("pod-1", listeners), packet);
      assert.equal(
        summarizeCheck(() => {
          requireListener(delivery);
        }),
        expected,
      );
    });

  it("drops an echo request that the kernel ignores", () => {
    const check = (sysctls: Readonly<Record<string, string>>): string =>
      summarizeCheck(() => {
        requireListener(deliver(findNamespace("pod-1", [], sysctls), { protocol: "icmp" }));
      });
    assert.equal(check({}), "pass");
    assert.equal(check({ "net/ipv4/icmp_echo_ignore_all": "1" }), "drop no-listener");
  });
});

describe("requireClient", () => {
  const client = findNamespace("pod-1");
  const check = (namespace: NamespaceModel, packet: Partial<Packet>): string =>
    summarizeCheck(() => {
      requireClient(client, SENT, deliver(namespace, { ...TUPLE, ...packet }));
    });

  it("accepts an answer from the address that the client sent to", () => {
    assert.equal(check(client, { source: SENT.destination }), "pass");
  });

  it("drops an answer from the server's own address or from another port", () => {
    assert.equal(check(client, {}), "drop wrong-reply");
    assert.equal(check(client, { source: SENT.destination, sourcePort: 8080 }), "drop wrong-reply");
  });

  it("drops an answer that reaches another namespace", () => {
    assert.equal(check(findNamespace("twin-1"), { source: SENT.destination }), "drop wrong-reply");
  });
});

describe("requireServer", () => {
  it("drops a later packet that reaches another namespace or address than the first one", () => {
    const server = findNamespace("twin-1");
    const first = deliver(server, { destination: "10.244.1.3" });
    const check = (namespace: NamespaceModel, destination: string): string =>
      summarizeCheck(() => {
        requireServer(first, deliver(namespace, { destination }));
      });
    assert.equal(check(server, "10.244.1.3"), "pass");
    assert.equal(check(findNamespace("pod-1"), "10.244.1.3"), "drop wrong-reply");
    assert.equal(check(server, "10.244.1.4"), "drop wrong-reply");
  });
});
