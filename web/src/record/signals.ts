/** How the countdown reaches who does not look: felt, and heard by who wears headphones. */
const WARNING_PATTERN_MS = [180, 90, 180];
const TICK_MS = 60;
const OVER_MS = 400;
const TONE_HZ = 880;
const TONE_S = 0.12;
const TONE_GAIN = 0.08;
const HEADPHONES = /head(phone|set)|ear(phone|bud|piece)|airpod|casque|écouteur/i;

/** In the hand. Browsers without it do nothing. */
export function feel(event: "warning" | "tick" | "over"): void {
  navigator.vibrate?.(event === "warning" ? WARNING_PATTERN_MS : event === "tick" ? TICK_MS : OVER_MS);
}

/**
 * A short soft tone. From a loudspeaker the microphone would hear it, and it would be in the take for ever: so it is
 * played only where headphones are seen, or its author has asked for it.
 */
export function sound(): void {
  const context = new AudioContext();
  const [tone, gain] = [context.createOscillator(), context.createGain()];
  tone.frequency.value = TONE_HZ;
  gain.gain.setValueAtTime(TONE_GAIN, context.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.001, context.currentTime + TONE_S);
  tone.connect(gain).connect(context.destination);
  tone.addEventListener("ended", () => void context.close());
  tone.start();
  tone.stop(context.currentTime + TONE_S);
}

/** Whether sound comes out of headphones, as far as the names of the devices tell. */
export async function wearsHeadphones(): Promise<boolean> {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  return devices.some(({ kind, label }) => kind === "audiooutput" && HEADPHONES.test(label));
}
