import { usePart } from '../../stores/core-store';

/** Is the built-in small model the only one that can answer? */
export function useSmallAlone(): boolean {
  const capable = usePart('capable');
  const models = usePart('models');
  return capable === false && models?.some(({ small }) => small) === true;
}
