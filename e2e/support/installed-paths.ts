/** Paths of Interlay on nodes. */
export const INSTALLED_EXECUTABLE = "/opt/cni/bin/interlay";
export const NODE_STATE_DIRECTORY = "/var/lib/interlay";
export const RECORDS = `${NODE_STATE_DIRECTORY}/attachments`;
export const FACTS = `${NODE_STATE_DIRECTORY}/facts.json`;
