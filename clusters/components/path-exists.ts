import { access } from "node:fs/promises";

/** Whether a file or directory exists, and this user may search the directories of its path. */
export function pathExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
