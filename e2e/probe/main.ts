import { probeFromStdin } from "./client.ts";
import { serve } from "./server.ts";

/** `probe`: the server, a pod's main program. `probe client`: probes on request, started in the same pod. */
if (process.argv[2] === "client") probeFromStdin();
else serve();
