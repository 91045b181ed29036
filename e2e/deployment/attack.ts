import type { Deployment } from "./deploy.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { type Cell, EXTERNAL } from "../cells/cell.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";

/** Frames of each kind: a busy machine can lose one. */
const COPIES = 3;
/** Time for a datagram that arrives after the control datagram sent after it. */
const SETTLE_MS = 100;
const TIMEOUT_MS = 3000;
const POLL_MS = 50;

/** Result of an attack. */
interface AttackOutcome {
  /** Whether the control datagrams arrived, with the pod's own source and to a destination of the plan. */
  readonly controlled: boolean;
  readonly arrived: boolean;
  readonly error?: string;
}

/**
 * Sends a datagram that must not arrive between two control datagrams that must arrive, all by the same link, and queries the
 * servers for those that arrived. The absence of the datagram proves something only if the control datagrams arrived.
 * @param token token of the datagram
 * @param controlTokens tokens of the control datagrams
 */
export async function runAttack(
  cell: Cell,
  token: string,
  controlTokens: readonly [string, string],
  deployment: Deployment,
): Promise<AttackOutcome> {
  const attacker = await deployment.getProber(cell.from);
  const source = deployment.getAddress(cell.from, "main", cell.family);
  const claims = cell.attack?.kind === "spoofed-source" ? cell.attack.claims : undefined;
  const target = { server: cell.server ?? "", ...deployment.locate(cell) };
  const control = cell.attack?.kind === "node-as-router" ? findPlannedTarget(cell, deployment) : target;
  const [nodeAddress = ""] = deployment.findSources({ node: cell.sourceNode ?? 0, network: "node" }, cell.family) ?? [];
  const sendDatagram = async (recipient: typeof target, from: string, datagramToken: string): Promise<void> => {
    const { ok, error } = await attacker.inject({
      device: "veth0",
      neighbour: nodeAddress,
      source: from,
      destination: recipient.address,
      port: recipient.port,
      token: datagramToken,
      count: COPIES,
    });
    if (!ok) throw new Error(error ?? "the datagram was not sent");
  };
  try {
    await sendDatagram(control, source, controlTokens[0]);
    await sendDatagram(
      target,
      claims === undefined ? source : deployment.getAddress(claims.endpoint, claims.nic, cell.family),
      token,
    );
    await sendDatagram(control, source, controlTokens[1]);
    const controlled = await waitForDatagrams(deployment, control.server, controlTokens);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return { controlled, arrived: (await countReceived(deployment, target.server, token)) > 0 };
  } catch (error) {
    return { controlled: false, arrived: false, error: getErrorMessage(error) };
  }
}

/** Returns an overlay pod on the attacker's node, which the attacker reaches through the node by plan. */
function findPlannedTarget(
  { from, family, port }: Cell,
  deployment: Deployment,
): { server: string; address: string; port: number } {
  const server = from.replace(/^underlay-(\d+)-a$/, "overlay-$1-b");
  return { server, address: deployment.getAddress(server, "main", family), port };
}

async function waitForDatagrams(deployment: Deployment, server: string, tokens: readonly string[]): Promise<boolean> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const counts = await Promise.all(tokens.map((token) => countReceived(deployment, server, token)));
    if (counts.every((count) => count > 0)) return true;
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Returns how many datagrams with the token a server has received. A prober in the server's pod sends the request.
 * @throws an error if the server does not answer
 */
async function countReceived(deployment: Deployment, server: string, token: string): Promise<number> {
  const prober = await deployment.getProber(server === deployment.externalName ? EXTERNAL : server);
  const answer = await prober.probe({
    protocol: "tcp",
    address: "127.0.0.1",
    port: TCP_PORT,
    question: "heard",
    token,
    timeoutMs: TIMEOUT_MS,
  });
  if (answer.heard === undefined)
    throw new Error(`${server} did not report the datagrams it received: ${answer.error ?? "no answer"}`);
  return answer.heard;
}
