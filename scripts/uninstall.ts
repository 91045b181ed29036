/** `npm run uninstall`, which is `interlay uninstall`. */
import { runAndExit } from "./interlay/run-interlay.ts";

void runAndExit(["uninstall", ...process.argv.slice(2)]);
