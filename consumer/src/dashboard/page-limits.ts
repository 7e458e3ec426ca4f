/** Rows that a list has: the page asks the API for so many keys. */
export const LIST_ROWS_MAX = 100;
/** Rows that are shown before more are asked for; page.css says so too. */
export const LIST_ROWS_SHORT = 10;
/** Keys that the words are filtered among; the API gives no more. */
export const FILTERED_KEYS_MAX = 10_000;
/** Keys of the chart that have an area of their own. */
export const CHART_KEYS_MAX = 6;
/** Rejected lines that are shown, and those before more are asked for. */
export const REJECTED_ROWS_MAX = 20;
export const REJECTED_ROWS_SHORT = 5;
