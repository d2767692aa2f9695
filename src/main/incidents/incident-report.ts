import type { SettingChange } from '../store/settings-log';
import type { Incident } from './incident';

/** A setting change with its time. */
export type DatedChange = SettingChange & { at: string };

const GB = 1_000_000_000;

/**
 * The report of one death as text to copy, in English, for a person who helps.
 * @param words what the cause means, as a sentence
 * @param changes settings changed in the 24 h before
 */
export function incidentReport(incident: Incident, words: string, changes: readonly DatedChange[]): string {
  const { versions, memory, evidence } = incident;
  const lines: [string, string][] = [
    ['Incident', incident.id],
    ['When', new Date(incident.at).toISOString()],
    ['Server', `${incident.backend} ${versions.server ?? '(version unknown)'}`],
    ['Cause', `${incident.cause}: ${words}`],
    ['Exit', exitWords(incident)],
    ['Evidence', evidence.length === 0 ? 'none' : evidence.join(', ')],
    [
      'Ran for',
      incident.uptimeMs === null ? 'no process was started' : `${(incident.uptimeMs / 1000).toFixed(1)} s`,
    ],
    ['In flight', `${incident.inFlight} request(s), model ${incident.model ?? 'none'}`],
    ['Restarts', `${incident.restarts} before it`],
    ...(incident.rung === null ? [] : [['Ladder', `rung ${incident.rung}`] as [string, string]]),
    [
      'Memory',
      `${size(memory.usedBytes)} of ${size(memory.totalBytes)} used, pressure ${memory.pressure}, server ${size(memory.serverBytes)}`,
    ],
    ['Tandem', versions.tandem],
    ['System', versions.system],
    ['Settings', changes.length === 0 ? 'none changed in the 24 h before' : 'changed in the 24 h before:'],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return [
    ...lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...changes.map(
      ({ at, key, old, new: now }) => `  ${at}  ${key}: ${JSON.stringify(old)} -> ${JSON.stringify(now)}`,
    ),
    '',
  ].join('\n');
}

function exitWords({ exitCode, signal }: Incident): string {
  if (signal !== null) return `signal ${signal}`;
  return exitCode === null ? 'not seen' : `code ${exitCode}`;
}

/** Decimal gigabytes, as macOS counts them. */
function size(bytes: number | null): string {
  return bytes === null ? 'unknown' : `${(bytes / GB).toFixed(1)} GB`;
}
