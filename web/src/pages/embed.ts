import { BubblePlayer } from "../player";
import { startOf } from "../times";

// The frame's own address may name a start, as the share link does.
const start_s = startOf(location.hash);
if (start_s !== null) document.querySelector<BubblePlayer>("bubble-player")?.moveTo(start_s);
