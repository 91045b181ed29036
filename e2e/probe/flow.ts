import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import {
  computeDigest,
  flowAnswer,
  type FlowEvent,
  flowQuestion,
  flowRequest,
  type FlowRequest,
  parseJson,
  formatMark,
  formatToken,
} from "./protocol.ts";

const EVERY_MS = 1000;

type Tell = (event: FlowEvent) => void;

/**
 * Reads flows from stdin, one JSON line each, runs all at once, tells a JSON line for each answer. Ends with its stdin.
 */
export function flowsFromStdin(): void {
  const stops = new Map<number, () => void>();
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const request = flowRequest.parse(JSON.parse(line));
    if (request.instead !== undefined) stops.get(request.instead)?.();
    const tell: Tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
    stops.set(request.id, startFlow(request, tell));
  });
  lines.on("close", () => process.exit(0));
}

/** Asks once a second until it ends, or what is returned is called: then nothing more is told. */
export function startFlow(request: FlowRequest, tell: Tell): () => void {
  return request.protocol === "tcp" ? flowTcp(request, tell) : flowUdp(request, tell);
}

/** One connection: each question is answered once, in their order, by the same server. */
function flowTcp(request: FlowRequest, tell: Tell): () => void {
  const { id, address, port } = request;
  const socket = connect({ host: address, port });
  const check = checker(request);
  let asked = 0;
  let answered = 0;
  let ended = false;
  const stop = (): void => {
    ended = true;
    clearInterval(asking);
    socket.destroy();
  };
  const end = (why: string): void => {
    if (ended) return;
    stop();
    tell({ id, ended: why });
  };
  const ask = (): void => {
    asked += 1;
    socket.write(`${flowQuestion(request, asked)}\n`);
  };
  socket.setNoDelay(true);
  socket.on("connect", ask);
  const asking = setInterval(() => {
    if (asked > 0) ask();
  }, EVERY_MS);
  const lines = createInterface({ input: socket });
  lines.on("line", (line) => {
    const wrong = check(line, answered + 1);
    if (wrong !== undefined) {
      end(wrong);
      return;
    }
    answered += 1;
    tell({ id, answered });
  });
  // the lines tell of their input's errors too
  for (const emitter of [socket, lines])
    emitter.on("error", (error: Error) => {
      end(error.message);
    });
  socket.on("close", () => {
    end("the server closed the connection");
  });
  return stop;
}

/** One port: datagrams may be lost, but an answer belongs to a question, and comes from the same server. */
function flowUdp(request: FlowRequest, tell: Tell): () => void {
  const { id, address, port } = request;
  const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
  const check = checker(request);
  let asked = 0;
  let stopped = false;
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    clearInterval(asking);
    udp.close();
  };
  const ask = (): void => {
    asked += 1;
    udp.send(flowQuestion(request, asked));
  };
  // "Nobody is there" ends no flow: the next datagram is another.
  udp.on("error", () => undefined);
  udp.on("message", (message) => {
    const text = message.toString();
    const n = parseInt(/"r:([0-9a-z]{6});"/.exec(text)?.[1] ?? "0", 36);
    const wrong = n >= 1 && n <= asked ? check(text, n) : `an answer to no question: ${text.slice(0, 80)}`;
    if (wrong !== undefined) stop();
    tell(wrong === undefined ? { id, answered: n } : { id, ended: wrong });
  });
  udp.connect(port, address, ask);
  const asking = setInterval(() => {
    if (asked > 0) ask();
  }, EVERY_MS);
  return stop;
}

/** Says what is wrong with an answer to the n-th question; undefined when nothing is. */
function checker(request: FlowRequest): (line: string, n: number) => string | undefined {
  let first: string | undefined;
  return (line, n) => {
    const answer = flowAnswer.safeParse(parseJson(line)).data;
    if (answer === undefined) return `an answer that no probe gives: ${line.slice(0, 80)}`;
    first ??= answer.server;
    if (answer.server !== first) return `${answer.server} answered question ${n}, ${first} those before`;
    if (answer.mark !== formatMark("reply", formatToken(n))) return `${answer.mark} came in the place of answer ${n}`;
    if (answer.digest !== computeDigest(flowQuestion(request, n))) return `question ${n} reached ${first} changed`;
    return undefined;
  };
}
