import { z } from "zod";

/** A call's duration in ms from start to end of the program, and its output. */
const timed = z.object({ milliseconds: z.number(), status: z.number(), stdout: z.string() });
export type TimedCall = z.infer<typeof timed>;

/** Messages between runtime.ts and its process. */
export const encodeCall = z.object({
  id: z.number(),
  invocation: z.object({ executable: z.string(), env: z.record(z.string(), z.string()), input: z.string() }),
});
export type EncodedCall = z.infer<typeof encodeCall>;
export const decodeResult = z.object({ id: z.number(), result: z.union([timed, z.object({ error: z.string() })]) });
