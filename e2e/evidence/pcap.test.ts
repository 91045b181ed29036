import assert from "node:assert/strict";
import { buildCapture, buildIcmp, buildIpv4, buildIpv6, buildSyn, buildTcp, buildUdp, buildVxlan } from "./packets.ts";
import { readCapture } from "./pcap.ts";

const [A, B] = ["10.25.200.3", "10.233.64.9"] as const;

describe("reading captures", () => {
  it("finds a probe's request by its mark, with addresses and the kernel's clock", () => {
    const [only, ...more] = readCapture(
      buildCapture([
        {
          packet: buildIpv4("tcp", A, B, buildTcp(40000, 8080, "who q:00002z;\n")),
          direction: "out",
          interfaceIndex: 7,
        },
      ]),
    );
    assert.deepEqual(more, []);
    assert.deepEqual(only, {
      time: 1_000_000_000n,
      interfaceIndex: 7,
      direction: "out",
      otherHost: false,
      encapsulated: false,
      source: `${A}:40000`,
      destination: `${B}:8080`,
      token: "00002z",
      kind: "request",
    });
  });

  it("looks into VXLAN and gives the inner addresses", () => {
    const inner = buildIpv4("udp", B, A, buildUdp(8080, 40000, '{"mark":"r:000001;"}'));
    const outer = buildIpv4("udp", "10.25.0.2", "10.25.0.3", buildVxlan(inner));
    const [seen] = readCapture(buildCapture([{ packet: outer, direction: "in", interfaceIndex: 2 }]));
    assert.equal(seen?.encapsulated, true);
    assert.equal(seen.kind, "reply");
    assert.deepEqual([seen.source, seen.destination], [`${B}:8080`, `${A}:40000`]);
  });

  it("reads IPv6, also inside VXLAN over IPv6, and recognises its pings", () => {
    const [c, d] = ["fd00:10:7::200:3", "fd00:10:233:64::9"];
    const inner = buildIpv6("tcp", c, d, buildTcp(40000, 8080, "who q:00002z;\n"));
    const outer = buildIpv6("udp", "fd00:10:7::168:71", "fd00:10:7::168:72", buildVxlan(inner));
    const reply = buildIpv6("icmpv6", d, c, buildIcmp(129, "p:000abc;p:000abc;"));
    const seen = readCapture(
      buildCapture([outer, reply].map((packet) => ({ packet, direction: "in", interfaceIndex: 2 }))),
    );
    assert.deepEqual(
      seen.map(({ source, destination, kind, encapsulated }) => [source, destination, kind, encapsulated]),
      [
        [`[${c}]:40000`, `[${d}]:8080`, "request", true],
        [d, c, "reply", false],
      ],
    );
  });

  it("reads the first fragment of an IPv6 datagram, and leaves out the later ones", () => {
    const [c, d] = ["fd00::3", "fd00::9"];
    const fragment = (offset: number, payload: Buffer) => {
      const header = Buffer.from([17, 0, 0, 0, 0, 0, 0, 1]);
      header.writeUInt16BE((offset << 3) | 1, 2);
      const packet = buildIpv6("udp", c, d, Buffer.concat([header, payload]));
      packet[6] = 44;
      return { packet, direction: "in", interfaceIndex: 1 } as const;
    };
    const first = fragment(0, buildUdp(40000, 8080, "large 4000 q:00002z; abc"));
    const later = fragment(181, Buffer.from("abc q:00002z; abc and more of it"));
    assert.deepEqual(
      readCapture(buildCapture([first, later])).map(({ source, destination, token }) => [source, destination, token]),
      [[`[${c}]:40000`, `[${d}]:8080`, "00002z"]],
    );
  });

  it("distinguishes a ping and its reply by the type, without ports", () => {
    const kinds = [8, 0].map((type) => {
      const packet = buildIpv4("icmp", A, B, buildIcmp(type, "p:000abc;p:000abc;"));
      return readCapture(buildCapture([{ packet, direction: "in", interfaceIndex: 1 }]))[0];
    });
    assert.deepEqual(
      kinds.map((k) => [k?.kind, k?.source]),
      [
        ["request", A],
        ["reply", A],
      ],
    );
  });

  it("does not take an error or a redirect that quotes a probe for the probe", () => {
    const [c, d] = ["fd00:10:7::168:72", "fd00:10:7::200:3"];
    const redirect = buildIpv6("icmpv6", c, d, buildIcmp(137, "quoted r:000001;"));
    const unreachable = buildIpv4("icmp", A, B, buildIcmp(3, "quoted q:000001;"));
    const seen = [redirect, unreachable].map((packet) => ({ packet, direction: "in" as const, interfaceIndex: 1 }));
    assert.deepEqual(readCapture(buildCapture(seen)), []);
  });

  it("matches the two halves of a handshake without a mark by the sequence number", () => {
    const request = buildIpv4("tcp", A, B, buildSyn(40000, 8080, 0xffffffff));
    const back = buildIpv4("tcp", B, A, buildSyn(8080, 40000, 7, 0));
    const seen = readCapture(
      buildCapture([request, back].map((packet) => ({ packet, direction: "in", interfaceIndex: 1 }))),
    );
    assert.deepEqual(
      seen.map(({ token, kind }) => [token, kind]),
      [
        ["syn:4294967295", "request"],
        ["syn:4294967295", "reply"],
      ],
    );
  });

  it("leaves out packets without a mark, and a truncated record", () => {
    const file = buildCapture([
      { packet: buildIpv4("tcp", A, B, buildTcp(1, 2, "GET / HTTP/1.1")), direction: "in", interfaceIndex: 1 },
      { packet: buildIpv4("tcp", A, B, buildTcp(1, 2, "q:000001;")), direction: "in", interfaceIndex: 1 },
    ]);
    assert.equal(readCapture(file).length, 1);
    assert.equal(readCapture(file.subarray(0, file.length - 30)).length, 0);
    assert.deepEqual(readCapture(Buffer.alloc(0)), []);
  });

  it("refuses another kind of capture", () => {
    const file = buildCapture([]);
    file.writeUInt32LE(0xa1b2c3d4, 0);
    assert.throws(() => readCapture(file), /does not have the requested format/);
  });
});
