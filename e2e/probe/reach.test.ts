import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Server } from "node:net";
import { findToken, formatProbeMark } from "./protocol.ts";
import { parseTargets, reachTargets } from "./reach.ts";

describe("probe reach", () => {
  let server: Server;
  before((done) => {
    const answer = (request: string) =>
      `${JSON.stringify({ mark: formatProbeMark("reply", findToken(request)), server: "target", seen: "127.0.0.1" })}\n`;
    server = createServer((socket) => socket.on("data", (data) => socket.end(answer(data.toString())))).listen(
      0,
      "127.0.0.1",
      done,
    );
  });
  after(() => server.close());

  it("parses targets with names, IPv4 and IPv6 addresses", () => {
    assert.deepEqual(parseTargets(["tcp://web:80", "udp://10.0.0.1:53", "tcp://[fd00::1]:8080"]), [
      { protocol: "tcp", host: "web", port: 80 },
      { protocol: "udp", host: "10.0.0.1", port: 53 },
      { protocol: "tcp", host: "fd00::1", port: 8080 },
    ]);
  });

  for (const text of ["web:80", "icmp://web:1", "tcp://web", "tcp://fd00::1:80"])
    it(`rejects the target ${text}`, () => {
      assert.throws(() => parseTargets([text]), /invalid target/);
    });

  it("rejects an empty list, which would succeed without a probe", () => {
    assert.throws(() => parseTargets([]), /at least one target/);
  });

  it("fails if one of the targets does not answer", async () => {
    const { port } = server.address() as AddressInfo;
    const target = { protocol: "tcp", host: "127.0.0.1" } as const;
    assert.equal(await reachTargets([{ ...target, port }], 0), true);
    assert.equal(
      await reachTargets(
        [
          { ...target, port },
          { ...target, port: 1 },
        ],
        0,
      ),
      false,
    );
  });
});
