import { buildInterlay } from "../plugin/deploy/build.ts";

process.stdout.write(`${await buildInterlay()}\n`);
