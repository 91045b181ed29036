import type { ExpectedPath } from "./expected.ts";
import { type Hop, formatHop, type Path, sameHop } from "./path.ts";

/** What is wrong with a path, in words; undefined if it is the documented one. */
export function findWrongPath(expected: ExpectedPath, seen: Path): string | undefined {
  return difference("request", expected.request, seen.request) ?? difference("reply", expected.reply, seen.reply);
}

function difference(what: string, expected: readonly Hop[], seen: readonly Hop[]): string | undefined {
  for (const [index, hop] of expected.entries()) {
    const other = seen[index];
    if (other === undefined)
      return `the ${what} was last seen at ${lastText(seen)}, and not at ${formatHop(hop)} where it should be next`;
    if (!sameHop(hop, other)) return `the ${what} was at ${formatHop(other)}, expected ${formatHop(hop)}`;
  }
  const more = seen[expected.length];
  return more === undefined
    ? undefined
    : `the ${what} went on to ${formatHop(more)}, expected its end at ${lastText(expected)}`;
}

function lastText(hops: readonly Hop[]): string {
  const last = hops.at(-1);
  return last === undefined ? "no place" : formatHop(last);
}

/** Where a probe without an answer died: where it left the documented way, or where it was seen last. */
export function describeLastHop(expected: ExpectedPath, seen: Path): string {
  return findWrongPath(expected, seen) ?? "request and reply were seen on the whole documented way";
}

/** Where a way was another one; nothing if it only ended early. A connection may die far from where its handshake strayed. */
export function listDivergences(expected: ExpectedPath, seen: Path): readonly string[] {
  const halves = ["request", "reply"] as const;
  return halves.flatMap((half) => {
    const end = Math.min(expected[half].length, seen[half].length);
    const wrong = difference(half, expected[half].slice(0, end), seen[half]);
    return wrong === undefined || end === 0 ? [] : [wrong];
  });
}
