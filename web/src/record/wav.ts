const HEADER_BYTES = 44;
const SAMPLE_BYTES = 2;

/** A WAV file, 16 bits, mono, of samples from -1 to 1; what is louder is cut off. */
export function wavOf(samples: Float32Array, rate_hz: number): ArrayBuffer {
  const data_bytes = samples.length * SAMPLE_BYTES;
  const file = new ArrayBuffer(HEADER_BYTES + data_bytes);
  const view = new DataView(file);
  writeText(view, 0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + data_bytes, true);
  writeText(view, 8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of the format chunk
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate_hz, true);
  view.setUint32(28, rate_hz * SAMPLE_BYTES, true);
  view.setUint16(32, SAMPLE_BYTES, true);
  view.setUint16(34, SAMPLE_BYTES * 8, true);
  writeText(view, 36, "data");
  view.setUint32(40, data_bytes, true);
  samples.forEach((sample, at) => view.setInt16(HEADER_BYTES + at * SAMPLE_BYTES, int16(sample), true));
  return file;
}

function int16(sample: number): number {
  return Math.round(Math.max(-1, Math.min(1, sample)) * 0x7fff);
}

function writeText(view: DataView, at: number, text: string): void {
  for (let number = 0; number < text.length; number += 1) view.setUint8(at + number, text.charCodeAt(number));
}
