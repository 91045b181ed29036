import { probeFromStdin } from "./client.ts";
import { flowsFromStdin } from "./flow.ts";
import { startServer } from "./server.ts";

/**
 * `probe` is the server, a pod's main program. `probe client` probes on request, `probe flow` runs long-lived flows; both are
 * started in the same pod.
 */
switch (process.argv[2]) {
  case "client":
    probeFromStdin();
    break;
  case "flow":
    flowsFromStdin();
    break;
  default:
    startServer();
}
