/** FIFOs are found by this ending; a producer's own is `events-$PRODUCER_NAME.fifo`. */
export const FIFO_SUFFIX = '.fifo';

/** Where FIFOs live unless `FIFO_DIR` says otherwise, seen from the folder that a program runs in. */
export const DEFAULT_FIFO_DIR = 'run';
