import type { Fields } from "../outbox/take";
import type { Me } from "../outbox/who";
import { text } from "../texts";
import { find, show } from "../dom";
import { Placing } from "./placing";

const SAVE_MS = 400;

/** What is published beside the sound: place and words. Tells, a moment after it was changed, that it should be kept. */
export class Details {
  private readonly placing: Placing;
  private timer = 0;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly told: { readonly changed: (fields: Fields) => void; readonly publish: (fields: Fields) => void },
  ) {
    this.placing = new Placing(find("[data-placing]", form), () => this.soon());
    form.addEventListener("input", () => this.soon());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.hurry();
      told.publish(this.fields);
    });
  }

  get fields(): Fields {
    const { title, tags, language, channel } = this;
    const visibility = this.value("visibility") as Fields["visibility"];
    const [licence, consent_version] = [this.value("licence"), this.value("consent_version")];
    return { title, tags, language, channel, visibility, licence, consent_version, ...this.placing.fields };
  }

  /** Tells at once what was changed a moment ago: before another take is opened, or this one is left. */
  hurry(): void {
    if (!this.timer) return;
    this.rest();
    this.told.changed(this.fields);
  }

  /** Shows a take's fields; nothing that is still to be kept of another take is kept in this one. */
  open(fields: Fields): void {
    this.rest();
    for (const name of ["title", "tags", "language", "visibility"] as const) this.control(name).value = fields[name];
    const licence = this.control("licence") as HTMLSelectElement;
    licence.value = fields.licence || licence.dataset["usual"] || "";
    this.offer(fields.channel);
    this.placing.fields = fields;
  }

  /** The channels that can be chosen from; a choice only where there is more than one's own. */
  welcome({ handle, channels }: Me): void {
    const chosen = this.channel;
    const select = this.control("channel") as HTMLSelectElement;
    const options = channels.map(({ handle: value, title }) => new Option(`${title} (@${value})`, value));
    select.replaceChildren(new Option(handle ? text("recorder.own_channel", { handle }) : "", ""), ...options.slice(1));
    this.offer(chosen);
    show(find("[data-channels]", this.form), channels.length > 1);
  }

  private get title(): string {
    return this.value("title");
  }

  private get tags(): string {
    return this.value("tags");
  }

  private get language(): string {
    return this.value("language");
  }

  private get channel(): string {
    return this.value("channel");
  }

  /** A channel that was chosen stays chosen, also before it is known that it may be. */
  private offer(channel: string): void {
    const select = this.control("channel") as HTMLSelectElement;
    if (channel && ![...select.options].some(({ value }) => value === channel)) select.add(new Option(`@${channel}`, channel));
    select.value = channel;
  }

  private soon(): void {
    this.rest();
    this.timer = setTimeout(() => this.hurry(), SAVE_MS);
  }

  private rest(): void {
    clearTimeout(this.timer);
    this.timer = 0;
  }

  private value(name: string): string {
    return this.control(name).value;
  }

  private control(name: string): HTMLInputElement | HTMLSelectElement {
    return find(`[data-field=${name}]`, this.form);
  }
}
