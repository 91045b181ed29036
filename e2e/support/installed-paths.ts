/** Paths of Interlay on nodes. */
export const INTERLAY = "/opt/cni/bin/interlay";
export const STATE_DIRECTORY = "/var/lib/interlay";
export const RECORDS = `${STATE_DIRECTORY}/attachments`;
export const FACTS = `${STATE_DIRECTORY}/facts.json`;

/** Namespace of Interlay's agents. */
export const SYSTEM_NAMESPACE = "interlay-system";
