/**
 * What of the counts outlasts the process. journal: all but the read that was in hand. checkpoint: all
 * up to the last checkpoint. none: nothing.
 */
export const DURABILITIES = ['journal', 'checkpoint', 'none'] as const;

export type Durability = (typeof DURABILITIES)[number];
