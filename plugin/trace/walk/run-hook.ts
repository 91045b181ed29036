import type { Hook, Outcome, RuleStep } from "../hook.ts";
import { evaluateHook } from "../netfilter/evaluate-hook.ts";
import type { Packet } from "../packet.ts";
import type { TranslatedEndpoint } from "./conntrack-table.ts";
import { losePacket } from "./failure.ts";
import { NamespaceHookContext } from "./hook-context.ts";
import type { NamespaceModel } from "./build-trace-model.ts";
import { getManipulation } from "./translate.ts";
import type { WalkState } from "./walk-state.ts";

/**
 * Runs a hook of a namespace for a packet.
 *
 * @param gateway next hop of the packet's route, for masquerade
 * @returns the packet after marks and translation
 * @throws PacketLost if a rule drops or rejects the packet, or is not supported
 */
export function runHook(
  walk: WalkState,
  namespace: NamespaceModel,
  hook: Hook,
  packet: Packet,
  gateway?: string,
): Packet {
  const outcome = chooseOutcome(walk, namespace, hook, packet, gateway);
  for (const step of outcome.steps) walk.note({ kind: "rule", hook, step });
  if (outcome.verdict !== "accept") throw describeLoss(namespace, hook, outcome);
  commitBinding(walk, hook, packet, outcome.packet);
  noteChanges(walk, packet, outcome.packet);
  walk.record(outcome.packet, outcome.packet.outLink);
  return outcome.packet;
}

/**
 * Runs the hook ingress or egress of a link for a frame between two hops.
 *
 * @throws PacketLost
 */
export function runFrameHook(
  walk: WalkState,
  namespace: NamespaceModel,
  hook: "ingress" | "egress",
  packet: Packet,
): Packet {
  const outcome = chooseOutcome(walk, namespace, hook, packet, undefined);
  for (const step of outcome.steps) walk.noteBetween({ kind: "rule", hook, step });
  if (outcome.verdict !== "accept") throw describeLoss(namespace, hook, outcome);
  return outcome.packet;
}

function chooseOutcome(
  walk: WalkState,
  namespace: NamespaceModel,
  hook: Hook,
  packet: Packet,
  gateway: string | undefined,
): Outcome {
  const context = new NamespaceHookContext(walk, namespace, gateway);
  const outcomes = evaluateHook(namespace.ruleset, hook, packet, context);
  const index = outcomes.length === 1 ? 0 : walk.choose(outcomes.map(({ probability = 1 }) => probability));
  const outcome = outcomes[index];
  if (outcome === undefined) throw new Error(`hook ${hook} has no outcome: this is a defect of trace`);
  return outcome;
}

function describeLoss(namespace: NamespaceModel, hook: Hook, { verdict, packet, steps }: Outcome): Error {
  const rule = steps.at(-1);
  const place = `hook ${hook} of ${namespace.state.snapshot.name}`;
  const text = rule === undefined ? place : `${formatStep(rule)} (${place})`;
  const id = namespace.state.snapshot.id;
  const decided = { hook, ...(rule === undefined ? {} : { rule }) };
  if (verdict === "unknown")
    return losePacket("unknown", "rule", id, `a rule that the model does not know: ${text}`, decided);
  const invalid = packet.conntrackState === "invalid" && rule !== undefined && /\binvalid\b/i.test(rule.text);
  return losePacket(verdict === "reject" ? "reject" : "drop", invalid ? "invalid-state" : "rule", id, text, decided);
}

function formatStep({ family, table, chain, text }: RuleStep): string {
  return `${family} ${table} ${chain}: ${text}`;
}

function noteChanges(walk: WalkState, before: Packet, after: Packet): void {
  if (after.conntrackState !== before.conntrackState && after.conntrackState !== undefined)
    walk.note({ kind: "conntrack", text: `conntrack: ${after.conntrackState}` });
  if (after.destination !== before.destination || after.destinationPort !== before.destinationPort)
    walk.note({
      kind: "translate",
      text: `destination ${formatEndpoint(before.destination, before.destinationPort)} -> ${formatEndpoint(after.destination, after.destinationPort)}`,
    });
  if (after.source !== before.source || after.sourcePort !== before.sourcePort)
    walk.note({
      kind: "translate",
      text: `source ${formatEndpoint(before.source, before.sourcePort)} -> ${formatEndpoint(after.source, after.sourcePort)}`,
    });
}

/** Formats an address and a port: `10.0.0.1:80`, `[fd00::1]:80`; an address alone without a port. */
export function formatEndpoint(address: string, port: number): string {
  if (port === 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Stores the translation of the first packet in its connection; only the chosen branch is stored. */
function commitBinding(walk: WalkState, hook: Hook, before: Packet, after: Packet): void {
  const { connection } = walk;
  if (connection === undefined || after.conntrackState === "untracked" || after.conntrackState === "invalid") return;
  connection.mark = after.connmark;
  const manipulation = getManipulation(hook);
  if (manipulation === undefined || after.direction !== "original" || connection[manipulation] !== undefined) return;
  const endpoint: TranslatedEndpoint =
    manipulation === "destination"
      ? { address: after.destination, port: after.destinationPort }
      : { address: after.source, port: after.sourcePort };
  const unchanged =
    manipulation === "destination"
      ? before.destination === endpoint.address && before.destinationPort === endpoint.port
      : before.source === endpoint.address && before.sourcePort === endpoint.port;
  connection[manipulation] = unchanged ? null : endpoint;
}
