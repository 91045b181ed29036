import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { greeting, marked, type ProbeAnswer, probeRequest } from "./protocol.ts";

type Checked = ReturnType<typeof probeRequest.parse>;
type Outcome = Omit<ProbeAnswer, "id" | "latencyMs">;

/** Reads requests from stdin, one JSON line each, probes all at once, answers a JSON line each. Ends with its stdin. */
export function probeFromStdin(): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const request = probeRequest.parse(JSON.parse(line));
    const started = performance.now();
    void probe(request).then((outcome) => {
      const latencyMs = Math.round((performance.now() - started) * 100) / 100;
      process.stdout.write(`${JSON.stringify({ id: request.id, latencyMs, ...outcome })}\n`);
    });
  });
  lines.on("close", () => process.exit(0));
}

export function probe(request: Checked): Promise<Outcome> {
  switch (request.protocol) {
    case "tcp":
      return probeTcp(request);
    case "udp":
      return probeUdp(request);
    case "icmp":
      return probeIcmp(request);
  }
}

function probeTcp({ address, port, timeoutMs, connectOnly, token }: Checked): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let text = "";
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    let connected = false;
    const timer = setTimeout(() => {
      end({
        ok: false,
        error: connected ? `connected, but no answer in ${timeoutMs} ms` : `no connection in ${timeoutMs} ms`,
      });
    }, timeoutMs);
    socket.on("connect", () => {
      connected = true;
      if (connectOnly) end({ ok: true });
      else socket.write(question(token));
    });
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("end", () => {
      end(readGreeting(text));
    });
    socket.on("error", (error) => {
      end({ ok: false, error: error.message });
    });
  });
}

/** A datagram may be lost: sent again a few times within the timeout. */
const UDP_TRIES = 3;

function probeUdp({ address, port, timeoutMs, token }: Checked): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      clearInterval(again);
      socket.close();
      resolve(outcome);
    };
    const timer = setTimeout(() => {
      end({ ok: false, error: `no answer in ${timeoutMs} ms` });
    }, timeoutMs);
    // Connected: an answer from another address than the one asked is not taken, as with real clients.
    socket.on("error", (error) => {
      end({ ok: false, error: error.message });
    });
    socket.on("message", (message) => {
      end(readGreeting(message.toString()));
    });
    socket.connect(port, address, () => {
      socket.send(question(token));
    });
    const again = setInterval(() => {
      socket.send(question(token));
    }, timeoutMs / UDP_TRIES);
  });
}

function probeIcmp({ address, timeoutMs, token }: Checked): Promise<Outcome> {
  return new Promise((resolve) => {
    const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
    const pattern = Buffer.from(marked("ping", token)).toString("hex");
    const argv = ["-n", "-q", "-c", "1", "-W", seconds, "-p", pattern, address];
    const child = spawn("ping", argv, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.on("error", (error) => {
      resolve({ ok: false, error: error.message });
    });
    child.on("close", (code) => {
      resolve(code === 0 ? { ok: true } : { ok: false, error: said.trim().split("\n").at(-1) ?? "ping failed" });
    });
  });
}

const question = (token: string): string => `who ${marked("request", token)}\n`;

function readGreeting(text: string): Outcome {
  try {
    return { ok: true, ...greeting.parse(JSON.parse(text)) }; // without the mark
  } catch {
    return { ok: false, error: `an answer that no probe gives: ${text.slice(0, 80)}` };
  }
}
