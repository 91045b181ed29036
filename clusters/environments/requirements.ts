import { runCommand } from "../components/run-command.ts";
import type { Environment, KernelRequirement } from "../spec/environment.ts";

/** Returns a sentence about the first requirement that this machine does not meet; undefined if it meets all. Changes nothing. */
export async function findMissingRequirement({ requires = [] }: Environment): Promise<string | undefined> {
  for (const requirement of requires) {
    const missing = await checkLinkType(requirement);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

/** Tests whether the kernel has a link type, in a temporary network namespace. @returns the error; undefined if it has it */
async function checkLinkType({ linkType }: KernelRequirement): Promise<string | undefined> {
  const { exitCode, stderr } = await runCommand([
    "unshare",
    "--net",
    "ip",
    "link",
    "add",
    "name",
    "t0",
    "type",
    linkType,
  ]);
  return exitCode === 0 ? undefined : `this kernel cannot make ${linkType} links (${stderr.trim()})`;
}
