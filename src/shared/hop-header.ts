/** Carried by upstream calls: a comma-separated list of the instance ids that a request has passed. */
export const HOP_HEADER = 'x-tandem-hop';
