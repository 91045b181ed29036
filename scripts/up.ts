/** `npm run up`, which is `interlay cluster up`. */
import { runAndExit } from "./interlay/run-interlay.ts";

void runAndExit(["cluster", "up", ...process.argv.slice(2)]);
