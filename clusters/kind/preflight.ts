import { readFile, statfs } from "node:fs/promises";
import { freemem } from "node:os";
import { dirname } from "node:path";
import { cacheRoot } from "../components/cache.ts";
import { goProblem } from "../components/go-build.ts";
import type { ClusterSpec, Finding } from "../provider.ts";
import { familiesOf } from "../spec.ts";

const GIB = 2 ** 30;
/** Measured: 9 GiB with builds, layers, unpacked images and the nodes' own files. */
const DISK_GIB = 12;
const MEMORY_GIB = 4;

/** What would stop a kind cluster on this machine, each with its remedy. Changes nothing. */
export async function kindPreflight(spec: ClusterSpec): Promise<readonly Finding[]> {
  const checks = [rootProblem(), familyProblem(spec), spaceProblem()].map(async (problem) => ({
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

/** Docker's networks have no IPv6 alone. */
function familyProblem(spec: ClusterSpec): Problem {
  return familiesOf(spec).includes("ipv4")
    ? undefined
    : "kind's nodes have IPv4 on Docker's network: run --family dual, or --provider lab for IPv6 alone.";
}

async function spaceProblem(): Promise<Problem> {
  const disk = await statfs(await existingParent(cacheRoot()));
  const free = (disk.bavail * disk.bsize) / GIB;
  return free >= DISK_GIB
    ? undefined
    : `The cache ${cacheRoot()} has ${free.toFixed(1)} GiB free and wants ${DISK_GIB}: free some, or set INTERLAY_CACHE to a directory on a larger disk.`;
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
