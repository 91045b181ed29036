/** `npm run trace`, which is `interlay trace`. */
import { runAndExit } from "./interlay/run-interlay.ts";

void runAndExit(["trace", ...process.argv.slice(2)]);
