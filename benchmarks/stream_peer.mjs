import { leftOut } from "./stream_support.mjs";
export const peer = async () => [leftOut("", "peer", "not there yet")];
