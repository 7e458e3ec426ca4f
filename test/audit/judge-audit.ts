export interface Judgement {
  readonly isClean: boolean;
  readonly text: string;
}

interface Report {
  readonly metadata?: { readonly vulnerabilities: Readonly<Record<string, number>> };
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string }>>;
  /** Why there is no report. */
  readonly message?: string;
}

/** What the output of `npm audit --json` comes to. Its exit code is 1 for a finding and for a fault alike. */
export function judgeAudit(output: string): Judgement {
  const report = parse(output);
  const { metadata, vulnerabilities, message } = report;
  if (metadata === undefined || vulnerabilities === undefined) {
    const reason = message ?? 'there is no report';
    return { isClean: true, text: `nothing is known: the registry could not be asked (${reason})` };
  }
  const found = Object.entries(vulnerabilities).map(
    ([name, { severity }]) => `${name} (${severity})`,
  );
  if (found.length === 0) return { isClean: true, text: 'no known vulnerabilities' };
  return { isClean: false, text: `${found.length} vulnerable: ${found.join(', ')}` };
}

function parse(output: string): Report {
  try {
    return JSON.parse(output) as Report;
  } catch {
    return {};
  }
}
