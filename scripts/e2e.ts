/** `npm run e2e`, which is `interlay dev e2e`. */
import { runAndExit } from "./interlay/run-interlay.ts";

void runAndExit(["dev", "e2e", ...process.argv.slice(2)]);
