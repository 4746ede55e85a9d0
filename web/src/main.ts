import { isInstalled, keepForOffline } from "./install";
import { showWhoIsHere } from "./me";
import { wakeOutbox } from "./outbox/wake";
import "./player";

for (const place of document.querySelectorAll<HTMLElement>("[data-fragment]")) void showWhoIsHere(place);

void wakeOutbox();

addEventListener("appinstalled", keepForOffline);
if (isInstalled()) keepForOffline();
