import { readFile, statfs } from "node:fs/promises";
import { freemem } from "node:os";
import { dirname } from "node:path";
import { getCacheRoot } from "../components/cache.ts";
import { findGoProblem } from "../components/go-build.ts";
import type { ClusterSpec, PreflightFinding } from "../provider.ts";
import { listFamilies } from "../spec.ts";

const GIB = 2 ** 30;
/** Measured: 9 GiB with builds, layers, unpacked images and the nodes' own files. */
const DISK_GIB = 12;
const MEMORY_GIB = 4;

/** What would stop a kind cluster on this machine, each with its remedy. Changes nothing. */
export async function checkKindPreflight(spec: ClusterSpec): Promise<readonly PreflightFinding[]> {
  const checks = [findRootProblem(), findFamilyProblem(spec), findDiskProblem()].map(async (problem) => ({
    severity: "error" as const,
    message: await problem,
  }));
  const doubts = [findGoProblem(), findMemoryProblem(), findOverlayProblem()].map(async (problem) => ({
    severity: "warning" as const,
    message: await problem,
  }));
  const findings = await Promise.all([...checks, ...doubts]);
  return findings.flatMap(({ severity, message }) => (message === undefined ? [] : [{ severity, message }]));
}

type Problem = string | undefined;

function findRootProblem(): Problem {
  return process.getuid?.() === 0
    ? undefined
    : "Interlay builds images and enters network namespaces: run it as root (sudo -E npm run …).";
}

/** Docker's networks have no IPv6 alone. */
function findFamilyProblem(spec: ClusterSpec): Problem {
  return listFamilies(spec).includes("ipv4")
    ? undefined
    : "kind's nodes have IPv4 on Docker's network: run --family dual, or --provider lab for IPv6 alone.";
}

async function findDiskProblem(): Promise<Problem> {
  const disk = await statfs(await findExistingParent(getCacheRoot()));
  const free = (disk.bavail * disk.bsize) / GIB;
  return free >= DISK_GIB
    ? undefined
    : `The cache ${getCacheRoot()} has ${free.toFixed(1)} GiB free and wants ${DISK_GIB}: free some, or set INTERLAY_CACHE to a directory on a larger disk.`;
}

function findMemoryProblem(): Problem {
  const free = freemem() / GIB;
  return free >= MEMORY_GIB
    ? undefined
    : `Only ${free.toFixed(1)} GiB of memory are free, and a cluster wants ${MEMORY_GIB}: it may be slow, or be killed.`;
}

async function findOverlayProblem(): Promise<Problem> {
  return (await readFile("/proc/filesystems", "utf8")).includes("overlay")
    ? undefined
    : "The kernel has no overlay filesystem loaded yet, and nodes want it: run modprobe overlay.";
}

async function findExistingParent(path: string): Promise<string> {
  const exists = await statfs(path).then(
    () => true,
    () => false,
  );
  return exists || path === "/" ? path : findExistingParent(dirname(path));
}
