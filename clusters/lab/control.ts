import { chmod } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { NodeFaults } from "../provider.ts";

/** A lab's daemon is asked over a socket of its directory: a JSON line there, one back, and the connection ends. */
const order = z.discriminatedUnion("do", [
  z.object({ do: z.literal("drop"), node: z.string() }),
  z.object({ do: z.literal("make"), node: z.string() }),
  z.object({ do: z.literal("pauseKubelet"), node: z.string(), milliseconds: z.number().min(0) }),
]);
type Order = z.infer<typeof order>;
const answer = z.object({ error: z.string().optional() });

/** Carries orders out; for root alone. */
export async function serveControl(socket: string, faults: NodeFaults): Promise<void> {
  const server = createServer((connection) => {
    connection.on("error", () => undefined); // whoever asked is gone
    createInterface({ input: connection }).once("line", (line) => {
      void carryOut(faults, line).then(
        () => connection.end(`${JSON.stringify({})}\n`),
        (error: unknown) => connection.end(`${JSON.stringify({ error: String(error) })}\n`),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  await chmod(socket, 0o600);
}

async function carryOut(faults: NodeFaults, line: string): Promise<void> {
  const asked = order.parse(JSON.parse(line));
  if (asked.do === "pauseKubelet") await faults.pauseKubelet(asked.node, asked.milliseconds);
  else await faults[asked.do](asked.node);
}

/** The other end of `serveControl`. Each rejects with the daemon's own words. */
export function controlOf(socket: string): NodeFaults {
  return {
    drop: (node) => ask(socket, { do: "drop", node }),
    make: (node) => ask(socket, { do: "make", node }),
    pauseKubelet: (node, milliseconds) => ask(socket, { do: "pauseKubelet", node, milliseconds }),
  };
}

function ask(socket: string, what: Order): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket, () => connection.write(`${JSON.stringify(what)}\n`)).on("error", reject);
    let said = "";
    connection.on("data", (chunk: Buffer) => (said += chunk.toString()));
    connection.on("close", () => {
      const { error } = said === "" ? { error: "the lab's daemon said nothing" } : answer.parse(JSON.parse(said));
      if (error === undefined) resolve();
      else reject(new Error(`${what.do} ${what.node}: ${error}`));
    });
  });
}
