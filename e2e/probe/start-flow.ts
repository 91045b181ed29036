import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import {
  computeDigest,
  flowAnswer,
  type FlowEvent,
  formatFlowQuestion,
  flowRequest,
  type FlowRequest,
  parseProbeLine,
  formatProbeMark,
  formatToken,
} from "./protocol.ts";

const INTERVAL_MS = 1000;

type Report = (event: FlowEvent) => void;

/**
 * Reads flows from stdin as JSON lines, runs all at once, and writes a JSON line for each answer. Ends with stdin.
 */
export function startFlowsFromStdin(): void {
  const stops = new Map<number, () => void>();
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const request = flowRequest.parse(JSON.parse(line));
    if (request.instead !== undefined) stops.get(request.instead)?.();
    const report: Report = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
    stops.set(request.id, startFlow(request, report));
  });
  lines.on("close", () => process.exit(0));
}

/** Sends a request every second. @returns a function that stops the flow without further events */
export function startFlow(request: FlowRequest, report: Report): () => void {
  return request.protocol === "tcp" ? startTcpFlow(request, report) : startUdpFlow(request, report);
}

/** Starts a flow over one connection: the same server must answer each request once, in order. */
function startTcpFlow(request: FlowRequest, report: Report): () => void {
  const { id, address, port } = request;
  const socket = connect({ host: address, port });
  const check = createCheck(request);
  let sequence = 0;
  let answered = 0;
  let ended = false;
  const stop = (): void => {
    ended = true;
    clearInterval(timer);
    socket.destroy();
  };
  const fail = (reason: string): void => {
    if (ended) return;
    stop();
    report({ id, ended: reason });
  };
  const sendRequest = (): void => {
    sequence += 1;
    socket.write(`${formatFlowQuestion(request, sequence)}\n`);
  };
  socket.setNoDelay(true);
  socket.on("connect", sendRequest);
  const timer = setInterval(() => {
    if (sequence > 0) sendRequest();
  }, INTERVAL_MS);
  const lines = createInterface({ input: socket });
  lines.on("line", (line) => {
    const problem = check(line, answered + 1);
    if (problem !== undefined) {
      fail(problem);
      return;
    }
    answered += 1;
    report({ id, answered });
  });
  // the line reader emits errors of its input too
  for (const emitter of [socket, lines])
    emitter.on("error", (error: Error) => {
      fail(error.message);
    });
  socket.on("close", () => {
    fail("the server closed the connection");
  });
  return stop;
}

/** Starts a flow from one port: datagrams may be lost, but each answer must belong to a request and come from the same server. */
function startUdpFlow(request: FlowRequest, report: Report): () => void {
  const { id, address, port } = request;
  const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
  const check = createCheck(request);
  let sequence = 0;
  let stopped = false;
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    clearInterval(timer);
    udp.close();
  };
  const sendRequest = (): void => {
    sequence += 1;
    udp.send(formatFlowQuestion(request, sequence));
  };
  // ECONNREFUSED does not end a flow: the next datagram may be answered.
  udp.on("error", () => undefined);
  udp.on("message", (message) => {
    const text = message.toString();
    const n = parseInt(/"r:([0-9a-z]{6});"/.exec(text)?.[1] ?? "0", 36);
    const problem = n >= 1 && n <= sequence ? check(text, n) : `an answer without a request: ${text.slice(0, 80)}`;
    if (problem !== undefined) stop();
    report(problem === undefined ? { id, answered: n } : { id, ended: problem });
  });
  udp.connect(port, address, sendRequest);
  const timer = setInterval(() => {
    if (sequence > 0) sendRequest();
  }, INTERVAL_MS);
  return stop;
}

/** Returns a check that returns what is wrong with the answer to the n-th request; undefined if nothing is. */
function createCheck(request: FlowRequest): (line: string, n: number) => string | undefined {
  let firstServer: string | undefined;
  return (line, n) => {
    const answer = flowAnswer.safeParse(parseProbeLine(line)).data;
    if (answer === undefined) return `invalid answer: ${line.slice(0, 80)}`;
    firstServer ??= answer.server;
    if (answer.server !== firstServer) return `${answer.server} answered request ${n}, ${firstServer} the ones before`;
    if (answer.mark !== formatProbeMark("reply", formatToken(n)))
      return `${answer.mark} instead of the mark of answer ${n}`;
    if (answer.digest !== computeDigest(formatFlowQuestion(request, n)))
      return `request ${n} reached ${firstServer} changed`;
    return undefined;
  };
}
