import { enableCopy } from "./copy";
import { isInstalled, keepForOffline } from "./install";
import { showWhoIsHere } from "./me";
import { wakeOutbox } from "./outbox/wake";
import { BubblePlayer } from "./player";
import { awaitState } from "./waiting";

customElements.define("bubble-player", BubblePlayer);

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) enableCopy(button);
for (const notice of document.querySelectorAll<HTMLElement>("[data-awaits]")) awaitState(notice);
for (const place of document.querySelectorAll<HTMLElement>("[data-fragment]")) void showWhoIsHere(place);

void wakeOutbox();

addEventListener("appinstalled", keepForOffline);
if (isInstalled()) keepForOffline();
