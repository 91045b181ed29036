/**
 * An OCI runtime that removes capabilities and limits that this machine lacks from specifications (oci-spec.ts), and then runs runc
 * with the same arguments. Compiled by Bun.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { findMissingCapabilities, restrictConfig, restrictProcess, listSpecificationFiles } from "./oci-spec.ts";

const argv = process.argv.slice(2);
const missing = findMissingCapabilities(readFileSync("/proc/self/status", "utf8"));
for (const { file, kind } of listSpecificationFiles(argv)) {
  const specification = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  const permitted = (kind === "config" ? restrictConfig : restrictProcess)(specification, missing);
  writeFileSync(file, JSON.stringify(permitted));
}
const { status, signal, error } = spawnSync("runc", argv, { stdio: "inherit" });
if (error) {
  process.stderr.write(`cannot start runc: ${error.message}\n`);
  process.exit(127);
}
process.exit(status ?? 128 + (signal === null ? 0 : constants.signals[signal]));
