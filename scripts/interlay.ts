/** `interlay`: the program. Its commands are listed in interlay/verbs.ts, and described in docs/reference/cli.md. */
import { runAndExit } from "./interlay/run-interlay.ts";

void runAndExit(process.argv.slice(2));
