import type { ExpectedPath } from "./expected.ts";
import { type Hop, formatHop, type PacketPath, areSameHops } from "./path.ts";

/** Returns what is wrong with a path; undefined if it is the documented one. */
export function findWrongPath(expected: ExpectedPath, seen: PacketPath): string | undefined {
  return (
    findDifference("request", expected.request, seen.request) ?? findDifference("reply", expected.reply, seen.reply)
  );
}

function findDifference(half: string, expected: readonly Hop[], seen: readonly Hop[]): string | undefined {
  for (const [index, hop] of expected.entries()) {
    const seenHop = seen[index];
    if (seenHop === undefined)
      return `the ${half} was last seen at ${formatLastHop(seen)}, and not at ${formatHop(hop)}, the next expected place`;
    if (!areSameHops(hop, seenHop)) return `the ${half} was at ${formatHop(seenHop)}, expected ${formatHop(hop)}`;
  }
  const extraHop = seen[expected.length];
  return extraHop === undefined
    ? undefined
    : `the ${half} went on to ${formatHop(extraHop)}, expected its end at ${formatLastHop(expected)}`;
}

function formatLastHop(hops: readonly Hop[]): string {
  const last = hops.at(-1);
  return last === undefined ? "no place" : formatHop(last);
}

/** Returns where a probe without an answer ended: where it left the documented path, or where it was last seen. */
export function describeLastHop(expected: ExpectedPath, seen: PacketPath): string {
  return findWrongPath(expected, seen) ?? "request and reply were seen on the whole documented path";
}

/** Returns where a path differs; empty if it only ends early. A connection may end far from where its handshake diverged. */
export function listDivergences(expected: ExpectedPath, seen: PacketPath): readonly string[] {
  const halves = ["request", "reply"] as const;
  return halves.flatMap((half) => {
    const end = Math.min(expected[half].length, seen[half].length);
    const difference = findDifference(half, expected[half].slice(0, end), seen[half]);
    return difference === undefined || end === 0 ? [] : [difference];
  });
}
