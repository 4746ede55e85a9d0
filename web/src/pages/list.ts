import { OnAir } from "../on-air";
import { Radio } from "../radio";

const list = document.querySelector<HTMLElement>("[data-list]");
const news = document.querySelector<HTMLElement>("[data-news]");
const button = document.querySelector<HTMLButtonElement>("[data-radio]");
if (list && news) new OnAir(list, news);
if (list && button) new Radio(list, button);
