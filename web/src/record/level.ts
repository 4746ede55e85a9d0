/** What a stretch of samples (-1 to 1) measures. */
export interface Level {
  readonly rms: number;
  readonly peak: number;
}

/** From here on a sample counts as cut off. */
const CLIPPED = 0.985;
/** So many cut samples in a look are no accident. */
const CLIPPED_RUN = 3;
const FLOOR_DBFS = -100;

/** Root of the mean square, and the largest amplitude. */
export function levelOf(samples: Float32Array, from = 0, to = samples.length): Level {
  let sum = 0;
  let peak = 0;
  for (let at = from; at < to; at += 1) {
    const amplitude = Math.abs(samples[at]!);
    sum += amplitude * amplitude;
    if (amplitude > peak) peak = amplitude;
  }
  return { rms: to > from ? Math.sqrt(sum / (to - from)) : 0, peak };
}

/** Amplitude in decibels below full scale; silence is -100. */
export function dbfs(amplitude: number): number {
  return amplitude > 0 ? Math.max(20 * Math.log10(amplitude), FLOOR_DBFS) : FLOOR_DBFS;
}

/** Whether the sound is cut off at full scale. */
export function isClipped(samples: Float32Array): boolean {
  let run = 0;
  for (const sample of samples) {
    run = Math.abs(sample) >= CLIPPED ? run + 1 : 0;
    if (run >= CLIPPED_RUN) return true;
  }
  return false;
}

/** Whether no tenth of a second is above the limit: what the house would refuse as silent. */
export function isSilent(samples: Float32Array, rate_hz: number, limit_dbfs: number): boolean {
  const tenth = Math.max(1, Math.round(rate_hz / 10));
  for (let from = 0; from < samples.length; from += tenth) {
    if (dbfs(levelOf(samples, from, Math.min(from + tenth, samples.length)).rms) > limit_dbfs) return false;
  }
  return true;
}

/** The largest amplitude in each of `count` equal parts, 0 to 1. */
export function peaks(samples: Float32Array, count: number): number[] {
  const part = samples.length / count;
  return Array.from({ length: count }, (_, at) =>
    levelOf(samples, Math.floor(at * part), Math.min(Math.ceil((at + 1) * part), samples.length)).peak,
  );
}

/** How high a bar of this amplitude stands, 0 to 1: by decibels, as the ear has it, from -60 up. */
export function barOf(amplitude: number): number {
  return Math.min(Math.max((dbfs(amplitude) + 60) / 60, 0), 1);
}

/** The same for a drawing of the voice: squared, so that speech stands out from the room it is in. */
export function heightOf(amplitude: number): number {
  return barOf(amplitude) ** 2;
}

/** Listens along and says what is wrong with the sound while something can be done about it. */
export class Watchman {
  private quiet_s = 0;
  private clipped_s = -Infinity;

  constructor(private readonly limit_dbfs: number) {}

  /** What to tell, `elapsed_s` into the take, of the samples heard in the last `span_s`. */
  hear(samples: Float32Array, elapsed_s: number, span_s: number): "silent" | "clipped" | null {
    // Ten decibels of mercy: what the house would just pass is still a microphone that hears nobody.
    const isQuiet = dbfs(levelOf(samples).rms) < this.limit_dbfs + 10;
    this.quiet_s = isQuiet ? this.quiet_s + span_s : 0;
    if (isClipped(samples)) this.clipped_s = elapsed_s;
    if (elapsed_s - this.clipped_s < SHOWN_S) return "clipped";
    return this.quiet_s >= QUIET_S ? "silent" : null;
  }
}

const QUIET_S = 3;
const SHOWN_S = 3;
