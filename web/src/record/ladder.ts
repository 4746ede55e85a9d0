/** A format to record in: as `MediaRecorder` is asked for it, and how a file of it is called. */
export interface Format {
  readonly type: string;
  readonly extension: string;
}

/**
 * Best first. Opus costs least for a voice and every browser but Safari records it; Safari's own is AAC. The kinds
 * without a codec leave the choice to the browser: the house judges a recording by its sound, never by its label.
 */
export const LADDER: readonly Format[] = [
  { type: "audio/webm;codecs=opus", extension: "webm" },
  { type: "audio/mp4;codecs=mp4a.40.2", extension: "m4a" },
  { type: "audio/mp4;codecs=opus", extension: "m4a" },
  { type: "audio/ogg;codecs=opus", extension: "ogg" },
  { type: "audio/webm", extension: "webm" },
  { type: "audio/mp4", extension: "m4a" },
  { type: "audio/ogg", extension: "ogg" },
];

/** As a rule of thumb transparent for one voice, so that what is heard again is what was said. */
const BITS_PER_SECOND = 128_000;

/** Makes a recorder of a stream in a format; throws when the browser promised more than it can do. */
export type Maker = (stream: MediaStream, options: MediaRecorderOptions) => MediaRecorder;

/** The rungs that the browser says it can stand on. */
export function rungs(isSupported: (type: string) => boolean): Format[] {
  return LADDER.filter(({ type }) => isSupported(type));
}

/** A recorder on the best rung that really holds; the last resort is whatever the browser does unasked. Or null. */
export function recorderOf(
  stream: MediaStream,
  formats: readonly Format[] = rungs((type) => MediaRecorder.isTypeSupported(type)),
  make: Maker = (from, options) => new MediaRecorder(from, options),
): MediaRecorder | null {
  for (const options of [...formats.map(({ type }) => ({ mimeType: type })), {}]) {
    try {
      return make(stream, { ...options, audioBitsPerSecond: BITS_PER_SECOND });
    } catch {
      // Said yes and cannot: the next rung.
    }
  }
  return null;
}

/** How a file of a type is called: by its container, `audio/x-m4a` and unknown ones included. */
export function extensionOf(type: string): string {
  const container = type.split(";")[0]!.trim().toLowerCase();
  const known = LADDER.find((format) => format.type.split(";")[0] === container);
  return known?.extension ?? { "audio/wav": "wav", "audio/mpeg": "mp3", "audio/x-m4a": "m4a" }[container] ?? "audio";
}
