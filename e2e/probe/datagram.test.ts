import assert from "node:assert/strict";
import { buildEthernetFrame, buildPacket } from "./datagram.ts";

/** Returns the one's complement sum of 16-bit words; 0xffff if the checksum in it is right. */
function sum(bytes: Buffer): number {
  let total = 0;
  for (let offset = 0; offset < bytes.length; offset += 2)
    total += ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total;
}

const payload = Buffer.from("who q:00002z;\n!");
const ports = { sourcePort: 40_000, destinationPort: 8080, payload };

describe("a hand-built datagram", () => {
  it("has the given IPv4 addresses and right checksums", () => {
    const packet = buildPacket({ source: "10.233.64.9", destination: "10.233.65.2", ...ports });
    assert.deepEqual([...packet.subarray(12, 20)], [10, 233, 64, 9, 10, 233, 65, 2]);
    assert.equal(packet.readUInt16BE(2), packet.length);
    assert.equal(sum(packet.subarray(0, 20)), 0xffff);
    const udp = packet.subarray(20);
    const pseudo = Buffer.concat([packet.subarray(12, 20), Buffer.from([0, 17, udp.length >> 8, udp.length & 0xff])]);
    assert.equal(sum(Buffer.concat([pseudo, udp])), 0xffff);
    assert.deepEqual(udp.subarray(8), payload);
  });

  it("has the given IPv6 addresses and a right checksum, which IPv6 demands", () => {
    const packet = buildPacket({ source: "fd00::9", destination: "fd00:1::2", ...ports });
    const udp = packet.subarray(40);
    assert.equal(packet.readUInt16BE(4), udp.length);
    const pseudo = Buffer.concat([
      packet.subarray(8, 40),
      Buffer.from([0, 0, udp.length >> 8, udp.length & 0xff, 0, 0, 0, 17]),
    ]);
    assert.equal(sum(Buffer.concat([pseudo, udp])), 0xffff);
  });

  it("refuses addresses of two families", () => {
    assert.throws(() => buildPacket({ source: "10.0.0.1", destination: "fd00::1", ...ports }), /two families/);
  });

  it("travels in a frame of its family's type", () => {
    const frame = buildEthernetFrame(
      "02:00:00:00:00:01",
      "02:00:00:00:00:02",
      buildPacket({ source: "fd00::9", destination: "fd00::2", ...ports }),
    );
    assert.equal(frame.subarray(0, 14).toString("hex"), "02000000000102000000000286dd");
    assert.throws(
      () => buildEthernetFrame("nothing", "02:00:00:00:00:02", Buffer.alloc(1)),
      /invalid MAC address "nothing"/,
    );
  });
});
