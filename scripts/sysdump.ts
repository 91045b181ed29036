/** `npm run sysdump`, which is `interlay sysdump`. */
import { runAndExit } from "./interlay/run-interlay.ts";

void runAndExit(["sysdump", ...process.argv.slice(2)]);
