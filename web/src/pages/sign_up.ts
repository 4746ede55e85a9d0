import { enableReveal } from "../reveal";

enableReveal("sign_up");
