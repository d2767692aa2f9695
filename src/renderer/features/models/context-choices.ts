/** The shortest context on offer, tokens. Less is of no use to a chat with a few turns. */
const SHORTEST = 4_096;
/** The longest on offer while the model's own limit is unknown. */
const LONGEST_UNKNOWN = 131_072;

/** Context lengths to choose from, ascending: doubling steps up to the model's limit, the limit, and the current one. */
export function contextChoices(limit: number | null, pinned: number | null): number[] {
  const most = limit ?? LONGEST_UNKNOWN;
  const choices = new Set<number>();
  for (let tokens = SHORTEST; tokens < most; tokens *= 2) choices.add(tokens);
  choices.add(most);
  if (pinned !== null) choices.add(pinned);
  return [...choices].sort((one, other) => one - other);
}
