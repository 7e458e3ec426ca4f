/** What is used of WebAssembly: the types are in TypeScript's library for browsers, and not in Node's. */
export interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer;
}

export type WebAssemblyModule = object;

interface WebAssemblyInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface WebAssemblyNamespace {
  readonly Module: new (bytes: Uint8Array) => WebAssemblyModule;
  readonly Instance: new (module: WebAssemblyModule, imports: object) => WebAssemblyInstance;
  /** Whether the engine can run it: false for SIMD on a processor that has none. */
  validate(bytes: Uint8Array): boolean;
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyNamespace };
