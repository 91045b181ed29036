import { readFile, statfs } from "node:fs/promises";
import { freemem } from "node:os";
import { dirname } from "node:path";
import { cacheRoot } from "../components/cache.ts";
import { run } from "../components/command.ts";
import { goProblem } from "../components/go-build.ts";
import { runningEngine } from "../engine/engine.ts";
import type { ClusterSpec, Finding } from "../provider.ts";
import { conflict, type UsedRange, usedByDocker, usedByRoutes } from "./address-ranges.ts";
import { networkName } from "./network.ts";

const GIB = 2 ** 30;
/** Measured: 9 GiB with builds, layers, unpacked images and the nodes' own files. */
const DISK_GIB = 12;
const MEMORY_GIB = 4;

/** What would stop a kind cluster on this machine, each with its remedy. Changes nothing. */
export async function kindPreflight(spec: ClusterSpec): Promise<readonly Finding[]> {
  const checks = [rootProblem(), spaceProblem(), rangeProblem(spec)].map(async (problem) => ({
    severity: "error" as const,
    message: await problem,
  }));
  const doubts = [goProblem(), memoryProblem(), overlayProblem()].map(async (problem) => ({
    severity: "warning" as const,
    message: await problem,
  }));
  const findings = await Promise.all([...checks, ...doubts]);
  return findings.flatMap(({ severity, message }) => (message === undefined ? [] : [{ severity, message }]));
}

type Problem = string | undefined;

function rootProblem(): Problem {
  return process.getuid?.() === 0
    ? undefined
    : "Interlay builds images and enters network namespaces: run it as root (sudo -E npm run …).";
}

async function spaceProblem(): Promise<Problem> {
  const disk = await statfs(await existingParent(cacheRoot()));
  const free = (disk.bavail * disk.bsize) / GIB;
  return free >= DISK_GIB
    ? undefined
    : `The cache ${cacheRoot()} has ${free.toFixed(1)} GiB free and wants ${DISK_GIB}: free some, or set INTERLAY_CACHE to a directory on a larger disk.`;
}

async function rangeProblem(spec: ClusterSpec): Promise<Problem> {
  const taken = conflict(spec.underlayCidr, await usedRanges(networkName(spec.name)));
  return taken === undefined
    ? undefined
    : `The underlay ${spec.underlayCidr} is in use (${taken.range}, ${taken.by}): choose another, as INTERLAY_UNDERLAY=10.17.0.0/16.`;
}

/** All that is in use, but for the cluster's own Docker network. */
async function usedRanges(own: string): Promise<readonly UsedRange[]> {
  const engine = await runningEngine();
  const bridge = (
    await engine?.docker(["network", "inspect", own, "--format", "br-{{slice .Id 0 12}}"])
  )?.stdout.trim();
  const routes = await run(["ip", "-json", "-4", "route", "show"]);
  const ids = (await engine?.docker(["network", "ls", "-q"]))?.stdout.split("\n").filter((id) => id !== "") ?? [];
  const networks = engine === undefined ? undefined : await engine.docker(["network", "inspect", ...ids]);
  return [
    // A machine without `ip` gets it with the engine; its ranges are not known before.
    ...(routes.exitCode === 0 ? usedByRoutes(routes.stdout) : []).filter(
      ({ by }) => by !== `the route by ${bridge ?? ""}`,
    ),
    ...usedByDocker(networks?.stdout ?? "[]").filter(({ by }) => by !== `the Docker network ${own}`),
  ];
}

function memoryProblem(): Problem {
  const free = freemem() / GIB;
  return free >= MEMORY_GIB
    ? undefined
    : `Only ${free.toFixed(1)} GiB of memory are free, and a cluster wants ${MEMORY_GIB}: it may be slow, or be killed.`;
}

async function overlayProblem(): Promise<Problem> {
  return (await readFile("/proc/filesystems", "utf8")).includes("overlay")
    ? undefined
    : "The kernel has no overlay filesystem loaded yet, and nodes want it: run modprobe overlay.";
}

async function existingParent(path: string): Promise<string> {
  const exists = await statfs(path).then(
    () => true,
    () => false,
  );
  return exists || path === "/" ? path : existingParent(dirname(path));
}
