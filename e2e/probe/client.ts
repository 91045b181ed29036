import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import ipaddr from "ipaddr.js";
import { probeHttp } from "./http.ts";
import { injectDatagrams } from "./inject.ts";
import { countRetransmissions, mayHaveLostPacket } from "./retransmissions.ts";
import {
  clientRequest,
  computeDigest,
  greetingSchema,
  parseProbeLine,
  formatProbeMark,
  type ProbeAnswer,
  type probeRequest,
  writeQuestion,
} from "./protocol.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";

type ValidRequest = ReturnType<typeof probeRequest.parse>;
type Outcome = Omit<ProbeAnswer, "id" | "latencyMs">;
/** An outcome with the time of the answer, if the program waited longer to count lost packets. */
type TimedOutcome = Outcome & Partial<Pick<ProbeAnswer, "latencyMs">>;

/** Reads requests from stdin as JSON lines, probes all at once, and writes a JSON line for each answer. Ends with stdin. */
export function probeFromStdin(): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const request = clientRequest.parse(JSON.parse(line));
    const measure = startClock();
    const answer: Promise<TimedOutcome> = "kind" in request ? injectDatagrams(request) : sendProbe(request, measure);
    void answer.then((outcome) => {
      process.stdout.write(`${JSON.stringify({ id: request.id, latencyMs: measure(), ...outcome })}\n`);
    });
  });
  lines.on("close", () => process.exit(0));
}

/** Returns the milliseconds since its start, in hundredths. */
type Clock = () => number;
function startClock(): Clock {
  const started = performance.now();
  return () => Math.round((performance.now() - started) * 100) / 100;
}

/** Probes an address. @param measure clock of the answer's `latencyMs` */
export async function sendProbe(request: ValidRequest, measure: Clock = startClock()): Promise<TimedOutcome> {
  const nameProblem = request.name === undefined ? undefined : await checkName(request.name, request);
  if (nameProblem !== undefined) return { ok: false, error: nameProblem };
  switch (request.protocol) {
    case "tcp":
      return request.url === undefined ? probeTcp(request, measure) : probeHttp(request.url, request.timeoutMs);
    case "udp":
      return probeUdp(request, measure);
    case "icmp":
      return probeIcmp(request);
  }
}

