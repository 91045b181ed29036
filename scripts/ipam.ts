/** `npm run ipam`, which is `interlay ip`. */
import { runAndExit } from "./interlay/run-interlay.ts";

void runAndExit(["ip", ...process.argv.slice(2)]);
