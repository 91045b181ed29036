import type { ExpectedPath } from "./expected.ts";
import { type Hop, hopText, type Path, sameHop, type SeenHop } from "./path.ts";

/** What is wrong with a path, in words; undefined if it is the documented one. */
export function wrongPath(expected: ExpectedPath, seen: Path): string | undefined {
  return difference("request", expected.request, seen.request) ?? difference("reply", expected.reply, seen.reply);
}

function difference(what: string, expected: readonly Hop[], seen: readonly Hop[]): string | undefined {
  for (const [index, hop] of expected.entries()) {
    const other = seen[index];
    if (other === undefined)
      return `the ${what} was last seen at ${lastText(seen)}, and not at ${hopText(hop)} where it should be next`;
    if (!sameHop(hop, other)) return `the ${what} was at ${hopText(other)}, expected ${hopText(hop)}`;
  }
  const more = seen[expected.length];
  return more === undefined
    ? undefined
    : `the ${what} went on to ${hopText(more)}, expected its end at ${lastText(expected)}`;
}

function lastText(hops: readonly Hop[]): string {
  const last = hops.at(-1);
  return last === undefined ? "no place" : hopText(last);
}

/** Where a probe without an answer died: the last place of whichever half was seen last. */
export function diedAt(seen: Path): string {
  return seen.reply.length > 0
    ? `its reply was last seen at ${lastText(seen.reply)}`
    : `its request was last seen at ${lastText(seen.request)}`;
}

/** Where somebody translated: addresses before and after, and on which node. */
export function translations(hops: readonly SeenHop[]): readonly string[] {
  return hops.flatMap((hop, index) => {
    const before = hops[index - 1];
    if (before === undefined) return [];
    return (["source", "destination"] as const).flatMap((end) =>
      before[end] === hop[end] ? [] : [`${hop.place}: ${end} ${before[end]} -> ${hop[end]}`],
    );
  });
}
