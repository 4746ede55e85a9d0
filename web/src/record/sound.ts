import type { Trim } from "./trim";

/** Decoded sound: mono, 48 kHz, as WAV files of trimmed takes have it. */
export interface Sound {
  readonly samples: Float32Array;
  readonly rate_hz: number;
  readonly duration_s: number;
}

const RATE_HZ = 48_000;
/** A small file can hold hours, which nothing here has the memory for: larger ones are left to the house to judge. */
const DECODED_MAX_BYTES = 12 * 1024 * 1024;
const PLAIN = /wav|flac|aiff/i;

/** The sound of a file, or null where this browser cannot read it: then it is sent as it is. */
export async function decoded(file: Blob): Promise<Sound | null> {
  if (file.size > DECODED_MAX_BYTES && !PLAIN.test(file.type)) return null;
  try {
    const context = new OfflineAudioContext(1, 1, RATE_HZ);
    const buffer = await context.decodeAudioData(await file.arrayBuffer());
    return { samples: mono(buffer), rate_hz: buffer.sampleRate, duration_s: buffer.duration };
  } catch {
    return null;
  }
}

function mono(buffer: AudioBuffer): Float32Array {
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, number) => buffer.getChannelData(number));
  const first = channels[0] ?? new Float32Array(0);
  if (channels.length < 2) return first;
  return first.map((_, at) => channels.reduce((sum, channel) => sum + channel[at]!, 0) / channels.length);
}

/** Plays a piece of decoded sound: what was recorded is heard without a file or an address that a page could load. */
export class Playback {
  private context: AudioContext | null = null;
  private source: AudioBufferSourceNode | null = null;
  private startedAt_s = 0;
  private from_s = 0;

  /** Where it is, in seconds of the take; null when it does not play. */
  get at_s(): number | null {
    return this.source && this.context ? this.from_s + this.context.currentTime - this.startedAt_s : null;
  }

  play({ samples, rate_hz }: Sound, { start_s, end_s }: Trim, ended: () => void): void {
    this.stop();
    const context = (this.context ??= new AudioContext());
    void context.resume();
    const buffer = context.createBuffer(1, samples.length, rate_hz);
    buffer.copyToChannel(samples as Float32Array<ArrayBuffer>, 0);
    const source = (this.source = context.createBufferSource());
    source.buffer = buffer;
    source.connect(context.destination);
    source.addEventListener("ended", () => {
      if (this.source !== source) return;
      this.stop();
      ended();
    });
    [this.startedAt_s, this.from_s] = [context.currentTime, start_s];
    source.start(0, start_s, end_s - start_s);
  }

  /** What does not play leaves the loudspeaker, and on phones the microphone, to others. */
  stop(): void {
    const source = this.source;
    this.source = null;
    source?.stop();
    void this.context?.suspend();
  }
}
