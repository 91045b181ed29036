import { readFile, statfs } from "node:fs/promises";
import { freemem } from "node:os";
import { dirname } from "node:path";
import { getCacheRoot } from "../components/cache.ts";
import { pathExists } from "../components/path-exists.ts";
import { findGoProblem } from "../components/go-build.ts";
import type { PreflightFinding } from "../provider/provider.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { listFamilies } from "../spec/address-ranges.ts";

const GIB = 2 ** 30;
/** Required disk space; measured: 9 GiB for builds, layers, unpacked images and the nodes' files. */
const DISK_GIB = 12;
const MEMORY_GIB = 4;

/** Returns the problems that would stop or slow a kind cluster on this machine, each with its remedy. Changes nothing. */
export async function checkKindPreflight(spec: ClusterSpec): Promise<readonly PreflightFinding[]> {
  const errors = [findRootProblem(), findFamilyProblem(spec), findDiskProblem()].map(async (problem) => ({
    severity: "error" as const,
    message: await problem,
  }));
  const warnings = [findGoProblem(), findMemoryProblem(), findOverlayProblem()].map(async (problem) => ({
    severity: "warning" as const,
    message: await problem,
  }));
  const findings = await Promise.all([...errors, ...warnings]);
  return findings.flatMap(({ severity, message }) => (message === undefined ? [] : [{ severity, message }]));
}

type Problem = string | undefined;

function findRootProblem(): Problem {
  return process.getuid?.() === 0
    ? undefined
    : "Interlay builds images and enters network namespaces: run it as root (sudo -E npm run …).";
}

/** Docker has no networks with IPv6 alone. */
function findFamilyProblem(spec: ClusterSpec): Problem {
  return listFamilies(spec).includes("ipv4")
    ? undefined
    : "kind's nodes need IPv4 on Docker's network: use --family dual, or --provider lab for IPv6 alone.";
}

async function findDiskProblem(): Promise<Problem> {
  const disk = await statfs(await findExistingParent(getCacheRoot()));
  const free = (disk.bavail * disk.bsize) / GIB;
  return free >= DISK_GIB
    ? undefined
    : `The cache ${getCacheRoot()} has ${free.toFixed(1)} GiB free and needs ${DISK_GIB} GiB: delete files, or set INTERLAY_CACHE to a directory on a larger disk.`;
}

function findMemoryProblem(): Problem {
  const free = freemem() / GIB;
  return free >= MEMORY_GIB
    ? undefined
    : `Only ${free.toFixed(1)} GiB of memory are free, and a cluster needs ${MEMORY_GIB} GiB: it may be slow, or be killed.`;
}

async function findOverlayProblem(): Promise<Problem> {
  return (await readFile("/proc/filesystems", "utf8")).includes("overlay")
    ? undefined
    : "The kernel has not loaded the overlay filesystem, which nodes need: run modprobe overlay.";
}

async function findExistingParent(path: string): Promise<string> {
  return (await pathExists(path)) || path === "/" ? path : findExistingParent(dirname(path));
}
