/** A link by the id of its namespace and its name there. */
export interface LinkRef {
  readonly namespace: string;
  readonly link: string;
}

/** A link that a frame passes on its way, in order. */
export type FrameStep =
  | { readonly kind: "egress" | "ingress"; readonly namespace: string; readonly link: string }
  | {
      readonly kind: "bridge";
      readonly namespace: string;
      readonly bridge: string;
      /** Undefined if the bridge's own link sends the frame. */
      readonly inPort: string | undefined;
      /** Undefined if the frame is for the bridge's own link. */
      readonly outPort: string | undefined;
    };

/** A link that receives frames with its MAC address from a sender. */
export interface FrameReceiver extends LinkRef {
  /** MAC addresses whose frames it accepts. */
  readonly macs: readonly string[];
  readonly steps: readonly FrameStep[];
  /** Smallest MTU of links that drop longer frames on the way. */
  readonly mtu: number;
}

export interface ReceiverSearch {
  readonly receivers: readonly FrameReceiver[];
  /** Links on the way that lead out of the snapshot, or that the model does not support: `node-1: eth0 (device)`. */
  readonly open: readonly string[];
}
