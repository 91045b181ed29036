import { runCommand } from "../components/command.ts";
import type { Environment, KernelRequirement } from "./environment.ts";

/** Returns why this machine cannot make the environment; undefined if it can. Changes nothing on the machine. */
export async function findMissingRequirement({ requires = [] }: Environment): Promise<string | undefined> {
  for (const requirement of requires) {
    const missing = await checkLinkType(requirement);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

/** Tries in a network namespace of its own, which ends with the command. */
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
