/** `npm run doctor`, which is `interlay doctor`. */
import { runAndExit } from "./interlay/run-interlay.ts";

void runAndExit(["doctor", ...process.argv.slice(2)]);
