export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One line of the log: a change of state in a few fixed words, its particulars in fields. */
export type Log = (
  level: LogLevel,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;
