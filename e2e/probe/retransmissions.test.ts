import assert from "node:assert/strict";
import { mayHaveLostPacket, parseRetransmissions } from "./retransmissions.ts";

const LISTING = `ESTAB 0 0 10.7.200.1:41020 10.233.65.2:8080
	 cubic wscale:7,7 rto:204 rtt:0.1/0.05 mss:1448 cwnd:10 bytes_sent:20`;

describe("parseRetransmissions", () => {
  const ROWS: readonly (readonly [title: string, listing: string, expected: number | undefined])[] = [
    ["counts none where ss names none", LISTING, 0],
    ["counts all of the connection, not those in flight", `${LISTING} retrans:0/2 lost:0`, 2],
    ["knows nothing of a connection that ss does not list", "\n", undefined],
  ];
  for (const [title, listing, expected] of ROWS)
    it(title, () => {
      assert.equal(parseRetransmissions(listing), expected);
    });
});

describe("mayHaveLostPacket", () => {
  it("leaves out a request that was answered before the kernel's timer", () => {
    assert.equal(mayHaveLostPacket(3, 0), false);
  });
  it("includes a slow answer", () => {
    assert.equal(mayHaveLostPacket(205, 0), true);
  });
  it("leaves out a large payload, which path MTU discovery and congestion control send again", () => {
    assert.equal(mayHaveLostPacket(205, 1_000_000), false);
  });
});
