import { access } from "node:fs/promises";

/** Whether a file or directory exists and may be reached. */
export function pathExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
