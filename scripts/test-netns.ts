import { $ } from "zx";
import { buildInterlayExecutables } from "../clusters/components/interlay-executables.ts";
import { ensureDebianPackages } from "../clusters/components/packages.ts";
import { VERSIONS } from "../clusters/components/catalog.ts";
import { resolveComponents } from "../clusters/components/resolve.ts";
import { createPlainProgress } from "../clusters/progress/plain.ts";
import { waitForExit } from "../clusters/shell.ts";
import { buildFaulty } from "../plugin/deploy/build-executables.ts";

/** Runs `*.netns.test.ts`: real plugins in real network namespaces. Without root they are skipped. */
if (process.getuid?.() !== 0) {
  process.stdout.write("network namespaces need root: these tests are skipped\n0 passed, 0 failed, 1 skipped\n");
  process.exit(0);
}
const progress = createPlainProgress();
await ensureDebianPackages(
  ["dnsmasq-base", "iproute2", "ipset", "iptables", "iputils-ping", "nftables", "procps"],
  progress,
);
const components = await resolveComponents(
  (["cni-plugins", "cnitool"] as const).map((name) => ({ name, version: VERSIONS[name] })),
  progress,
);
const { launcher, full } = await buildInterlayExecutables(progress);
const env = {
  ...process.env,
  INTERLAY_EXECUTABLE: full,
  INTERLAY_LAUNCHER: launcher,
  INTERLAY_FAULTY: await buildFaulty(),
  INTERLAY_CNI_PLUGINS: components.path("cni-plugins"),
  INTERLAY_CNITOOL: components.path("cnitool"),
};
const patterns =
  process.argv.length > 2
    ? process.argv.slice(2)
    : ["plugin/**/*.netns.test.ts", "clusters/**/*.netns.test.ts", "e2e/**/*.netns.test.ts"];
// --exit: end although a failed test may have left a process running
const options = ["--no-config", "--node-option", "import=tsx", "--timeout", "180000", "--exit"];
const mocha = $({ nothrow: true, detached: true, preferLocal: true, stdio: "inherit", env });
process.exit(await waitForExit(mocha`mocha ${options} ${patterns}`));
