// Numbers, sizes and times for people.

const whole = new Intl.NumberFormat("en");
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (n) => whole.format(n);

// rate is for something a second.
export function rate(n) {
  if (!Number.isFinite(n)) return "–";
  if (n > 0 && n < 0.1) return "<0.1";
  return n < 10 ? tenths.format(n) : n < 10_000 ? whole.format(Math.round(n)) : `${tenths.format(n / 1000)}k`;
}

export function bytes(n) {
  if (!Number.isFinite(n)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  for (; Math.abs(n) >= 1000 && i < units.length - 1; i++) n /= 1024;
  return `${i === 0 || n >= 100 ? whole.format(Math.round(n)) : tenths.format(n)} ${units[i]}`;
}

// span is for a number of seconds, in its two largest units.
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
  const i = Math.max(0, units.findIndex(([, size]) => s >= size));
  if (s === 0) return "0 s";
  const [name, size] = units[i];
  const rest = Math.floor((s % size) / (units[i + 1]?.[1] ?? 1));
  return `${Math.floor(s / size)} ${name}` + (i < 3 && rest ? ` ${rest} ${units[i + 1][0]}` : "");
}

// ago is how long before now (ms) a time of the gateway's was: "" where it is not known.
export function ago(time, now) {
  const at = Date.parse(time);
  if (!Number.isFinite(at) || at <= 0) return "";
  const s = Math.max(0, (now - at) / 1000);
  if (s < 5) return "now";
  const [name, size] = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]].find(([, size]) => s >= size);
  return `${Math.floor(s / size)} ${name} ago`;
}

// date is the time in full, for a title.
export function date(time) {
  const at = new Date(time);
  return Number.isFinite(at.getTime()) ? at.toLocaleString() : "";
}

export const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;

export const dialects = { v1: "v1", v1ws: "v1 WebSocket", v2: "v2" };
