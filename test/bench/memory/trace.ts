import {
  HEAVY_MODELS,
  LIGHT_MODELS,
  NAMED_MODELS,
  PUBLISHED_MACS,
  type PublishedMac,
  type PublishedModel,
} from './published-macs';
import { Random } from './random';

/** Seconds of one trace and of one step in it. */
export const TRACE_S = 900;
export const STEP_S = 0.25;

const TOUCH_BYTES_PER_S = 5e9;

export interface SimRequest {
  at: number;
  model: PublishedModel;
  /** The server that the strategy tries first. */
  first: 'fragile' | 'steady';
  /** The model that answers it on the steady server. */
  steadyModel: PublishedModel;
  promptTokens: number;
  /** The client's limit, and the actual length of the answer. */
  maxTokens: number;
  answerTokens: number;
}

/** All events on one Mac, independent of any decision. */
export interface Trace {
  mac: PublishedMac;
  light: PublishedModel;
  /** Memory of other programs at each step, bytes. */
  apps: Float64Array;
  requests: SimRequest[];
  /** Factor on the reported size of each model: 0.9 to 1.1. */
  told: ReadonlyMap<string, number>;
}

export function traceOf(seed: number, index: number): Trace {
  const random = new Random(seed * 100_003 + index * 7919);
  const mac = PUBLISHED_MACS[index % PUBLISHED_MACS.length] ?? random.pick(PUBLISHED_MACS);
  const light = random.pick(LIGHT_MODELS);
  const all = [...LIGHT_MODELS, ...NAMED_MODELS, ...HEAVY_MODELS];
  return {
    mac,
    light,
    apps: appsOf(mac, random),
    requests: requestsOf(mac, light, random),
    told: new Map(all.map(({ name }) => [name, random.between(0.9, 1.1)])),
  };
}

/** A slow random walk with bursts: a program starts within seconds, stays a while and exits. */
export function appsOf(mac: PublishedMac, random: Random): Float64Array {
  const steps = TRACE_S / STEP_S;
  const course = new Float64Array(steps);
  const home = random.between(0.12, 0.5) * mac.totalBytes;
  let level = home;
  for (let step = 0; step < steps; step += 1) {
    level += (home - level) * 0.001 + (random.next() - 0.5) * 0.002 * mac.totalBytes;
    course[step] = Math.max(0.05 * mac.totalBytes, level);
  }
  for (let at = random.wait(90); at < TRACE_S; at += random.wait(90)) {
    addBurst(course, at, random.between(0.01, 0.15) * mac.totalBytes, random);
  }
  return course;
}

function addBurst(course: Float64Array, at: number, bytes: number, random: Random): void {
  // Touching fresh pages takes time as well.
  const rise = Math.max(random.between(0.5, 6), bytes / TOUCH_BYTES_PER_S);
  const stay = random.between(10, 150);
  const from = Math.floor(at / STEP_S);
  const to = Math.min(course.length, Math.floor((at + rise + stay) / STEP_S));
  for (let step = from; step < to; step += 1) {
    course[step] = (course[step] ?? 0) + bytes * Math.min(1, ((step - from) * STEP_S) / rise);
  }
}

function requestsOf(mac: PublishedMac, light: PublishedModel, random: Random): SimRequest[] {
  const gpu = mac.workingSetBytes;
  const upTo = (models: readonly PublishedModel[], share: number) => {
    const fitting = models.filter(({ weightsBytes }) => weightsBytes <= gpu * share);
    return fitting.length > 0 ? fitting : models.slice(0, 1);
  };
  const heavy = upTo(HEAVY_MODELS, 0.75).slice(-2);
  // Some requested models cannot fit.
  const named = upTo(NAMED_MODELS, random.next() < 0.25 ? 1.4 : 0.7).slice(-2);
  const steadyLight = upTo(HEAVY_MODELS, 0.75).slice(0, 1);
  const requests: SimRequest[] = [];
  for (let at = random.wait(6); at < TRACE_S; at += random.wait(6)) {
    const kind = random.next();
    const maxTokens = 512;
    const long = random.next() < 0.15;
    const common = {
      at,
      promptTokens: Math.round(random.between(30, long ? 12_000 : 1500)),
      maxTokens,
      answerTokens: Math.round(random.between(20, maxTokens)),
    };
    if (kind < 0.7) {
      const promptTokens = Math.min(common.promptTokens, 3500);
      requests.push({
        ...common,
        promptTokens,
        model: light,
        first: 'fragile',
        steadyModel: random.pick(steadyLight),
      });
    } else if (kind < 0.85) {
      const model = random.pick(named);
      requests.push({ ...common, model, first: 'fragile', steadyModel: random.pick(heavy) });
    } else {
      const model = random.pick(heavy);
      requests.push({ ...common, model, first: 'steady', steadyModel: model });
    }
  }
  return requests;
}
