import assert from "node:assert/strict";
import { parseIp } from "../address.ts";
import { encodeArpRequest, decodeArp } from "./arp.ts";
import { isMacPrefix, buildMac } from "../plan/mac-prefix.ts";
import { decodeNeighbourMessage, encodeNeighbourSolicitation } from "./neighbour-discovery.ts";
import { decodeAnswer } from "./probe.ts";

const MINE = "02:00:00:00:00:01";
const THEIRS = "02:00:00:00:00:02";
const ip4 = parseIp("10.7.200.1");
const other4 = parseIp("10.7.200.9");
const ip6 = parseIp("fd07::200:1");

describe("address probes", () => {
  it("decodes an encoded ARP request", () => {
    assert.deepEqual(decodeArp(encodeArpRequest(MINE, ip4)), { senderMac: MINE, senderIp: "0.0.0.0", targetIp: ip4 });
    assert.deepEqual(decodeArp(encodeArpRequest(MINE, ip4, other4)), {
      senderMac: MINE,
      senderIp: other4,
      targetIp: ip4,
    });
  });

  it("decodes an encoded neighbour solicitation, with a valid checksum", () => {
    const frame = encodeNeighbourSolicitation(MINE, ip6);
    assert.deepEqual(decodeNeighbourMessage(frame), { kind: "solicitation", source: "::", target: ip6, mac: MINE });
    assert.equal(frame.toString("hex", 0, 6), "3333ff000001"); // hex of fd07::200:1 ends in 00 00 01
    // sums to ffff with the pseudo-header, as every receiver checks
    const icmp = frame.subarray(54);
    const length = Buffer.alloc(8);
    length.writeUInt32BE(icmp.length, 0);
    length.writeUInt8(58, 7);
    const all = Buffer.concat([frame.subarray(22, 54), length, icmp]);
    let sum = 0;
    for (let i = 0; i < all.length; i += 2) sum += all.readUInt16BE(i);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    assert.equal(sum, 0xffff);
  });

  for (const [what, frame, expected] of [
    [
      "a reply, or any other ARP packet of the owner, as a conflict",
      encodeArpRequest(THEIRS, other4, ip4),
      { answers: [ip4], conflicts: [ip4] },
    ],
    ["an ARP probe of another host as a conflict", encodeArpRequest(THEIRS, ip4), { answers: [], conflicts: [ip4] }],
    [
      "duplicate address detection of another host as a conflict",
      encodeNeighbourSolicitation(THEIRS, ip6),
      { answers: [], conflicts: [ip6] },
    ],
    [
      "an ordinary solicitation without a conflict",
      encodeNeighbourSolicitation(THEIRS, ip6, parseIp("fd07::1")),
      { answers: [], conflicts: [] },
    ],
  ] as const)
    it(`decodes ${what}`, () => {
      assert.deepEqual(decodeAnswer(frame, [MINE]), { mac: THEIRS, ...expected });
    });

  it("ignores its own frames, short frames and other protocols", () => {
    assert.equal(decodeAnswer(encodeArpRequest(MINE, ip4, ip4), [THEIRS, MINE]), undefined);
    assert.equal(decodeAnswer(encodeNeighbourSolicitation(MINE, ip6), [MINE]), undefined);
    for (let length = 0; length < 78; length++) {
      decodeAnswer(encodeArpRequest(THEIRS, ip4).subarray(0, length), [MINE]);
      decodeAnswer(encodeNeighbourSolicitation(THEIRS, ip6, parseIp("fd07::1")).subarray(0, length), [MINE]);
    }
  });

  it("should build a MAC address from a unicast prefix and the address's last four bytes", () => {
    assert.deepEqual(["0a:1b", "0b:1b", "0a", "0A:1B", "0a:1b:2c"].map(isMacPrefix), [
      true,
      false,
      false,
      false,
      false,
    ]);
    assert.equal(buildMac("0a:1b", ip4), "0a:1b:0a:07:c8:01");
    assert.equal(buildMac("0a:1b", ip6), "0a:1b:02:00:00:01");
  });
});
