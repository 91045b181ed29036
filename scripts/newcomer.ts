import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { $ } from "zx";
import { getCacheRoot } from "../clusters/components/cache.ts";
import { runTimed } from "../clusters/components/timed.ts";
import { createPlainProgress } from "../clusters/progress-plain.ts";
import { waitForExit } from "../clusters/shell.ts";
import { DOCUMENTED_RUNS } from "./newcomer/documented-runs.ts";
import { CHECKOUT_DIRECTORY, findGoRoot, createRoot, readRegistrySettings } from "./newcomer/root.ts";

/** `npm run newcomer`: the README's command in a new Debian that has what the README asks for and nothing else. */
const { provider, cold, documented, keep } = new Command("newcomer")
  .description("run the README's command in a clean Debian root with an empty home; exit status is its own")
  .option("--provider <name>", "lab, or kind, which the README's bare command takes", "lab")
  .option("--cold", "without this computer's components: everything is built, which takes a quarter of an hour")
  .option("--documented", "then the commands of README and docs too, in a lab (scripts/newcomer/documented-runs.ts)")
  .option("--keep", "leave the root as it is")
  .parse()
  .opts<{ provider: string; cold?: true; documented?: true; keep?: true }>();

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin";
/** Whom to trust, and where to ask: as the person has them in the shell. */
const SETTINGS =
  /^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_registry|GO(PROXY|SUMDB|NOSUMDB|FLAGS))$/i;

if (process.getuid?.() !== 0) {
  process.stderr.write("newcomer: a root of its own needs root: run this as root.\n");
  process.exit(2);
}
const progress = createPlainProgress();
const root = join(getCacheRoot(), "newcomer");
const command = `npm ci && npm run e2e${provider === "kind" ? "" : ` -- --provider ${provider}`}`;
/** Ends all that runs in the root. */
let off = (): void => undefined;
try {
  await runTimed(progress, "a clean Debian, Node.js, npm, Go and the commit", () => createRoot(root, progress));
  const tour = documented ? DOCUMENTED_RUNS : [];
  process.stdout.write(`== in ${CHECKOUT_DIRECTORY} of the new root: ${command}\n`);
  const started = performance.now();
  const computer = await start();
  const inRoot = (line: string) => typed(computer, line);
  process.exitCode = await inRoot(command);
  const seconds = Math.round((performance.now() - started) / 1000);
  const cache = cold ? "an empty cache" : "this computer's components in the cache";
  for (const { run, shows } of process.exitCode === 0 ? tour : []) {
    process.stdout.write(`== ${run}\n`);
    const status = await inRoot(run);
    process.stdout.write(`== exit status ${status}: ${shows.join("; ")}\n`);
    if (status !== 0) process.exitCode = 1;
  }
  process.stdout.write(`== exit status ${process.exitCode} after ${seconds} s, with ${cache}\n`);
} finally {
  off();
  if (!keep) await rm(root, { recursive: true, force: true });
}

/** The root with its processes: what one line leaves running is there for the next. @returns its first process */
async function start(): Promise<number> {
  const go = findGoRoot();
  const components = join(getCacheRoot(), "components");
  const binds = [
    ...readRegistrySettings(),
    ...(go === undefined ? [] : [["/usr/local/go", go] as const]),
    ...(cold ? [] : [["/root/.cache/interlay/components", components] as const]),
  ];
  const argv = [
    ...["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--propagation", "private", "--"],
    ...[join(import.meta.dirname, "newcomer", "enter"), root, ...binds.flat(), "--"],
    ...["sh", "-c", "echo there; exec sleep infinity"],
  ];
  const holder = $({ nothrow: true, stdio: ["ignore", "pipe", "inherit"] })`exec unshare ${argv}`;
  off = () => {
    holder.child?.kill("SIGKILL");
    holder.stdout.destroy();
  };
  const ended = waitForExit(holder).then((status) => {
    throw new Error(`the new root could not be entered (exit status ${status})`);
  });
  ended.catch(() => undefined); // a later exit is expected
  await Promise.race([once(holder.stdout, "data"), ended]);
  const { pid = 0 } = holder;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return Number(children.trim());
}

/** A line as a person types it, in a login's plain environment. */
function typed(computer: number, line: string): Promise<number> {
  const settings = Object.entries(process.env).flatMap(([name, value = ""]) =>
    SETTINGS.test(name) && !name.startsWith("npm_config_") ? [`${name}=${value}`] : [],
  );
  const env = ["env", "--ignore-environment", "HOME=/root", `PATH=${PATH}`, "LANG=C.UTF-8", "TERM=dumb", ...settings];
  const argv = [
    ...["--target", String(computer), "--mount", "--pid", "--root", "--wd", "--"],
    ...[...env, "bash", "-c", `cd ${CHECKOUT_DIRECTORY} && ${line}`],
  ];
  return waitForExit($({ nothrow: true, detached: true, stdio: "inherit" })`nsenter ${argv}`);
}
