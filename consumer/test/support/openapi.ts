import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';

export type Json = Readonly<Record<string, unknown>>;

export interface MediaType {
  readonly schema: Json;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Reference {
  readonly $ref?: string;
}

export interface Answer extends Reference {
  readonly headers?: Readonly<Record<string, Json>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly schema: Json; readonly example?: unknown }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, Answer>>;
}

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** An OpenAPI document as that by which answers are judged: a member that it does not describe is a fault. */
export class Description {
  readonly document: OpenApi;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: OpenApi) {
    this.document = document;
    this.#ajv.addSchema(closed(document) as object, 'openapi');
  }

  /** `GET /stats` and so on. */
  get operations(): ReadonlyMap<string, Operation> {
    return new Map(
      Object.entries(this.document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]): [string, Operation] => [
          `${method.toUpperCase()} ${path}`,
          operation,
        ]),
      ),
    );
  }

  /** What an operation may answer with a status: described by it, or by its first digit. */
  answer(operation: Operation, status: number): Answer | undefined {
    const answer =
      operation.responses[status] ?? operation.responses[`${String(status).charAt(0)}XX`];
    return answer === undefined ? undefined : this.resolve(answer);
  }

  resolve<T extends Reference>(value: T): T {
    if (value.$ref === undefined) return value;
    const [kind, name] = value.$ref.split('/').slice(-2) as [string, string];
    return this.document.components[kind]?.[name] as T;
  }

  /** What is wrong with a value by a schema of the document; null when nothing is. */
  faults(schema: Json, value: unknown): readonly ErrorObject[] | null {
    const here = JSON.parse(JSON.stringify(closed(schema)).replaceAll('"#/', '"openapi#/')) as Json;
    const validate = this.#ajv.compile(here);
    return validate(value) ? null : (validate.errors ?? []);
  }
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, closed(each)]),
  );
  return 'properties' in copy ? { additionalProperties: false, ...copy } : copy;
}
