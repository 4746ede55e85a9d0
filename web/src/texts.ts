/** The texts that the page brought for its scripts, in its language: `{"group.key": "text with {name}"}`. */
type Message = string | Record<string, string>;
type Values = Record<string, string | number>;

let messages: Record<string, Message> | null = null;

/** The language of the page. */
export function language(): string {
  return document.documentElement.lang || "en";
}

/** A text with its places filled; one that counts is chosen by `count`. */
export function text(key: string, values: Values = {}): string {
  messages ??= read();
  const message = messages[key];
  if (message === undefined) throw new Error(`No text ${key}: does the page say that it speaks this group?`);
  return filled(typeof message === "string" ? message : chosen(message, Number(values["count"])), values);
}

/** Whether the page brought a text, for keys made of a code. */
export function hasText(key: string): boolean {
  return key in (messages ??= read());
}

function read(): Record<string, Message> {
  const element = document.getElementById("texts");
  return element?.textContent ? (JSON.parse(element.textContent) as Record<string, Message>) : {};
}

function chosen(forms: Record<string, string>, count: number): string {
  return forms[new Intl.PluralRules(language()).select(count)] ?? forms["other"] ?? "";
}

function filled(message: string, values: Values): string {
  return message.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
