import { UsageError } from './options.js';

/** In the order of execution: fast ones first. */
const allGroups = ['types', 'lint', 'unit', 'integration', 'ui'];
const withFiles = ['unit', 'integration', 'ui'];

/**
 * Groups and files that `npm test` runs.
 *
 * @param {string[]} args group names and file filters
 * @returns {{ groups: string[], files: string[] }} throws a UsageError for an option
 */
export function testPlan(args) {
  const option = args.find((arg) => arg.startsWith('-'));
  if (option)
    throw new UsageError(`Unknown option: ${option}\nUsage: npm test -- [${allGroups.join('|')}]… [FILE]…`);
  const groups = allGroups.filter((group) => args.includes(group));
  const files = args.filter((arg) => !allGroups.includes(arg));
  if (groups.length > 0) return { groups, files };
  return { groups: files.length > 0 ? withFiles : allGroups, files };
}

/**
 * Whether a group runs the built program, and so needs it, both servers and, for `ui`, a browser.
 *
 * @param {string} group
 */
export function needsServers(group) {
  return group === 'integration' || group === 'ui';
}
