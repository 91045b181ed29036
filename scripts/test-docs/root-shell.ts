import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "zx";
import { waitForExit } from "../../clusters/shell.ts";
import { CHECKOUT_DIRECTORY, findGoRoot, readRegistrySettings } from "./clean-root.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin";
/** Variables for proxies, certificates and registries, which the user's shell has and the root needs. */
const SETTINGS =
  /^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_registry|GO(PROXY|SUMDB|NOSUMDB|FLAGS))$/i;

/** Runs commands in a root; processes that one command leaves running still exist for the next. */
export interface RootShell {
  /** Runs a line of bash in the checkout, with the environment of a login. @returns its exit status */
  readonly run: (line: string) => Promise<number>;
  /** Ends all processes in the root. */
  readonly close: () => void;
}

/**
 * Enters a root in new mount and process namespaces.
 * @param components this machine's built components, for use in the root; undefined: none
 */
export async function enterRoot(root: string, components: string | undefined): Promise<RootShell> {
  const go = findGoRoot();
  const binds = [
    ...readRegistrySettings(),
    ...(go === undefined ? [] : [["/usr/local/go", go] as const]),
    ...(components === undefined ? [] : [["/root/.cache/interlay/components", components] as const]),
  ];
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--propagation", "private"];
  const enter = [join(import.meta.dirname, "enter"), root, ...binds.flat()];
  const holder = $({
    nothrow: true,
    stdio: ["ignore", "pipe", "inherit"],
  })`exec unshare ${namespaces} -- ${enter} -- sh -c ${"echo ready; exec sleep infinity"}`;
  const close = (): void => {
    holder.child?.kill("SIGKILL");
    holder.stdout.destroy();
  };
  const ended = waitForExit(holder).then((status) => {
    throw new Error(`cannot enter the root ${root}: unshare ended with exit status ${status}`);
  });
  ended.catch(() => undefined); // a later exit is expected
  try {
    await Promise.race([once(holder.stdout, "data"), ended]);
    const { pid = 0 } = holder;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    const init = children.trim();
    return { close, run: (line) => runInRoot(init, line) };
  } catch (error) {
    close();
    throw error;
  }
}

function runInRoot(init: string, line: string): Promise<number> {
  const settings = Object.entries(process.env).flatMap(([name, value = ""]) =>
    SETTINGS.test(name) && !name.startsWith("npm_config_") ? [`${name}=${value}`] : [],
  );
  const env = ["env", "--ignore-environment", "HOME=/root", `PATH=${PATH}`, "LANG=C.UTF-8", "TERM=dumb", ...settings];
  const namespaces = ["--target", init, "--mount", "--pid", "--root", "--wd"];
  const command = `cd ${CHECKOUT_DIRECTORY} && ${line}`;
  return waitForExit(
    $({ nothrow: true, detached: true, stdio: "inherit" })`nsenter ${namespaces} -- ${env} bash -c ${command}`,
  );
}
