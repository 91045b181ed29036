import { getErrorMessage } from "../errors/error-message.ts";
/** Error codes: 1 to 99 are those of the CNI spec 1.1.0, section 5 "Error"; codes from 100 on are Interlay's. */
export const CODE = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  /** The container is unknown or does not exist: nothing to clean up. */
  unknownContainer: 3,
  invalidEnvironment: 4,
  io: 5,
  decode: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  /** STATUS: the plugin cannot serve ADD requests. */
  notAvailable: 50,
  /** The facts file of this node does not exist or is not valid. */
  noFacts: 100,
  /** The kernel rejected a plan item; the items before it were undone. */
  apply: 101,
  /** CHECK: the kernel does not match the plan. */
  drift: 102,
  /** Interlay cannot attach this pod (no address, no path to its node). */
  unsupportedPod: 103,
  /** Another host on the network uses the pod's address (conflictDetection). */
  addressConflict: 104,
  /** A gateway of the pod does not answer (gatewayDetection). */
  gatewaySilent: 105,
  /** IPAM: no address is available. */
  noAddress: 110,
} as const;

/** An error that is returned to the runtime as the CNI specification defines. */
export class CniError extends Error {
  readonly code: number;
  readonly details: string;

  /**
   * @param code one of CODE
   * @param message one sentence: what happened, and to which pod, node or file
   * @param details what to do
   */
  constructor(code: number, message: string, details = "") {
    super(message);
    this.name = "CniError";
    this.code = code;
    this.details = details;
  }
}

/** Error 104, with the data that the agent needs to allocate another address. */
export class AddressConflictError extends CniError {
  readonly address: string;
  /** MAC of the other host; empty if unknown. */
  readonly mac: string;

  constructor(address: string, mac: string, message: string, details: string) {
    super(CODE.addressConflict, message, details);
    this.name = "AddressConflict";
    this.address = address;
    this.mac = mac;
  }
}

/** Renders an error as the JSON for stdout. */
export function renderError(error: unknown, cniVersion: string): string {
  const { code, message, details } =
    error instanceof CniError ? error : { code: CODE.io, message: getErrorMessage(error), details: "" };
  return JSON.stringify({ cniVersion, code, msg: message, ...(details === "" ? {} : { details }) });
}
