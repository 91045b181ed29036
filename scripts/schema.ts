import { publishSchemas } from "../results/json-schema.ts";
import { RESULTS } from "../results/write.ts";

/** `npm run schema`: writes the published JSON Schemas; a unit test compares them with the code. */
for (const path of await publishSchemas(RESULTS)) process.stdout.write(`${path}\n`);