/** Returns what is wrong with the pod's resolver; undefined if it resolves the name to the address. */
async function checkName(name: string, { address, timeoutMs }: ValidRequest): Promise<string | undefined> {
  const family = address.includes(":") ? 6 : 4;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer in ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    const resolved = await Promise.race([lookup(name, { family }), timeout]);
    return isSameAddress(resolved.address, address)
      ? undefined
      : `the name ${name} is ${resolved.address}, not ${address}`;
  } catch (error) {
    return `the name ${name} was not resolved: ${getErrorMessage(error)}`;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether two texts are the same address: IPv6 has several texts for each. */
function isSameAddress(first: string, second: string): boolean {
  return ipaddr.parse(first).toNormalizedString() === ipaddr.parse(second).toNormalizedString();
}

function probeTcp(request: ValidRequest, measure: Clock): Promise<TimedOutcome> {
  const { address, port, timeoutMs, connectOnly } = request;
  return new Promise((resolve) => {
    const started = performance.now();
    // Half open, so that the kernel still knows the connection when its retransmissions are counted.
    const socket = connect({ host: address, port, allowHalfOpen: true });
    let text = "";
    let connected = false;
    const end = (outcome: TimedOutcome): void => {
      clearTimeout(timer);
      const { localAddress = "", localPort = 0 } = socket;
      socket.destroy();
      const host = localAddress.includes(":") ? `[${localAddress}]` : localAddress;
      resolve({ ...outcome, ...(connected ? { local: `${host}:${localPort}` } : {}) });
    };
    const succeed = async (answer: Outcome): Promise<void> => {
      clearTimeout(timer);
      const outcome = { ...answer, latencyMs: measure() };
      if (!mayHaveLostPacket(performance.now() - started, request.bytes)) {
        end(outcome);
        return;
      }
      const resent = await countRetransmissions(socket);
      end({ ...outcome, ...(resent === undefined ? {} : { resent }) });
    };
    const timer = setTimeout(() => {
      end({
        ok: false,
        error: connected ? `connected, but no answer in ${timeoutMs} ms` : `no connection in ${timeoutMs} ms`,
      });
    }, timeoutMs);
    socket.on("connect", () => {
      connected = true;
      if (connectOnly) void succeed({ ok: true });
      else socket.write(writeQuestion(request));
    });
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("end", () => {
      void succeed(readGreeting(text, request));
    });
    socket.on("error", (error) => {
      end({ ok: false, error: error.message });
    });
  });
}

/** Maximum number of times that a datagram is sent within the timeout. */
const UDP_TRIES = 3;
/** Time for answers after the first one: a busy machine answers late, a lost datagram is never answered. */
const LATE_ANSWER_MS = 1000;

function probeUdp(request: ValidRequest, measure: Clock): Promise<TimedOutcome> {
  const { address, port, timeoutMs } = request;
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    let wrongSender: string | undefined;
    let sent = 0;
    let answered = 0;
    let firstOutcome: TimedOutcome | undefined;
    const end = (outcome: TimedOutcome): void => {
      clearTimeout(timer);
      clearTimeout(lateTimer);
      clearInterval(resendTimer);
      socket.close();
      resolve(outcome);
    };
    let lateTimer: NodeJS.Timeout | undefined;
    const succeed = (outcome: TimedOutcome): void => {
      end({ ...outcome, ...(request.bytes === 0 ? { resent: sent - answered } : {}) });
    };
    const timer = setTimeout(() => {
      end({ ok: false, error: wrongSender ?? `no answer in ${timeoutMs} ms` });
    }, timeoutMs);
    socket.on("error", (error) => {
      end({ ok: false, error: error.message });
    });
    // Not connected: the kernel would hide an answer from another address.
    socket.on("message", (message, sender) => {
      if (!isSameAddress(sender.address, address) || sender.port !== port) {
        wrongSender = `the answer came from ${sender.address} port ${sender.port}, not from the requested address`;
        return;
      }
      answered += 1;
      const outcome = (firstOutcome ??= { ...readGreeting(message.toString(), request), latencyMs: measure() });
      if (answered >= sent || request.bytes > 0) {
        succeed(outcome);
        return;
      }
      clearTimeout(timer);
      clearInterval(resendTimer);
      lateTimer ??= setTimeout(() => {
        succeed(outcome);
      }, LATE_ANSWER_MS);
    });
    const sendQuestion = (): void => {
      sent += 1;
      socket.send(writeQuestion(request), port, address, (error) => {
        if (error !== null) end({ ok: false, error: error.message });
      });
    };
    sendQuestion();
    const resendTimer = setInterval(sendQuestion, timeoutMs / UDP_TRIES);
  });
}

function probeIcmp({ address, timeoutMs, token }: ValidRequest): Promise<Outcome> {
  return new Promise((resolve) => {
    const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
    const pattern = Buffer.from(formatProbeMark("ping", token)).toString("hex");
    const argv = ["-n", "-q", "-c", "1", "-W", seconds, "-p", pattern, address];
    const child = spawn("ping", argv, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", (error) => {
      resolve({ ok: false, error: error.message });
    });
    child.on("close", (code) => {
      resolve(code === 0 ? { ok: true } : { ok: false, error: output.trim().split("\n").at(-1) ?? "ping failed" });
    });
  });
}

function readGreeting(text: string, { bytes, ...request }: ValidRequest): Outcome {
  const { data: answer } = greetingSchema.safeParse(parseProbeLine(text));
  if (answer === undefined) return { ok: false, error: `invalid answer: ${text.slice(0, 80)}` };
  const { digest, ...outcome } = answer;
  if (bytes > 0 && digest !== computeDigest(writeQuestion({ ...request, bytes })))
    return { ...outcome, ok: false, error: `${bytes} bytes reached ${outcome.server} changed` };
  if (bytes > 0 && text.length !== bytes)
    return { ...outcome, ok: false, error: `${text.length} bytes came back, not ${bytes}` };
  return { ok: true, ...outcome };
}
