/** A frame of the message dialect, as the server sends it (docs/protocol.md). */
export interface Frame {
  readonly type?: string;
  readonly event?: string;
  readonly room?: string;
  readonly id?: string;
  readonly from?: string;
  readonly ref?: string;
  readonly ephemeral?: boolean;
  readonly provisional?: boolean;
  readonly provisional_id?: string;
  readonly data?: FrameData;
}

export interface Member {
  readonly user_id?: string;
  readonly status?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** The fields of `data` that anybody here looks at; which of them are there depends on the frame. */
export interface FrameData extends Member {
  readonly code?: string;
  readonly error?: string;
  readonly reason?: string;
  readonly position?: string;
  readonly recovered?: boolean;
  readonly replayed?: number;
  readonly members?: readonly Member[];
  readonly count?: number;
  readonly retry_after_ms?: number;
  readonly reconnect_after_ms?: number;
  readonly [name: string]: unknown;
}
