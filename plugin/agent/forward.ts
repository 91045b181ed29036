import { execFileSync } from "node:child_process";
import { NODE_LINK_PREFIX } from "../datapath/names.ts";
import type { IptablesProgram, SavedFilters } from "./filters.ts";

/** Ours by its comment: everybody else's rules are left alone. */
const COMMENT = "interlay";
const MATCHES = [
  ["-i", `${NODE_LINK_PREFIX}+`],
  ["-o", `${NODE_LINK_PREFIX}+`],
] as const;

/** Does FORWARD drop what comes from our links? By what `iptables-save -t filter` says, of one program or more. Pure. */
export function forwardDrops(saved: string): boolean {
  return saved.split("*filter").some((table) => {
    if (!/^:FORWARD DROP/m.test(table)) return false;
    const accepts = new RegExp(
      `^(?:\\[\\d+:\\d+\\] )?-A FORWARD (?:-i ${NODE_LINK_PREFIX}\\+ )?(?:-m comment --comment \\S+ )?-j ACCEPT`,
      "m",
    );
    return !accepts.test(table);
  });
}

/** A rule to append to a program's chain FORWARD, or to take out of it. */
export interface ForwardChange {
  readonly program: IptablesProgram;
  readonly verb: "-A" | "-D";
  readonly match: readonly [string, string];
}

/**
 * Docker gives FORWARD the policy DROP, and a verdict of our own table would not help: what one accepts, the next still
 * drops. So where the policy is DROP, and only there, the chain gets two rules at its end, after everybody's own. Pure.
 * @param wanted false: none of ours anywhere
 */
export function forwardChanges(saved: SavedFilters, wanted: boolean): readonly ForwardChange[] {
  return Object.entries(saved).flatMap(([name, text]) => {
    const program = name as IptablesProgram;
    const drops = wanted && /^:FORWARD DROP/m.test(text);
    return MATCHES.flatMap((match): readonly ForwardChange[] => {
      const [flag, links] = match;
      const there = text.split("\n").filter((line) => isOurs(line, flag, links)).length;
      if (drops) return there === 0 ? [{ program, verb: "-A", match }] : [];
      return Array.from({ length: there }, () => ({ program, verb: "-D", match }));
    });
  });
}

/** Throws with iptables' words. Returns a line for each change. */
export function changeForward(changes: readonly ForwardChange[]): readonly string[] {
  return changes.map(({ program, verb, match }) => {
    const rule = [...match, "-m", "comment", "--comment", COMMENT, "-j", "ACCEPT"];
    execFileSync(program, ["-w", "5", verb, "FORWARD", ...rule], { stdio: ["ignore", "ignore", "pipe"] });
    return `${program} ${verb} FORWARD ${match.join(" ")} -j ACCEPT`;
  });
}

function isOurs(line: string, flag: string, links: string): boolean {
  return line.includes(`-A FORWARD ${flag} ${links} -m comment --comment ${COMMENT} -j ACCEPT`);
}
