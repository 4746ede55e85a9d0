import { enableReveal } from "../reveal";

enableReveal();
