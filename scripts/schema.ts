import { publishSchemas } from "../results/json-schema.ts";
import { RESULTS } from "../results/write.ts";

/** `npm run schema`: writes the published JSON Schemas anew; a unit test keeps them equal to the code. */
for (const path of await publishSchemas(RESULTS)) process.stdout.write(`${path}\n`);
