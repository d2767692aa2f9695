/** Header of upstream calls: a comma-separated list of the instance ids that a request has passed through. */
export const HOP_HEADER = 'x-tandem-hop';
