import { enableCopy } from "./copy";
import { text } from "./texts";

/**
 * The ways to pass a bubble on, as the house tells them (`share_panel.html`). A page brings it whole; an empty one whose
 * `code` is set fetches the same. The script adds copying and the system's own share sheet.
 */
export class SharePanel extends HTMLElement {
  static readonly observedAttributes = ["code"];

  connectedCallback(): void {
    if (this.querySelector("input")) this.enable();
  }

  attributeChangedCallback(): void {
    const code = this.getAttribute("code");
    if (code && !this.querySelector("input")) void this.fill(code);
  }

  private async fill(code: string): Promise<void> {
    const address = `/b/${encodeURIComponent(code)}/share`;
    const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return;
    const made = document.createElement("template");
    made.innerHTML = await answer.text();
    const panel = made.content.querySelector("share-panel");
    this.dataset["name"] = panel?.getAttribute("data-name") ?? "";
    this.replaceChildren(...(panel?.childNodes ?? []));
    this.enable();
  }

  private enable(): void {
    for (const button of this.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
      enableCopy(button);
      button.addEventListener("click", () => this.say(text("common.copied")));
    }
    const send = this.querySelector<HTMLButtonElement>("[data-send]");
    if (send && "share" in navigator) this.enableSend(send);
  }

  private enableSend(button: HTMLButtonElement): void {
    const told = { title: this.dataset["name"] ?? "", url: this.querySelector("input")?.value ?? "" };
    button.hidden = false;
    // Whoever closes the sheet again changed their mind: that is no error.
    button.onclick = () => void navigator.share(told).catch(() => undefined);
  }

  private say(words: string): void {
    const status = this.querySelector("[role=status]");
    if (status) status.textContent = words;
  }
}

if (!customElements.get("share-panel")) customElements.define("share-panel", SharePanel);
