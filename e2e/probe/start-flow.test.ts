import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { startFlow } from "./start-flow.ts";
import { computeDigest, type FlowEvent, isFlow, findToken } from "./protocol.ts";

/** Returns a server's answer to a request, with changes. */
type Answer = (request: string) => string;
const right: Answer = (request) =>
  JSON.stringify({ mark: `r:${findToken(request)};`, server: "a", digest: computeDigest(request), seen: "127.0.0.1" });

/** Returns the first events of a flow to a TCP server with these answers. */
async function collectEvents(answer: Answer | "closes", count: number): Promise<readonly FlowEvent[]> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    createInterface({ input: socket }).on("line", (request) => {
      assert.ok(isFlow(request), request);
      if (answer === "closes") socket.end();
      else socket.write(`${answer(request)}\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  let stop: () => void = () => undefined;
  const events = await new Promise<readonly FlowEvent[]>((resolve) => {
    const seen: FlowEvent[] = [];
    stop = startFlow({ id: 1, protocol: "tcp", address: "127.0.0.1", port }, (event) => {
      seen.push(event);
      if (seen.length === count) resolve(seen);
    });
  });
  stop();
  for (const socket of sockets) socket.destroy();
  server.close();
  return events;
}

describe("a lasting flow", () => {
  it("counts correct answers", async () => {
    assert.deepEqual(await collectEvents(right, 2), [
      { id: 1, answered: 1 },
      { id: 1, answered: 2 },
    ]);
  });

  const wrong: readonly (readonly [of: string, answer: Answer | "closes", says: RegExp])[] = [
    ["a changed request", (request) => right(`${request}!`), /request 1 reached a changed/],
    [
      "an answer to another request",
      (request) => right(request).replace("r:000001", "r:000002"),
      /instead of the mark of answer/,
    ],
    ["another server's words", () => "HTTP/1.1 400", /invalid answer/],
    ["a connection that the server closes", "closes", /the server closed/],
  ];
  for (const [what, answer, message] of wrong)
    it(`ends with ${what}`, async () => {
      const [event] = await collectEvents(answer, 1);
      assert.ok(event !== undefined && "ended" in event, JSON.stringify(event));
      assert.match(event.ended, message);
    });

  it("goes on from the same port after a datagram that nobody answered", async () => {
    const ports: number[] = [];
    const udp = createSocket("udp4");
    let stop: () => void = () => undefined;
    const answered = new Promise<FlowEvent>((resolve) => {
      udp.on("message", (request, from) => {
        ports.push(from.port);
        if (ports.length > 1) udp.send(right(request.toString()), from.port, from.address);
      });
      udp.bind(0, "127.0.0.1", () => {
        stop = startFlow({ id: 7, protocol: "udp", address: "127.0.0.1", port: udp.address().port }, resolve);
      });
    });
    assert.deepEqual(await answered, { id: 7, answered: 2 });
    stop();
    udp.close();
    assert.equal(new Set(ports).size, 1);
  });
});
