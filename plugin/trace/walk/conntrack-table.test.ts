import assert from "node:assert/strict";
import { createPacket } from "../../testing/trace-rules.ts";
import type { Packet, TcpFlag } from "../packet.ts";
import { applyTranslation, type ConntrackTable, trackPacket } from "./conntrack-table.ts";

const makeTable = (loose = true): ConntrackTable => ({ connections: [], loose });

function makePacket(change: Partial<Packet> = {}): Packet {
  return createPacket({
    protocol: "tcp",
    source: "10.0.0.1",
    destination: "10.0.0.2",
    sourcePort: 1000,
    destinationPort: 80,
    conntrackState: undefined,
    ...change,
  });
}

const reply = (tcpFlags: readonly TcpFlag[]): Packet =>
  makePacket({ source: "10.0.0.2", destination: "10.0.0.1", sourcePort: 80, destinationPort: 1000, tcpFlags });
const request = (tcpFlags: readonly TcpFlag[]): Packet => makePacket({ tcpFlags });

describe("conntrack of a trace", () => {
  const cases: readonly (readonly [string, readonly Packet[], readonly Packet["conntrackState"][]])[] = [
    [
      "follows a TCP handshake",
      [request(["syn"]), reply(["syn", "ack"]), request(["ack"]), request(["psh", "ack"])],
      ["new", "established", "established", "established"],
    ],
    ["calls a SYN-ACK without its SYN invalid", [reply(["syn", "ack"])], ["invalid"]],
    ["calls an ACK after a SYN alone invalid", [request(["syn"]), request(["ack"])], ["new", "invalid"]],
    ["picks up a connection without its SYN", [request(["psh", "ack"]), reply(["ack"])], ["new", "established"]],
    ["calls a reset of no connection invalid", [request(["rst"])], ["invalid"]],
    [
      "follows UDP in both directions",
      [makePacket({ protocol: "udp" }), { ...reply([]), protocol: "udp" }],
      ["new", "established"],
    ],
    [
      "follows an echo request and its reply",
      [
        makePacket({ protocol: "icmp", sourcePort: 0, destinationPort: 0, icmpType: 8 }),
        { ...reply([]), protocol: "icmp", sourcePort: 0, destinationPort: 0, icmpType: 0 },
      ],
      ["new", "established"],
    ],
    [
      "calls an echo reply without its request invalid",
      [makePacket({ protocol: "icmp", sourcePort: 0, destinationPort: 0, icmpType: 0 })],
      ["invalid"],
    ],
    [
      "keeps connections of two zones apart",
      [request(["syn"]), { ...reply(["syn", "ack"]), conntrackZone: 1 }],
      ["new", "invalid"],
    ],
  ];
  for (const [title, packets, expected] of cases)
    it(title, () => {
      const table = makeTable();
      assert.deepEqual(
        packets.map((packet) => trackPacket(table, packet).packet.conntrackState),
        expected,
      );
    });

  it("does not pick up a connection without its SYN if nf_conntrack_tcp_loose is 0", () => {
    assert.equal(trackPacket(makeTable(false), request(["ack"])).packet.conntrackState, "invalid");
  });

  it("undoes both translations in the reply", () => {
    const table = makeTable();
    const { packet, connection } = trackPacket(table, request(["syn"]));
    assert(connection !== undefined);
    connection.destination = { address: "10.1.0.9", port: 8080 };
    connection.source = { address: "10.2.0.1", port: 1000 };
    const sent = applyTranslation(applyTranslation(packet, connection, "destination"), connection, "source");
    assert.deepEqual([sent.source, sent.destination, sent.destinationPort], ["10.2.0.1", "10.1.0.9", 8080]);
    const back = trackPacket(
      table,
      makePacket({
        source: "10.1.0.9",
        sourcePort: 8080,
        destination: "10.2.0.1",
        destinationPort: 1000,
        tcpFlags: ["syn", "ack"],
      }),
    ).packet;
    assert.equal(back.direction, "reply");
    const arrived = applyTranslation(applyTranslation(back, connection, "destination"), connection, "source");
    assert.deepEqual(
      [arrived.source, arrived.sourcePort, arrived.destination, arrived.destinationPort],
      ["10.0.0.2", 80, "10.0.0.1", 1000],
    );
  });
});
