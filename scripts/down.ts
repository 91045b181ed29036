/** `npm run down`, which is `interlay cluster down`. */
import { runAndExit } from "./interlay/run-interlay.ts";

void runAndExit(["cluster", "down", ...process.argv.slice(2)]);
