import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** Connections at once. */
  readonly connectionsMax: number;
  /** Requests of one connection that wait for their answers. */
  readonly pipelinedMax: number;
  /** Bytes of all answers that clients have not taken yet; an answer that many are sent counts once. */
  readonly unsentBytesMax: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  connectionsMax: 512,
  pipelinedMax: 32,
  unsentBytesMax: 67_108_864,
};

/** Why connections were closed, other than by their clients or because time was up. */
export const CLOSE_REASONS = ['full', 'pipelining', 'unsent'] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/**
 * The connections of a server, and what of it their clients may hold.
 *
 * Each new connection has its place, so that nobody can keep others out by holding all: past the bound the
 * one is closed that has been without a request for longest. When all have one, it is the one whose client
 * has not taken its answer for longest; only when all answers are being made it is the new one.
 */
export class Connections {
  readonly closed: Record<CloseReason, number> = { full: 0, pipelining: 0, unsent: 0 };
  readonly #limits: ConnectionLimits;
  /** Of each the answers that are made or sent, in the order in which they last had none. */
  readonly #open = new Map<Socket, Map<ServerResponse, Uint8Array | null>>();
  /** Bodies that are being sent, and with which answers, the oldest first. */
  readonly #unsent = new Map<Uint8Array, Set<ServerResponse>>();
  #unsentBytes = 0;

  constructor(limits: Partial<ConnectionLimits> = {}) {
    this.#limits = { ...CONNECTION_LIMITS, ...limits };
  }

  get size(): number {
    return this.#open.size;
  }

  get sizeMax(): number {
    return this.#limits.connectionsMax;
  }

  add(socket: Socket): void {
    this.#open.set(socket, new Map());
    socket.once('close', () => this.#remove(socket));
    if (this.#open.size > this.#limits.connectionsMax)
      this.#close(this.#leastNeeded(socket), 'full');
  }

  /** A request has come. False where its connection has too many already: it is closed. */
  begin({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const answers = this.#open.get(socket);
    if (answers === undefined) return false; // closed, with further requests in what was read of it
    if (answers.size >= this.#limits.pipelinedMax) {
      this.#close(socket, 'pipelining');
      return false;
    }
    answers.set(response, null);
    response.once('close', () => this.#end(socket, response));
    return true;
  }

  /** The answer to a request has this body. */
  send({ socket }: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
    const answers = this.#open.get(socket);
    if (answers === undefined || !answers.has(response)) return;
    answers.set(response, body);
    let sentWith = this.#unsent.get(body);
    if (sentWith === undefined) {
      sentWith = new Set();
      this.#unsent.set(body, sentWith);
      this.#unsentBytes += body.length;
    }
    sentWith.add(response);
    for (const [oldest, responses] of this.#unsent) {
      if (this.#unsentBytes <= this.#limits.unsentBytesMax || oldest === body) break;
      for (const { req } of [...responses]) this.#close(req.socket, 'unsent');
    }
  }

  /** Whether something could be written to a connection without being taken for a part of another answer. */
  mayBeTold(socket: Socket): boolean {
    const [first, ...others] = this.#open.get(socket)?.keys() ?? [];
    return socket.writable && others.length === 0 && !first?.headersSent;
  }

  #leastNeeded(newest: Socket): Socket {
    let untaken: Socket | undefined;
    for (const [socket, answers] of this.#open) {
      if (socket === newest) continue;
      if (answers.size === 0) return socket;
      if ([...answers.keys()].every(({ writableEnded }) => writableEnded)) untaken ??= socket;
    }
    return untaken ?? newest;
  }

  #close(socket: Socket, reason: CloseReason): void {
    this.closed[reason]++;
    this.#remove(socket);
    // What is unsent is not to be kept by the kernel either.
    if (socket.writableLength > 0) socket.resetAndDestroy();
    else socket.destroy();
  }

  #end(socket: Socket, response: ServerResponse): void {
    const answers = this.#open.get(socket);
    if (answers === undefined || !answers.has(response)) return;
    this.#release(response, answers.get(response) ?? null);
    answers.delete(response);
    if (answers.size > 0) return;
    this.#open.delete(socket);
    this.#open.set(socket, answers);
  }

  #remove(socket: Socket): void {
    const answers = this.#open.get(socket);
    this.#open.delete(socket);
    for (const [response, body] of answers ?? []) this.#release(response, body);
  }

  #release(response: ServerResponse, body: Uint8Array | null): void {
    const sentWith = body === null ? undefined : this.#unsent.get(body);
    if (body === null || sentWith === undefined) return;
    sentWith.delete(response);
    if (sentWith.size > 0) return;
    this.#unsent.delete(body);
    this.#unsentBytes -= body.length;
  }
}
