import { probeFromStdin } from "./client.ts";
import { startFlowsFromStdin } from "./start-flow.ts";
import { parseTargets, reachTargets } from "./reach.ts";
import { startProbeServer } from "./server.ts";

/**
 * `probe` is the server, a pod's main program. `probe client` probes on request, `probe flow` runs long-lived flows; both are
 * started in the same pod. `probe reach TARGET…` succeeds if all targets answer: the pods of `helm test` run it.
 */
switch (process.argv[2]) {
  case "client":
    probeFromStdin();
    break;
  case "flow":
    startFlowsFromStdin();
    break;
  case "reach": {
    const seconds = Number(process.env["PROBE_SECONDS"] ?? 120);
    process.exitCode = (await reachTargets(parseTargets(process.argv.slice(3)), seconds)) ? 0 : 1;
    break;
  }
  default:
    startProbeServer();
}
