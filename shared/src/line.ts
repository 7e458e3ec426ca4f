/** Why a line that is not blank is no event; a closed set, in the order in which it is checked. */
export const REJECTION_REASONS = ['too_long', 'not_json', 'not_an_event'] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];
