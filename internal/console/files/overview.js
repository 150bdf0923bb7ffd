// The numbers at the top, and the plots.

import { bytes, count, plural, rate, span } from "./format.js";
import { Plot } from "./plot.js";
import { Rates } from "./rates.js";

const tile = (name) => document.querySelector(`[data-tile="${name}"]`);
const under = (name) => document.querySelector(`[data-under="${name}"]`);

const moment = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "short" });

const byDialect = [{ label: "v1", hue: "v1" }, { label: "v1 WebSocket", hue: "v1ws" }, { label: "v2", hue: "v2" }];
const names = ["v1", "v1ws", "v2"];

export class Overview {
  #in = new Plot(document.getElementById("plotin"), "Messages in, a second", byDialect, { format: rate });
  #out = new Plot(document.getElementById("plotout"), "Messages out, a second", byDialect, { format: rate });
  #people = new Plot(document.getElementById("plotpeople"), "Connected",
    [{ label: "connections", hue: "plain" }, { label: "members", hue: "other" }], { format: rate, least: 4 });
  #memory = new Plot(document.getElementById("plotmemory"), "Memory", [{ label: "in use", hue: "plain" }],
    { format: bytes, unit: 1024, least: 1 << 20 });
  #rates = new Rates();

  // show brings all up to date with a status.
  show(doc) {
    const { stats } = doc;
    const time = Date.parse(doc.now);
    this.#tiles(doc);
    const counters = {};
    for (const name of names) {
      const d = stats.dialects[name] ?? {};
      counters[`in ${name}`] = d.messages_in ?? 0;
      counters[`out ${name}`] = d.messages_out ?? 0;
    }
    const rates = this.#rates.of(counters, time, doc.started);
    this.#in.add(time, names.map((name) => rates[`in ${name}`]));
    this.#out.add(time, names.map((name) => rates[`out ${name}`]));
    this.#people.add(time, [stats.connections, stats.members]);
    this.#memory.add(time, [stats.memory_bytes]);
  }

  #tiles({ stats, started, uptime_seconds }) {
    put("connections", count(stats.connections), `room for ${count(stats.connections_limit)}`, stats.connections > 0.9 * stats.connections_limit);
    const by = names.map((name) => [stats.dialects[name]?.members ?? 0, byDialect[names.indexOf(name)].label]);
    put("members", count(stats.members), by.filter(([n]) => n).map(([n, name]) => `${count(n)} ${name}`).join(" · ") || "nobody is here");
    put("channels", count(stats.channels), "used or remembered");
    const share = stats.memory_limit_bytes ? stats.memory_bytes / stats.memory_limit_bytes : 0;
    put("memory", bytes(stats.memory_bytes), `${Math.round(share * 100)} % of ${bytes(stats.memory_limit_bytes)}`, share > 0.85);
    put("uptime", span(uptime_seconds), `since ${moment.format(Date.parse(started))}`);
    const lag = Math.max(0, ...names.map((name) => stats.dialects[name]?.lag_max_bytes ?? 0));
    const cuts = Object.values(stats.cuts).reduce((a, n) => a + n, 0);
    put("lag", bytes(lag), cuts ? `${plural(cuts, "member", "members")} cut since the start` : "nobody was cut", lag > 32 << 20);
  }
}

function put(name, text, hint, warn = false) {
  if (tile(name).textContent !== text) tile(name).textContent = text;
  if (under(name).textContent !== hint) under(name).textContent = hint;
  tile(name).dataset.is = warn ? "warn" : "";
}
